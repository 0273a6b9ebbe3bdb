package partial_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
)

// fallsAt is when the share of checks that succeed falls, for an hour.
var fallsAt = monday.Add(8*day + 10*time.Hour)

// made is ten days of checks, one a minute, that succeed with a chance.
func made(seed uint64, share, points float64) []faultline.Sample {
	c := detecttest.Ratios{
		Seed: seed, Start: monday, Width: time.Minute, Bins: 10 * 1440, Tries: 1, Even: true, Share: share,
		Falls: []detecttest.Fall{{From: fallsAt, To: fallsAt.Add(time.Hour), Points: points}},
	}
	samples := c.Samples(home)
	for i := range samples {
		s := &samples[i]
		s.Taken = s.Start.Add(200 * time.Millisecond)
		if s.Value == 0 {
			s.Failure, s.Confirmed = faultline.ConnectionRefused, true
		}
	}
	return samples
}

func during(list []faultline.Event) bool {
	for _, e := range list {
		if e.Onset.Before(fallsAt.Add(time.Hour)) && e.End.After(fallsAt) {
			return true
		}
	}
	return false
}

// What scanning adds to counting failures in a row, and what it costs where nothing
// happens: 80 vantage points of which 0.01 % to 2 % of checks fail anyway. The bounds
// lie just below what is reached.
func TestWhatScanningFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds")
	}
	shares := []float64{0.9999, 0.999, 0.995, 0.98}
	for k, c := range []struct {
		points float64
		either int // of 80, at least
	}{{0, 0}, {0.05, 14}, {0.1, 54}, {0.2, 76}} {
		row, drop, either := 0, 0, 0
		for i := range 80 {
			rows, drops := of(t, made(uint64(10000*k+i), shares[i%4], c.points))
			r, d := during(rows), during(drops)
			row, drop, either = row+one(r), drop+one(d), either+one(r || d)
			if !d && len(drops) > 0 || c.points == 0 && d {
				t.Errorf("vantage %d of share %v: a drop where nothing happened", i, shares[i%4])
			}
		}
		t.Logf("%v points: %d of 80 by failures in a row, %d by the scan, %d by either", c.points, row, drop, either)
		if either < c.either {
			t.Errorf("%v points: %d found, want %d", c.points, either, c.either)
		}
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
