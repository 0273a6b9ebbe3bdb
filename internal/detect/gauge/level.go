package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// level compares the mean of the last bins with that of about a week, in usual
// deviations of such means.
type level struct {
	*levelState
	bins int
}

type levelState struct {
	Usual, Deviation pace
	Past             calibrate.Rank
}

func (v *level) see(b *bin) float64 {
	usual := v.Usual.Mean
	v.Usual.add(b.x, memory)
	if int(b.last.N) < v.bins {
		return 0
	}
	dev := math.Abs(b.last.mean(0, v.bins) - usual)
	logP := v.Past.Judge(v.Deviation.times(dev))
	v.Deviation.addCut(dev)
	return logP
}

func (v *level) rest() {}
