package bbscan

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// direct sums the law term by term in 200 bits, from its first term on: nothing
// but the recurrence of the probabilities, with no logarithm and no gamma function.
func direct(n int, a, b float64) (upper []float64) {
	const bits = 200
	f := func(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }
	terms := make([]*big.Float, n+1)
	terms[0] = f(1)
	total := f(1)
	for k := range n {
		t := new(big.Float).SetPrec(bits).Mul(terms[k], f(float64(n-k)))
		t.Mul(t, new(big.Float).SetPrec(bits).Add(f(float64(k)), f(a)))
		t.Quo(t, f(float64(k+1)))
		t.Quo(t, new(big.Float).SetPrec(bits).Add(f(float64(n-k-1)), f(b)))
		terms[k+1] = t
		total.Add(total, t)
	}
	upper = make([]float64, n+1) // natural logarithms
	sum := f(0)
	for k := n; k >= 0; k-- {
		sum.Add(sum, terms[k])
		share := new(big.Float).SetPrec(bits).Quo(sum, total)
		mant := new(big.Float)
		exp := share.MantExp(mant)
		m, _ := mant.Float64()
		upper[k] = math.Log(m) + float64(exp)*math.Ln2
	}
	return upper
}

func TestTailsAgreeWithTheSum(t *testing.T) {
	worst, compared := 0.0, 0
	for _, n := range []int{1, 2, 5, 40, 500, 3000, 20000} {
		for _, p := range []float64{0.5, 0.1, 0.01, 0.001} {
			for _, phi := range []float64{1e-6, 0.0025, 0.02, 0.1, 0.4} {
				l := lawOf(float64(n), p, 1-p, phi)
				upper := direct(n, l.a, l.b)
				for k := 0; k <= n; k += max(1, n/97) {
					if upper[k] < -690 {
						break // less than a float holds
					}
					got := l.logUpper(float64(k))
					off := math.Abs(math.Expm1(got - upper[k]))
					compared++
					if worst = max(worst, off); !(off < 1e-9) {
						t.Errorf("P(X ≥ %d) of %d, share %v, phi %v: 10^%.6f, want 10^%.6f (off by %.1e)", k, n, p, phi, got/math.Ln10, upper[k]/math.Ln10, off)
					}
				}
			}
		}
	}
	t.Logf("%d tails, the worst off by %.1e of itself", compared, worst)
}

func TestTheTwoTailsOverlapInOneTerm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.IntRange(1, 100000).Draw(t, "n"))
		p := rapid.Float64Range(0.001, 0.999).Draw(t, "share")
		x := math.Round(n * rapid.Float64Range(0, 1).Draw(t, "of n"))
		l := lawOf(n, p, 1-p, rapid.Float64Range(0.001, 0.5).Draw(t, "phi"))
		both := math.Pow(10, -l.upperLogP(x)) + math.Pow(10, -l.lowerLogP(x)) - math.Exp(l.logPMF(x))
		if math.Abs(both-1) > 1e-8 {
			t.Fatalf("both tails of %v of %v add up to %v", x, n, both)
		}
	})
}

func TestTailsAreFiniteAndGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := math.Round(math.Pow(10, rapid.Float64Range(0, 9).Draw(t, "log n")))
		q := math.Pow(10, rapid.Float64Range(-7, -0.3).Draw(t, "log share"))
		l := lawOf(n, q, 1-q, math.Pow(10, rapid.Float64Range(-6, 0).Draw(t, "log phi")))
		x := math.Round(n * math.Pow(10, rapid.Float64Range(-8, 0).Draw(t, "log of n")))
		y := min(n, math.Ceil(x*rapid.Float64Range(1, 3).Draw(t, "times")))
		for _, tail := range []func(float64) float64{l.upperLogP, func(x float64) float64 { return l.lowerLogP(n - x) }} {
			a, b := tail(x), tail(y)
			if math.IsNaN(a) || math.IsInf(a, 0) || a < 0 || b < a-1e-8*(1+a) {
				t.Fatalf("−log10 p of %v of %v is %v, of %v it is %v", x, n, a, y, b)
			}
		}
	})
}

func TestABillionTriesOverflowNothing(t *testing.T) {
	l := lawOf(1e9, 0.999, 0.001, 0.01)
	for _, c := range []struct{ k, low, high float64 }{{1e9, 0, 1e9}, {0, 1000, 1e9}, {0.999e9, 0.25, 0.35}, {0.9987e9, 1.5, 3}} {
		if got := l.lowerLogP(c.k); c.k < 1e9 && (got < c.low || got > c.high) || math.IsNaN(got) {
			t.Errorf("P(X ≤ %v) is 10^-%v, want %v to %v", c.k, got, c.low, c.high)
		}
	}
}
