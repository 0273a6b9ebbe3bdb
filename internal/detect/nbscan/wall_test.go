package nbscan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/calendar"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

// inCountry are four weeks of counts of a country, in which its people follow
// their wall clock, and the series.
func inCountry(c faultline.Country, from time.Time) (detecttest.Counts, faultline.Series) {
	counts := ordinary(28)
	counts.Start, counts.Base, counts.Size, counts.Weekend = from, 50, 40, 0
	counts.Zone = calendar.Of(c).Zone()
	return counts, faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.InCountry, Country: c}
}

func events(s faultline.Series, samples []faultline.Sample) []faultline.Event {
	_, all := detecttest.Play(nbscan.New(s, nbscan.Defaults()), samples)
	return all
}

// A steep morning comes an hour earlier or later, by UTC, from one day to the next.
func TestAClockChangeOpensNothingWhereTheClockIsKnown(t *testing.T) {
	for _, c := range []struct {
		country faultline.Country
		from    string // so that the clock changes after three weeks or so
	}{
		{"GB", "2025-03-10"},
		{"GB", "2025-10-06"},
		{"AU", "2025-09-15"}, // forward in October
		{"US", "2025-02-17"},
		{"NZ", "2025-03-17"},
	} {
		t.Run(fmt.Sprintf("%s-%s", c.country, c.from), func(t *testing.T) {
			from, _ := time.Parse(time.DateOnly, c.from)
			counts, series := inCountry(c.country, from)
			counts.Night = 0.01
			samples := counts.Samples(series)
			if late := opened(events(series, samples), from.Add(14*day)); len(late) > 0 {
				t.Errorf("a %s at %v, seen %v where %v are usual", late[0].Kind, late[0].Opened, late[0].PeakValue, late[0].PeakUsual)
			}
			nowhere := faultline.Series{Metric: series.Metric, Service: "x", Level: faultline.World}
			if late := opened(events(nowhere, samples), from.Add(14*day)); len(late) == 0 {
				t.Error("without the clock nothing opens either: the test shows nothing")
			}
		})
	}
}

// On the day after, the reading knows what is usual at each hour; where the clock
// is not known it is an hour off.
func TestTheDayAfterAClockChangeIsRight(t *testing.T) {
	from := time.Date(2025, 3, 10, 0, 0, 0, 0, time.UTC)
	counts, series := inCountry("GB", from)
	counts.Night, counts.Drift = 0.01, 0
	samples := counts.Samples(series)
	seven := time.Date(2025, 3, 31, 6, 0, 0, 0, time.UTC) // by the clock of summer, when half of them are up
	for s, right := range map[faultline.Series]bool{series: true, {Metric: series.Metric, Service: "x", Level: faultline.World}: false} {
		d := nbscan.New(s, nbscan.Defaults())
		for i := range samples {
			r, _ := d.Step(&samples[i])
			if !r.At.Equal(seven) {
				continue
			}
			truth := 3 * 0.43 * counts.Base // the mean of the quarter of an hour that ends there
			if off := r.Expected / truth; (off > 0.75 && off < 1.33) != right {
				t.Errorf("%s: expected %v, the truth is %v; right should be %v", s, r.Expected, truth, right)
			}
		}
	}
}

// Clocks that differ by half an hour from UTC's hours are clocks like others.
func TestAHalfHourZoneKnowsItsMorning(t *testing.T) {
	counts, series := inCountry("IN", monday)
	counts.Night = 0.01
	if late := opened(events(series, counts.Samples(series)), monday.Add(14*day)); len(late) > 0 {
		t.Errorf("a %s at %v, seen %v where %v are usual", late[0].Kind, late[0].Opened, late[0].PeakValue, late[0].PeakUsual)
	}
}

// goodFriday is a public holiday in Great Britain; the weeks before it have none.
var goodFriday = time.Date(2025, 4, 18, 0, 0, 0, 0, time.UTC)

// sundays are weeks whose Sundays and whose holiday differ from other days by a
// factor, between eight in the morning and ten at night.
func sundays(c *detecttest.Counts, factor float64, and time.Time) {
	for at := c.Start; at.Before(c.Start.Add(time.Duration(c.Bins) * c.Width)); at = at.Add(day) {
		if at.Weekday() == time.Sunday || at.Equal(and) {
			c.Surges = append(c.Surges, detecttest.Disturbance{From: at.Add(8 * time.Hour), To: at.Add(22 * time.Hour), Factor: factor})
		}
	}
}

