package chart_test

import (
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline/internal/publish/chart"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func clock(v []float64) chart.Clock {
	return chart.Clock{
		Width: 1134, Right: 150, From: noon.Add(-24 * time.Hour), To: noon, Step: 5 * time.Minute, Now: noon.Add(-time.Hour), TickStep: 3 * time.Hour, TickText: "15:04", Label: "Reports <about> X",
		Shade: []chart.Span{{From: noon.Add(-6 * time.Hour), To: noon.Add(-4 * time.Hour)}},
		Lanes: []chart.Lane{{Title: "Reports", Height: 130, Lines: []chart.Series{{Name: "Re&ports", Class: "s1", V: v}}}},
	}
}

func flat(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// wellFormed reads a drawing as XML and refuses what a strict policy refuses.
func wellFormed(t interface{ Errorf(string, ...any) }, svg string) {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("not XML: %v", err)
			return
		}
		if e, ok := tok.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("attribute %s", a.Name.Local)
				}
			}
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("a number is none: %.200s", svg)
	}
}

var linePath = regexp.MustCompile(`<path class="ln s1" d="([^"]+)"`)

// points reads the coordinates of the first line.
func points(t *testing.T, svg string) (xs, ys []float64) {
	t.Helper()
	m := linePath.FindStringSubmatch(svg)
	if m == nil {
		t.Fatal("no line")
	}
	for _, p := range regexp.MustCompile(`[ML]([\d.-]+) ([\d.-]+)`).FindAllStringSubmatch(m[1], -1) {
		x, _ := strconv.ParseFloat(p[1], 64)
		y, _ := strconv.ParseFloat(p[2], 64)
		xs, ys = append(xs, x), append(ys, y)
	}
	return xs, ys
}

func TestASurgeOfOneBinIsNotAveragedAway(t *testing.T) {
	v := flat(24*60, 10)
	v[700] = 1000
	c := clock(v)
	c.Step = time.Minute
	_, ys := points(t, string(c.SVG()))
	highest := math.Inf(1)
	for _, y := range ys {
		highest = math.Min(highest, y)
	}
	if highest != 24 { // the top of the lane: 1000 is the top of its scale
		t.Errorf("the surge is drawn at %v, want 24", highest)
	}
	if len(ys) > 700 {
		t.Errorf("%d points for fewer pixels", len(ys))
	}
}

func TestTimeRunsFromLeftToRightAndInsideTheWidth(t *testing.T) {
	for _, width := range []float64{1134, 326} {
		c := clock(flat(288, 5))
		c.Width = width
		if width < 400 {
			c.Right = 0
		}
		xs, _ := points(t, string(c.SVG()))
		for i, x := range xs {
			if x < 44 || x > width || (i > 0 && x <= xs[i-1]) {
				t.Fatalf("point %d at x = %v of %v", i, x, width)
			}
		}
	}
}

func TestWhatIsUnknownLeavesAGap(t *testing.T) {
	v := flat(288, 5)
	for i := 100; i < 150; i++ {
		v[i] = chart.Unknown
	}
	svg := string(clock(v).SVG())
	if n := strings.Count(svg, `<path class="ln s1" d="M44`) + strings.Count(svg, `<path class="ln s1" d="M`); n < 3 { // two runs, and the stroke before the name
		t.Errorf("%d lines; want one before the gap and one after", n)
	}
	wellFormed(t, svg)
}

func TestDisruptionIsShadedWhereItWas(t *testing.T) {
	m := regexp.MustCompile(`<rect class="ph" x="([\d.]+)" y="24" width="([\d.]+)"`).FindStringSubmatch(string(clock(flat(288, 5)).SVG()))
	if m == nil {
		t.Fatal("no shade")
	}
	x, _ := strconv.ParseFloat(m[1], 64)
	w, _ := strconv.ParseFloat(m[2], 64)
	plot := 1134.0 - 44 - 150
	if math.Abs(x-(44+plot*18/24)) > 0.1 || math.Abs(w-plot*2/24) > 0.1 {
		t.Errorf("shaded %v wide at %v", w, x)
	}
}

