package partial_test

import (
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/partial"
)

var (
	home   = faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "local", Target: "https://x.example/"}
	monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
)

const day = 24 * time.Hour

func watch(s faultline.Series) detector.Detector { return partial.New(s, partial.Defaults()) }

// checks are one a minute; fails says which fail, each at its second attempt too.
func checks(days int, fails func(minute int) bool) []faultline.Sample {
	out := make([]faultline.Sample, days*1440)
	for i := range out {
		s := detecttest.RatioSample(home, monday.Add(time.Duration(i)*time.Minute), time.Minute, 1, 1)
		s.Taken = s.Start.Add(200 * time.Millisecond)
		if fails(i) {
			s.Value, s.Failure, s.Confirmed = 0, faultline.ConnectionRefused, true
		}
		out[i] = s
	}
	return out
}

// hour is an hour of the fourth day.
func hour(i int) bool { return i >= 3*1440+600 && i < 3*1440+660 }

// nowAndThen fails 18 checks of that hour, never two in a row.
func nowAndThen(i int) bool { return hour(i) && slices.Contains([]int{0, 3, 7}, i%10) }

func TestContract(t *testing.T) {
	detecttest.Run(t, watch, detecttest.Story{
		Series: home, Disturbed: checks(4, nowAndThen), Quiet: checks(4, func(i int) bool { return i%1700 == 5 }),
		Late: func(s faultline.Sample) faultline.Sample { s.Revision++; s.Value = 0; s.Confirmed = true; return s },
	})
}

func of(t *testing.T, samples []faultline.Sample) (rows, drops []faultline.Event) {
	t.Helper()
	d := watch(home)
	var events []faultline.Event
	for i := range samples {
		_, es := d.Step(&samples[i])
		events = append(events, es...)
	}
	for _, e := range events {
		switch {
		case e.State != faultline.EventClosed:
		case e.Kind == faultline.Unreachable:
			rows = append(rows, e)
		default:
			drops = append(drops, e)
		}
	}
	return rows, drops
}

func TestChecksThatFailNowAndThenAreADropAndNotUnreachable(t *testing.T) {
	rows, drops := of(t, checks(4, nowAndThen))
	if len(rows) != 0 || len(drops) != 1 || drops[0].Kind != faultline.Drop {
		t.Fatalf("%d unreachable, %+v; want none and one drop", len(rows), drops)
	}
	e, from := drops[0], monday.Add(3*day+10*time.Hour)
	if e.Onset.Sub(from).Abs() > 10*time.Minute || e.End.Sub(from.Add(time.Hour)).Abs() > 10*time.Minute || e.Opened.Sub(from) > 25*time.Minute {
		t.Errorf("from %v to %v, opened %v; want from %v for an hour", e.Onset, e.End, e.Opened, from)
	}
	if e.Excess > -15 || e.Excess < -19 || e.Series != home {
		t.Errorf("%v checks of %s, want 18 less", e.Excess, e.Series)
	}
}

func TestWhatIsNoFailureIsNoDrop(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *faultline.Sample)
	}{
		{"failures that the second attempt did not see", func(s *faultline.Sample) { s.Confirmed = false }},
		{"a vantage without a route", func(s *faultline.Sample) { s.Impaired = faultline.Impairment("no_route") }},
		{"a service that refuses us", func(s *faultline.Sample) { s.Failure = faultline.RefusedToUs }},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples := checks(4, nowAndThen)
			for i := range samples {
				if samples[i].Value == 0 {
					c.change(&samples[i])
				}
			}
			if rows, drops := of(t, samples); len(rows)+len(drops) > 0 {
				t.Errorf("%+v %+v", rows, drops)
			}
		})
	}
}

// While something is wrong checks come every ten seconds: they count in the same bins.
func TestUrgentChecksFallIntoTheSameBins(t *testing.T) {
	var samples []faultline.Sample
	for _, s := range checks(4, func(int) bool { return false }) {
		if !hour(int(s.Start.Sub(monday) / time.Minute)) {
			samples = append(samples, s)
			continue
		}
		for k := range 6 {
			u := s
			u.Start, u.Width = s.Start.Add(time.Duration(k)*10*time.Second), faultline.Seconds(10*time.Second)
			u.Taken, u.Last.Frame = u.Start, uint64(u.Start.Unix())
			if k%3 == 1 {
				u.Value, u.Failure, u.Confirmed = 0, faultline.ConnectionRefused, true
			}
			samples = append(samples, u)
		}
	}
	rows, drops := of(t, samples)
	if len(rows) != 0 || len(drops) != 1 || drops[0].Excess > -110 || drops[0].Excess < -125 {
		t.Errorf("%+v %+v; want one drop of 120 checks", rows, drops)
	}
}

// The second attempt is a revision of the first: the check counts once.
func TestASecondAttemptReplacesTheFirst(t *testing.T) {
	var samples []faultline.Sample
	for _, s := range checks(4, nowAndThen) {
		if s.Value > 0 {
			samples = append(samples, s)
			continue
		}
		first, second := s, s
		first.Confirmed, second.Revision = false, 2
		samples = append(samples, first, second)
	}
	if _, drops := of(t, samples); len(drops) != 1 || drops[0].Excess > -15 || drops[0].Excess < -19 {
		t.Errorf("%+v; want one drop of 18 checks", drops)
	}
	for i := range samples { // the second attempts succeed
		if samples[i].Revision == 2 {
			samples[i].Value, samples[i].Failure, samples[i].Confirmed = 1, "", false
		}
	}
	if _, drops := of(t, samples); len(drops) > 0 {
		t.Errorf("%+v; want none", drops)
	}
}

func TestFailuresInARowAreNoDropBesides(t *testing.T) {
	rows, drops := of(t, checks(4, hour))
	if len(rows) != 1 || rows[0].Failed != 60 || len(drops) > 0 {
		t.Errorf("%+v %+v; want sixty failures in a row and no drop", rows, drops)
	}
}

func TestAStateIsSmall(t *testing.T) {
	d := watch(home)
	detecttest.Play(d, checks(2, func(int) bool { return false }))
	b, err := d.MarshalBinary()
	if err != nil || len(b) > 6<<10 {
		t.Errorf("%d bytes, %v; want at most 6 KiB", len(b), err)
	}
	t.Logf("%d bytes", len(b))
}
