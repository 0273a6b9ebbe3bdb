package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
)

const (
	unit    = 1774.0 // units of the map in one unit of the projection: a world 9,600 wide
	middle  = 11.0   // longitude of the map's middle; its edge, 169° W, cuts no country
	coarse  = 60.0   // a point that takes away less than this much area goes, in square units
	islet   = 60.0   // a ring with less goes, if the area has another
	tiny    = 600.0  // an area with less gets a dot
	reserve = 20.0   // room around everything, for strokes
)

// project is the Equal Earth projection (Šavrič, Patterson, Jenny 2018).
func project(p point) point {
	const a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
	m := math.Sqrt(3) / 2
	l := math.Asin(m * math.Sin(p.y*math.Pi/180))
	l2 := l * l
	l6 := l2 * l2 * l2
	x := (p.x - middle) * math.Pi / 180 * math.Cos(l) / (m * (a1 + 3*a2*l2 + l6*(7*a3+9*a4*l2)))
	return point{x * unit, -l * (a1 + a2*l2 + l6*(a3+a4*l2)) * unit}
}

func projected(line []point) []point {
	out := make([]point, len(line))
	for i, p := range line {
		out[i] = project(p)
	}
	return out
}

// unwrap lets a line run on across the date line: no step is longer than half
// the world.
func unwrap(line []point) []point {
	for i := 1; i < len(line); i++ {
		line[i].x -= 360 * math.Round((line[i].x-line[i-1].x)/360)
	}
	return line
}

// east moves a ring by whole turns until its middle lies on the map.
func east(ring []point) []point {
	turn := 360 * math.Round((centre(ring).x-middle)/360)
	for i := range ring {
		ring[i].x -= turn
	}
	return ring
}

// centre is the middle of a ring's box.
func centre(ring []point) point {
	low, high := box(ring)
	return point{(low.x + high.x) / 2, (low.y + high.y) / 2}
}

func box(line []point) (low, high point) {
	low, high = line[0], line[0]
	for _, p := range line {
		low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
	}
	return low, high
}

// simplify takes points out of an arc, always the one whose triangle with its
// neighbours is smallest on the map (Visvalingam), until that is large enough.
// Ends stay, and of a closed arc a triangle.
func simplify(arc []point) []point {
	least := 2
	if arc[0] == arc[len(arc)-1] {
		least = 4
	}
	on := projected(arc)
	for len(arc) > least {
		at, smallest := 0, math.Inf(1)
		for i := 1; i < len(on)-1; i++ {
			if a := triangle(on[i-1], on[i], on[i+1]); a < smallest {
				at, smallest = i, a
			}
		}
		if smallest >= coarse {
			break
		}
		arc, on = slices.Delete(arc, at, at+1), slices.Delete(on, at, at+1)
	}
	return arc
}

func triangle(a, b, c point) float64 {
	return math.Abs((b.x-a.x)*(c.y-a.y)-(c.x-a.x)*(b.y-a.y)) / 2
}

// size is the area inside a ring.
func size(ring []point) (sum float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += p.x*q.y - q.x*p.y
	}
	return math.Abs(sum) / 2
}

// keep drops islets, but never an area's largest ring, which comes first.
func keep(rings [][]point) [][]point {
	rings = slices.Clone(rings)
	slices.SortStableFunc(rings, func(a, b []point) int { return cmp.Compare(size(b), size(a)) })
	n := 1
	for n < len(rings) && size(rings[n]) >= islet {
		n++
	}
	return rings[:n]
}

// sprite draws the areas.
func sprite(areas []area) []byte {
	var all []point
	for i := range areas {
		areas[i].rings = keep(areas[i].rings)
		all = append(all, slices.Concat(areas[i].rings...)...)
	}
	low, high := box(all)
	low.x, low.y = low.x-reserve, low.y-reserve
	var b, dots bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f"><!-- Boundaries: Natural Earth, 1:50 million, public domain, as in world-atlas 2.0.2 (ISC), simplified. Equal Earth projection. --><g id="land">`, math.Ceil(high.x-low.x+reserve), math.Ceil(high.y-low.y+reserve))
	for _, a := range areas {
		b.WriteString("<path")
		if a.code != "" {
			fmt.Fprintf(&b, ` id="%s"`, a.code)
		}
		fmt.Fprintf(&b, ` d="%s"/>`, outline(a.rings, low))
		if size(slices.Concat(a.rings[0])) < tiny && a.code != "" {
			m := centre(a.rings[0])
			fmt.Fprintf(&dots, `<circle id="o%s" cx="%.0f" cy="%.0f" r="28"/>`, a.code, m.x-low.x, m.y-low.y)
		}
	}
	return append(append(append(b.Bytes(), "</g>"...), dots.Bytes()...), "</svg>\n"...)
}

// outline is the rings as path data, in whole units and steps.
func outline(rings [][]point, origin point) string {
	var b bytes.Buffer
	for _, r := range rings {
		x, y := 0, 0
		for i, p := range r[:len(r)-1] {
			px, py := int(math.Round(p.x-origin.x)), int(math.Round(p.y-origin.y))
			switch {
			case i == 0:
				fmt.Fprintf(&b, "M%d", px)
				number(&b, py)
				b.WriteByte('l')
				x, y = px, py
				continue
			case px == x && py == y:
				continue
			}
			if c := b.Bytes()[b.Len()-1]; c == 'l' {
				fmt.Fprintf(&b, "%d", px-x)
			} else {
				number(&b, px-x)
			}
			number(&b, py-y)
			x, y = px, py
		}
		b.WriteByte('z')
	}
	return b.String()
}

// number writes a number behind another; a minus divides as well as a space.
func number(b *bytes.Buffer, n int) {
	if n >= 0 {
		b.WriteByte(' ')
	}
	fmt.Fprintf(b, "%d", n)
}
