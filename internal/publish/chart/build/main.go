// Command build draws the areas of the world map into one sprite:
//
//	go run ./internal/publish/chart/build countries-50m.json web/static/world.svg
//
// In: the topology of Natural Earth's countries, 1:50 million, as the npm package
// world-atlas 2.0.2 has it. Out: an SVG with a path for each area, whose id is
// its ISO 3166 code, all inside a group "land", and a circle "oXX" at the middle
// of each area that is too small to be seen. Equal Earth projection, so that
// areas are true; units of a tenth of a pixel on a map 960 pixels wide. Borders
// that two areas share are simplified once, so no gaps open between them.
// Boundaries are the source's and take no side: what it draws and no ISO code
// names is land without an id. Antarctica is left out. The same file gives the
// same bytes.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: build COUNTRIES.json WORLD.svg")
		os.Exit(3)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	t, err := parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, sprite(t.areas()), 0o644) //nolint:gosec // a public picture
}
