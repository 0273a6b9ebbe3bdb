package nbscan

import (
	"math"

	"faultline/internal/detect/windows"
)

// rising are the ways in which an event may begin: the seconds until it has come
// to 1 − 1/e of its height. 0: at once.
var rising = [...]float64{0, 2400}

// closeFit is by how much less a log likelihood ratio may be than the best one
// for its start to lie in the interval.
const closeFit = 2

// A piece is one bin, or several that are looked at together.
type piece struct {
	X, Mu float64
	Mid   float64 // its middle, seconds before the end of the newest bin
	First int     // its oldest bin, an age
}

// onset estimates where the event began, seen from the bin that is to bins old: the
// start with the largest negative binomial likelihood ratio (a generalised
// likelihood ratio estimate of a change point, here of one that may come slowly),
// moved back while bins stand out. The interval holds all starts that fit nearly
// as well. It returns the onset as an age in bins.
func (d *Detector) onset(to int) int {
	last := d.reach(to)
	var ratios [2 * windows.Longest]float64
	for k := range ratios {
		ratios[k] = math.Inf(-1)
	}
	step := d.lay.Bins[0]
	at := d.search(to, last, to, last, step, &ratios)
	if step > 1 {
		at = d.search(to, last, max(to, at-2*step), min(last, at+2*step), 1, &ratios)
	}
	low, high := at, at
	for k := to; k <= last; k++ {
		if ratios[k] >= ratios[at]-closeFit {
			low, high = max(low, k), min(high, k)
		}
	}
	for at < last && d.stands(at+1) {
		at++
	}
	low = max(low, at)
	age := func(k int) int64 { return d.st.Last - int64(k)*d.st.Width }
	e := &d.st.Ev
	e.Onset, e.OnsetLow, e.OnsetHigh = age(at), age(low), age(high)
	return at
}

// reach is the age of the oldest bin that may belong to an event seen from to.
func (d *Detector) reach(to int) int {
	k := to
	for k+1 < len(d.ring) && d.at(k+1).Flags&spent == 0 {
		k++
	}
	return k
}

// search tries starts from the bin of age from back to the one of age back, and
// puts the ratio of each that begins a piece of so many bins into ratios. It
// returns the best.
func (d *Detector) search(to, last, from, back, step int, ratios *[2 * windows.Longest]float64) int {
	var buf [2 * windows.Longest]piece
	pieces := d.pieces(to, last, step, buf[:0])
	best := from
	for i := range pieces {
		k := pieces[i].First
		if k < from || k > back || pieces[i].Mu == 0 {
			continue
		}
		for _, tau := range rising {
			ratios[k] = max(ratios[k], d.fits(pieces[:i+1], tau))
		}
		if ratios[k] > ratios[best] {
			best = k
		}
	}
	return best
}

// pieces joins so many bins each, from the one of age to back to the last.
func (d *Detector) pieces(to, last, step int, into []piece) []piece {
	for k := to; k <= last; k += step {
		p := piece{First: min(k+step-1, last)}
		p.Mid = (float64(k+p.First)/2 + 0.5) * float64(d.st.Width)
		for i := k; i <= p.First; i++ {
			if s := d.at(i); s.Flags&(unknown|spent) == 0 {
				p.X, p.Mu = p.X+float64(s.X), p.Mu+float64(s.Mu)
			}
		}
		into = append(into, p)
	}
	return into
}

// fits is the log likelihood ratio of a rise that begins with the last of the
// pieces, which are newest first, against no rise. Its height is found by two
// steps of weighted least squares.
func (d *Detector) fits(pieces []piece, tau float64) float64 {
	var rise [2 * windows.Longest]float64
	begin := float64(pieces[len(pieces)-1].First+1) * float64(d.st.Width)
	phi, height := d.phiOf(1), 0.0
	for i := range pieces {
		rise[i] = 1
		if tau > 0 {
			rise[i] = -math.Expm1((pieces[i].Mid - begin) / tau)
		}
	}
	for range 2 {
		up, down := 0.0, 0.0
		for i := range pieces {
			p := &pieces[i]
			if p.Mu == 0 {
				continue
			}
			m := max(p.Mu+height*rise[i], 0.01*p.Mu)
			w := rise[i] / (m + phi*m*m)
			up += w * (p.X - p.Mu)
			down += w * rise[i]
		}
		height = up / down
	}
	if !(float64(d.st.Ev.Kind)*height > 0) {
		return math.Inf(-1)
	}
	l := 0.0
	for i := range pieces {
		if p := &pieces[i]; p.Mu > 0 {
			l += logRatio(p.X, p.Mu, max(1+height*rise[i]/p.Mu, 0.01), 1/phi)
		}
	}
	return l
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

// tailShare is how much is left in an event's tail, of what it held on average.
const tailShare = 1.0 / 3

// ending is the end of the event, or of the newest bin up to which the bins fit
// its tail better than what is usual, if that is later: of a weak surge no single
// bin stands out.
func (d *Detector) ending() int64 {
	e := &d.st.Ev
	age := func(at int64) int { return int(min((d.st.Last-at)/d.st.Width, int64(len(d.ring)-1))) }
	t := d.over(age(e.Onset), max(0, age(e.End)))
	if t.Mu == 0 {
		return e.End
	}
	q, step := max(0.01, 1+tailShare*(t.Sum/t.Mu-1)), d.lay.Bins[0]
	var buf [2 * windows.Longest]piece
	pieces := d.pieces(0, age(e.Onset), step, buf[:0])
	best, l, end := 0.0, 0.0, e.End
	for i := len(pieces) - 1; i >= 0; i-- {
		p := &pieces[i]
		if p.Mu == 0 {
			continue
		}
		if l += logRatio(p.X, p.Mu, q, 1/d.phiOf(step)); l > best {
			best, end = l, d.st.Last-int64(i*step-1)*d.st.Width
		}
	}
	return max(e.End, end)
}

// over adds up the bins from one age to a younger one.
func (d *Detector) over(from, to int) total {
	var t total
	for k := from; k >= to; k-- {
		if s := d.at(k); s.Flags&(unknown|spent) == 0 {
			t.Sum, t.Mu = t.Sum+float64(s.X), t.Mu+float64(s.Mu)
		}
	}
	return t
}
