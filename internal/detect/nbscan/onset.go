package nbscan

import "math"

// onset estimates where the event began, seen from the bin that is to bins
// old: the start whose window has the largest negative binomial likelihood
// ratio (a generalised likelihood ratio estimate of a change point), moved
// back while bins stand out. The interval holds all starts whose log
// likelihood ratio is within 2 of the best. It returns the onset as an age in
// bins.
func (d *Detector) onset(to int) int {
	e := &d.st.Ev
	limit := len(d.ring) / 2
	var sum, mu float64
	best, at := math.Inf(-1), to
	var ratios [2 * maxBins]float64
	n := to
	for k := to; k < to+limit && k < len(d.ring); k++ {
		s := d.at(k)
		if s.Flags&spent != 0 {
			break
		}
		n = k + 1
		ratios[k] = math.Inf(-1)
		if s.Flags&unknown != 0 {
			continue
		}
		sum += float64(s.X)
		mu += float64(s.Mu)
		if float64(e.Kind)*(sum-mu) <= 0 {
			continue
		}
		q := max(sum, 0.5) / mu
		ratios[k] = logRatio(sum, mu, q, 1/d.phiOf(k-to+1))
		if ratios[k] > best {
			best, at = ratios[k], k
		}
	}
	low, high := at, at
	for k := to; k < n; k++ {
		if ratios[k] >= best-2 {
			low, high = max(low, k), min(high, k)
		}
	}
	for at+1 < n && d.stands(at+1) {
		at++
	}
	low = max(low, at)
	age := func(k int) int64 { return d.st.Last - int64(k)*d.st.Width }
	e.Onset, e.OnsetLow, e.OnsetHigh = age(at), age(low), age(high)
	return at
}

// stands says whether a bin lies outside the band in the event's direction.
func (d *Detector) stands(k int) bool {
	s := d.at(k)
	if s.Flags&(unknown|spent) != 0 {
		return false
	}
	over := float64(d.st.Ev.Kind) * (float64(s.X) - float64(s.Mu))
	return over > d.sigma(float64(s.Mu), 1)
}
