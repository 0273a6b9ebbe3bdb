package nbscan_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

var (
	series = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.World}
	monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
)

const day = 24 * time.Hour

// ordinary is five-minute counts of a service that a few people report now and
// then, for so many days.
func ordinary(days int) detecttest.Counts {
	return detecttest.Counts{
		Seed: 7, Start: monday, Width: 5 * time.Minute, Bins: days * 288, Base: 1, Season: 0.6, Weekend: 0.8, Size: 15, Drift: 0.05,
	}
}

func surge(from time.Time, length time.Duration, add float64) detecttest.Disturbance {
	return detecttest.Disturbance{From: from, To: from.Add(length), Add: add}
}

func play(c detecttest.Counts) []faultline.Event {
	_, events := detecttest.Play(nbscan.New(series, nbscan.Defaults()), c.Samples(series))
	return events
}

func closed(events []faultline.Event) []faultline.Event {
	var all []faultline.Event
	for _, e := range events {
		if e.State == faultline.EventClosed {
			all = append(all, e)
		}
	}
	return all
}

func near(t *testing.T, what string, got, want time.Time, within time.Duration) {
	t.Helper()
	if d := got.Sub(want).Abs(); d > within {
		t.Errorf("%s %v, want %v ± %v", what, got, want, within)
	}
}

func TestContract(t *testing.T) {
	c := ordinary(12)
	quiet := c.Samples(series)
	c.Surges = []detecttest.Disturbance{surge(monday.Add(9*day+14*time.Hour), 90*time.Minute, 20)}
	detecttest.Run(t, func(s faultline.Series) detector.Detector { return nbscan.New(s, nbscan.Defaults()) }, detecttest.Story{
		Series: series, Disturbed: c.Samples(series), Quiet: quiet,
		Late: func(s faultline.Sample) faultline.Sample { s.Revision++; s.Value++; s.Reporters++; return s },
	})
}

func TestContractAtOneMinute(t *testing.T) {
	c := ordinary(6)
	c.Width, c.Bins = time.Minute, 6*1440
	quiet := c.Samples(series)
	c.Surges = []detecttest.Disturbance{surge(monday.Add(5*day+10*time.Hour), time.Hour, 20)}
	detecttest.Run(t, func(s faultline.Series) detector.Detector { return nbscan.New(s, nbscan.Defaults()) }, detecttest.Story{
		Series: series, Disturbed: c.Samples(series), Quiet: quiet,
		Late: func(s faultline.Sample) faultline.Sample { s.Revision++; s.Value++; s.Reporters++; return s },
	})
}

func TestASurgeHasOnsetPeakAndEnd(t *testing.T) {
	for _, width := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute} {
		t.Run(width.String(), func(t *testing.T) {
			c := ordinary(15)
			c.Width, c.Bins = width, int(15*day/width)
			from := monday.Add(14*day + 13*time.Hour)
			c.Surges = []detecttest.Disturbance{surge(from, 2*time.Hour, 30)}
			events := closed(play(c))
			if len(events) != 1 {
				t.Fatalf("%d events, want 1", len(events))
			}
			e := events[0]
			slack := max(10*time.Minute, width)
			near(t, "onset", e.Onset, from, slack)
			near(t, "end", e.End, from.Add(2*time.Hour), slack)
			near(t, "opened", e.Opened, from, 2*width+10*time.Minute)
			if e.Peak.Before(from) || e.Peak.After(e.End) {
				t.Errorf("peak %v outside", e.Peak)
			}
			if e.Excess < 24*25 || e.Excess > 24*35 {
				t.Errorf("excess %v, want about %v", e.Excess, 24*28)
			}
			if e.Young || e.LogP < 6 || e.Reporters < 5 || e.Networks < 3 {
				t.Errorf("young %v, log p %v, %d reporters, %d networks", e.Young, e.LogP, e.Reporters, e.Networks)
			}
		})
	}
}

func TestTwoSurgesWithAQuietHourBetweenAreTwoEvents(t *testing.T) {
	c := ordinary(15)
	first := monday.Add(14*day + 9*time.Hour + 45*time.Minute)
	second := monday.Add(14*day + 13*time.Hour + 30*time.Minute)
	c.Surges = []detecttest.Disturbance{surge(first, 30*time.Minute, 15), surge(second, 2*time.Hour, 80)}
	events := closed(play(c))
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	near(t, "first onset", events[0].Onset, first, 10*time.Minute)
	near(t, "second onset", events[1].Onset, second, 10*time.Minute)
}

