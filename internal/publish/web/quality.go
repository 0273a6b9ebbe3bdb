package web

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
)

// errorRecord answers "How often are we wrong?": the page's part and, in its documents,
// its twin's.
type errorRecord struct {
	doc     *qualityDoc
	Curve   template.HTML
	Legend  []legend
	Decades []decadeRow
	Classes []classTable
	Alarms  []alarms
	Ages    []ageRow
	Oldest  []serviceAge // of those shown
	Left    int          // services that the page leaves to the JSON twin
}

// Since is the month from which on is counted.
func (w *errorRecord) Since() string { return w.doc.Since.Format("January 2006") }

// Readings is how many were counted.
func (w *errorRecord) Readings() int { return w.doc.Readings }

// Year is the record of the last 365 days.
func (w *errorRecord) Year() *alarms { return &w.Alarms[len(w.Alarms)-1] }

// qualityDoc is the same for programs.
type qualityDoc struct {
	Since     time.Time   `json:"since,omitzero"` // first month that is counted; missing: nothing was
	Readings  int         `json:"readings"`
	Curves    []jsonCurve `json:"calibration"`
	Alarms    []alarms    `json:"false_alarms"`
	Baselines baselineDoc `json:"baselines"`
}

// jsonCurve is the curve of a level, or of one class of it.
type jsonCurve struct {
	Level    string      `json:"level"`                     // world, country or network
	Usual    string      `json:"usual_in_15_min,omitempty"` // missing: all of the level
	Readings int         `json:"readings"`
	Decades  []jsonOften `json:"decades"`
}

// jsonOften is how often readings had a p or less.
type jsonOften struct {
	P       float64 `json:"p"`
	Hits    int     `json:"hits"`
	Share   float64 `json:"share"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Verdict string  `json:"verdict"`
}

// levelNames are the levels of curves, in the page's words and in the twin's.
var levelNames = []struct {
	level      faultline.Level
	name, json string
}{{faultline.World, "World", "world"}, {faultline.InCountry, "Countries", "country"}, {faultline.InASN, "Networks", "network"}}

// classNames are the classes of the usual number in words.
var classNames = map[faultline.Class]string{
	faultline.BelowTenth: "fewer than 0.1 usual in 15 minutes", faultline.BelowOne: "0.1 to 1 usual", faultline.BelowTen: "1 to 10 usual", faultline.AboveTen: "more than 10 usual",
}

// decadeRow is one p in the table of the page.
type decadeRow struct {
	P     string
	Cells []string // a level each
}

// classTable is the table of one class.
type classTable struct {
	Name     string
	Readings int
	Rows     []classRow
}

type classRow struct{ P, Share, Range, Verdict string }

func (s *Site) errors(v *live.View) *errorRecord {
	w := &errorRecord{doc: &qualityDoc{Since: v.Quality.Since, Curves: []jsonCurve{}}}
	picture := chart.Curve{}
	for k := range faultline.Decades {
		w.Decades = append(w.Decades, decadeRow{P: shareText(math.Pow10(-k - 1))})
	}
	for n, l := range levelNames {
		curves := slices.DeleteFunc(slices.Clone(v.Quality.Curves), func(c faultline.Curve) bool { return c.Level != l.level })
		sum := faultline.Together(curves)
		w.level(l.name, l.json, &sum, curves)
		if sum.N > 0 {
			class := fmt.Sprintf("s%d", n+1)
			picture.Lines = append(picture.Lines, chart.Line{Class: class, Points: pointsIn(&sum)})
			w.Legend = append(w.Legend, legend{class, l.name})
		}
	}
	if w.doc.Readings > 0 {
		picture.Label = s.curveLabel(w)
		w.Curve = picture.SVG()
	}
	w.Alarms = alarmsOf(v)
	w.doc.Alarms = w.Alarms
	w.ages(v)
	return w
}

// level adds a level to the table, and its classes that hold anything.
func (w *errorRecord) level(name, key string, sum *faultline.Curve, curves []faultline.Curve) {
	w.doc.Readings += sum.N
	w.doc.Curves = append(w.doc.Curves, jsonCurve{key, "", sum.N, oftenOf(sum)})
	for k, o := range oftenOf(sum) {
		cell := "none yet"
		if sum.N > 0 {
			cell = shareText(o.Share)
		}
		w.Decades[k].Cells = append(w.Decades[k].Cells, cell)
	}
	for i := range curves {
		c := &curves[i]
		w.doc.Curves = append(w.doc.Curves, jsonCurve{key, string(c.Usual), c.N, oftenOf(c)})
		if c.N == 0 {
			continue
		}
		t := classTable{Name: name + ", " + classNames[c.Usual], Readings: c.N}
		for _, o := range oftenOf(c) {
			t.Rows = append(t.Rows, classRow{shareText(o.P), shareText(o.Share), shareText(o.Low) + " to " + shareText(o.High), o.Verdict})
		}
		w.Classes = append(w.Classes, t)
	}
}

func oftenOf(c *faultline.Curve) []jsonOften {
	out := make([]jsonOften, faultline.Decades)
	for k := range out {
		o := &out[k]
		o.P = faultline.Round(math.Pow10(-k-1), k+1)
		share, low, high := c.Often(k + 1)
		if k < len(c.Hits) {
			o.Hits = c.Hits[k]
		}
		o.Share, o.Low, o.High = faultline.Round(share, 8), faultline.Round(low, 8), faultline.Round(high, 8)
		o.Verdict = verdictOf(c.N, o.P, low, high)
	}
	return out
}

// fewExpected is how many hits must be expected before a range says anything.
const fewExpected = 3

func verdictOf(n int, should, low, high float64) string {
	switch {
	case low > should:
		return "too often"
	case float64(n)*should < fewExpected:
		return "too few to say"
	case high < should:
		return "less often"
	}
	return "as it should"
}

// pointsIn are the points of a curve that was hit.
func pointsIn(c *faultline.Curve) (out []chart.Often) {
	for _, o := range oftenOf(c) {
		if o.Hits > 0 {
			out = append(out, chart.Often{Should: o.P, Was: o.Share, Low: o.Low, High: o.High})
		}
	}
	return out
}

// curveLabel is the picture in a sentence.
func (s *Site) curveLabel(w *errorRecord) string {
	var b strings.Builder
	if s.d.Replay != nil {
		b.WriteString("Replay, " + s.d.Replay.Notice + ". ")
	}
	b.WriteString("Calibration curve. What should come in 1 % of readings came")
	for n, l := range w.Legend {
		if n > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " for %s in %s", map[string]string{"World": "the world", "Countries": "countries", "Networks": "networks"}[l.Text], w.cell(1, l.Text))
	}
	return b.String() + ". The table below carries the numbers."
}

// cell is what the table says of a level.
func (w *errorRecord) cell(decade int, name string) string {
	for n, l := range levelNames {
		if l.name == name {
			return w.Decades[decade].Cells[n]
		}
	}
	return ""
}

// shareText writes a small share: "0.72 %", "0.0001 %"; none is "0".
func shareText(x float64) string {
	if x <= 0 {
		return "0"
	}
	digits := max(0, 1-int(math.Floor(math.Log10(x*100)))) // two that count
	text := fmt.Sprintf("%.*f", digits, x*100)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " %"
}
