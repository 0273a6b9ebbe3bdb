// Command build makes the time zones that calendar ships:
//
//	go run ./internal/calendar/build "$(go env GOROOT)/lib/time/zoneinfo.zip" internal/calendar/zones.zip
//
// The source is the tz database (public domain) as the Go distribution carries
// it; of it the zones that are named for a place are kept (Europe/Berlin), and not
// those that are named for a country or an offset (US/Pacific, Etc/GMT+1). The same
// file gives the same bytes.
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
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

// aliases are regions of the tz database that hold other names of zones only.
var aliases = []string{"Brazil", "Canada", "Chile", "Etc", "Mexico", "SystemV", "US"}

func build(from, to string) error {
	source, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer source.Close()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range source.File {
		if region, _, ok := strings.Cut(f.Name, "/"); !ok || slices.Contains(aliases, region) {
			continue
		}
		if err := keep(w, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644)
}

// keep copies a zone, without its date.
func keep(w *zip.Writer, f *zip.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}
