package bbscan_test

import (
	"math"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/detecttest"
)

// null is a set of series in which nothing happens: 5 to 500 tries a bin, shares of
// 0.9 to 0.999, with and without a day's rhythm, and noise that lasts.
func null(days int, each func(c detecttest.Ratios)) {
	for i, tries := range []float64{5, 20, 50, 150, 500} {
		for j, share := range []float64{0.9, 0.97, 0.99, 0.999} {
			for k := range 2 {
				each(detecttest.Ratios{
					Seed: uint64(1000 + 100*i + 10*j + k), Start: monday, Width: 5 * time.Minute, Bins: days * 288,
					Tries: tries, Share: share, Season: 0.4 * float64(k), Noise: 0.3, Echo: 0.6, Drift: 0.05,
				})
			}
		}
	}
}

// P must be right where nothing happens: 1e-3 once in a thousand bins.
func TestProbabilitiesAreCalibratedOnQuietSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds")
	}
	bins, over, events := 0, map[int]int{}, 0
	null(56, func(c detecttest.Ratios) {
		d := bbscan.New(series, bbscan.Defaults())
		mine := 0
		for i, s := range c.Samples(series) {
			r, es := d.Step(&s)
			if i < 14*288 {
				continue
			}
			for _, e := range es {
				if e.State == faultline.EventClosed {
					events++
				}
			}
			bins++
			for k := 2; k <= 4; k++ {
				if r.LogP >= float64(k) {
					over[k]++
				}
			}
			if r.LogP >= 3 {
				mine++
			}
		}
		t.Logf("tries %v share %v season %v: p ≤ 1e-3 in %.1e", c.Tries, c.Share, c.Season, float64(mine)/float64(c.Bins-14*288))
	})
	for k := 2; k <= 4; k++ {
		share := float64(over[k]) / float64(bins)
		t.Logf("p ≤ 1e-%d in %.2e of %d bins", k, share, bins)
		if share > 2*math.Pow10(-k) || share < math.Pow10(-k)/2 {
			t.Errorf("p ≤ 1e-%d in %.1e of bins", k, share)
		}
	}
	t.Logf("%d events", events)
}

// The floor of what the scan must find: drops of 1 to 10 points, for half an hour or
// two hours, in the series of the null set.
func TestRecallOfSmallDrops(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	points := []float64{0.01, 0.02, 0.05, 0.1}
	var all, found [2][4]int
	null(35, func(c detecttest.Ratios) {
		c.Seed += 40000
		for k := range 8 {
			length := []time.Duration{30 * time.Minute, 2 * time.Hour}[k/4]
			c.Falls = append(c.Falls, fall(monday.Add(14*day+time.Duration(k*61)*time.Hour), length, points[k%4]))
		}
		events := closed(c.Samples(series))
		for k, f := range c.Falls {
			all[k/4][k%4]++
			for _, e := range events {
				if e.Kind == faultline.Drop && e.Onset.Before(f.To) && e.End.After(f.From) {
					found[k/4][k%4]++
					break
				}
			}
		}
	})
	t.Logf("30 minutes, by points: %v of %v; 2 hours: %v of %v", found[0], all[0], found[1], all[1])
	want := [2][4]int{{2, 5, 12, 17}, {4, 8, 21, 26}} // just below what is reached
	for i := range want {
		for k := range want[i] {
			if found[i][k] < want[i][k] {
				t.Errorf("%v points: %d found, want %d", points[k], found[i][k], want[i][k])
			}
		}
	}
}
