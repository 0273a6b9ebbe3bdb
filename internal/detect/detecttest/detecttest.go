// Package detecttest is the contract that every detector passes: replay,
// repetition, snapshot and restore at any moment, late data, gaps, and silence
// where nothing happens.
//
// A detector's test calls Run with a factory and a Story: samples of one
// series that contain a disturbance, and samples that contain none.
package detecttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
)

// A Story is what the contract plays to a detector.
type Story struct {
	Series faultline.Series
	// Disturbed must lead to at least one event, which must be closed at the end.
	Disturbed []faultline.Sample
	// Quiet must lead to none.
	Quiet []faultline.Sample
	// Late makes the later revision of a sample; nil if there is none.
	Late func(s faultline.Sample) faultline.Sample
}

// Run plays the story.
func Run(t *testing.T, make detector.Factory, story Story) {
	t.Helper()
	t.Run("a disturbance opens and closes an event", func(t *testing.T) { opensAndCloses(t, make, story) })
	t.Run("a quiet series stays quiet", func(t *testing.T) { staysQuiet(t, make, story) })
	t.Run("the same samples give the same output", func(t *testing.T) { replays(t, make, story) })
	t.Run("a sample seen twice changes nothing", func(t *testing.T) { repeats(t, make, story) })
	t.Run("a snapshot continues bit-identically", func(t *testing.T) { restores(t, make, story) })
	t.Run("a damaged snapshot is refused", func(t *testing.T) { refuses(t, make, story) })
	t.Run("a gap is not a disturbance", func(t *testing.T) { gaps(t, make, story) })
	t.Run("revisions count up and times are in order", func(t *testing.T) { orderly(t, make, story) })
	if story.Late != nil {
		t.Run("late data are taken once", func(t *testing.T) { late(t, make, story) })
	}
}

// Play steps the samples and returns what came, as JSON lines.
func Play(d detector.Detector, samples []faultline.Sample) ([]string, []faultline.Event) {
	var lines []string
	var events []faultline.Event
	for i := range samples {
		r, es := d.Step(&samples[i])
		lines = append(lines, line(r))
		for _, e := range es {
			lines = append(lines, line(e))
		}
		events = append(events, es...)
	}
	return lines, events
}

func line(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("cannot be written: %v", err)
	}
	return string(b)
}

func opensAndCloses(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	_, events := Play(make(s.Series), s.Disturbed)
	if len(events) == 0 {
		t.Fatal("no event")
	}
	last := events[len(events)-1]
	if last.State != faultline.EventClosed || last.End.IsZero() {
		t.Errorf("the last event is %s and ends at %v; want closed", last.State, last.End)
	}
}

func staysQuiet(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	if _, events := Play(make(s.Series), s.Quiet); len(events) > 0 {
		t.Errorf("%d revisions of events, the first %s", len(events), line(events[0]))
	}
}

func replays(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	a, _ := Play(make(s.Series), s.Disturbed)
	b, _ := Play(make(s.Series), s.Disturbed)
	if !slices.Equal(a, b) {
		t.Error("two replays differ")
	}
}

func repeats(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	once, _ := Play(make(s.Series), s.Disturbed)
	d := make(s.Series)
	var twice []string
	for i := range s.Disturbed {
		lines, _ := Play(d, s.Disturbed[i:i+1])
		twice = append(twice, lines...)
		r, es := d.Step(&s.Disturbed[i])
		if !r.At.IsZero() || len(es) > 0 {
			t.Fatalf("sample %d led to something the second time: %s, %d events", i, line(r), len(es))
		}
	}
	if !slices.Equal(once, twice) {
		t.Error("repetition changed the output")
	}
}

