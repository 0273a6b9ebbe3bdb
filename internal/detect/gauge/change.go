package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// change compares the mean of the last bins with that of as many before them,
// in usual differences of such means: a step or a slope, whatever the level is.
type change struct {
	*changeState
	bins int
}

type changeState struct {
	Usual pace
	Past  calibrate.Rank
}

func (v *change) see(b *bin) float64 {
	if int(b.last.N) < 2*v.bins {
		return 0
	}
	dev := math.Abs(b.last.mean(0, v.bins) - b.last.mean(v.bins, v.bins))
	logP := v.Past.Judge(v.Usual.times(dev))
	v.Usual.addCut(dev)
	return logP
}

func (v *change) rest() {}
