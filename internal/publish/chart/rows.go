package chart

import (
	"html/template"
	"math"
	"strconv"
	"strings"
)

const (
	rowWidth  = 720.0
	rowHeight = 34.0
	rowBase   = 31.0 // where the usual number lies
	rowTop    = 56.0 // how much higher 40 times the usual number is drawn
)

// Height is how high above the base line a ratio is drawn: log2, 40 × is
// rowTop, and less than the usual number is the base line.
func Height(ratio float64) float64 {
	if math.IsNaN(ratio) || ratio <= 1 {
		return 0
	}
	return math.Min(math.Log2(ratio)/math.Log2(40), 1.25) * rowTop
}

// Tall says whether a row's line leaves its 34 pixels, so that it needs room
// above.
func Tall(ratio []float64) bool {
	for _, r := range ratio {
		if Height(r) > rowBase {
			return true
		}
	}
	return false
}

// Row draws a row of the drum: the ratio to the usual number, on the same
// scale in every row and on every day. shade marks stretches as parts of the
// row, 0 to 1. A stretch that is unknown is dotted along the base line. A tall
// row has 36 pixels more above, and shows where 40 × lies.
func Row(ratio []float64, shade [][2]float64, hot, tall bool) template.HTML {
	var b strings.Builder
	class := "tr"
	if hot {
		class = "tr hot"
	}
	b.WriteString(`<svg class="` + class + `" viewBox="0 0 720 34" preserveAspectRatio="none" aria-hidden="true" focusable="false">`)
	above := 0.0 // a row that isn't tall may not reach into the one above
	if tall {
		above = 36
		b.WriteString(`<path class="sl" d="M0 ` + px(rowBase-rowTop) + `H720"/>`)
	}
	for _, s := range shade {
		b.WriteString(`<rect class="ph" x="` + px(s[0]*rowWidth) + `" y="` + px(0-above) + `" width="` + px(math.Max((s[1]-s[0])*rowWidth, 1)) + `" height="` + px(rowHeight+above) + `"/>`)
	}
	rowLines(&b, ratio)
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

func rowLines(b *strings.Builder, ratio []float64) {
	points := Extremes(ratio, 240, false)
	if len(points) == 0 {
		points = []Sample{{0, Unknown}}
	}
	step := rowWidth / float64(len(points))
	for i := 0; i < len(points); {
		j := i
		unknown := math.IsNaN(points[i].Value)
		for j < len(points) && math.IsNaN(points[j].Value) == unknown {
			j++
		}
		if unknown {
			b.WriteString(`<path class="nil" d="M` + px(float64(i)*step) + ` ` + px(rowBase) + `H` + px(float64(j)*step) + `"/>`)
		} else {
			rowLine(b, points[i:j], i, step)
		}
		i = j
	}
}

func rowLine(b *strings.Builder, run []Sample, at int, step float64) {
	var p strings.Builder
	x := 0.0
	for k, q := range run {
		x = (float64(at+k) + 0.5) * step
		p.WriteString(verb(k) + px(x) + " " + px(rowBase-Height(q.Value)))
	}
	if len(run) == 1 {
		p.WriteString("h" + px(step/2))
	}
	first := (float64(at) + 0.5) * step
	b.WriteString(`<path class="mask" d="` + p.String() + `L` + px(x) + ` 34L` + px(first) + ` 34z"/><path class="ln" d="` + p.String() + `"/>`)
}

// Day is one mark of Days.
type Day struct {
	Disrupted float64 // minutes
	Unknown   bool    // most of the day nobody could tell
}

// Days draws a mark a day; its height grows with the square root of the
// disrupted time, an open box is a day on which nobody could tell.
func Days(days []Day) template.HTML {
	var b strings.Builder
	w := strconv.Itoa(len(days) * 10)
	b.WriteString(`<svg class="days" viewBox="0 0 ` + w + ` 64" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path class="gl" d="M0 63.5H` + w + `"/>`)
	for i, d := range days {
		x := px(float64(i)*10 + 1.5)
		switch {
		case d.Disrupted > 0:
			h := math.Min(8+math.Sqrt(d.Disrupted/400)*54, 62)
			b.WriteString(`<rect class="bad" x="` + x + `" y="` + px(63-h) + `" width="7" height="` + px(h) + `"/>`)
		case d.Unknown:
			b.WriteString(`<rect class="nt" x="` + x + `" y="50" width="7" height="13"/>`)
		default:
			b.WriteString(`<rect class="ok" x="` + x + `" y="59" width="7" height="4"/>`)
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers only
}
