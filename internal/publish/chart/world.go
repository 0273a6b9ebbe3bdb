package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"strconv"
	"strings"
)

// World is what maps are drawn with: which areas the sprite of the world has,
// and where those lie that are too small to be seen without a dot.
type World struct {
	view  string // the sprite's viewBox
	areas map[string]bool
	dots  map[string][2]string
}

// ReadWorld reads the sprite that build makes: a path for each area, and a
// circle "oXX" at the middle of each small one.
func ReadWorld(sprite []byte) (*World, error) {
	w := &World{areas: map[string]bool{}, dots: map[string][2]string{}}
	d := xml.NewDecoder(bytes.NewReader(sprite))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the map of the world: %w", err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			w.element(e)
		}
	}
	if w.view == "" || len(w.areas) == 0 {
		return nil, errors.New("read the map of the world: it has no viewBox or no areas")
	}
	return w, nil
}

func (w *World) element(e xml.StartElement) {
	a := map[string]string{}
	for _, x := range e.Attr {
		a[x.Name.Local] = x.Value
	}
	switch id := a["id"]; {
	case e.Name.Local == "svg":
		w.view = a["viewBox"]
	case id == "":
	case e.Name.Local == "path":
		w.areas[id] = true
	case e.Name.Local == "circle":
		w.dots[strings.TrimPrefix(id, "o")] = [2]string{a["cx"], a["cy"]}
	}
}

// Has says whether a country has an area on the map.
func (w *World) Has(code string) bool { return w.areas[code] }

// Len is how many areas have a code.
func (w *World) Len() int { return len(w.areas) }

// Step is how much an area has above the usual: 0 unknown, 1 usual, to 4.
type Step int

// Area is an area that has something to say. Text is read by those who point at it.
type Area struct {
	Code string
	Step Step
	Text string
}

// Size is how wide a map is drawn: across a page, half of it, or a quarter.
type Size int

// Sizes.
const (
	Large Size = iota
	Half
	Small
)

// Map is a map of the world. What has no step of its own is hatched: unknown,
// never the colour of usual. The first map of a page must be a large one; it
// carries the hatches of all.
type Map struct {
	Sprite string // address
	Label  string // the picture in a sentence, for those who do not see it
	Size   Size
	Areas  []Area
}

// hatches are the widths of the hatches by size, in units of the map: on a desk
// and on a phone. A narrow hatch on a small map would blur into a colour.
var hatches = [...][2]int{Large: {48, 150}, Half: {110, 160}, Small: {230, 400}}

// SVG draws a map. Areas come in their order, the worst last if borders are to
// show it; dots lie on top.
func (w *World) SVG(m Map) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="map" viewBox="` + w.view + `" role="img" aria-label="` + html.EscapeString(m.Label) + `">`)
	if m.Size == Large {
		b.WriteString("<defs>")
		for _, widths := range hatches {
			hatch(&b, strconv.Itoa(widths[0]))
			hatch(&b, strconv.Itoa(widths[1]))
		}
		b.WriteString("</defs>")
	}
	sprite := html.EscapeString(m.Sprite)
	for i, class := range []string{"wide", "narrow"} { // url(#…) in a style sheet would point into the sheet
		b.WriteString(`<use class="` + class + `" href="` + sprite + `#land" fill="url(#h` + strconv.Itoa(hatches[m.Size][i]) + `)"/>`)
	}
	for _, a := range m.Areas {
		if w.areas[a.Code] && a.Step > 0 {
			b.WriteString(`<use href="` + sprite + `#` + a.Code + `"` + a.rest("use"))
		}
	}
	for _, a := range m.Areas {
		if at, ok := w.dots[a.Code]; ok && a.Step > 0 {
			b.WriteString(`<circle cx="` + at[0] + `" cy="` + at[1] + `" r="28"` + a.rest("circle"))
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // every text in it went through html.EscapeString
}

// hatch defines a pattern of slanted lines, half of it line.
func hatch(b *strings.Builder, width string) {
	b.WriteString(`<pattern id="h` + width + `" width="` + width + `" height="` + width + `" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hb" d="M0 0h` + width + `v` + width + `H0z"/><path class="hl" stroke-width="` + width + `" d="M0 0v` + width + `"/></pattern>`)
}

// rest is the class of an area's element and its text, to the end of the element.
func (a Area) rest(name string) string {
	class := ` class="l` + strconv.Itoa(int(a.Step)) + `"`
	if a.Text == "" {
		return class + "/>"
	}
	return class + "><title>" + html.EscapeString(a.Text) + "</title></" + name + ">"
}
