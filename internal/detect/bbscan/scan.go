package bbscan

import (
	"math"

	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/windows"
)

// result is what the scan says about the newest bin.
type result struct {
	Up, Down       float64 // calibrated −log10 p of the best window
	RawUp, RawDown float64
	W, V           int  // the best windows
	Silent         bool // too much is unknown
	Late           bool // the bin was seen before: this is a correction
}

// test scans the windows and learns from them.
func (d *Detector) test(r *result) {
	tested := d.scan(r)
	r.Silent = tested == 0 || d.sum(0, d.lay.Rate).Unknown*2 > d.lay.Rate
	choose := math.Log10(2) // both directions
	if tested > 1 {
		choose = chosen
	}
	r.RawUp, r.RawDown = max(0, r.RawUp-choose), max(0, r.RawDown-choose)
	if !r.Late {
		d.settle(r)
	}
	if !d.young() {
		r.Up, r.Down = d.st.Up.Of(r.RawUp, habit), d.st.Down.Of(r.RawDown, habit)
	}
}

// scan finds the best window of each direction and says how many could be tested. Of
// those that are usual only the furthest has its probability computed.
func (d *Detector) scan(r *result) (tested int) {
	var up, down float64 // distances of usual windows
	for w := range d.lay.N {
		t := &d.tot[w]
		d.phis[w] = d.phi(w)
		if t.Unknown*2 > d.lay.Bins[w] {
			continue
		}
		if tested++; t.n() <= 0 {
			continue // all of it belongs to an event that is over
		}
		z := distance(t, d.phis[w])
		switch rise := t.over() > 0; {
		case z >= quickZ && rise:
			if p := exact(t, d.phis[w]); p > r.RawUp {
				r.RawUp, r.W = p, w
			}
		case z >= quickZ:
			if p := exact(t, d.phis[w]); p > r.RawDown {
				r.RawDown, r.V = p, w
			}
		case rise:
			up = max(up, z)
		default:
			down = max(down, z)
		}
	}
	r.RawUp, r.RawDown = max(r.RawUp, normalLogP(up)), max(r.RawDown, normalLogP(down))
	return tested
}

// chosen is what −log10 p loses because the window is the best of several in two
// directions. The windows are nested, so six of them are worth one and a half
// independent ones: that makes p right on quiet series (measured down to 1e-4).
var chosen = math.Log10(3)

// habit: two hours end a cluster, and tails are a little wider than nominal before a
// series has shown its own.
var habit = calibrate.Habit{Slope: 1.05, Weight: 20, Limit: 3, Calm: 7200 / tick}

// quickZ is where the exact tail begins to matter: below it a window is usual and
// the normal approximation is good enough. Most windows stop here. Half a try of
// correction keeps one failure alone below it, however rare it is: that is no news.
const quickZ = 2.2

// normalLogP is −log10 of the upper normal tail.
func normalLogP(z float64) float64 { return -math.Log10(0.5 * math.Erfc(z/math.Sqrt2)) }

// logP is −log10 of the tail probability of a window on its side of usual.
func logP(t *total, phi float64) float64 {
	if z := distance(t, phi); z < quickZ {
		return normalLogP(z)
	}
	return exact(t, phi)
}

func exact(t *total, phi float64) float64 {
	n := t.n()
	l := lawOf(n, t.Mu/n, t.Nu/n, phi)
	if t.over() > 0 {
		return l.upperLogP(t.K)
	}
	return l.lowerLogP(t.K)
}

// distance is how far a window lies from usual, in standard deviations, on the scale
// of the arc sine that evens out the spread of shares (Anscombe 1948), with half a
// try of continuity correction.
func distance(t *total, phi float64) float64 {
	n, seen, rest, usual := t.n(), t.K-0.5, t.F+0.5, t.Mu
	if t.over() < 0 { // the same in failures
		seen, rest, usual = t.F-0.5, t.K+0.5, t.Nu
	}
	if seen <= usual {
		return 0
	}
	sine := (math.Sqrt(seen*(n-usual)) - math.Sqrt(usual*max(rest, 0))) / n // of the difference of both angles
	same := n / (1 + phi*t.Mu*t.Nu/n)                                       // as many independent tries
	return 2 * math.Sqrt(same) * math.Asin(min(sine, 1))
}

