package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"faultline/internal/publish/chart"
)

// fixture has two countries that share a jagged border, an isle of its own code
// that is counted to one of them, an island on the date line, land that no code
// names, and Antarctica. Steps are degrees.
const fixture = `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[
[[10,50],[0,-1],[1,-2],[0,0],[-1,-3]],
[[10,44],[-9,0],[0,6],[9,0]],
[[10,50],[9,0],[0,-6],[-9,0]],
[[-53,3],[1,0],[0,1],[-1,0],[0,-1]],
[[178,-17],[-357,0],[0,2],[357,0],[0,-2]],
[[20,40],[2,0],[0,2],[-2,0],[0,-2]],
[[-60,-80],[120,0],[0,5],[-120,0],[0,-5]],
[[7,43],[0.2,0],[0,0.2],[-0.2,0],[0,-0.2]]],
"objects":{"countries":{"type":"GeometryCollection","geometries":[
{"type":"MultiPolygon","arcs":[[[0,1]],[[3]]],"id":"250","properties":{"name":"France"}},
{"type":"Polygon","arcs":[[-1,2]],"id":"276","properties":{"name":"Germany"}},
{"type":"Polygon","arcs":[[4]],"id":"242","properties":{"name":"Fiji"}},
{"type":"Polygon","arcs":[[5]],"properties":{"name":"Nowhere"}},
{"type":"Polygon","arcs":[[7]],"id":"492","properties":{"name":"Monaco"}},
{"type":"Polygon","arcs":[[6]],"id":"010","properties":{"name":"Antarctica"}}]}}}`

func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "countries.json"), filepath.Join(dir, "world.svg")
	if err := os.WriteFile(from, []byte(fixture), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(from, to); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// corners gives the points of an area, in units of the map.
func corners(t *testing.T, svg, code string) map[[2]int]bool {
	t.Helper()
	m := regexp.MustCompile(`id="` + code + `" d="([^"]+)"`).FindStringSubmatch(svg)
	if m == nil {
		t.Fatalf("no area %s", code)
	}
	out := map[[2]int]bool{}
	for ring := range strings.SplitSeq(strings.TrimSuffix(m[1], "z"), "z") {
		x, y := 0, 0
		n := regexp.MustCompile(`-?\d+`).FindAllString(ring, -1)
		for i := 0; i+1 < len(n); i += 2 {
			var dx, dy int
			fmt.Sscan(n[i], &dx)
			fmt.Sscan(n[i+1], &dy)
			x, y = x+dx, y+dy
			out[[2]int{x, y}] = true
		}
	}
	return out
}

func TestEachAreaHasTheCodeThatTablesUse(t *testing.T) {
	svg := built(t)
	w, err := chart.ReadWorld([]byte(svg))
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"FR", "DE", "FJ", "GF", "MC"} { // French Guiana is counted to France in the source
		if !w.Has(code) {
			t.Errorf("%s has no area", code)
		}
	}
	if w.Has("AQ") || w.Len() != 5 {
		t.Errorf("%d areas, Antarctica %v", w.Len(), w.Has("AQ"))
	}
	if strings.Count(svg, "<path d=") != 1 {
		t.Error("the land that no code names is missing, or there is more of it")
	}
	if !strings.Contains(svg, `<circle id="oMC"`) || strings.Count(svg, "<circle") != 1 {
		t.Error("want a dot for the small area and for no other")
	}
	if n := len(corners(t, svg, "MC")); n < 3 {
		t.Errorf("the small area is a line of %d points", n)
	}
}

func TestASharedBorderIsTheSameOnBothSides(t *testing.T) {
	svg := built(t)
	fr, de := corners(t, svg, "FR"), corners(t, svg, "DE")
	shared := 0
	for p := range de {
		if fr[p] {
			shared++
		}
	}
	if shared < 3 || shared > 4 {
		t.Errorf("%d points are shared, want both ends and the corner between", shared)
	}
}

func TestAnIslandOnTheDateLineIsInOnePiece(t *testing.T) {
	low, high := math.MaxInt, 0
	for p := range corners(t, built(t), "FJ") {
		low, high = min(low, p[0]), max(high, p[0])
	}
	if high-low < 50 || high-low > 200 {
		t.Errorf("3 degrees are %d units wide", high-low)
	}
}

func TestAreasAreTrue(t *testing.T) {
	square := func(lon, lat float64) float64 {
		return size(projected([]point{{lon, lat}, {lon + 0.1, lat}, {lon + 0.1, lat + 0.1}, {lon, lat + 0.1}}))
	}
	for _, lat := range []float64{30, 60, 75} {
		want := math.Cos((lat + 0.05) * math.Pi / 180)
		if got := square(100, lat) / square(-40, 0); math.Abs(got/want-1) > 0.01 {
			t.Errorf("at %v° a square is %.3f of one at the equator, want %.3f", lat, got, want)
		}
	}
}

func TestTheSameFileGivesTheSameBytes(t *testing.T) {
	if a, b := built(t), built(t); a != b {
		t.Error("they differ")
	}
}

func TestWhatIsNoTopologyIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":       "<svg/>",
		"no countries":  `{"objects":{"land":{}}}`,
		"a point":       strings.Replace(fixture, `"Polygon","arcs":[[4]]`, `"Point","arcs":[[4]]`, 1),
		"a missing arc": strings.Replace(fixture, `[[4]]`, `[[44]]`, 1),
		"arcs of words": strings.Replace(fixture, `[[4]]`, `"x"`, 1),
	} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := run(filepath.Join(t.TempDir(), "none"), "x"); err == nil {
		t.Error("a missing file is no error")
	}
}

// The sprite in the repository is of the shape that this command writes.
func TestTheShippedSpriteWasMadeHere(t *testing.T) {
	b, err := os.ReadFile("../../../../web/static/world.svg")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut([]byte(built(t)), []byte("viewBox"))
	_, note, _ := strings.Cut(built(t), "<!--")
	note, _, _ = strings.Cut(note, "-->")
	if !bytes.HasPrefix(b, head) || !strings.Contains(string(b), note) {
		t.Error("make it anew: go run ./internal/publish/chart/build countries-50m.json web/static/world.svg")
	}
}