// restores cuts the story at some places, takes a snapshot there, and compares
// output and state of the restored detector with the uninterrupted one.
func restores(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	n := len(s.Disturbed)
	_, events := Play(make(s.Series), s.Disturbed)
	cuts := []int{0, 1, n / 3, n / 2, n - 1}
	for i := range s.Disturbed { // one cut inside the first event
		if len(events) > 0 && !s.Disturbed[i].Start.Before(events[0].Opened) {
			cuts = append(cuts, i+1)
			break
		}
	}
	for _, cut := range cuts {
		whole := make(s.Series)
		Play(whole, s.Disturbed[:cut])
		state := marshal(t, whole)
		again := make(s.Series)
		if err := again.UnmarshalBinary(state); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if !slices.Equal(state, marshal(t, again)) {
			t.Errorf("cut at %d: the restored state is written differently", cut)
		}
		a, _ := Play(whole, s.Disturbed[cut:])
		b, _ := Play(again, s.Disturbed[cut:])
		if !slices.Equal(a, b) {
			t.Errorf("cut at %d: the restored detector goes another way", cut)
		}
		if !slices.Equal(marshal(t, whole), marshal(t, again)) {
			t.Errorf("cut at %d: the states at the end differ", cut)
		}
	}
}

func marshal(t *testing.T, d detector.Detector) []byte {
	t.Helper()
	b, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func refuses(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	d := make(s.Series)
	Play(d, s.Disturbed)
	b := marshal(t, d)
	for _, bad := range [][]byte{nil, b[:1], b[:len(b)-1], append(slices.Clone(b), 0)} {
		if err := make(s.Series).UnmarshalBinary(bad); err == nil {
			t.Errorf("%d of %d bytes were taken", len(bad), len(b))
		}
	}
}

// gaps leaves samples of the quiet story out, and marks others as taken while
// the collector slept.
func gaps(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	n := len(s.Quiet)
	holes := slices.Concat(s.Quiet[:n/2], s.Quiet[n/2+n/20:])
	if _, events := Play(make(s.Series), holes); len(events) > 0 {
		t.Errorf("missing samples opened %s", line(events[0]))
	}
	asleep := slices.Clone(s.Quiet)
	for i := n / 2; i < n/2+n/20; i++ {
		asleep[i].Value, asleep[i].N, asleep[i].Complete = 0, 0, 0
	}
	if _, events := Play(make(s.Series), asleep); len(events) > 0 {
		t.Errorf("a sleeping collector opened %s", line(events[0]))
	}
	d := make(s.Series)
	Play(d, s.Quiet[:n/2])
	for i := n / 2; i < n/2+n/20; i++ {
		r, _ := d.Step(&asleep[i])
		if i == n/2+n/20-1 && (r.Verdict != faultline.CannotTell || r.Reason != "collector_silent") {
			t.Errorf("after a silence the reading is %s (%s); want cannot_tell (collector_silent)", r.Verdict, r.Reason)
		}
	}
}

func orderly(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	_, events := Play(make(s.Series), s.Disturbed)
	revision := map[string]int{}
	for _, e := range events {
		if e.Revision != revision[e.ID]+1 {
			t.Errorf("%s: revision %d after %d", e.ID, e.Revision, revision[e.ID])
		}
		revision[e.ID] = e.Revision
		for _, c := range []struct {
			what  string
			a, b  time.Time
			given bool
		}{
			{"onset_low after onset", e.OnsetLow, e.Onset, true},
			{"onset after onset_high", e.Onset, e.OnsetHigh, true},
			{"onset after opened", e.Onset, e.Opened, true},
			{"opened after at", e.Opened, e.At, true},
			{"onset after end", e.Onset, e.End, !e.End.IsZero()},
			{"end after at", e.End, e.At, !e.End.IsZero()},
		} {
			if c.given && c.a.After(c.b) {
				t.Errorf("%s revision %d: %s (%v, %v)", e.ID, e.Revision, c.what, c.a, c.b)
			}
		}
	}
}

// late sends a later revision of the newest sample after each tenth one; the
// second time it must change nothing.
func late(t *testing.T, make detector.Factory, s Story) {
	t.Helper()
	d := make(s.Series)
	for i := range s.Disturbed {
		d.Step(&s.Disturbed[i])
		if i%10 != 0 {
			continue
		}
		later := s.Late(s.Disturbed[i])
		if r, _ := d.Step(&later); r.At.IsZero() {
			t.Fatalf("sample %d: the later revision was not taken", i)
		}
		before := marshal(t, d)
		if r, es := d.Step(&later); !r.At.IsZero() || len(es) > 0 {
			t.Fatalf("sample %d: the later revision was taken twice", i)
		}
		if !slices.Equal(before, marshal(t, d)) {
			t.Fatalf("sample %d: repetition changed the state", i)
		}
	}
}
