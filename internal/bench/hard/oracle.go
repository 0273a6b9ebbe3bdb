package main

import "math"

// spans are the oracle's windows in bins.
var spans = []int{1, 2, 3, 6, 12, 24}

// oracle scores each bin by the best of six windows against the true mean, with
// each window's own dispersion in hindsight; a window's largest bin is cut to
// the larger of its second largest and what is usual. The score is 1 − 2^(−L/6)
// with L = −log10 p.
func oracle(x []int, mean []float64, mute []bool) []float64 {
	out := make([]float64, len(x))
	for _, n := range spans {
		phi := dispersion(x, mean, mute, n)
		for i := n - 1; i < len(x); i++ {
			if s, mu, ok := window(x, mean, mute, i, n); ok && s-mu >= 3 {
				out[i] = max(out[i], upper(s, mu, phi))
			}
		}
	}
	for i, l := range out {
		out[i] = 1 - math.Exp2(-l/6)
	}
	return out
}

func window(x []int, mean []float64, mute []bool, i, n int) (sum, mu float64, ok bool) {
	var first, second, usual float64
	for k := i - n + 1; k <= i; k++ {
		if mute[k] {
			return 0, 0, false
		}
		v := float64(x[k])
		sum += v
		mu += mean[k]
		if v > first {
			first, second, usual = v, first, mean[k]
		} else {
			second = max(second, v)
		}
	}
	return sum - max(0, first-max(second, usual+2*math.Sqrt(usual)+2)), mu, true
}

// dispersion is φ of variance = μ + φ μ² by the middle half of the squared
// deviations, so that surges do not count.
func dispersion(x []int, mean []float64, mute []bool, n int) float64 {
	var num, den float64
	for i := n - 1; i < len(x); i += n {
		s, mu, ok := window(x, mean, mute, i, n)
		if !ok || s > 2*mu+6 {
			continue
		}
		num += (s-mu)*(s-mu) - mu
		den += mu * mu
	}
	return max(0.01, num/max(den, 1e-9))
}

// upper is −log10 of the negative binomial tail by the square root
// transformation (Anscombe, Biometrika 35, 1948), exact sums where counts are small.
func upper(s, mu, phi float64) float64 {
	r := 1 / phi
	if s < 60 {
		return -math.Log10(max(1e-300, exact(s, mu, r)))
	}
	z := 2 * math.Sqrt(r) * (math.Asinh(math.Sqrt((s-0.5)/r)) - math.Asinh(math.Sqrt(mu/r)))
	if z > 35 {
		return (z*z/2 + math.Log(z*2.5066)) / math.Ln10
	}
	return -math.Log10(max(1e-300, math.Erfc(z/math.Sqrt2)/2))
}

func exact(s, mu, r float64) float64 {
	p := mu / (mu + r)
	term := math.Pow(1-p, r)
	below := 0.0
	for k := 0.0; k < math.Ceil(s); k++ {
		below += term
		term *= (r + k) / (k + 1) * p
	}
	if rest := 1 - below; rest > 1e-9 {
		return rest
	}
	sum := 0.0
	for k := math.Ceil(s); k < s+2000 && term > 0; k++ {
		sum += term
		term *= (r + k) / (k + 1) * p
	}
	return sum
}
