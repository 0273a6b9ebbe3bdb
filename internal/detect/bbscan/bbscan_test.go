package bbscan_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
)

var (
	series = faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.World}
	monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
)

const day = 24 * time.Hour

// ordinary is five-minute bins of a service of which one request in fifty fails.
func ordinary(days int) detecttest.Ratios {
	return detecttest.Ratios{
		Seed: 7, Start: monday, Width: 5 * time.Minute, Bins: days * 288, Tries: 60, Share: 0.98,
		Season: 0.4, Noise: 0.2, Echo: 0.5, Drift: 0.05,
	}
}

func fall(from time.Time, length time.Duration, points float64) detecttest.Fall {
	return detecttest.Fall{From: from, To: from.Add(length), Points: points}
}

func scan(s faultline.Series) detector.Detector { return bbscan.New(s, bbscan.Defaults()) }

func closed(samples []faultline.Sample) []faultline.Event {
	var all []faultline.Event
	_, events := detecttest.Play(scan(series), samples)
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
	for _, width := range []time.Duration{time.Minute, 5 * time.Minute, time.Hour} {
		t.Run(width.String(), func(t *testing.T) {
			c := ordinary(1)
			c.Width, c.Bins, c.Tries = width, int(10*day/width), 12*width.Minutes()
			quiet := c.Samples(series)
			c.Falls = []detecttest.Fall{fall(monday.Add(7*day+14*time.Hour), max(90*time.Minute, 3*width), 0.2)}
			detecttest.Run(t, scan, detecttest.Story{
				Series: series, Disturbed: c.Samples(series), Quiet: quiet,
				Late: func(s faultline.Sample) faultline.Sample { s.Revision++; s.N++; return s },
			})
		})
	}
}

func TestADropHasOnsetPeakAndEnd(t *testing.T) {
	for _, c := range []struct {
		width  time.Duration
		points float64
	}{{time.Minute, 0.3}, {5 * time.Minute, 0.3}, {10 * time.Minute, 0.3}, {5 * time.Minute, 0.06}} {
		t.Run(fmt.Sprint(c.width, c.points), func(t *testing.T) {
			s := ordinary(1)
			s.Width, s.Bins, s.Tries = c.width, int(15*day/c.width), 12*c.width.Minutes()
			from := monday.Add(12*day + 13*time.Hour)
			s.Falls = []detecttest.Fall{fall(from, 2*time.Hour, c.points)}
			events := closed(s.Samples(series))
			if len(events) != 1 {
				t.Fatalf("%d events, want 1: %+v", len(events), events)
			}
			e := events[0]
			slack := max(10*time.Minute, c.width)
			near(t, "onset", e.Onset, from, slack)
			near(t, "end", e.End, from.Add(2*time.Hour), slack)
			if e.Kind != faultline.Drop || e.Peak.Before(from.Add(-slack)) || e.Peak.After(e.End) {
				t.Errorf("%s with peak %v", e.Kind, e.Peak)
			}
			tries := 120 * 12.0
			if e.Excess > -0.8*c.points*tries || e.Excess < -1.3*c.points*tries {
				t.Errorf("excess %v tries, want about %v", e.Excess, -c.points*tries)
			}
			if e.LogP < 6 || math.Abs(e.PeakValue-(0.98-c.points)) > 0.1 || e.PeakUsual < 0.95 {
				t.Errorf("log p %v, worst share %v of usual %v", e.LogP, e.PeakValue, e.PeakUsual)
			}
		})
	}
}

// One check that fails now and then is no news, and moves no end.
func TestALoneFailureIsNoNews(t *testing.T) {
	c := detecttest.Ratios{Seed: 3, Start: monday, Width: 5 * time.Minute, Bins: 6 * 288, Tries: 5, Even: true, Share: 1 - 1e-9}
	samples := c.Samples(series)
	fail := func(bin int, n float64) { samples[bin].Value -= n }
	fail(2*288, 1)
	fail(3*288, 1)
	for bin := 4 * 288; bin < 4*288+12; bin++ {
		fail(bin, 2)
	}
	fail(4*288+16, 1)
	d, odd := scan(series), 0
	var last faultline.Event
	for i := range samples {
		r, events := d.Step(&samples[i])
		if i < 4*288 && r.Verdict == faultline.Odd {
			odd++
		}
		for _, e := range events {
			last = e
		}
	}
	if odd > 0 {
		t.Errorf("%d bins are odd", odd)
	}
	if last.State != faultline.EventClosed {
		t.Fatalf("the last event is %q", last.State)
	}
	near(t, "end", last.End, samples[4*288+12].Start, 0)
}

