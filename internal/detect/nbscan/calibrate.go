package nbscan

import "math"

// tail calibrates −log10 p. Nominal tails of counts are too thin: a baseline
// is never quite right. Peaks over a threshold of a series' own quiet time
// are nearly exponential (Pickands, "Statistical inference using extreme
// order statistics", Annals of Statistics 3, 1975), so their mean excess says
// by how much to stretch the scale. Peaks closer than two hours are one.
type tail struct {
	Peak   float64 // of the running cluster
	Calm   float64 // ticks since the cluster was last above the threshold
	Excess cell    // mean excess over the threshold; N counts clusters
}

const (
	tailFrom   = 2.0 // threshold
	tailLimit  = 3.0 // a real surge says nothing about quiet time: clip its excess
	tailCalm   = 24  // ticks that end a cluster
	tailPrior  = 20  // clusters that the prior is worth
	tailMemory = 200
	// tailSlope is by how much quiet tails are wider than nominal before a
	// series has shown its own.
	tailSlope = 1.05
)

func newTail() tail { return tail{} }

// decade is the mean excess of a nominal tail, in decades.
const decade = 1 / math.Ln10

// learn takes the nominal value of the newest bin, n ticks wide.
func (t *tail) learn(logP, n float64) {
	if logP > tailFrom {
		t.Peak, t.Calm = max(t.Peak, logP), 0
		return
	}
	if t.Peak == 0 {
		return
	}
	if t.Calm += n; t.Calm >= tailCalm {
		t.Excess.add(min(t.Peak-tailFrom, tailLimit), 1, tailMemory)
		t.Peak, t.Calm = 0, 0
	}
}

// slope is the factor by which the tail is wider than nominal, at least 1.
func (t *tail) slope() float64 {
	return max(1, t.Excess.toward(tailSlope*decade, tailPrior)/decade)
}

// calibrate turns a nominal value into a calibrated one.
func (t *tail) calibrate(logP float64) float64 {
	if logP <= tailFrom {
		return logP
	}
	return tailFrom + (logP-tailFrom)/t.slope()
}
