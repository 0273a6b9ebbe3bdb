package calibrate_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/detect/calibrate"
)

var habit = calibrate.Habit{Slope: 1, Least: 1, Weight: 20, Limit: 3, Calm: 3}

// quiet plays n clusters whose excess over the threshold is exponential with a
// mean of slope nominal tails.
func quiet(t *calibrate.Tail, n int, slope float64) {
	for i := range n {
		u := (float64(i) + 0.5) / float64(n) // the quantiles, in order
		t.Learn(2-slope*math.Log10(1-u), 1, habit)
		for range 3 {
			t.Learn(0, 1, habit)
		}
	}
}

func TestASeriesShowsItsOwnSlope(t *testing.T) {
	for _, slope := range []float64{1, 1.5, 2} {
		var tail calibrate.Tail
		quiet(&tail, 150, slope)
		if got := tail.Slope(habit); math.Abs(got-slope) > 0.25*slope {
			t.Errorf("slope %.2f, want about %v", got, slope)
		}
	}
}

// mixed plays bins of which a share lies above the threshold.
func mixed(t *calibrate.Tail, n int, share float64, h calibrate.Habit) {
	for i := range n {
		x := 0.5
		if float64(i%1000) < 1000*share {
			x = 2.1
		}
		t.Learn(x, 1, h)
	}
}

func TestTheThresholdIsWorthHowOftenItIsPassed(t *testing.T) {
	h := habit
	h.Share = 1000
	for _, share := range []float64{0.003, 0.01, 0.05} {
		var tail calibrate.Tail
		mixed(&tail, 8000, share, h)
		want := -math.Log10(share)
		if got := tail.Of(2, h); math.Abs(got-want) > 0.15 {
			t.Errorf("2, which %v of the bins pass, became %.2f, want %.2f", share, got, want)
		}
		if got := tail.Of(2, habit); got != 2 {
			t.Errorf("where the share is not learnt 2 became %v", got)
		}
	}
	var tail calibrate.Tail
	mixed(&tail, 8000, 0.5, h)
	if got := tail.Of(2, h); got < 0.999 {
		t.Errorf("2 became %v: half of all bins are no quiet time", got)
	}
}

func TestBelowTheThresholdNothingChanges(t *testing.T) {
	var tail calibrate.Tail
	quiet(&tail, 50, 3)
	if got := tail.Of(1.9, habit); got != 1.9 {
		t.Errorf("1.9 became %v", got)
	}
}

func TestAHugeSurgeBarelyMovesTheSlope(t *testing.T) {
	var tail calibrate.Tail
	quiet(&tail, 100, 1)
	before := tail.Slope(habit)
	tail.Learn(300, 1, habit)
	for range 3 {
		tail.Learn(0, 1, habit)
	}
	if got := tail.Slope(habit); got > before*1.1 {
		t.Errorf("slope went from %.2f to %.2f by one surge", before, got)
	}
}

func TestCalibrationIsMonotoneAndNeverSharpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tail calibrate.Tail
		for _, x := range rapid.SliceOf(rapid.Float64Range(0, 50)).Draw(t, "seen") {
			tail.Learn(x, 1, habit)
		}
		a, b := rapid.Float64Range(0, 50).Draw(t, "a"), rapid.Float64Range(0, 50).Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		x, y := tail.Of(a, habit), tail.Of(b, habit)
		if x > y {
			t.Fatalf("%v and %v became %v and %v", a, b, x, y)
		}
	})
}