func TestARiseIsASurge(t *testing.T) {
	c := ordinary(15)
	c.Share = 0.1
	from := monday.Add(12*day + 13*time.Hour)
	c.Falls = []detecttest.Fall{fall(from, 2*time.Hour, -0.3)}
	events := closed(c.Samples(series))
	if len(events) != 1 || events[0].Kind != faultline.Surge || events[0].Excess < 300 {
		t.Fatalf("%+v; want one surge", events)
	}
	near(t, "onset", events[0].Onset, from, 10*time.Minute)
	near(t, "end", events[0].End, from.Add(2*time.Hour), 10*time.Minute)
}

// A vantage point checks once a minute; three of ten checks fail for an hour, hardly
// ever two in a row.
func TestChecksThatFailNowAndThenAreADrop(t *testing.T) {
	c := detecttest.Ratios{Seed: 3, Start: monday, Width: time.Minute, Bins: 8 * 1440, Tries: 1, Even: true, Share: 0.999}
	samples := c.Samples(series)
	from := monday.Add(6*day + 10*time.Hour)
	for i := range samples {
		if k := samples[i].Start.Sub(from) / time.Minute; k >= 0 && k < 60 && (k%10 == 0 || k%10 == 3 || k%10 == 7) {
			samples[i].Value = 0
		}
	}
	events := closed(samples)
	if len(events) != 1 || events[0].Kind != faultline.Drop {
		t.Fatalf("%+v; want one drop", events)
	}
	near(t, "onset", events[0].Onset, from, 10*time.Minute)
	near(t, "end", events[0].End, from.Add(time.Hour), 10*time.Minute)
	if late := events[0].Opened.Sub(from); late > 20*time.Minute {
		t.Errorf("opened after %v", late)
	}
}

func TestWhatIsNotKnownIsNeverZeroOfZero(t *testing.T) {
	c := ordinary(6)
	for _, u := range []struct {
		name   string
		change func(s *faultline.Sample)
		reason string
	}{
		{"nothing was tried", func(s *faultline.Sample) { s.Value, s.N = 0, 0 }, "collector_silent"},
		{"the collector slept", func(s *faultline.Sample) { s.Value, s.Complete = 0, 0.4 }, "collector_silent"},
		{"the vantage had no route", func(s *faultline.Sample) { s.Value, s.Impaired = 0, faultline.Impairment("no_route") }, "no_route"},
		{"the service refused to answer us", func(s *faultline.Sample) { s.Value, s.Failure = 0, faultline.RefusedToUs }, string(faultline.RefusedToUs)},
		{"more succeeded than were tried", func(s *faultline.Sample) { s.Value = s.N + 1 }, "collector_silent"},
	} {
		t.Run(u.name, func(t *testing.T) {
			samples := c.Samples(series)
			d, asleep := bbscan.New(series, bbscan.Defaults()), len(samples)-60
			for i := range samples {
				if i >= asleep && i < asleep+48 {
					u.change(&samples[i])
				}
				r, events := d.Step(&samples[i])
				if len(events) > 0 {
					t.Fatalf("bin %d opened %s", i, events[0].ID)
				}
				if i >= asleep && i < asleep+48 && (r.Verdict != faultline.CannotTell || r.Reason != u.reason) {
					t.Fatalf("bin %d is %s (%s), want cannot_tell (%s)", i, r.Verdict, r.Reason, u.reason)
				}
			}
		})
	}
}

func TestTheFirstDayCannotTell(t *testing.T) {
	c := ordinary(2)
	c.Falls = []detecttest.Fall{fall(monday.Add(12*time.Hour), 2*time.Hour, 0.5)}
	samples := c.Samples(series)
	d := bbscan.New(series, bbscan.Defaults())
	for i := range samples {
		r, events := d.Step(&samples[i])
		if i < 287 && (r.Verdict != faultline.CannotTell || r.Reason != "young_baseline" || r.LogP > 0) || len(events) > 0 {
			t.Fatalf("bin %d: %s (%s), log p %v, %d events", i, r.Verdict, r.Reason, r.LogP, len(events))
		}
		if i > 300 && r.Verdict == faultline.CannotTell {
			t.Fatalf("bin %d: %s (%s)", i, r.Verdict, r.Reason)
		}
	}
}

