package faultline_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The house: who may import whom. Data flows one way, from room to room, and
// rooms meet in internal/app only.
var (
	foundations = []string{"internal/calendar", "internal/kind", "internal/netinfo", "internal/settings", "internal/telemetry"}
	rooms       = []string{"internal/intake", "internal/probe", "internal/journal", "internal/series", "internal/detect", "internal/incident", "internal/store", "internal/publish"}
	wiring      = []string{"internal/app", "internal/cli", "internal/bench", "internal/docgen"}
)

type pkg struct {
	ImportPath, Doc      string
	Imports              []string
	Standard             bool
	TestGoFiles, GoFiles []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// within says which of the places path lies in, or "".
func within(path string, places []string) string {
	for _, place := range places {
		if path == place || strings.HasPrefix(path, place+"/") {
			return place
		}
	}
	return ""
}

// breaks says which rule an import breaks, or "".
func breaks(from, to string) string {
	if to != "faultline" && !strings.HasPrefix(to, "faultline/") {
		if from == "faultline" && strings.Contains(strings.SplitN(to, "/", 2)[0], ".") {
			return "the vocabulary imports the standard library only"
		}
		return ""
	}
	from, to = strings.TrimPrefix(from, "faultline/"), strings.TrimPrefix(to, "faultline/")
	fromRoom, toRoom := within(from, rooms), within(to, rooms)
	switch {
	case from == "faultline":
		return "the vocabulary imports nothing of the house"
	case strings.HasPrefix(from, "cmd/") && within(to, wiring) == "":
		return "cmd imports internal/cli and internal/app only"
	case within(from, foundations) != "" && toRoom != "":
		return "a foundation knows no room"
	case fromRoom != "" && toRoom != "" && fromRoom != toRoom:
		return "rooms meet in internal/app, not in each other"
	case fromRoom != "" && within(to, wiring) != "":
		return "a room does not know who wires it"
	}
	return ""
}

func TestHouse(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, to := range p.Imports {
			if rule := breaks(p.ImportPath, to); rule != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, to, rule)
			}
		}
	}
}

func TestHouseRulesBite(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"faultline", "github.com/spf13/cobra"},
		{"faultline", "faultline/internal/kind"},
		{"faultline/internal/series", "faultline/internal/detect"},
		{"faultline/internal/telemetry", "faultline/internal/store"},
		{"faultline/internal/publish/web", "faultline/internal/app"},
		{"faultline/cmd/faultline", "faultline/internal/store"},
	} {
		if breaks(c.from, c.to) == "" {
			t.Errorf("%s may import %s", c.from, c.to)
		}
	}
	if rule := breaks("faultline/internal/store/duckdb", "faultline/internal/store"); rule != "" {
		t.Errorf("a room may import its own parts, but: %s", rule)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range listPackages(t) {
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, "Package ") && !strings.HasPrefix(p.Doc, "Command ") {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// The pure rooms are functions of the journal: no clock, no file, no network.
func TestPureRoomsArePure(t *testing.T) {
	forbidden := []string{"os", "net", "net/http", "io/fs", "log", "log/slog", "math/rand", "math/rand/v2", "sync", "context"}
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, "faultline/")
		if within(path, []string{"internal/series", "internal/detect", "internal/incident"}) == "" {
			continue
		}
		for _, to := range p.Imports {
			if slices.Contains(forbidden, to) {
				t.Errorf("%s imports %s: pure rooms take everything from the data", p.ImportPath, to)
			}
		}
	}
}