func TestARiseOutOfAValleyBeginsAnotherEvent(t *testing.T) {
	c := ordinary(15)
	at := monday.Add(14*day + 10*time.Hour)
	c.Surges = []detecttest.Disturbance{surge(at, time.Hour, 100), surge(at.Add(time.Hour), 75*time.Minute, 10), surge(at.Add(135*time.Minute), time.Hour, 150)}
	events := closed(play(c))
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	near(t, "second onset", events[1].Onset, at.Add(135*time.Minute), 15*time.Minute)
	if events[0].Reason != "split" || events[0].End.After(events[1].Onset.Add(5*time.Minute)) {
		t.Errorf("first ends %v (%q), second begins %v", events[0].End, events[0].Reason, events[1].Onset)
	}
}

func TestADropIsFoundWhereEnoughIsExpected(t *testing.T) {
	for _, c := range []struct {
		name string
		base float64
		want int
	}{
		{"a drop of a busy series", 40, 1},
		{"a quiet series cannot drop", 0.02, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ordinary(15)
			s.Base, s.Season, s.Size = c.base, 0.3, 40
			from := monday.Add(14*day + 12*time.Hour)
			s.Surges = []detecttest.Disturbance{{From: from, To: from.Add(2 * time.Hour), Factor: 0.05}}
			events := slices.DeleteFunc(closed(play(s)), func(e faultline.Event) bool { return e.Young })
			if len(events) != c.want {
				t.Fatalf("%d events, want %d", len(events), c.want)
			}
			if c.want == 1 {
				near(t, "onset", events[0].Onset, from, 10*time.Minute)
				near(t, "end", events[0].End, from.Add(2*time.Hour), 15*time.Minute)
				if events[0].Kind != faultline.Drop || events[0].Excess > -300 {
					t.Errorf("%s with excess %v", events[0].Kind, events[0].Excess)
				}
			}
		})
	}
}

func TestLoneSpikesOpenNothing(t *testing.T) {
	for seed := range 25 { // among them some with two spikes within two hours
		c := ordinary(35)
		c.Seed, c.Spikes, c.SpikeSize = uint64(seed), 2, 60
		events := slices.DeleteFunc(closed(play(c)), func(e faultline.Event) bool { return e.Young })
		if len(events) > 0 {
			t.Errorf("seed %d: %d events, the first at %v", seed, len(events), events[0].Onset)
		}
	}
}

func TestFewPeopleAreNotASurge(t *testing.T) {
	c := ordinary(15)
	c.Base = 0.02
	samples := c.Samples(series)
	at := 14*288 + 150
	for i := at - 30; i < len(samples); i++ {
		samples[i] = detecttest.Sample(series, samples[i].Start, 5*time.Minute, 0)
	}
	for i := at; i < at+10; i++ {
		samples[i].Value, samples[i].Reporters, samples[i].Networks, samples[i].NetworkBits = 3, 3, 2, 3
	}
	d := nbscan.New(series, nbscan.Defaults())
	if _, events := detecttest.Play(d, samples); len(events) > 0 {
		t.Errorf("reports of two networks opened %s", events[0].ID)
	}
}

// Surges at one hour of three nights, each of its own height, are not what that hour
// usually holds: the fourth night is no drop.
func TestSurgesAtOneHourTeachNothing(t *testing.T) {
	c := ordinary(20)
	c.Base = 30
	for i, add := range []float64{800, 200, 500} {
		c.Surges = append(c.Surges, surge(monday.Add(time.Duration(15+i)*day+2*time.Hour), 2*time.Hour, add))
	}
	for _, e := range closed(play(c)) {
		if e.Kind == faultline.Drop {
			t.Errorf("a drop from %v to %v: %v seen, %v usual", e.Onset, e.End, e.PeakValue, e.PeakUsual)
		}
	}
}

