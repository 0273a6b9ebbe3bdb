package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// point is longitude and latitude in degrees, or x and y in units of the map.
type point struct{ x, y float64 }

// topology is what is used of TopoJSON: arcs that areas share, and areas as
// lists of arcs. An arc that is run through backwards has the number ^i.
type topology struct {
	Transform struct{ Scale, Translate [2]float64 }
	Arcs      [][][2]float64
	Objects   struct {
		Countries struct{ Geometries []geometry }
	}

	arcs [][]point
}

type geometry struct {
	Type       string
	ID         string
	Arcs       json.RawMessage
	Properties struct{ Name string }

	polygons [][][]int
}

func parse(b []byte) (*topology, error) {
	t := &topology{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("read topology: %w", err)
	}
	if len(t.Objects.Countries.Geometries) == 0 {
		return nil, errors.New("no object “countries”: want countries-50m.json of world-atlas")
	}
	for _, a := range t.Arcs {
		t.arcs = append(t.arcs, simplify(t.decode(a)))
	}
	for i := range t.Objects.Countries.Geometries {
		if err := t.Objects.Countries.Geometries[i].read(len(t.arcs)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// decode sums up an arc's steps, and lets it run on across the date line
// instead of jumping around the world.
func (t *topology) decode(steps [][2]float64) (out []point) {
	x, y := 0.0, 0.0
	for _, s := range steps {
		x, y = x+s[0], y+s[1]
		out = append(out, point{x*t.Transform.Scale[0] + t.Transform.Translate[0], y*t.Transform.Scale[1] + t.Transform.Translate[1]})
	}
	return unwrap(out)
}

// read takes the polygons out of a geometry; only outer rings are drawn: the
// country in a hole lies on top of it.
func (g *geometry) read(arcs int) (err error) {
	switch g.Type {
	case "Polygon":
		g.polygons = make([][][]int, 1)
		err = json.Unmarshal(g.Arcs, &g.polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Arcs, &g.polygons)
	default:
		err = fmt.Errorf("geometry of type %q, want Polygon or MultiPolygon", g.Type)
	}
	for _, p := range g.polygons {
		for _, ring := range p {
			if slices.ContainsFunc(ring, func(a int) bool { return max(a, ^a) >= arcs }) {
				err = errors.New("names an arc that is not there")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("country %s: %w", g.Properties.Name, err)
	}
	return nil
}

// ring joins arcs to a closed line; the point where two meet is in both.
func (t *topology) ring(arcs []int) (out []point) {
	for _, a := range arcs {
		line := t.arcs[max(a, ^a)]
		if a < 0 {
			line = slices.Clone(line)
			slices.Reverse(line)
		}
		if len(out) > 0 {
			line = line[1:]
		}
		out = append(out, line...)
	}
	return east(unwrap(out))
}

// part is a piece of a country that has a code of its own and lies in a box of
// longitudes and latitudes.
type part struct {
	of, code                 string
	west, east, south, north float64
}

// parts are the pieces that Natural Earth counts to the state they belong to and
// that ISO 3166 and the tables of networks do not.
var parts = []part{
	{"FR", "GF", -55, -51, 2, 6},
	{"FR", "GP", -62, -61, 15.7, 16.7},
	{"FR", "MQ", -61.4, -60.6, 14.2, 15.1},
	{"FR", "RE", 55, 56, -22, -20},
	{"FR", "YT", 44.5, 45.6, -13.5, -12},
	{"NO", "SJ", -10, 36, 74, 82},
	{"NO", "SJ", -10, -7, 70, 72},
	{"NO", "BV", 2, 5, -56, -53},
	{"NL", "BQ", -69, -62, 11, 18},
	{"Indian Ocean Ter.", "CX", 105, 106, -11, -10},
	{"Indian Ocean Ter.", "CC", 96, 97, -13, -11},
}

// code is the area that a polygon of a country belongs to, or "" for land that
// no code names.
func (g *geometry) code(middle point) string {
	of := iso(g.ID)
	if g.Properties.Name == "Kosovo" {
		of = "XK"
	}
	for _, p := range parts {
		if (p.of == of || p.of == g.Properties.Name) && middle.x >= p.west && middle.x <= p.east && middle.y >= p.south && middle.y <= p.north {
			return p.code
		}
	}
	return of
}

// iso turns a number of ISO 3166 into its two letters.
func iso(number string) string {
	if r, err := language.ParseRegion(number); err == nil && number != "" && len(r.String()) == 2 {
		return r.String()
	}
	return ""
}

// area is a country's outline on the map.
type area struct {
	code  string // "" for land that no code names
	rings [][]point
}

// areas gives the areas in the order of their codes.
func (t *topology) areas() (out []area) {
	rings := map[string][][]point{}
	for i := range t.Objects.Countries.Geometries {
		g := &t.Objects.Countries.Geometries[i]
		if iso(g.ID) == "AQ" {
			continue
		}
		for _, p := range g.polygons {
			r := t.ring(p[0])
			code := g.code(centre(r))
			rings[code] = append(rings[code], projected(r))
		}
	}
	for code, r := range rings {
		out = append(out, area{code, r})
	}
	slices.SortFunc(out, func(a, b area) int { return strings.Compare(a.code, b.code) })
	return out
}
