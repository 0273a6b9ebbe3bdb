package chart

import (
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Often is how often something came against how often it should, both as shares
// above 0, with its range; a Low of 0 is drawn down to the edge.
type Often struct{ Should, Was, Low, High float64 }

// Line is one line of a curve.
type Line struct {
	Class  string // s1 … s5
	Points []Often
}

// Curve is a calibration curve: on the dotted diagonal things come as often as
// they should; above it too often. Both axes run over powers of ten. It is drawn
// in one size that fits a phone.
type Curve struct {
	Lines []Line
	Label string // the picture in one sentence
}

const (
	curveWidth, curveHeight = 326.0, 268.0
	curveTop, curveFoot     = 24.0, 226.0
	rarest                  = -6.0 // of the x axis
	lowest                  = -7.0 // of the y axis
)

// SVG draws the curve.
func (c Curve) SVG() template.HTML {
	d := &drawing{}
	d.w(`<svg class="px" width="`, curveWidth, `" height="`, curveHeight, `" viewBox="0 0 `, curveWidth, ` `, curveHeight, `" role="img" aria-label="`, html.EscapeString(c.Label), `">`)
	d.w(`<text class="dl" x="0" y="`, curveTop-9, `">Came so often</text>`)
	for e := 0.0; e >= lowest; e -= 1 {
		y := curveY(math.Pow(10, e))
		d.w(`<path class="gl" d="M`, left, ` `, y, `H`, curveWidth-10, `"/><text x="`, left-6, `" y="`, y+4, `" text-anchor="end">`, Power(int(e)), `</text>`)
	}
	for e := -1.0; e >= rarest; e -= 1 {
		d.w(`<text x="`, curveX(math.Pow(10, e)), `" y="`, curveFoot+18, `" text-anchor="middle">`, Power(int(e)), `</text>`)
	}
	d.w(`<text class="dl" x="`, curveWidth-10, `" y="`, curveFoot+36, `" text-anchor="end">should come so often</text>`)
	d.w(`<path class="now" d="M`, curveX(0.1), ` `, curveY(0.1), `L`, curveX(math.Pow(10, rarest)), ` `, curveY(math.Pow(10, rarest)), `"/>`)
	for i := range c.Lines {
		d.curve(&c.Lines[i], float64(i)-float64(len(c.Lines)-1)/2)
	}
	d.w(`</svg>`)
	return template.HTML(d.b.String()) //nolint:gosec // every text in it went through html.EscapeString
}

// curve draws a line with a bar for each range. Bars of several lines stand side
// by side.
func (d *drawing) curve(l *Line, side float64) {
	var p strings.Builder
	for i, o := range l.Points {
		x := curveX(o.Should) + 5*side
		p.WriteString(verb(i) + px(x) + " " + px(curveY(o.Was)))
		d.w(`<path class="ln `, l.Class, `" d="M`, x, ` `, curveY(o.Low), `V`, curveY(o.High), `"/><circle class="ln `, l.Class, `" cx="`, x, `" cy="`, curveY(o.Was), `" r="3.5"/>`)
	}
	if len(l.Points) > 1 {
		d.w(`<path class="ln `, l.Class, `" d="`, p.String(), `"/>`)
	}
}

func curveX(share float64) float64 {
	return left + 20 + (-1-math.Log10(share))/(-1-rarest)*(curveWidth-left-50)
}

func curveY(share float64) float64 {
	e := lowest
	if share > 0 {
		e = min(max(math.Log10(share), lowest), 0)
	}
	return curveTop + e/lowest*(curveFoot-curveTop)
}

// Power writes a power of ten: "10⁻³".
func Power(e int) string {
	if e == 0 {
		return "1"
	}
	return "10" + strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(e))
}
