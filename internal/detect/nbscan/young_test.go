package nbscan_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

func TestAYoungInstallationFindsTwentyPeopleOfThreeNetworks(t *testing.T) {
	for _, c := range []struct {
		name             string
		people, networks int
		want             bool
	}{
		{"twenty of twenty networks", 20, 20, true},
		{"nineteen are too few", 19, 19, false},
		{"two networks are too few", 40, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := nbscan.New(series, nbscan.Defaults())
			var events []faultline.Event
			for i := range 60 {
				x := 0
				if i >= 40 && i < 50 {
					x = c.people / 10
					if i-40 < c.people%10 {
						x++
					}
				}
				s := detecttest.Sample(series, monday.Add(time.Duration(i)*time.Minute), time.Minute, float64(x))
				s.Networks, s.NetworkBits = min(x, c.networks), faultline.Bits(1<<min(c.networks, 20)-1)
				if x == 0 {
					s.NetworkBits = 0
				}
				_, es := d.Step(&s)
				events = append(events, es...)
			}
			if (len(events) > 0) != c.want {
				t.Fatalf("%d revisions, want some: %v", len(events), c.want)
			}
			if c.want && !events[0].Young {
				t.Error("the event does not say that its baseline is young")
			}
		})
	}
}

// minutes plays a young series that has these counts, a minute each.
func minutes(d *nbscan.Detector, n int, count func(i int) float64) (events []faultline.Event) {
	for i := range n {
		s := detecttest.Sample(series, monday.Add(time.Duration(i)*time.Minute), time.Minute, count(i))
		_, es := d.Step(&s)
		events = append(events, es...)
	}
	return events
}

// Whoever starts an observatory for a busy service begins with a level that
// nothing is known of: it speaks, takes it back, and knows it then.
func TestALevelThatWasThereFromTheStartIsTakenBack(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	events := minutes(d, 12*60, func(i int) float64 { return float64(3 + i%3) })
	if len(events) == 0 || events[0].State != faultline.EventOpen {
		t.Fatalf("%d revisions: so many people are possible at first", len(events))
	}
	last := events[len(events)-1]
	if last.ID != events[0].ID || last.State != faultline.EventRetracted || last.Reason != faultline.LevelSinceStart {
		t.Errorf("%s because %q, in %d revisions", last.State, last.Reason, len(events))
	}
	near(t, "taken back", last.At, events[0].Opened.Add(time.Hour), 2*time.Minute)
}

func TestASurgeOverALevelThatWasLearntInAnHourStays(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	events := minutes(d, 7*60, func(i int) float64 {
		if i >= 200 && i < 320 {
			return 30
		}
		return float64(3 + i%3)
	})
	last := events[len(events)-1]
	if last.State != faultline.EventClosed || last.Reason == faultline.LevelSinceStart {
		t.Fatalf("%s because %q", last.State, last.Reason)
	}
	near(t, "onset", last.Onset, monday.Add(200*time.Minute), 7*time.Minute)
	near(t, "end", last.End, monday.Add(320*time.Minute), 6*time.Minute)
}

// An observatory that starts in the middle of an outage sees it fall.
func TestACrowdAtTheStartThatGoesHomeWasASurge(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	events := minutes(d, 7*60, func(i int) float64 {
		if i < 40 {
			return 20
		}
		return float64(i % 3 / 2)
	})
	last := events[len(events)-1]
	if last.State != faultline.EventClosed || last.Reason != "settled" {
		t.Fatalf("%s because %q", last.State, last.Reason)
	}
	near(t, "end", last.End, monday.Add(40*time.Minute), 6*time.Minute)
}

// A morning brings many more within hours; a young baseline has not seen one yet.
func TestAMorningIsNoSurge(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	events := minutes(d, 24*60, func(i int) float64 {
		switch hour := i / 60; {
		case hour < 4:
			return 1
		case hour < 8:
			return []float64{4, 8, 13, 18}[hour-4]
		}
		return 24
	})
	for _, e := range events {
		if e.Opened.After(monday.Add(2 * time.Hour)) {
			t.Fatalf("opened at %v: %v where %v are usual", e.Opened, e.PeakValue, e.PeakUsual)
		}
	}
}

