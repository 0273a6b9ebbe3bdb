package reach_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/reach"
)

var (
	series = faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "local", Target: "https://x.example/"}
	t0     = time.Date(2025, 3, 10, 9, 0, 0, 0, time.UTC)
)

// check is a sample of the i-th minute. "." reached, "F" failed at both
// attempts, "f" at the first only, "i" impaired, "r" refused to us,
// "a" refused by our own rules about addresses.
func check(i int, what rune) faultline.Sample {
	s := faultline.Sample{
		Series: series, Start: t0.Add(time.Duration(i) * time.Minute), Width: faultline.Seconds(time.Minute),
		N: 1, Complete: 1, Revision: 1, Origin: faultline.Measured, Last: faultline.Position{Frame: uint64(i + 1)},
	}
	switch what {
	case '.':
		s.Value = 1
	case 'F':
		s.Failure, s.Op, s.Confirmed, s.Revision = faultline.ConnectionRefused, faultline.OpConnect, true, 2
	case 'f':
		s.Failure, s.Op = faultline.GenericTimeout, faultline.OpConnect
	case 'i':
		s.Failure, s.Impaired = faultline.NetworkUnreachable, faultline.NoRoute
	case 'r':
		s.Failure, s.Confirmed = faultline.RefusedToUs, true
	case 'a':
		s.Failure, s.N = faultline.AddressForbidden, 0
	}
	return s
}

func checks(line string) []faultline.Sample {
	var all []faultline.Sample
	for i, what := range line {
		all = append(all, check(i, what))
	}
	return all
}

func TestContract(t *testing.T) {
	quiet := ""
	for range 40 {
		quiet += "...f."
	}
	detecttest.Run(t, func(s faultline.Series) detector.Detector { return reach.New(s, reach.Defaults()) }, detecttest.Story{
		Series: series, Disturbed: checks("....F.f.FFFFif.F.r....."), Quiet: checks(quiet),
		Late: func(s faultline.Sample) faultline.Sample { s.Revision += 5; return s },
	})
}

func TestFailuresInARow(t *testing.T) {
	for _, c := range []struct {
		name, checks  string
		revisions     int
		state         faultline.EventState
		failed        int
		onset, end    int // minute; end −1: open
		recoveredOnly bool
	}{
		{name: "one failure is not an outage", checks: "..F..F.."},
		{name: "failures at the first attempt only do not open", checks: "..ffff.."},
		{name: "an unconfirmed failure between breaks the row", checks: "..FfF..."},
		{name: "two in a row open", checks: "..FF", revisions: 1, state: faultline.EventOpen, failed: 2, onset: 2, end: -1},
		{name: "each further failure is a revision", checks: "..FFFF", revisions: 3, state: faultline.EventOpen, failed: 4, onset: 2, end: -1},
		{name: "an impaired check between neither opens nor breaks the row", checks: "..FiF", revisions: 1, state: faultline.EventOpen, failed: 2, onset: 2, end: -1},
		{name: "impaired checks never open", checks: "iiiiiiii"},
		{name: "refused checks never open", checks: "rrrrrr"},
		{name: "an address that may not be probed never opens", checks: "aaaaaa"},
		{name: "refused checks do not close", checks: "FFrrrr", revisions: 1, state: faultline.EventOpen, failed: 2, onset: 0, end: -1},
		{name: "the first success recovers", checks: "FF.", revisions: 2, state: faultline.EventOpen, failed: 2, onset: 0, end: -1, recoveredOnly: true},
		{name: "three successes close at the first", checks: "FF...", revisions: 3, state: faultline.EventClosed, failed: 2, onset: 0, end: 2},
		{name: "a failure after two successes opens no second event", checks: "FF..F...", revisions: 5, state: faultline.EventClosed, failed: 1, onset: 0, end: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, events := detecttest.Play(reach.New(series, reach.Defaults()), checks(c.checks))
			if len(events) != c.revisions {
				t.Fatalf("%d revisions, want %d: %+v", len(events), c.revisions, events)
			}
			if len(events) == 0 {
				return
			}
			e := events[len(events)-1]
			minute := func(at time.Time) int { return int(at.Sub(t0) / time.Minute) }
			if e.State != c.state || e.Failed != c.failed || minute(e.Onset) != c.onset {
				t.Errorf("%s, %d failed, onset minute %d; want %s, %d, %d", e.State, e.Failed, minute(e.Onset), c.state, c.failed, c.onset)
			}
			if c.end >= 0 && minute(e.End) != c.end {
				t.Errorf("end minute %d, want %d", minute(e.End), c.end)
			}
			if c.recoveredOnly && (e.Recovered.IsZero() || !e.End.IsZero()) {
				t.Errorf("recovered %v, end %v; want recovered and no end", e.Recovered, e.End)
			}
		})
	}
}

