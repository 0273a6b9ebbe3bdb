package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// spread compares the scatter of the last bins with that of about a week, in
// both ways: a noisy instrument and a muted one.
type spread struct {
	*spreadState
	bins float64
	of   scatter
}

// scatter is what the variance is taken of.
type scatter uint8

const (
	ofChanges    scatter = iota // from bin to bin
	ofDeviations                // from the level of half a week
)

type spreadState struct {
	Level, Short, Long pace
	Before             float64
	Began              bool // Before is the neighbour of the newest
	More, Less         calibrate.Rank
}

func (v *spread) see(b *bin) float64 {
	dev := b.x - v.Before
	if v.of == ofDeviations {
		dev = b.x - v.Level.Mean
	}
	began := v.Began
	v.Before, v.Began = b.x, true
	v.Level.add(b.x, memory/2)
	if !began {
		return 0
	}
	ratio := v.ratio(dev * dev)
	return max(v.More.Judge(ratio), v.Less.Judge(-ratio))
}

// ratio is the logarithm of the short variance over the long one, after square.
func (v *spread) ratio(square float64) float64 {
	v.Short.add(square, v.bins)
	ratio := 0.0
	if v.Long.Mean > 0 {
		ratio = math.Log(v.Short.Mean/v.Long.Mean + 1e-6)
	}
	if v.Long.N > start {
		square = min(square, outlie*outlie*v.Long.Mean)
	}
	v.Long.add(square, memory)
	return ratio
}

func (v *spread) rest() { v.Began = false }