// One person who comes back every ten minutes is one person.
func TestOnePersonIsNoCrowd(t *testing.T) {
	for _, c := range []struct {
		name             string
		people, networks int
		want             bool
	}{{"one of one network", 1, 1, false}, {"one of three networks", 1, 3, false}, {"three of three", 3, 3, false}, {"seven of seven", 7, 7, true}} {
		t.Run(c.name, func(t *testing.T) {
			counts := ordinary(15)
			counts.Base = 0.01
			samples := counts.Samples(series)
			at := 14*288 + 150
			for i := range 24 { // two hours
				s := detecttest.Sample(series, samples[at+i].Start, 5*time.Minute, 1)
				s.ReporterBits, s.NetworkBits = 1<<(i%c.people), 1<<(i%c.networks)
				samples[at+i] = s
			}
			_, events := detecttest.Play(nbscan.New(series, nbscan.Defaults()), samples)
			if (len(events) > 0) != c.want {
				t.Errorf("%d revisions, want some: %v", len(events), c.want)
			}
		})
	}
}

// What is quiet for a day makes the day after no surge.
func TestAHolidayMakesTheNextDayNoSurge(t *testing.T) {
	c := ordinary(24)
	c.Base, c.Size = 100, 40
	c.Surges = []detecttest.Disturbance{{From: monday.Add(20 * day), To: monday.Add(21 * day), Factor: 0.45}}
	_, events := detecttest.Play(nbscan.New(series, nbscan.Defaults()), c.Samples(series))
	for _, e := range events {
		if e.Kind == faultline.Surge && !e.Young && e.Opened.After(monday.Add(20*day)) {
			t.Fatalf("a surge at %v: %v where %v are usual", e.Opened, e.PeakValue, e.PeakUsual)
		}
	}
}

// Two surges with a short deep valley between them are two.
func TestAShortDeepValleyDividesTwoSurges(t *testing.T) {
	c := ordinary(16)
	c.Width, c.Bins, c.Base = time.Minute, 16*1440, 0.3
	from := monday.Add(15 * day)
	c.Surges = []detecttest.Disturbance{
		{From: from, To: from.Add(40 * time.Minute), Add: 300},
		{From: from.Add(55 * time.Minute), To: from.Add(100 * time.Minute), Add: 250},
	}
	_, events := detecttest.Play(nbscan.New(series, nbscan.Defaults()), c.Samples(series))
	var ended []faultline.Event
	for _, e := range events {
		if e.State == faultline.EventClosed && e.Opened.After(from) {
			ended = append(ended, e)
		}
	}
	if len(ended) != 2 {
		t.Fatalf("%d events, want two", len(ended))
	}
	near(t, "the first's end", ended[0].End, from.Add(40*time.Minute), 6*time.Minute)
	near(t, "the second's onset", ended[1].Onset, from.Add(55*time.Minute), 3*time.Minute)
}

// A series begins with its first report, long after somebody began to listen:
// the minutes before it are not a silence, and an event of its first minutes
// must not be told beside "nobody was listening".
func TestASeriesThatJustBeganIsYoungAndNotSilent(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	for i := range 4 {
		count := 1.0
		if i == 2 {
			count = 20
		}
		s := detecttest.Sample(series, monday.Add(time.Duration(i)*time.Minute), time.Minute, count)
		r, _ := d.Step(&s)
		want, why := faultline.CannotTell, "young_baseline"
		if i >= 2 {
			want, why = faultline.Surging, ""
		}
		if r.Verdict != want || r.Reason != why {
			t.Errorf("minute %d: %s (%q), want %s (%q)", i, r.Verdict, r.Reason, want, why)
		}
	}
}

// partly is a minute in which somebody listened for the last seconds only.
func partly(i int, x float64) faultline.Sample {
	s := detecttest.Sample(series, monday.Add(time.Duration(i)*time.Minute), time.Minute, x)
	s.Complete = 0.1
	return s
}

func TestAHardlyHeardMinuteCountsUpwards(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	s := partly(0, 25)
	r, events := d.Step(&s)
	if len(events) != 1 || !events[0].Young || r.Verdict != faultline.Surging {
		t.Fatalf("25 people in the first seconds: %d events, %s; want a young surge", len(events), r.Verdict)
	}
	if r.Age != 0 {
		t.Errorf("the baseline is %v old, want 0: such a minute teaches nothing", time.Duration(r.Age))
	}
}

func TestAHardlyHeardMinuteIsNoDrop(t *testing.T) {
	c := ordinary(15)
	c.Width, c.Bins, c.Base, c.Size = time.Minute, 15*1440, 40, 1000
	samples := c.Samples(series)
	d := nbscan.New(series, nbscan.Defaults())
	detecttest.Play(d, samples[:14*1440])
	for i := 14 * 1440; i < 14*1440+120; i++ {
		samples[i] = partly(i, samples[i].Value/10)
		r, events := d.Step(&samples[i])
		if len(events) > 0 || r.Verdict == faultline.Odd {
			t.Fatalf("minute %d of hardly listening: %s, %d events; want nothing", i-14*1440, r.Verdict, len(events))
		}
	}
}
