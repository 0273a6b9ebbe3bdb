package nbscan_test

import (
	"fmt"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
)

// opened are the events of a series that opened from a moment on.
func opened(events []faultline.Event, from time.Time) []faultline.Event {
	var all []faultline.Event
	for _, e := range events {
		if e.Revision == 1 && !e.Opened.Before(from) {
			all = append(all, e)
		}
	}
	return all
}

// each runs a test with series of several sizes and noises, in bins of a minute
// and of five.
func each(t *testing.T, test func(t *testing.T, c detecttest.Counts)) {
	for _, base := range []float64{2, 50, 300} {
		for _, size := range []float64{15, 60} {
			for _, width := range []time.Duration{time.Minute, 5 * time.Minute} {
				t.Run(fmt.Sprintf("base%g/size%g/%s", base, size, width), func(t *testing.T) {
					c := ordinary(28)
					c.Base, c.Size, c.Width, c.Bins = base, size, width, int(28*day/width)
					test(t, c)
				})
			}
		}
	}
}

// From a night near zero to a busy morning it is a hundredfold, in three hours.
func TestAHundredfoldMorningOpensNothingOnceItIsKnown(t *testing.T) {
	each(t, func(t *testing.T, c detecttest.Counts) {
		c.Night = 0.01
		events := play(c)
		for _, e := range opened(events, monday.Add(14*day)) {
			t.Errorf("a %s at %v: %v where %v are usual", e.Kind, e.Opened, e.PeakValue, e.PeakUsual)
		}
		for _, e := range events {
			if e.Young && e.Opened.After(monday.Add(5*day)) {
				t.Fatalf("still young at %v: the night was forgotten", e.Opened)
			}
		}
	})
}

// The surge that is put into such a morning is a third of what is usual an hour later.
func TestASurgeInASteepMorningIsFound(t *testing.T) {
	c := ordinary(22)
	c.Base, c.Size, c.Night = 50, 60, 0.01
	from := monday.Add(21*day + 5*time.Hour + 30*time.Minute)
	c.Surges = []detecttest.Disturbance{surge(from, time.Hour, 15)}
	events := opened(play(c), from)
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	near(t, "opened", events[0].Opened, from, 20*time.Minute)
}

// A match every Sunday evening makes people half again as busy and more.
func TestAMatchOnSundaysOpensNothingFromTheThirdOn(t *testing.T) {
	each(t, func(t *testing.T, c detecttest.Counts) {
		for week := range 4 {
			at := monday.Add(time.Duration(7*week+6)*day + 18*time.Hour)
			c.Surges = append(c.Surges, detecttest.Disturbance{From: at, To: at.Add(2 * time.Hour), Factor: 1.6})
		}
		for _, e := range opened(play(c), monday.Add(14*day)) {
			t.Errorf("a %s at %v: %v where %v are usual", e.Kind, e.Opened, e.PeakValue, e.PeakUsual)
		}
	})
}

// What is learnt from two Sundays in a row is that hour, and not the same hour of other days.
func TestAMatchOnSundaysHidesNoSurgeOnMondays(t *testing.T) {
	c := ordinary(22)
	c.Base, c.Size = 50, 60
	for week := range 3 {
		at := monday.Add(time.Duration(7*week+6)*day + 18*time.Hour)
		c.Surges = append(c.Surges, detecttest.Disturbance{From: at, To: at.Add(2 * time.Hour), Factor: 1.6})
	}
	from := monday.Add(21*day + 18*time.Hour)
	c.Surges = append(c.Surges, detecttest.Disturbance{From: from, To: from.Add(2 * time.Hour), Factor: 1.9})
	if n := len(opened(play(c), from)); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// An outage at an hour that was a little odd a week ago is no habit: nothing drops
// when it is over, and the same a week later is found again.
func TestAnOutageIsNoHabit(t *testing.T) {
	c := ordinary(36)
	c.Base, c.Size = 50, 60
	var from [3]time.Time
	for i, factor := range []float64{1.6, 30, 30} {
		from[i] = monday.Add(time.Duration(14+7*i)*day + 17*time.Hour)
		c.Surges = append(c.Surges, detecttest.Disturbance{From: from[i], To: from[i].Add(2 * time.Hour), Factor: factor})
	}
	events := opened(play(c), from[1])
	if len(events) != 2 || events[0].Kind != faultline.Surge || events[1].Kind != faultline.Surge {
		t.Fatalf("%d events, want two surges: %+v", len(events), events)
	}
	near(t, "the second outage opened", events[1].Opened, from[2], 10*time.Minute)
}