func TestNamesAreEscapedAndDoNotCollide(t *testing.T) {
	c := clock(flat(288, 5))
	for _, n := range []string{"a", "b", "c", "d"} {
		c.Lanes[0].Lines = append(c.Lanes[0].Lines, chart.Series{Name: n, Class: "s2", V: flat(288, 5)})
	}
	svg := string(c.SVG())
	wellFormed(t, svg)
	if !strings.Contains(svg, "Re&amp;ports") || !strings.Contains(svg, "Reports &lt;about&gt; X") {
		t.Error("a name came through as it was")
	}
	var ys []float64
	for _, m := range regexp.MustCompile(`<text class="dl in" x="[\d.]+" y="([\d.]+)"`).FindAllStringSubmatch(svg, -1) {
		y, _ := strconv.ParseFloat(m[1], 64)
		ys = append(ys, y)
	}
	for i := 1; i < len(ys); i++ {
		if ys[i]-ys[i-1] < 16 {
			t.Errorf("names at %v", ys)
		}
	}
	if len(ys) != 5 {
		t.Errorf("%d names", len(ys))
	}
}

func TestDrawingsHoldWhateverComes(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(0, 1e9), rapid.Just(chart.Unknown), rapid.Just(0.0))
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(value, 0, 2000).Draw(t, "values")
		c := clock(v)
		c.Lanes[0].Low, c.Lanes[0].High = v, v
		c.Lanes = append(c.Lanes, chart.Lane{Title: "r", Height: 50, Max: 100, Loss: true, Lines: c.Lanes[0].Lines})
		wellFormed(t, string(c.SVG()))
		wellFormed(t, string(chart.Row(v, [][2]float64{{0.1, 0.2}}, true, true)))
	})
}

func TestExtremesKeepTheExtreme(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(0, 1000), 1, 3000).Draw(t, "values")
		columns := rapid.IntRange(1, 400).Draw(t, "columns")
		top, low := 0.0, math.Inf(1)
		for _, x := range v {
			top, low = math.Max(top, x), math.Min(low, x)
		}
		gotTop, gotLow := 0.0, math.Inf(1)
		most := chart.Extremes(v, columns, false)
		for _, s := range most {
			gotTop = math.Max(gotTop, s.Value)
		}
		for _, s := range chart.Extremes(v, columns, true) {
			gotLow = math.Min(gotLow, s.Value)
		}
		if gotTop != top || gotLow != low || len(most) > max(columns, 1) {
			t.Fatalf("top %v of %v, low %v of %v, %d points", gotTop, top, gotLow, low, len(most))
		}
	})
}

func TestTheDrumHasOneScale(t *testing.T) {
	for ratio, want := range map[float64]float64{0.2: 0, 1: 0, 40: 56, math.Sqrt(40): 28} {
		if got := chart.Height(ratio); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v × is drawn %v high, want %v", ratio, got, want)
		}
	}
	if chart.Height(1e9) > 70 {
		t.Error("an absurd ratio leaves the row")
	}
}

func TestARowWithoutAUsualNumberIsDotted(t *testing.T) {
	svg := string(chart.Row(flat(288, chart.Unknown), nil, false, false))
	if strings.Contains(svg, `class="ln"`) || !strings.Contains(svg, `class="nil"`) {
		t.Errorf("%s", svg)
	}
}

func TestDaysShowTimeUnknownAndNothing(t *testing.T) {
	svg := string(chart.Days([]chart.Day{{}, {Unknown: true}, {Disrupted: 400}, {Disrupted: 1e6}}))
	for class, want := range map[string]int{`class="ok"`: 1, `class="nt"`: 1, `class="bad"`: 2} {
		if n := strings.Count(svg, class); n != want {
			t.Errorf("%s: %d, want %d", class, n, want)
		}
	}
	if !strings.Contains(svg, `y="1" width="7" height="62"`) {
		t.Error("400 minutes are not drawn at full height")
	}
	wellFormed(t, svg)
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 999: "999", 21450: "21,450", 1234567: "1,234,567", 2.5: "2.5", -1200: "−1,200"} {
		if got := chart.Number(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

func TestOnlyATallRowReachesUp(t *testing.T) {
	wave := flat(288, 1)
	wave[100] = 40
	if !chart.Tall(wave) || chart.Tall(flat(288, 4)) {
		t.Error("40 × is tall, 4 × is not")
	}
	shade := [][2]float64{{0.2, 0.4}}
	if svg := string(chart.Row(wave, shade, true, true)); !strings.Contains(svg, `y="-36"`) || !strings.Contains(svg, `class="sl"`) {
		t.Errorf("no shade above, or no line at 40 ×: %s", svg)
	}
	if svg := string(chart.Row(flat(288, 4), shade, true, false)); strings.Contains(svg, `y="-`) || strings.Contains(svg, `class="sl"`) {
		t.Errorf("reaches into the row above: %s", svg)
	}
}
