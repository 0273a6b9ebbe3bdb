package calibrate_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/detect/calibrate"
)

// shown is a rank that has seen n values of a power-law tail: a tenth as
// probable at 10^slope times the size. They come in a shuffled order.
func shown(n int, slope float64) *calibrate.Rank {
	var r calibrate.Rank
	for i := range n {
		u := (float64(i*7919%n) + 0.5) / float64(n)
		r.Learn(math.Pow(u, -slope))
	}
	return &r
}

func TestARankIsTheShareOfWhatWasAtLeastAsStrange(t *testing.T) {
	r := shown(10000, 0.5)
	for _, decades := range []float64{1, 1.5, 2, 3, 4, 5, 6} {
		if got := r.Of(math.Pow(10, 0.5*decades)); math.Abs(got-decades) > 0.25+0.1*decades {
			t.Errorf("what has p = 1e-%v got 1e-%.2f", decades, got)
		}
	}
}

func TestATailIsNeverSteeperThanItMayBe(t *testing.T) {
	r := shown(10000, 0.01) // nearly all the same
	if got := r.Of(2.2); got > 3 {
		t.Errorf("2.2 times the usual has p = 1e-%.2f", got)
	}
}

func TestLittleSeenSaysNothing(t *testing.T) {
	if got := shown(99, 0.5).Of(1e6); got != 0 {
		t.Errorf("after 99 values: %v", got)
	}
	if got := shown(1000, 0.5).Of(0); got != 0 {
		t.Errorf("nothing strange got %v", got)
	}
}

func TestWhatCameLongAgoIsForgotten(t *testing.T) {
	r := shown(10000, 0.5)
	before := r.Of(30)
	for range 100000 {
		r.Learn(1)
	}
	if after := r.Of(30); after < before+1 {
		t.Errorf("30 has 1e-%.2f after a quiet year, and had 1e-%.2f before", after, before)
	}
}

func TestRanksAreOrderedAndNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r calibrate.Rank
		for _, x := range rapid.SliceOfN(rapid.Float64Range(-1, 1e12), 0, 600).Draw(t, "seen") {
			r.Learn(x)
		}
		a, b := rapid.Float64Range(0, 1e15).Draw(t, "a"), rapid.Float64Range(0, 1e15).Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		x, y := r.Of(a), r.Of(b)
		if !(x >= 0) || !(y >= x) || math.IsInf(y, 0) {
			t.Fatalf("%v and %v have %v and %v", a, b, x, y)
		}
	})
}