func TestTheSecondAttemptDecides(t *testing.T) {
	d := reach.New(series, reach.Defaults())
	d.Step(ptr(check(0, 'F')))
	first := check(1, 'f')
	r, events := d.Step(&first)
	if len(events) != 0 || r.Verdict != faultline.Odd {
		t.Fatalf("after the first attempt: %s, %d events; want odd and none", r.Verdict, len(events))
	}
	second := check(1, 'F')
	r, events = d.Step(&second)
	if len(events) != 1 || r.Verdict != faultline.Failing || events[0].Failure != faultline.ConnectionRefused || events[0].Op != faultline.OpConnect {
		t.Fatalf("after the second: %s, %+v; want an event with its failure", r.Verdict, events)
	}
}

func TestRecordsAreNotDatedAheadOfTheirCheck(t *testing.T) {
	d := reach.New(series, reach.Defaults())
	var readings []faultline.Reading
	var events []faultline.Event
	for i, what := range "fFfF..." {
		s := check(i/2, what)
		if i >= 4 {
			s = check(i-2, what)
		}
		s.Taken = s.Start.Add(time.Duration(s.Revision) * time.Second)
		r, es := d.Step(&s)
		readings, events = append(readings, r), append(events, es...)
	}
	if want := t0.Add(time.Minute + 2*time.Second); !events[0].Opened.Equal(want) || !events[0].At.Equal(want) {
		t.Errorf("opened %v, at %v; want %v, when the second attempt was over", events[0].Opened, events[0].At, want)
	}
	if want := t0.Add(time.Second); !readings[0].At.Equal(want) || !readings[1].At.Equal(want) {
		t.Errorf("readings at %v and %v, want both at %v: one slot has one time", readings[0].At, readings[1].At, want)
	}
	if e := events[len(events)-1]; e.State != faultline.EventClosed || !e.At.Equal(t0.Add(4*time.Minute+time.Second)) {
		t.Errorf("%s at %v, want closed at minute 4", e.State, e.At)
	}
}

func TestWhatDoesNotCountCannotTell(t *testing.T) {
	for what, reason := range map[rune]string{'i': "no_route", 'r': "refused_to_us", 'a': "address_forbidden"} {
		d := reach.New(series, reach.Defaults())
		r, _ := d.Step(ptr(check(0, what)))
		if r.Verdict != faultline.CannotTell || r.Reason != reason {
			t.Errorf("%c: %s (%s), want cannot_tell (%s)", what, r.Verdict, r.Reason, reason)
		}
	}
}

func TestKindRefusesSettingsThatNeverOpen(t *testing.T) {
	if _, err := reach.Kind.Open(detector.Deps{}, func(into any) error { into.(*reach.Config).Open = 0; return nil }); err == nil {
		t.Error("open_after 0 was taken")
	}
}

func ptr(s faultline.Sample) *faultline.Sample { return &s }

func TestAnEventSaysWhatItNeeded(t *testing.T) {
	d := reach.New(series, reach.Config{Open: 3, Close: 3})
	_, events := detecttest.Play(d, checks("....FFF."))
	if len(events) != 2 {
		t.Fatalf("%d revisions", len(events))
	}
	e := events[0]
	w := e.Working
	if w == nil || w.Rule != faultline.FailedRule || w.Needs != (faultline.Needs{Failed: 3}) || e.Failed != 3 || w.Age != faultline.Seconds(7*time.Minute) || !w.At.Equal(e.At) {
		t.Errorf("opened with %d by %+v", e.Failed, w)
	}
	if last := events[1].Working; !events[1].At.After(last.At) || !last.At.Equal(w.At) {
		t.Errorf("a success changed the working to %+v", last)
	}
}