func TestAHolidayLikeASundayOpensNothing(t *testing.T) {
	for _, factor := range []float64{0.25, 2.5} {
		counts, series := inCountry("GB", goodFriday.Add(-25*day))
		sundays(&counts, factor, goodFriday)
		for _, c := range []struct {
			country faultline.Country
			want    bool
		}{{"GB", false}, {"PT", true}} { // of Portugal no holidays are known; its clock is the same
			series.Country = c.country
			samples := counts.Samples(series)
			late := opened(events(series, samples), goodFriday)
			if (len(late) > 0) != c.want {
				t.Errorf("Sundays at %g, %s: %d events on the holiday and after, want some: %v", factor, c.country, len(late), c.want)
			}
		}
	}
}

func TestAHolidayLikeAnyDayOpensNothing(t *testing.T) {
	for _, factor := range []float64{0.25, 2.5} {
		counts, series := inCountry("GB", goodFriday.Add(-25*day))
		sundays(&counts, factor, time.Time{})
		if late := opened(events(series, counts.Samples(series)), goodFriday); len(late) > 0 {
			t.Errorf("Sundays at %g: %d events, the first a %s at %v", factor, len(late), late[0].Kind, late[0].Opened)
		}
	}
}

func TestASurgeAndADropOnAHolidayAreFound(t *testing.T) {
	at := goodFriday.Add(12 * time.Hour)
	for _, c := range []struct {
		kind faultline.EventKind
		what detecttest.Disturbance
	}{
		{faultline.Surge, detecttest.Disturbance{From: at, To: at.Add(90 * time.Minute), Add: 300}},
		{faultline.Drop, detecttest.Disturbance{From: at, To: at.Add(90 * time.Minute), Factor: 0.02}},
	} {
		counts, series := inCountry("GB", goodFriday.Add(-25*day))
		sundays(&counts, 0.5, goodFriday)
		counts.Surges = append(counts.Surges, c.what)
		var found []faultline.Event
		for _, e := range closed(events(series, counts.Samples(series))) {
			if !e.Opened.Before(goodFriday) {
				found = append(found, e)
			}
		}
		if len(found) != 1 || found[0].Kind != c.kind {
			t.Fatalf("%d events, want one %s: %+v", len(found), c.kind, found)
		}
		near(t, "onset of the "+string(c.kind), found[0].Onset, at, 10*time.Minute)
		near(t, "end of the "+string(c.kind), found[0].End, at.Add(90*time.Minute), 15*time.Minute)
	}
}

// A holiday that is quieter than other days, but not so quiet that it would be kept
// out anyway, leaves what is usual on the days after it as it was.
func TestAHolidayIsNotLearnt(t *testing.T) {
	after := []time.Time{goodFriday.Add(day + time.Hour), goodFriday.Add(2*day + 12*time.Hour), goodFriday.Add(7*day + 12*time.Hour)}
	expected := func(quiet bool) (all []float64) {
		counts, series := inCountry("GB", goodFriday.Add(-25*day))
		counts.Bins, counts.Drift = 34*288, 0
		if quiet {
			counts.Surges = []detecttest.Disturbance{{From: goodFriday.Add(-time.Hour), To: goodFriday.Add(23 * time.Hour), Factor: 0.7}}
		}
		d := nbscan.New(series, nbscan.Defaults())
		for _, s := range counts.Samples(series) {
			if r, _ := d.Step(&s); slices.Contains(after, r.At) {
				all = append(all, r.Expected)
			}
		}
		return all
	}
	quiet := expected(true)
	for i, want := range expected(false) {
		if quiet[i] < 0.98*want {
			t.Errorf("at %v: %v, without a quiet holiday %v", after[i], quiet[i], want)
		}
	}
}

// A snapshot goes on in the same way in the middle of a holiday and of a clock change.
func TestASnapshotOfASpecialDayGoesOn(t *testing.T) {
	counts, series := inCountry("GB", time.Date(2025, 3, 24, 0, 0, 0, 0, time.UTC))
	sundays(&counts, 0.25, goodFriday)
	samples := counts.Samples(series)
	for _, at := range []time.Time{time.Date(2025, 3, 30, 1, 20, 0, 0, time.UTC), goodFriday.Add(9*time.Hour + 10*time.Minute)} {
		cut := int(at.Sub(samples[0].Start) / (5 * time.Minute))
		whole := nbscan.New(series, nbscan.Defaults())
		detecttest.Play(whole, samples[:cut])
		state, _ := whole.MarshalBinary()
		again := nbscan.New(series, nbscan.Defaults())
		if err := again.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		detecttest.Play(whole, samples[cut:cut+288])
		detecttest.Play(again, samples[cut:cut+288])
		a, _ := whole.MarshalBinary()
		if b, _ := again.MarshalBinary(); string(a) != string(b) {
			t.Errorf("cut at %v: the states a day later differ", at)
		}
	}
}
