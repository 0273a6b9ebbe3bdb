package chart

import (
	"html"
	"math"
	"slices"
)

// lineHeight is the distance between two names at the right.
const lineHeight = 17.0

type name struct {
	y     float64
	text  string
	class string
}

// names sets the lines' names at the right, each as near to the end of its
// line as the others allow. Names are in ink behind a stroke of their colour:
// coloured words do not have enough contrast.
func (d *drawing) names(l *Lane, at func(float64) float64, y float64) {
	var list []name
	for _, s := range l.Lines {
		if s.Name != "" {
			list = append(list, name{at(lastKnown(s.V)), s.Name, s.Class})
		}
	}
	spread(list, y, y+l.Height)
	x := left + d.plot() + 12
	for _, n := range list {
		d.w(`<path class="ln `, n.class, `" d="M`, x, ` `, n.y, `h16"/><text class="dl in" x="`, x+22, `" y="`, n.y+4, `">`, html.EscapeString(n.text), `</text>`)
	}
}

func lastKnown(v []float64) float64 {
	for _, x := range slices.Backward(v) {
		if !math.IsNaN(x) {
			return x
		}
	}
	return 0
}

// spread moves names apart: down in order, then up from the bottom.
func spread(list []name, from, to float64) {
	slices.SortStableFunc(list, func(a, b name) int {
		switch {
		case a.y < b.y:
			return -1
		case a.y > b.y:
			return 1
		}
		return 0
	})
	next := from + 2
	for i := range list {
		list[i].y = math.Max(list[i].y, next)
		next = list[i].y + lineHeight
	}
	limit := to + 4
	for i := len(list) - 1; i >= 0; i-- {
		list[i].y = math.Min(list[i].y, limit)
		limit = list[i].y - lineHeight
	}
}
