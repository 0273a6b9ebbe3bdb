// Command build makes the time zones that calendar ships:
//
//	go run ./internal/calendar/build "$(go env GOROOT)/lib/time/zoneinfo.zip" internal/calendar/zones.zip
//
// The source is the tz database (public domain) as the Go distribution carries
// it; of it the zones of calendar's table are kept. The same file gives the same
// bytes.
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"faultline/internal/calendar"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: build ZONEINFO.zip ZONES.zip")
		os.Exit(3)
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(from, to string) error {
	source, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer source.Close()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, zone := range slices.Compact(slices.Sorted(maps.Values(calendar.MainZones()))) {
		if err := keep(w, source, zone); err != nil {
			return fmt.Errorf("%s: %w", zone, err)
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644)
}

// keep copies a zone, without its date.
func keep(w *zip.Writer, source *zip.ReadCloser, zone string) error {
	in, err := source.Open(zone)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := w.CreateHeader(&zip.FileHeader{Name: zone, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}
