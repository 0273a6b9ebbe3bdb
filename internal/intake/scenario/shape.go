package scenario

import (
	"math"
	"time"
)

// bin is how many minutes the published numbers count together.
const bin = 15

// exp is e^x for x ≤ 0. The standard library has assembly of its own for each
// processor, which may differ in the last bit; this does not.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	k := math.Floor(x/math.Ln2 + 0.5)
	r := x - float64(k*math.Ln2)
	sum := 1.0
	for n := 18; n >= 1; n-- { // Taylor's series by Horner's rule; |r| ≤ 0.35
		sum = 1 + float64(r*sum)/float64(n)
	}
	return math.Ldexp(sum, int(k))
}

// level is the wave's shape before scaling, t minutes after its onset.
func (w *Wave) level(t float64) float64 {
	end := w.End.Sub(w.Onset).Minutes()
	if t <= end {
		return float64((1 - exp(-(t+1)/w.Rise)) * exp(-t/w.Fade))
	}
	return float64(w.level(end) * exp(-(t-end)/w.Fall))
}

// shape is the wave per minute, scaled so that its largest sum of 15 minutes
// is 1, and the minute at which that sum begins. It goes on until little is
// left, e^−12 of the level at the end.
func (w *Wave) shape() (g []float64, top int) {
	n := int(w.End.Sub(w.Onset)/time.Minute) + int(12*w.Fall) + bin
	g = make([]float64, n)
	for t := range g {
		g[t] = w.level(float64(t))
	}
	best := 0.0
	for t := 0; t+bin <= n; t++ {
		if s := sum(g[t : t+bin]); s > best {
			best, top = s, t
		}
	}
	for t := range g {
		g[t] /= best
	}
	return g, top
}

func sum[T int | float64](xs []T) (s T) {
	for _, x := range xs {
		s += x
	}
	return s
}
