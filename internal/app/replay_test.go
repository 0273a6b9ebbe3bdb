package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"faultline"
	"faultline/internal/intake/scenario"
	"faultline/scenarios"
)

var update = flag.Bool("update", false, "write the golden files of scenarios")

// The recorded days and what each room must say about them. When a golden file
// changes, read the difference as a correction in a newspaper.
func TestRecordedDays(t *testing.T) {
	for name, check := range map[string]func(*testing.T, Replayed){
		"2025-03-10-x":     referenceDay,
		"quiet-week":       nothingOpens,
		"silent-collector": nothingOpens,
		"one-probe":        oneProbe,

		"cdn-outage":     named("Example Edge", faultline.BasisMeasured, "edge", 13),
		"isp-outage":     named("Example Net", faultline.BasisMeasured, "net", 7),
		"national-block": named("IR", faultline.BasisMeasured, "", 4),
		"brigade":        forged,
		"morning-ramp":   nothingOpens,
		"tv-event":       nothingOpens,
		"sign-in-only":   signInOnly,

		"2020-06-15-t-mobile":   lookLikeTheCase,
		"2021-10-04-facebook":   lookLikeTheCase,
		"2023-03-06-twitter":    lookLikeTheCase,
		"2024-08-13-x-spaces":   lookLikeTheCase,
		"2025-11-18-cloudflare": lookLikeTheCase,
		"2026-01-16-x":          lookLikeTheCase,
		"2026-02-16-x":          lookLikeTheCase,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := recorded(name)
			if g.err != nil {
				t.Fatal(g.err)
			}
			check(t, g.sum)
			g.compare(t, filepath.Join("..", "..", "scenarios", name, "golden"))
		})
	}
}

func referenceDay(t *testing.T, sum Replayed) {
	if len(sum.Incidents) != 1 {
		t.Fatalf("%d incidents, want one", len(sum.Incidents))
	}
	i := sum.Incidents[0]
	if i.State != faultline.Resolved || i.Worst != faultline.Confirmed || !i.Scope.Global || len(i.Episodes) != 5 {
		t.Errorf("%s, at worst %s, global %v, %d episodes", i.State, i.Worst, i.Scope.Global, len(i.Episodes))
	}
	if i.Origin != faultline.Reconstructed {
		t.Errorf("origin %q", i.Origin)
	}
}

func nothingOpens(t *testing.T, sum Replayed) {
	for _, i := range sum.Incidents {
		t.Errorf("opened %s (%s)", i.ID, i.Changes[0].Why)
	}
}

// Quiet days stay quiet whatever the seed, history and all. Only in the first
// hour, when nothing is known of what is usual, may a busy service be possible,
// and then it is taken back.
func TestQuietDaysAreQuietWhateverTheSeed(t *testing.T) {
	eachSeed(t, 3, []string{"quiet-week", "silent-collector"}, func(s *scenario.Scenario, i *faultline.Incident) bool {
		return i.State == faultline.Retracted && i.Opened.Sub(s.From) <= time.Hour && i.At.Sub(s.From) <= 3*time.Hour
	})
}

// A steep morning and a match open nothing on their day, whatever the seed; the two
// weeks before it are for learning.
func TestAMorningAndAMatchAreQuietWhateverTheSeed(t *testing.T) {
	eachSeed(t, 2, []string{"morning-ramp", "tv-event"}, func(s *scenario.Scenario, i *faultline.Incident) bool {
		return i.Opened.Before(s.From.Add(14 * 24 * time.Hour))
	})
}

// eachSeed plays scenarios with the first so many seeds; all their incidents must be
// such as may be.
func eachSeed(t *testing.T, seeds uint64, names []string, maybe func(*scenario.Scenario, *faultline.Incident) bool) {
	for _, name := range names {
		for seed := uint64(1); seed <= seeds; seed++ {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				s, err := scenario.Find(name, scenarios.Files)
				if err != nil {
					t.Fatal(err)
				}
				s.Seed = seed
				for _, i := range incidentsOf(s) {
					if !maybe(s, &i) {
						t.Errorf("%s, opened %s (%s), is %s", i.ID, i.Opened, i.Changes[0].Why, i.State)
					}
				}
			})
		}
	}
}

// incidentsOf plays a scenario whole and gives the newest revision of each
// incident.
func incidentsOf(s *scenario.Scenario) map[string]faultline.Incident {
	c := ChainConfigOf(DefaultConfig())
	c.Series.Services, c.Incident.Services, c.Incident.Catalogue = ids(s.Services), ids(s.Services), s.Services
	chain, newest := NewChain(c), map[string]faultline.Incident{}
	for o := range s.All() {
		out := chain.Step(o)
		for _, i := range out.Incidents {
			newest[i.ID] = i
		}
	}
	return newest
}

func oneProbe(t *testing.T, sum Replayed) {
	worst := map[faultline.State]int{}
	for _, i := range sum.Incidents {
		worst[i.Worst]++
		if i.State != faultline.Resolved {
			t.Errorf("%s ended as %s", i.ID, i.State)
		}
	}
	if worst[faultline.Possible] != 1 || worst[faultline.Confirmed] != 1 {
		t.Errorf("worst states %v, want one possible and one confirmed", worst)
	}
}

