package chart_test

import (
	"strings"
	"testing"

	"faultline/internal/publish/chart"
)

const sprite = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 400"><g id="land"><path id="GB" d="M1 1l2 2z"/><path id="SG" d="M5 5l1 1z"/><path d="M8 8l1 1z"/></g><circle id="oSG" cx="50" cy="60" r="28"/></svg>`

func world(t *testing.T) *chart.World {
	t.Helper()
	w, err := chart.ReadWorld([]byte(sprite))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAMapSaysWhatIsKnownAndHatchesTheRest(t *testing.T) {
	w := world(t)
	if !w.Has("GB") || w.Has("ZZ") || w.Has("") || w.Has("land") || w.Len() != 2 {
		t.Errorf("areas: %d", w.Len())
	}
	for name, c := range map[string]struct {
		areas       []chart.Area
		has, hasNot []string
	}{
		"an area with a step":            {[]chart.Area{{"GB", 4, "Britain <b>"}}, []string{`<use href="/w.svg#GB" class="l4"><title>Britain &lt;b&gt;</title></use>`}, []string{"<circle", "#SG"}},
		"a small area gets a dot":        {[]chart.Area{{"SG", 2, ""}}, []string{`<use href="/w.svg#SG" class="l2"/>`, `<circle cx="50" cy="60" r="28" class="l2"/>`}, nil},
		"a small area of which we can't": {[]chart.Area{{"SG", 0, "x"}}, nil, []string{"<circle", "#SG"}},
		"an area that is not there":      {[]chart.Area{{"ZZ", 4, "x"}}, nil, []string{"ZZ"}},
		"nothing known":                  {nil, nil, []string{"class=\"l"}},
	} {
		t.Run(name, func(t *testing.T) {
			svg := string(w.SVG(chart.Map{Sprite: "/w.svg", Label: "Where & how", Areas: c.areas}))
			wellFormed(t, svg)
			for _, want := range append(c.has, `viewBox="0 0 900 400"`, `aria-label="Where &amp; how"`, `href="/w.svg#land" fill="url(#h`) {
				if !strings.Contains(svg, want) {
					t.Errorf("no %s in %s", want, svg)
				}
			}
			for _, not := range c.hasNot {
				if strings.Contains(svg, not) {
					t.Errorf("%s in %s", not, svg)
				}
			}
		})
	}
}

// Each hatch that any map of a page refers to is defined once, by the large one.
func TestTheHatchesAreDefinedOnce(t *testing.T) {
	w := world(t)
	page := string(w.SVG(chart.Map{Sprite: "/w.svg"}) + w.SVG(chart.Map{Sprite: "/w.svg", Size: chart.Half}) + w.SVG(chart.Map{Sprite: "/w.svg", Size: chart.Small}))
	used := 0
	for _, part := range strings.Split(page, `url(#`)[1:] {
		id, _, _ := strings.Cut(part, ")")
		used++
		if strings.Count(page, `<pattern id="`+id+`"`) != 1 {
			t.Errorf("pattern %s is not defined once", id)
		}
	}
	if used != 6 {
		t.Errorf("%d uses of hatches, want two a map", used)
	}
}

func TestASpriteWithoutAreasIsRefused(t *testing.T) {
	for name, text := range map[string]string{"broken": "<svg", "empty": "<svg viewBox='0 0 1 1'/>", "without a size": strings.Replace(sprite, "viewBox", "box", 1)} {
		if _, err := chart.ReadWorld([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