func TestAnHourThatWasLearntWronglyIsLearntAgain(t *testing.T) {
	c := ordinary(12)
	c.Base, c.Season = 60, 0.2
	samples := c.Samples(series)
	for i := 20 * 12; i < 22*12; i++ { // the first evening was silent
		samples[i] = detecttest.Sample(series, samples[i].Start, 5*time.Minute, 0)
	}
	last := monday
	for _, e := range playAll(samples) {
		last = e.Onset
	}
	if last.Equal(monday) {
		t.Fatal("no event at all: the test does not show what it should")
	}
	if last.After(monday.Add(8 * day)) {
		t.Errorf("the last event began at %v: the hour is still wrong a week later", last)
	}
}

func playAll(samples []faultline.Sample) []faultline.Event {
	_, events := detecttest.Play(nbscan.New(series, nbscan.Defaults()), samples)
	return events
}

func TestAnOperatorsNewNormalEndsTheEvent(t *testing.T) {
	c := ordinary(20)
	from := monday.Add(14*day + 12*time.Hour)
	c.Surges = []detecttest.Disturbance{surge(from, 10*day, 30)}
	d := nbscan.New(series, nbscan.Defaults())
	var last faultline.Event
	var opened int
	for _, s := range c.Samples(series) {
		if s.Start.Equal(from.Add(4 * time.Hour)) {
			d.Accept(s.Start)
		}
		_, events := d.Step(&s)
		for _, e := range events {
			last = e
			if e.Revision == 1 {
				opened++
			}
		}
	}
	if opened != 1 || last.State != faultline.EventClosed || last.Reason != "new_normal" {
		t.Errorf("%d events, the last %s because %q; want one, closed as new_normal", opened, last.State, last.Reason)
	}
	near(t, "closed", last.At, from.Add(4*time.Hour), 10*time.Minute)
}

func TestALevelThatStaysBecomesUsualAfterTwoDays(t *testing.T) {
	c := ordinary(24)
	from := monday.Add(14*day + 12*time.Hour)
	c.Surges = []detecttest.Disturbance{surge(from, 20*day, 30)}
	events := play(c)
	first := closed(events)[0]
	if first.Reason != "lasted_too_long" {
		t.Fatalf("the first event closed because %q", first.Reason)
	}
	near(t, "closed", first.At, from.Add(48*time.Hour), 6*time.Hour)
}

func TestTheClockChangeIsLearnt(t *testing.T) {
	c := ordinary(21)
	c.Base, c.Season, c.Size, c.Weekend = 60, 0.9, 40, 0
	before := c.Samples(series)
	c.Start = c.Start.Add(time.Hour) // from now on everything happens an hour earlier
	after := c.Samples(series)
	d := nbscan.New(series, nbscan.Defaults())
	_, events := detecttest.Play(d, before[:20*288])
	var late []faultline.Event
	for k := range 3 { // the weeks after, again and again
		for i := range 288 * 7 {
			s := after[13*288+i]
			s.Start = monday.Add(20*day + time.Duration(k)*7*day + time.Duration(i)*5*time.Minute)
			_, es := d.Step(&s)
			if k > 0 {
				late = append(late, es...)
			}
		}
	}
	settled := slices.DeleteFunc(events, func(e faultline.Event) bool { return e.Young })
	if len(settled) > 0 || len(late) > 0 {
		t.Errorf("%d revisions before, %d more than a week after the change", len(settled), len(late))
	}
}

// P of surges must be right where nothing happens: 1e-3 once in a thousand bins.
func TestProbabilitiesAreCalibratedOnQuietSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	cfg := nbscan.Defaults()
	cfg.Anonymous = true
	bins, over := 0, map[int]int{}
	for i := range 30 {
		c := ordinary(35)
		c.Seed, c.Base = uint64(500+i), []float64{0.1, 0.5, 2, 10, 100}[i%5]
		d := nbscan.New(series, cfg)
		for i, s := range c.Samples(series) {
			r, _ := d.Step(&s)
			if i < 21*288 {
				continue
			}
			bins++
			for k := 2; k <= 4; k++ {
				if r.LogP >= float64(k) && r.Verdict != faultline.Dropping {
					over[k]++
				}
			}
		}
	}
	for k := 2; k <= 4; k++ {
		t.Logf("p ≤ 1e-%d in %.2e of %d bins", k, float64(over[k])/float64(bins), bins)
		share := float64(over[k]) / float64(bins)
		if share > 3*math.Pow10(-k) || k < 4 && share < math.Pow10(-k)/5 {
			t.Errorf("p ≤ 1e-%d in %.1e of bins", k, share)
		}
	}
}
