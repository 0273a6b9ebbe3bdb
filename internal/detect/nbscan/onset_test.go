package nbscan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
)

// errorsOf plays so many made-up series with one surge and gives the errors of
// onset and end in minutes, smallest first.
func errorsOf(n int, width time.Duration, base float64, surge detecttest.Disturbance) (onset, end []float64) {
	for seed := range n {
		s := ordinary(12)
		s.Seed, s.Base, s.Width, s.Bins = uint64(seed+1), base, width, int(12*day/width)
		s.Surges = []detecttest.Disturbance{surge}
		events := play(s)
		i := slices.IndexFunc(events, func(e faultline.Event) bool { return e.State == faultline.EventClosed && e.End.After(surge.From) })
		if i >= 0 {
			onset = append(onset, events[i].Onset.Sub(surge.From).Abs().Minutes())
			end = append(end, events[i].End.Sub(surge.To).Abs().Minutes())
		}
	}
	slices.Sort(onset)
	slices.Sort(end)
	return onset, end
}

// Of a surge that rises for hours, or hardly above the noise, onset and end are
// found within half an hour nine times of ten.
func TestSlowAndWeakSurgesAreDated(t *testing.T) {
	from := monday.Add(10*day + 13*time.Hour)
	for _, width := range []time.Duration{time.Minute, 5 * time.Minute} {
		for _, c := range []struct {
			name       string
			base       float64
			surge      detecttest.Disturbance
			onset, end float64 // minutes
		}{
			{"slow", 10, detecttest.Disturbance{From: from, To: from.Add(4 * time.Hour), Add: 30, Rise: time.Hour}, 25, 45},
			{"weak", 5, detecttest.Disturbance{From: from, To: from.Add(3 * time.Hour), Add: 16}, 30, 45},
		} {
			t.Run(fmt.Sprint(c.name, " ", width), func(t *testing.T) {
				onset, end := errorsOf(12, width, c.base, c.surge)
				if len(onset) < 10 {
					t.Fatalf("%d of 12 were found", len(onset))
				}
				t.Logf("onset %v, end %v", onset, end)
				ninth := len(onset) * 9 / 10
				if onset[ninth] > c.onset || end[ninth] > c.end {
					t.Errorf("nine of ten onsets within %v min, ends within %v min; want %v and %v", onset[ninth], end[ninth], c.onset, c.end)
				}
			})
		}
	}
}
