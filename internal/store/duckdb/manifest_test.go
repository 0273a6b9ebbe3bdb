package duckdb

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/internal/store"
)

// A manifest may come from anywhere. Whatever it says, it names files beside
// it and nothing else, and what was written can be read again.
func FuzzParseManifest(f *testing.F) {
	good, err := json.Marshal(store.Manifest{Hour: time.Date(2025, 3, 10, 12, 0, 0, 0, time.UTC), Revision: 2, Files: []store.ArchivedFile{{Name: "reports-r1.parquet", Kind: "reports", Rows: 5}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, name := range []string{"../x", "/etc/passwd", "", ".", "..", "a/b", manifestName} {
		f.Add([]byte(strings.Replace(string(good), "reports-r1.parquet", name, 1)))
	}
	f.Add([]byte(`{"hour":"2025-03-10T12:00:00Z","revision":1,"files":[{"name":"a","first":"0-99999999999999999999-0"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			if m.Files != nil || m.Revision != 0 {
				t.Fatalf("%+v beside %v", m, err)
			}
			return
		}
		for _, file := range m.Files {
			if filepath.Dir(filepath.Join("/archive/hour", file.Name)) != "/archive/hour" {
				t.Fatalf("name %q leads away", file.Name)
			}
		}
		again, err := json.Marshal(m)
		if err != nil {
			return // a year that JSON has no form for
		}
		if _, err := parseManifest(again); err != nil {
			t.Fatalf("written again it cannot be read: %v", err)
		}
	})
}
