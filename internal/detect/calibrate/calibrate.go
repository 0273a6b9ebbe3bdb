// Package calibrate makes −log10 p honest: it learns from a series' own quiet
// time how often its nominal values go beyond 2, and by how much its tail is
// wider or narrower than the model says.
//
// In: nominal values, a bin each. Out: calibrated ones. How often is a share of
// time. Peaks over a threshold are nearly exponential (Pickands, "Statistical
// inference using extreme order statistics", Annals of Statistics 3, 1975), so the
// mean excess of such peaks says by how much to stretch the scale above it. Peaks
// close to each other are one.
package calibrate

import "math"

// Tail is the state of one direction of one series. The zero value has seen
// nothing. It is of fixed size, so that it can lie in a snapshot.
type Tail struct {
	Seen   float64 // time
	Over   float64 // of it, above the threshold
	Peak   float64 // of the running cluster, 0 for none
	Calm   float64 // time since it was last above the threshold
	Excess float64 // mean excess over the threshold, of N clusters
	N      float64
}

const (
	from    = 2.0  // threshold
	nominal = 0.01 // share of time above it, if the model is right
	seldom  = 1e-3 // bounds of what that share may turn out to be
	often   = 0.1
	memory  = 200 // clusters
	times   = 8   // memory of the share, in weights of its assumption
	decade  = 1 / math.Ln10
)

// Habit is what is assumed of a tail.
type Habit struct {
	Slope  float64 // by which it is wider than nominal, before the series has shown its own
	Least  float64 // slope that it may turn out to have
	Weight float64 // of that assumption, in clusters
	Limit  float64 // an excess is cut there: a real surge says nothing about quiet time
	Calm   float64 // for so long must a cluster have been over, in the unit of width
	Share  float64 // time that the nominal share is worth; 0: it is not learnt
}

// Learn takes the nominal value of the newest bin, which is width long.
func (t *Tail) Learn(logP, width float64, h Habit) {
	if h.Share > 0 {
		t.count(logP > from, width, times*h.Share)
	}
	if logP > from {
		t.Peak, t.Calm = max(t.Peak, logP), 0
		return
	}
	if t.Peak == 0 {
		return
	}
	if t.Calm += width; t.Calm >= h.Calm {
		t.N = min(t.N+1, memory)
		t.Excess += (min(t.Peak-from, h.Limit) - t.Excess) / t.N
		t.Peak, t.Calm = 0, 0
	}
}

// count takes a bin into the share of time above the threshold.
func (t *Tail) count(over bool, width, limit float64) {
	t.Seen += width
	if over {
		t.Over += width
	}
	if t.Seen > limit {
		t.Over *= limit / t.Seen
		t.Seen = limit
	}
}

// Slope is the factor by which the tail is wider than nominal.
func (t *Tail) Slope(h Habit) float64 {
	return max(h.Least, (t.Excess*t.N/decade+h.Weight*h.Slope)/(t.N+h.Weight))
}

// At is what the threshold is worth: −log10 of the share of time above it.
func (t *Tail) At(h Habit) float64 {
	if h.Share == 0 {
		return from
	}
	share := (t.Over + nominal*h.Share) / (t.Seen + h.Share)
	return -math.Log10(min(max(share, seldom), often))
}

// Of calibrates a nominal value.
func (t *Tail) Of(logP float64, h Habit) float64 {
	return Over(logP, t.At(h), t.Slope(h))
}

// Over is a nominal value on a scale on which the threshold is worth at, and that
// is stretched by slope above it.
func Over(logP, at, slope float64) float64 {
	if logP <= from {
		return logP * at / from
	}
	return at + (logP-from)/slope
}
