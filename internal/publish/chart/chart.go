// Package chart draws the pages' pictures as SVG: one clock with several lanes,
// the rows of the drum, and the marks of ninety days.
//
// In: numbers with their times. Out: SVG as text, safe to put into a page: no
// style attribute, no script, only classes and presentation attributes, so a
// strict content security policy holds. Extremes are kept when there are more
// numbers than pixels, so a surge is never averaged away; what is unknown
// leaves a gap and is never drawn as zero. Nothing is scaled by its own
// largest value where rows are to be compared (the drum).
//
// Drawings with text are made for one width in CSS pixels; drawings without
// text stretch to any width. It judges nothing and knows no domain type.
package chart

import (
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unknown is the value of a point that nobody measured.
var Unknown = math.NaN()

// Series is values at even steps: V[i] belongs to From + i×Step.
type Series struct {
	Name  string // in ink behind a stroke of the class
	Class string // s1 … s5, or "reach"
	V     []float64
}

// Lane is one drawing on the clock.
type Lane struct {
	Title  string
	Height float64 // CSS pixels
	Max    float64 // top of the scale; 0: a round number above the largest value
	Unit   string  // behind each tick
	Lines  []Series
	Low    []float64 // the usual band; Unknown where there is none
	High   []float64
	// Loss fills the space between the line and the top, and keeps minima when
	// points are dropped: for shares, where less is worse.
	Loss bool
}

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// Clock is lanes over one axis of time.
type Clock struct {
	Width    float64       // CSS pixels
	Right    float64       // room for names at the right; 0: no names
	From     time.Time     // left end of the axis
	To       time.Time     // right end
	Step     time.Duration // of every series
	Now      time.Time     // dotted line, if inside the axis
	Shade    []Span        // what is counted as disruption
	Lanes    []Lane
	Label    string // the picture in one sentence, for those who do not see it
	TickStep time.Duration
	TickText string // layout of a tick's text, "15:04"
}

const (
	left   = 44.0
	top    = 24.0
	gap    = 36.0
	bottom = 24.0
)

// SVG draws the clock.
func (c Clock) SVG() template.HTML {
	d := &drawing{c: c}
	d.open()
	d.shade()
	y := top
	for i := range c.Lanes {
		d.lane(&c.Lanes[i], y)
		y += c.Lanes[i].Height + gap
	}
	d.now()
	d.axis()
	d.b.WriteString("</svg>")
	return template.HTML(d.b.String()) //nolint:gosec // every text in it went through html.EscapeString
}

// foot is the bottom of the lowest lane.
func (c Clock) foot() float64 {
	y := top - gap
	for _, l := range c.Lanes {
		y += l.Height + gap
	}
	return y
}

type drawing struct {
	b strings.Builder
	c Clock
}

func (d *drawing) w(parts ...any) {
	for _, p := range parts {
		switch v := p.(type) {
		case string:
			d.b.WriteString(v)
		case float64:
			d.b.WriteString(px(v))
		}
	}
}

// px writes a coordinate with at most one decimal.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func (d *drawing) plot() float64 { return d.c.Width - left - math.Max(d.c.Right, 10) }

// x is where a time lies.
func (d *drawing) x(t time.Time) float64 {
	return left + float64(t.Sub(d.c.From))/float64(d.c.To.Sub(d.c.From))*d.plot()
}

// clipped is x kept inside the plot.
func (d *drawing) clipped(t time.Time) float64 {
	return math.Min(math.Max(d.x(t), left), left+d.plot())
}

func (d *drawing) open() {
	d.w(`<svg class="px" width="`, d.c.Width, `" height="`, d.c.foot()+bottom, `" viewBox="0 0 `, d.c.Width, ` `, d.c.foot()+bottom,
		`" data-x="`, left, ` `, d.plot(), `" data-n="`, float64(d.c.To.Sub(d.c.From))/float64(d.c.Step), `" role="img" aria-label="`, html.EscapeString(d.c.Label), `">`)
}

func (d *drawing) shade() {
	for _, s := range d.c.Shade {
		from, to := d.clipped(s.From), d.clipped(s.To)
		if to > from {
			d.w(`<rect class="ph" x="`, from, `" y="`, top, `" width="`, math.Max(to-from, 1), `" height="`, d.c.foot()-top, `"/>`)
		}
	}
}

func (d *drawing) lane(l *Lane, y float64) {
	scale := l.Max
	if scale == 0 {
		scale = niceMax(largest(l))
	}
	d.w(`<text class="dl" x="`, left, `" y="`, y-9, `">`, html.EscapeString(l.Title), `</text>`)
	for _, g := range ticks(scale) {
		gy := y + l.Height - g/scale*l.Height
		d.w(`<path class="gl" d="M`, left, ` `, gy, `h`, d.plot(), `"/><text x="`, left-6, `" y="`, gy+4, `" text-anchor="end">`, Number(g), html.EscapeString(l.Unit), `</text>`)
	}
	at := func(v float64) float64 { return y + l.Height - math.Min(v, scale)/scale*l.Height }
	d.band(l, at)
	for _, s := range l.Lines {
		d.line(l, s, at, y)
	}
	if d.c.Right > 0 {
		d.names(l, at, y)
	}
}

// columns is how many points a lane may have: one for 1.5 pixels.
func (d *drawing) columns() int { return int(d.plot() / 1.5) }

func (d *drawing) line(l *Lane, s Series, at func(float64) float64, y float64) {
	for _, run := range d.runs(s.V, l.Loss) {
		var p strings.Builder
		for i, q := range run {
			p.WriteString(verb(i) + px(q.x) + " " + px(at(q.v)))
		}
		first, last := run[0].x, run[len(run)-1].x
		if len(run) == 1 { // a single point still has to be seen
			p.WriteString("h1.5")
			last += 1.5
		}
		if l.Loss {
			d.w(`<path class="loss" d="`, p.String(), `L`, last, ` `, y, `L`, first, ` `, y, `z"/>`)
		}
		d.w(`<path class="ln `, s.Class, `" d="`, p.String(), `"/>`)
	}
}

func verb(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}

func (d *drawing) band(l *Lane, at func(float64) float64) {
	if len(l.High) == 0 {
		return
	}
	for _, r := range known(l.High, l.Low) {
		k := max(1, (r[1]-r[0])/d.columns())
		var p strings.Builder
		n := 0
		for i := r[0]; i < r[1]; i += k {
			p.WriteString(verb(n) + px(d.point(i)) + " " + px(at(l.High[i])))
			n++
		}
		for i := r[1] - 1; i >= r[0]; i -= k {
			p.WriteString("L" + px(d.point(i)) + " " + px(at(l.Low[i])))
		}
		d.w(`<path class="usual" d="`, p.String(), `z"/>`)
	}
}

// point is where the middle of step i lies.
func (d *drawing) point(i int) float64 {
	return d.x(d.c.From.Add(time.Duration(i)*d.c.Step + d.c.Step/2))
}

type point struct{ x, v float64 }

// runs drops points until there is one a column, keeping the extreme of each,
// and cuts the line where nothing is known.
func (d *drawing) runs(v []float64, minima bool) (out [][]point) {
	var run []point
	for _, q := range Extremes(v, d.columns(), minima) {
		if math.IsNaN(q.Value) {
			if len(run) > 0 {
				out, run = append(out, run), nil
			}
			continue
		}
		run = append(run, point{d.point(q.Index), q.Value})
	}
	if len(run) > 0 {
		out = append(out, run)
	}
	return out
}

func (d *drawing) now() {
	if d.c.Now.IsZero() || d.c.Now.Before(d.c.From) || d.c.Now.After(d.c.To) {
		return
	}
	x := d.x(d.c.Now)
	d.w(`<path class="now" d="M`, x, ` `, top, `V`, d.c.foot(), `"/>`)
	if x > left+d.plot()-36 {
		d.w(`<text class="mkt" text-anchor="end" x="`, x-5, `" y="`, top+11, `">now</text>`)
		return
	}
	d.w(`<text class="mkt" x="`, x+5, `" y="`, top+11, `">now</text>`)
}

// axis writes the times, in UTC, at whole multiples of the tick's step.
func (d *drawing) axis() {
	y := d.c.foot() + 18
	for t := d.c.From.Truncate(d.c.TickStep); !t.After(d.c.To); t = t.Add(d.c.TickStep) {
		if t.Before(d.c.From) {
			continue
		}
		x, anchor := d.x(t), "middle"
		if x > d.c.Width-20 {
			anchor = "end"
		}
		d.w(`<text x="`, x, `" y="`, y, `" text-anchor="`, anchor, `">`, html.EscapeString(t.UTC().Format(d.c.TickText)), `</text>`)
	}
}
