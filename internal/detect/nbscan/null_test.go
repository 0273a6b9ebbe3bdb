package nbscan_test

import (
	"math"
	"os"
	"sync"
	"testing"

	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

// Where nothing happens p means what it says, and hardly anything opens. On a
// machine of their own developers try a tenth of the series.
func TestWhereNothingHappensPIsRight(t *testing.T) {
	n, need := 200, 6+math.Log10(2000.0/500) // what the incident room asks for where 2,000 services are watched
	if os.Getenv("CI") != "" {
		n = 2000
	}
	open := func() detector.Detector { return nbscan.New(series, nbscan.Defaults()) }
	var all, half detecttest.Tally
	var other sync.WaitGroup
	other.Go(func() { half = detecttest.PlaySet(1, n/2, n, open) })
	all = detecttest.PlaySet(1, 0, n/2, open)
	other.Wait()
	all.Add(half)
	for k := 1; k < detecttest.Decades; k++ {
		t.Logf("p ≤ 1e-%d: %d bins, %.2f times as often as it should", k, all.Beyond[k], all.Times(k))
	}
	for _, k := range []int{2, 3} {
		if x := all.Times(k); x < 0.4 || x > 2 {
			t.Errorf("p ≤ 1e-%d came %.2f times as often as it should", k, x)
		}
	}
	if x := all.Times(4); x > 2 {
		t.Errorf("p ≤ 1e-4 came %.2f times as often as it should", x)
	}
	if x := all.Reached(need); x > 1 {
		t.Errorf("%d surges in %d series-weeks reached %.3f, of −log10 p %v", x, n, need, all.Opened)
	}
}
