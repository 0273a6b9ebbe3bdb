package affected

import "math"

// halvings of [0, 1] that find a quantile: to a millionth, where three digits
// are published.
const halvings = 20

// quantile is the point below which a Beta(a, b) variable lies with chance p.
func quantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range halvings {
		if mid := (low + high) / 2; below(mid, a, b) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// below is the chance that a Beta(a, b) variable is at most x: the regularised
// incomplete beta function, by its continued fraction (Lentz), which converges
// fast on the near side of the mean.
func below(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - below(1-x, b, a)
	}
	ab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(ab - la - lb + float64(a*math.Log(x)) + float64(b*math.Log1p(-x)))
	return front * fraction(x, a, b) / a
}

// fraction is the continued fraction of the incomplete beta function. Products
// are rounded one by one, so that every machine adds the same numbers.
func fraction(x, a, b float64) float64 {
	const tiny, close = 1e-300, 1e-10
	apart := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/apart(1-float64((a+b)*x)/(a+1))
	f := d
	for m := 1.0; m <= 2000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / apart(1+float64(even*d))
		c = apart(1 + even/c)
		f *= float64(d * c)
		d = 1 / apart(1+float64(odd*d))
		c = apart(1 + odd/c)
		step := float64(d * c)
		f *= step
		if math.Abs(step-1) < close {
			break
		}
	}
	return f
}