// signInOnly is found by its symptom, says what fails, and names no place.
func signInOnly(t *testing.T, sum Replayed) {
	if len(sum.Incidents) != 1 {
		t.Fatalf("%d incidents, want one", len(sum.Incidents))
	}
	i := sum.Incidents[0]
	if i.Service != "post" || i.Worst != faultline.Possible || i.Peak.Symptom != faultline.CannotLogIn || !strings.Contains(i.Changes[0].Why, "they cannot sign in") {
		t.Errorf("%s, at worst %s, peak of %q, because %s", i.Service, i.Worst, i.Peak.Symptom, i.Changes[0].Why)
	}
	if i.Scope.Global || len(i.Scope.Countries)+len(i.Scope.ASNs) != 0 {
		t.Errorf("what fails is not for whom: %+v", i.Scope)
	}
	stand := ""
	for _, a := range i.What {
		if a.StandsOut {
			stand += string(a.Symptom) + string(a.Surface) + " "
		}
	}
	if stand != "cannot_log_in app " {
		t.Errorf("%q stand out of %+v", stand, i.What)
	}
}

// Whatever the seed, the fault is found while it lasts, and nothing else of its day
// is.
func TestSignInOnlyIsFoundWhateverTheSeed(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Find("sign-in-only", scenarios.Files)
			if err != nil {
				t.Fatal(err)
			}
			s.Seed = seed
			found := false
			for _, i := range incidentsOf(s) {
				begun := s.Day.Add(13*time.Hour + 10*time.Minute)
				switch {
				case i.Opened.After(begun) && i.Opened.Before(begun.Add(50*time.Minute)) && i.Peak.Symptom == faultline.CannotLogIn:
					found = true
				case !i.Opened.Before(s.Day):
					t.Errorf("%s, opened %s (%s)", i.ID, i.Opened, i.Changes[0].Why)
				}
			}
			if !found {
				t.Error("nobody could sign in for 50 minutes, and nothing was found")
			}
		})
	}
}

// golden collects what the rooms wrote: events and incidents whole (without
// the many revisions in which only numbers grew), samples and readings as a
// sum of their bytes, since a day of them is 80 MB.
type golden struct {
	files map[string]*goldenFile
	kept  map[string][]byte
	sum   Replayed
	err   error
	once  sync.Once
}

var (
	daysMu sync.Mutex
	days   = map[string]*golden{}
)

// recorded plays a day once for all tests that ask for it.
func recorded(name string) *golden {
	daysMu.Lock()
	g := days[name]
	if g == nil {
		g = &golden{files: map[string]*goldenFile{}}
		days[name] = g
	}
	daysMu.Unlock()
	g.once.Do(func() { g.play(name) })
	return g
}

// play keeps the incidents whole, and of each room what is compared.
func (g *golden) play(name string) {
	g.sum, g.err = Replay(name, ChainConfigOf(DefaultConfig()), g.open)
	g.kept = map[string][]byte{}
	for _, room := range rooms {
		if f := g.files[room]; f != nil {
			g.kept[room] = digest(room, f.Bytes())
			if room != "incidents" {
				f.Buffer = bytes.Buffer{} // a day of readings is 80 MB
			}
		}
	}
}

type goldenFile struct {
	bytes.Buffer
}

func (f *goldenFile) Close() error { return nil }

func (g *golden) open(room string) (io.WriteCloser, error) {
	f := &goldenFile{}
	g.files[room] = f
	return f, nil
}

func (g *golden) compare(t *testing.T, dir string) {
	t.Helper()
	for _, room := range rooms {
		got := g.kept[room]
		file := filepath.Join(dir, room+".ndjson")
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s of %s changed; read it as a correction, then run the test with -update:\n%.4000s", room, filepath.Base(filepath.Dir(dir)), diff)
		}
	}
}

// digest is what is kept of a room's file: for incidents each change of state
// and the last revision, for events the last revision of all series but the
// countries' and networks', for the others their number of lines; and of each the
// SHA-256 of every byte.
func digest(room string, all []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"room\":%q,\"lines\":%d,\"sha256\":\"%x\"}\n", room, bytes.Count(all, []byte("\n")), sha256.Sum256(all))
	switch room {
	case "incidents":
		keepIncidents(&out, all)
	case "events":
		keepEvents(&out, all)
	case "statuses":
		out.Write(all)
	}
	return out.Bytes()
}

func keepIncidents(out *bytes.Buffer, all []byte) {
	last, order := map[string]json.RawMessage{}, []string{}
	for line := range bytes.Lines(all) {
		var i faultline.Incident
		if json.Unmarshal(line, &i) != nil {
			continue
		}
		if last[i.ID] == nil {
			order = append(order, i.ID)
		}
		last[i.ID] = line
	}
	for _, id := range order {
		_ = json.Indent(out, last[id], "", " ")
	}
}

func keepEvents(out *bytes.Buffer, all []byte) {
	last, order := map[string][]byte{}, []string{}
	for line := range bytes.Lines(all) {
		var e faultline.Event
		if json.Unmarshal(line, &e) != nil || e.Series.Level == faultline.InCountry || e.Series.Level == faultline.InASN {
			continue
		}
		if last[e.ID] == nil {
			order = append(order, e.ID)
		}
		last[e.ID] = line
	}
	for _, id := range order {
		out.Write(last[id])
	}
}
