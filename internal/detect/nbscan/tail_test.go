package nbscan

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/detect/windows"
)

// exact sums the law term by term, from the recurrence of its probabilities.
func exact(s int, m, r float64) (upper, lower float64) {
	term, q := math.Exp(-r*math.Log1p(m/r)), m/(m+r)
	below := 0.0
	for k := range s + 1 {
		if k == s {
			upper = 1 - below
		}
		below += term
		term *= (float64(k) + r) / float64(k+1) * q
	}
	if upper < 1e-6 { // by the tail itself: 1 − below has lost its digits
		upper = 0
		for k := s; k < s+20000; k++ {
			upper += math.Exp(logPMF(float64(k), m, r))
		}
	}
	return upper, below
}

func TestTailsAgreeWithTheSum(t *testing.T) {
	for _, c := range []struct {
		s    int
		m, r float64
	}{{3, 0.1, 10}, {10, 2, 5}, {40, 20, 15}, {100, 60, 40}, {300, 200, 100}, {2, 12, 30}, {0, 8, 20}, {60, 120, 25}, {1500, 1000, 50}} {
		upper, lower := exact(c.s, c.m, c.r)
		if got, want := upperLogP(float64(c.s), c.m, c.r), -math.Log10(upper); float64(c.s) > c.m && math.Abs(got-want) > 0.02*want+0.02 {
			t.Errorf("P(X ≥ %d), mean %v, size %v: %.3f, want %.3f", c.s, c.m, c.r, got, want)
		}
		if got, want := lowerLogP(float64(c.s), c.m, c.r), -math.Log10(lower); float64(c.s) < c.m && math.Abs(got-want) > 0.02*want+0.02 {
			t.Errorf("P(X ≤ %d), mean %v, size %v: %.3f, want %.3f", c.s, c.m, c.r, got, want)
		}
	}
}

func TestTailsAreFiniteAndGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := math.Pow(10, rapid.Float64Range(-4, 25).Draw(t, "log mean"))
		r := math.Pow(10, rapid.Float64Range(-1, 4).Draw(t, "log size"))
		s := m * math.Pow(10, rapid.Float64Range(-3, 3).Draw(t, "log ratio"))
		a, b := upperLogP(s, m, r), upperLogP(s*1.5+1, m, r)
		if math.IsNaN(a) || math.IsInf(a, 0) || a < 0 || b < a-0.35 {
			t.Fatalf("upper tail of %v is %v, of half as much again %v", s, a, b)
		}
		if l := lowerLogP(s, m, r); math.IsNaN(l) || math.IsInf(l, 0) || l < 0 {
			t.Fatalf("lower tail of %v is %v", s, l)
		}
	})
}

func TestWindowsFitBinsOfAnyWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := layoutOf(rapid.Int64Range(1, 40*86400).Draw(t, "width in seconds"))
		longest := l.Bins[l.N-1]
		if l.N < 1 || longest > windows.Longest || l.Ring < longest || l.Lag > longest || l.Rate < 1 || l.Slow < 1 || l.Slow > l.Ring {
			t.Fatalf("%+v", l)
		}
		for w := 1; w < l.N; w++ {
			if l.Bins[w] <= l.Bins[w-1] {
				t.Fatalf("windows of %v bins", l.Bins[:l.N])
			}
		}
	})
}
