package affected

import (
	"math"
	"testing"
)

// A Beta(a, 1) variable has the quantile p^(1/a), a Beta(1, b) variable
// 1 − (1−p)^(1/b), and a symmetric one the median ½.
func TestQuantilesThatHaveAForm(t *testing.T) {
	for _, p := range []float64{0.05, 0.5, 0.95} {
		for _, n := range []float64{0.5, 1, 2.5, 40, 3000.5} {
			if got, want := quantile(p, n, 1), math.Pow(p, 1/n); math.Abs(got-want) > 2e-6 {
				t.Errorf("Beta(%v, 1) at %v: %v, want %v", n, p, got, want)
			}
			if got, want := quantile(p, 1, n), 1-math.Pow(1-p, 1/n); math.Abs(got-want) > 2e-6 {
				t.Errorf("Beta(1, %v) at %v: %v, want %v", n, p, got, want)
			}
			if got := quantile(0.5, n, n); math.Abs(got-0.5) > 2e-6 {
				t.Errorf("the median of Beta(%v, %v) is %v", n, n, got)
			}
		}
	}
}

// Large crowds are near a normal distribution, and the sum still converges.
func TestQuantilesOfLargeCrowdsConverge(t *testing.T) {
	const a, b = 600_000.5, 400_000.5
	mean := a / (a + b)
	sd := math.Sqrt(mean * (1 - mean) / (a + b))
	if got, want := quantile(0.95, a, b), mean+1.6449*sd; math.Abs(got-want) > 5e-6 {
		t.Errorf("%v, want %v", got, want)
	}
}
