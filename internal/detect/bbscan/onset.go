package bbscan

import (
	"math"

	"faultline/internal/detect/windows"
)

// closeFit is by how much less a log likelihood ratio may be than the best one for
// its start to lie in the interval.
const closeFit = 2

// shift is by how much the logarithm of a window's odds differs from usual; half a
// try on either side keeps it finite.
func shift(t *total) float64 {
	return math.Log((t.K+0.5)/(t.F+0.5)) - math.Log((t.Mu+0.5)/(t.Nu+0.5))
}

// gain is the log likelihood ratio of a bin whose odds are shifted by so much against
// usual ones. Tries that are not independent count for fewer.
func (d *Detector) gain(s *slot, by float64) float64 {
	if !s.counts() {
		return 0
	}
	n := s.n()
	less := 1 / (1 + max(0, n-1)*d.phiBin()*s.Share*s.Rest)
	return less * (s.K*by - n*math.Log(s.Rest+s.Share*math.Exp(by)))
}

// onset estimates where the event began: the start from which on a shift explains the
// bins best (a generalised likelihood ratio estimate of a change point), first with
// the shift of a window, then with that of the event itself. The interval holds all
// starts that fit nearly as well. It returns the onset as an age in bins.
func (d *Detector) onset(t *total) int {
	var sums [2 * windows.Longest]float64
	last := len(d.ring) - 1
	for k := range len(d.ring) {
		if d.at(k).Flags&spent != 0 {
			last = max(0, k-1)
			break
		}
	}
	best := 0
	for range 2 {
		by, sum := shift(t), 0.0
		best = 0
		for k := range last + 1 {
			sum += d.gain(d.at(k), by)
			if sums[k] = sum; sum > sums[best] {
				best = k
			}
		}
		event := d.sum(0, best+1)
		t = &event
	}
	low, high := best, best
	for k := range last + 1 {
		if sums[k] >= sums[best]-closeFit {
			low, high = max(low, k), min(high, k)
		}
	}
	e := &d.st.Ev
	age := func(k int) int64 { return d.st.Last - int64(k)*d.st.Width }
	e.Onset, e.OnsetLow, e.OnsetHigh = age(best), age(low), age(high)
	return best
}

// ending is the end of the last bin up to which the bins fit half of the event's shift
// better than what is usual; none after the last outside the band, where a lone failure
// is one of those that always are.
func (d *Detector) ending() int64 {
	e := &d.st.Ev
	first := d.age(e.Onset)
	last := min(d.age(e.Band-d.st.Width), first)
	t := d.sum(last, first+1)
	if t.n() <= 0 {
		return e.Band
	}
	by := shift(&t) / 2
	best, sum, end := 0.0, 0.0, e.Onset+d.st.Width
	for k := first; k >= last; k-- {
		if sum += d.gain(d.at(k), by); sum > best {
			best, end = sum, d.st.Last-int64(k-1)*d.st.Width
		}
	}
	return max(end, e.Onset+d.st.Width)
}
