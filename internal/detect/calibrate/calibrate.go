// Package calibrate makes −log10 p honest: it learns from a series' own quiet
// time by how much its tail is wider than the model says.
//
// In: nominal values, a bin each. Out: calibrated ones. Peaks over a threshold
// are nearly exponential (Pickands, "Statistical inference using extreme order
// statistics", Annals of Statistics 3, 1975), so the mean excess of such peaks
// says by how much to stretch the scale above it. Peaks close to each other
// are one. It does not make a tail narrower than nominal.
package calibrate

import "math"

// Tail is the state of one direction of one series. The zero value has seen
// nothing. It is of fixed size, so that it can lie in a snapshot.
type Tail struct {
	Peak   float64 // of the running cluster, 0 for none
	Calm   float64 // time since it was last above the threshold
	Excess float64 // mean excess over the threshold, of N clusters
	N      float64
}

const (
	from   = 2.0 // threshold
	limit  = 3.0 // a real surge says nothing about quiet time: its excess is cut
	prior  = 20  // clusters that the assumed slope is worth
	memory = 200 // clusters
	decade = 1 / math.Ln10
)

// Learn takes the nominal value of the newest bin, which is width long. calm is
// how long a cluster must have been over, in the same unit.
func (t *Tail) Learn(logP, width, calm float64) {
	if logP > from {
		t.Peak, t.Calm = max(t.Peak, logP), 0
		return
	}
	if t.Peak == 0 {
		return
	}
	if t.Calm += width; t.Calm >= calm {
		t.N = min(t.N+1, memory)
		t.Excess += (min(t.Peak-from, limit) - t.Excess) / t.N
		t.Peak, t.Calm = 0, 0
	}
}

// Slope is the factor by which the tail is wider than nominal, at least 1.
// assumed is what it is before the series has shown its own.
func (t *Tail) Slope(assumed float64) float64 {
	return max(1, (t.Excess*t.N/decade+prior*assumed)/(t.N+prior))
}

// Of calibrates a nominal value.
func (t *Tail) Of(logP, assumed float64) float64 {
	if logP <= from {
		return logP
	}
	return Over(logP, t.Slope(assumed))
}

// Over is a nominal value on a scale that is stretched by slope above the
// threshold.
func Over(logP, slope float64) float64 {
	if logP <= from {
		return logP
	}
	return from + (logP-from)/slope
}