func TestALevelThatStaysBecomesUsualAfterTwoDays(t *testing.T) {
	c := ordinary(24)
	from := monday.Add(14*day + 12*time.Hour)
	c.Falls = []detecttest.Fall{fall(from, 20*day, 0.1)}
	events := closed(c.Samples(series))
	if len(events) != 1 || events[0].Reason != "lasted_too_long" {
		t.Fatalf("%+v; want one event that lasted too long", events)
	}
	near(t, "closed", events[0].At, from.Add(48*time.Hour), 6*time.Hour)
}

func TestWhatIsUsualIsFrozenWhileAbnormal(t *testing.T) {
	c := ordinary(15)
	from := monday.Add(12*day + 13*time.Hour)
	c.Falls = []detecttest.Fall{fall(from, 24*time.Hour, 0.2)}
	d := scan(series)
	for _, s := range c.Samples(series) {
		r, _ := d.Step(&s)
		if s.Start.After(from) && r.Expected < 0.95 {
			t.Fatalf("at %v a share of %v is expected", s.Start, r.Expected)
		}
	}
}

func TestAnOperatorsNewNormalEndsTheEvent(t *testing.T) {
	c := ordinary(20)
	from := monday.Add(14*day + 12*time.Hour)
	c.Falls = []detecttest.Fall{fall(from, 10*day, 0.1)}
	d := bbscan.New(series, bbscan.Defaults())
	var last faultline.Event
	opened := 0
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

func TestAnHourThatFailsMoreEachDayIsLearnt(t *testing.T) {
	c := ordinary(21)
	c.Tries = 300
	for d := range 21 { // a backup at three
		c.Falls = append(c.Falls, fall(monday.Add(time.Duration(d)*day+3*time.Hour), time.Hour, 0.03))
	}
	d := scan(series)
	late := 0
	for _, s := range c.Samples(series) {
		_, events := d.Step(&s)
		if len(events) > 0 && s.Start.After(monday.Add(14*day)) {
			late++
		}
	}
	if late > 0 {
		t.Errorf("%d revisions of events in the third week", late)
	}
}

// What is certain of a million tries may still matter to nobody.
func TestAChangeOfAFewOfAMillionOpensNothing(t *testing.T) {
	c := detecttest.Ratios{Seed: 5, Start: monday, Width: 5 * time.Minute, Bins: 8 * 288, Tries: 1e6, Even: true, Share: 0.99999, Noise: 0.1}
	c.Falls = []detecttest.Fall{fall(monday.Add(7*day), 2*time.Hour, 0.0003)}
	if events := closed(c.Samples(series)); len(events) > 0 {
		t.Errorf("%+v", events)
	}
	c.Falls[0].Points = 0.002
	if events := closed(c.Samples(series)); len(events) != 1 {
		t.Errorf("%d events of a fall by two of a thousand, want 1", len(events))
	}
}

func TestAnythingGivesFiniteReadings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := bbscan.New(series, bbscan.Config{Odd: 1, Open: 1.5})
		width := time.Duration(rapid.IntRange(1, 2000).Draw(t, "minutes")) * time.Minute
		most := math.Pow(10, rapid.Float64Range(0, 9).Draw(t, "log n"))
		at := monday
		for i := range 400 {
			n := math.Round(most * rapid.Float64Range(0, 1).Draw(t, "n"))
			k := math.Round(n * rapid.Float64Range(0, 1).Draw(t, "share"))
			s := detecttest.RatioSample(series, at.Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "late"))*width), width, k, n)
			s.Revision = i + 1
			r, events := d.Step(&s)
			sum := r.Value + r.Expected + r.Low + r.High + r.LogP
			for _, e := range events {
				sum += e.PeakValue + e.PeakUsual + e.Excess + e.LogP
			}
			if math.IsNaN(sum) || math.IsInf(sum, 0) || r.Low > r.High || r.Value > 1 {
				t.Fatalf("%+v %+v", r, events)
			}
			at = at.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "on")) * width)
		}
	})
}
