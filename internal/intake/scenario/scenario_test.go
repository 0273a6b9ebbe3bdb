package scenario

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/scenarios"
)

var update = flag.Bool("update", false, "write testdata/digests.txt")

// shipped is every scenario of the binary.
var shipped = []string{
	"2020-06-15-t-mobile", "2021-10-04-facebook", "2023-03-06-twitter", "2024-08-13-x-spaces", "2025-03-10-x", "2025-11-18-cloudflare", "2026-01-16-x", "2026-02-16-x",
	"brigade", "cdn-outage", "isp-outage", "morning-ramp", "national-block", "one-probe", "quiet-week", "sign-in-only", "silent-collector", "tv-event",
}

func open(t testing.TB, name string) *Scenario {
	t.Helper()
	s, err := Open(scenarios.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// digester takes in all that observations say.
type digester struct {
	hash.Hash
	b []byte
}

func (d *digester) add(o *faultline.Observation) {
	b := binary.BigEndian.AppendUint64(d.b[:0], o.Position.Frame)
	b = binary.BigEndian.AppendUint16(b, o.Position.Index)
	b = binary.BigEndian.AppendUint64(b, uint64(o.At.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, uint64(o.Received.UnixNano()))
	b = append(b, o.Origin...)
	switch p := o.Payload.(type) {
	case *faultline.Report:
		b = append(b, p.Service...)
		b = append(b, p.Symptom...)
		b = append(b, p.Surface...)
		b = append(b, p.Country...)
		for _, x := range []uint64{uint64(p.ASN), p.Reporter, p.Network, p.Key, uint64(p.Since.Unix())} {
			b = binary.BigEndian.AppendUint64(b, x)
		}
	default:
		b = fmt.Appendf(b, "%+v", p)
	}
	d.b = b
	d.Write(b)
}

func digestOf(s *Scenario) (sum string, n int) {
	h := &digester{Hash: sha256.New()}
	for o := range s.All() {
		h.add(o)
		n++
	}
	return hex.EncodeToString(h.Sum(nil)), n
}

// The digests are those of every machine: a difference on one of them is a
// fault even where each machine agrees with itself.
func TestShippedScenariosGiveTheSameBytesEverywhere(t *testing.T) {
	var got strings.Builder
	for _, name := range shipped {
		sum, n := digestOf(open(t, name))
		fmt.Fprintf(&got, "%s %d %s\n", name, n, sum)
	}
	file := filepath.Join("testdata", "digests.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("observations changed (if on purpose: -update, and read the difference as a correction):\n%swant\n%s", got.String(), want)
	}
}

func TestShippedListIsComplete(t *testing.T) {
	if got, want := shippedNames(scenarios.Files), strings.Join(shipped, ", "); got != want {
		t.Errorf("shipped are %s, tested are %s", got, want)
	}
}

func TestObservationsAreInOrderValidAndMarked(t *testing.T) {
	for _, name := range shipped {
		t.Run(name, func(t *testing.T) {
			s := open(t, name)
			services := map[faultline.ServiceID]bool{}
			for _, x := range s.Services {
				services[x.ID] = true
			}
			var last faultline.Position
			var received time.Time
			for o := range s.All() {
				if !o.Position.After(last) || o.Received.Before(received) {
					t.Fatalf("%v received %v comes after %v received %v", o.Position, o.Received, last, received)
				}
				last, received = o.Position, o.Received
				if fault := faultOf(s, o, services); fault != "" {
					t.Fatalf("%v at %v: %s: %+v", o.Position, o.At, fault, o.Payload)
				}
			}
		})
	}
}

func faultOf(s *Scenario, o *faultline.Observation, services map[faultline.ServiceID]bool) string {
	switch {
	case o.Origin != s.Origin || o.Origin == faultline.Measured:
		return "origin " + string(o.Origin)
	case o.At.After(o.Received) || o.At.Before(s.From) || o.Received.After(s.To):
		return "time"
	case o.Received.Location() != time.UTC || o.At.Location() != time.UTC:
		return "zone"
	}
	switch p := o.Payload.(type) {
	case *faultline.Report:
		if !services[p.Service] || !p.Surface.Valid() || p.Works == p.Symptom.Valid() || !p.Country.Valid() ||
			p.ASN == 0 || p.Reporter == 0 || p.Network == 0 || p.Since.After(o.At) || o.Received.Sub(o.At) != 0 {
			return "report"
		}
	case *faultline.Measurement:
		var runtime faultline.Seconds
		for _, st := range p.Steps {
			if st.T0 != runtime {
				return "steps with gaps"
			}
			runtime += st.Runtime
		}
		if !services[p.Service] || p.Runtime != runtime || p.Start != o.At || p.Start.Before(p.Due) || o.Received.Sub(o.At) != time.Duration(runtime) {
			return "measurement"
		}
	case *faultline.Heartbeat:
		if !p.From.Before(o.At) || o.At.Sub(p.From) > time.Minute {
			return "heartbeat"
		}
	default:
		return "kind"
	}
	return ""
}

func TestBetweenGivesTheSameObservationsAsAll(t *testing.T) {
	s := open(t, "silent-collector")
	from, to := s.Start, s.Start.Add(90*time.Minute)
	whole, part := &digester{Hash: sha256.New()}, &digester{Hash: sha256.New()}
	n := 0
	for o := range s.All() {
		if start := o.Received.Truncate(time.Minute); !start.Before(from) && start.Before(to) {
			whole.add(o)
			n++
		}
	}
	for o := range s.Between(from, to) {
		part.add(o)
		n--
	}
	if n != 0 || string(whole.Sum(nil)) != string(part.Sum(nil)) {
		t.Errorf("%d observations more or fewer, or other ones", n)
	}
	for range s.Between(from, to) {
		return // leaving early must not panic
	}
}

func TestHeartbeatsJoinWithoutGapsWhileACollectorIsAwake(t *testing.T) {
	for _, name := range shipped {
		s := open(t, name)
		last := map[string]time.Time{}
		gaps := map[string]time.Duration{}
		for o := range s.Between(s.Day.Add(-day), s.To) {
			b, ok := o.Payload.(*faultline.Heartbeat)
			if !ok {
				continue
			}
			if before, seen := last[b.Collector]; seen {
				gaps[b.Collector] += b.From.Sub(before)
			}
			last[b.Collector] = o.At
		}
		for collector, gap := range gaps {
			want := time.Duration(0)
			if name == "silent-collector" && collector == faultline.CollectorReports {
				want = 3*time.Hour + 40*time.Second // the last minute before the silence was not closed
			}
			if gap != want {
				t.Errorf("%s: %s has gaps of %v, want %v", name, collector, gap, want)
			}
		}
		if len(gaps) == 0 {
			t.Errorf("%s has no heartbeats", name)
		}
	}
}

func TestFindTakesAPathOrAShippedName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my-day")
	if err := os.CopyFS(filepath.Dir(dir), subFS(t, "one-probe", "my-day")); err != nil {
		t.Fatal(err)
	}
	own, err := Find(dir, scenarios.Files)
	if err != nil || own.Name != "my-day" {
		t.Fatalf("by path: %v, %v", own, err)
	}
	ours, err := Find("one-probe", scenarios.Files)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := digestOf(own)
	if b, _ := digestOf(ours); a != b {
		t.Error("the same tables under another name give other observations")
	}
	for _, name := range []string{"no-such-day", "../one-probe", ""} {
		if _, err := Find(name, scenarios.Files); err == nil || !strings.Contains(err.Error(), "scenario") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Find("no-such-day", scenarios.Files); !strings.Contains(err.Error(), "quiet-week") {
		t.Errorf("the error does not say what there is: %v", err)
	}
}
