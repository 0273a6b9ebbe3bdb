package nbscan

import "math"

// A window's count is compared with the negative binomial law of mean m and
// size r: variance m + m²/r. The law is the usual one for counts that vary
// more than a Poisson count (Lawless, "Negative binomial and mixed Poisson
// regression", Canadian Journal of Statistics 15, 1987).

// quickZ is where the exact sum begins to matter: below it a window is usual
// and the normal approximation of the tail is good enough. Most updates stop
// here.
const quickZ = 1.5

// zScore is the variance-stabilised distance of s from m (Anscombe 1948),
// with half a count of continuity correction towards m.
func zScore(s, m, r float64) float64 {
	c := 0.5
	if s < m {
		c = -0.5
	}
	return 2 * math.Sqrt(r) * (math.Asinh(math.Sqrt(max(0, s-c)/r)) - math.Asinh(math.Sqrt(m/r)))
}

// normalLogP is −log10 of the upper normal tail of z; beyond what a float
// holds, of its leading term.
func normalLogP(z float64) float64 {
	if z < 35 {
		return -math.Log10(0.5 * math.Erfc(z/math.Sqrt2))
	}
	return z*z/2/math.Ln10 + math.Log10(z*math.Sqrt(2*math.Pi))
}

// hugeCount is where the differences of log gamma functions lose their digits;
// from there on the tail's leading term is told.
const hugeCount = 1e9

// leadingLogP is −log10 of the tail's leading term by Cramér's theorem.
func leadingLogP(s, m, r float64) float64 {
	return max(0, ((s+r)*math.Log1p(r/m)-(s+r)*math.Log1p(r/s)-r*math.Log(s/m))/math.Ln10)
}

// upperLogP is −log10 P(X ≥ s) for a negative binomial X. s need not be whole.
func upperLogP(s, m, r float64) float64 {
	if s <= m {
		return 0
	}
	if z := zScore(s, m, r); z < quickZ {
		return max(0, normalLogP(z))
	} else if s > hugeCount {
		return leadingLogP(s, m, r)
	}
	q := m / (m + r) // each further count multiplies the probability by (k+r)/(k+1)·q
	sum, term, k := 1.0, 1.0, s
	for range maxTerms {
		ratio := (k + r) / (k + 1) * q
		term *= ratio
		sum += term
		k++
		if term < 1e-6*sum {
			return max(0, -(logPMF(s, m, r)+math.Log(sum))/math.Ln10)
		}
	}
	ratio := (k + r) / (k + 1) * q
	sum += term * ratio / (1 - ratio) // the rest, as if the ratio stayed: an upper bound
	return max(0, -(logPMF(s, m, r)+math.Log(sum))/math.Ln10)
}

// lowerLogP is −log10 P(X ≤ s).
func lowerLogP(s, m, r float64) float64 {
	if s >= m {
		return 0
	}
	if z := -zScore(s, m, r); z < quickZ {
		return max(0, normalLogP(z))
	} else if m > hugeCount {
		return leadingLogP(s, m, r)
	}
	sum, term, k := 1.0, 1.0, s
	for range maxTerms {
		if k < 1 {
			break
		}
		term *= k * (m + r) / ((k - 1 + r) * m)
		sum += term
		k--
		if term < 1e-6*sum {
			break
		}
	}
	return max(0, -(logPMF(s, m, r)+math.Log(sum))/math.Ln10)
}

// maxTerms bounds the tail sums; what is left is closed as a geometric series.
const maxTerms = 96

// logPMF is the natural logarithm of the negative binomial probability of s.
func logPMF(s, m, r float64) float64 {
	a, _ := math.Lgamma(s + r)
	b, _ := math.Lgamma(r)
	c, _ := math.Lgamma(s + 1)
	return a - b - c - r*math.Log1p(m/r) - s*math.Log1p(r/m)
}

// logRatio is the log likelihood ratio of x under mean q·mu against mean mu,
// both of size r.
func logRatio(x, mu, q, r float64) float64 {
	return x*math.Log(q) - (x+r)*math.Log1p((q-1)*mu/(r+mu))
}