// settle decides what may be learnt from the newest windows.
func (d *Detector) settle(r *result) {
	if d.at(0).Flags&(unknown|abnormal) != 0 {
		return
	}
	n, st := d.weight(), &d.st
	odd := d.odd(r)
	st.Frozen *= 1 - min(1, n/freezeMemory)
	if odd {
		st.Frozen += min(1, n/freezeMemory)
	}
	if d.settled() && st.Ev.Kind == 0 {
		st.Up.Learn(r.RawUp, n, habit)
		st.Down.Learn(r.RawDown, n, habit)
	}
	if odd && st.Frozen < freezeShare {
		d.freeze(r)
		return
	}
	if !d.begun() {
		return // the windows still show how little is known of the level
	}
	for w := range d.lay.N {
		if d.tot[w].Unknown == 0 {
			st.Phi.learn(w, &d.tot[w], n, d.phis[w])
		}
	}
}

// odd says whether the newest windows are too unusual to be learnt from. In the first
// day a rise may be the end of what was wrong when listening began.
func (d *Detector) odd(r *result) bool {
	if d.young() {
		return d.begun() && r.RawDown > freezeAt
	}
	return max(r.RawUp, r.RawDown) > freezeAt || d.st.Ev.Kind != 0
}

// begun says that the level is known, if not the hours.
func (d *Detector) begun() bool { return d.st.Known >= youngTicks/4 }

// freeze keeps the best window from being learnt.
func (d *Detector) freeze(r *result) {
	w := r.W
	if r.RawDown > r.RawUp {
		w = r.V
	}
	for k := range d.lay.Bins[w] {
		d.at(k).Flags |= abnormal
	}
}

// dispersion learns, for each window, by how much its share varies more than that of
// independent tries: the variance of k is v + φ v², where v = n p q is theirs. That is
// a beta-binomial of ρ = φ p q, for n that are large.
type dispersion [windows.Most]struct{ Sum, N float64 }

// Dispersions: what is assumed at first, for a window of one tick; the weight of that
// assumption and of the memory, in ticks; the least, and the error that even a good
// model has, both as variances of the logarithm of the odds.
const (
	phiPrior   = 1.0 / 12
	phiWeight  = 500
	phiMemory  = 14 * 86400 / tick
	phiFloor   = 0.02
	modelError = 0.0025
)

// of is φ of window w, which is so many ticks long.
func (d *dispersion) of(w int, ticks float64) float64 {
	prior := phiPrior / math.Sqrt(max(ticks, 1))
	return max((d[w].Sum+phiWeight*prior)/(d[w].N+phiWeight), phiFloor/max(1, ticks))
}

// learn takes a usual window of width n by the method of moments. Windows in which
// few failures, or few successes, are usual say little, and what is far out is cut:
// phi is what was thought before.
func (d *dispersion) learn(w int, t *total, n, phi float64) {
	tries := t.n()
	v := t.Mu * t.Nu / max(tries, 1)
	if tries <= 1 || v <= 0 {
		return
	}
	square := min(t.over()*t.over(), outlying*(v+phi*v*v)+4)
	weight := n / (v*v + 1)
	c := &d[w]
	if c.N+weight*v*v > phiMemory {
		f := (phiMemory - min(phiMemory, weight*v*v)) / c.N
		c.Sum, c.N = c.Sum*f, c.N*f
	}
	c.Sum += weight * (square - v) * tries / (tries - 1)
	c.N += weight * v * v
}

// outlying is the number of variances at which a square is cut.
const outlying = 16

// phi is the dispersion of window w, with what is not known of the usual share.
func (d *Detector) phi(w int) float64 {
	return max(d.st.Phi.of(w, float64(d.lay.Bins[w])*d.weight()), d.st.Doubt) + modelError
}

// phiBin is the dispersion of a single bin.
func (d *Detector) phiBin() float64 {
	bins := float64(d.lay.Bins[0])
	return d.st.Phi.of(0, bins*d.weight()) * bins
}

// phiOf is the dispersion of a window of so many bins.
func (d *Detector) phiOf(bins int) float64 {
	w := 0
	for w+1 < d.lay.N && d.lay.Bins[w] < bins {
		w++
	}
	return d.phi(w)
}
