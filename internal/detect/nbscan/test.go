package nbscan

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// result is what the scan says about the newest bin.
type result struct {
	Up, Down       float64 // calibrated −log10 p of the best window
	RawUp, RawDown float64
	Choice         float64
	W, V           int  // the best windows
	Silent         bool // too much of the last 15 minutes is unknown
	Late           bool // the bin was seen before: this is a correction
}

// test scans the windows and learns from them.
func (d *Detector) test(r *result) {
	young := d.young()
	tested, lift := 0, d.st.Base.lift()
	for w := range d.lay.N {
		t := &d.tot[w]
		d.tried[w] = tried{}
		if t.Bins == 0 || t.Unknown*2 > d.lay.Bins[w] {
			continue
		}
		tested++
		x, most, least, phi := max(t.Cut, 0), t.Mu*lift, t.Mu-t.Less, d.phiNow(w)
		d.tried[w] = tried{t.Sum, x, t.Mu, most, phi, 0}
		switch {
		case x-most >= d.cfg.Excess:
			p := upperLogP(x, most, 1/phi)
			d.tried[w].LogP = p
			if p > r.RawUp {
				r.RawUp, r.W = p, w
			}
		case least >= dropExpected && least-t.Sum >= d.cfg.Excess:
			p := lowerLogP(t.Sum, dropShare*least, 1/phi)
			d.tried[w].drop(dropShare*least, p)
			if p > r.RawDown {
				r.RawDown, r.V = p, w
			}
		}
	}
	r.Silent = tested == 0 || d.quietShare() > 0.5
	choose := 0.0
	if tested > 1 {
		choose = chosen
	}
	r.Choice = choose
	r.RawUp, r.RawDown = max(0, r.RawUp-choose), max(0, r.RawDown-choose)
	if !r.Late {
		d.settle(r, young)
	}
	r.Up, r.Down = d.st.Up.Of(r.RawUp, d.habit(1)), d.st.Down.Of(r.RawDown, d.habit(-1))
	if young {
		r.Up, r.Down = max(0, r.Up-youngPenalty), 0
	}
	if d.cfg.Anonymous && d.blind() {
		r.Up = 0 // how busy it is cannot be known yet, and no people vouch for it
	}
}

// phiNow is the dispersion that a window is tested with: its own, and how far what is
// expected of it may be wrong.
func (d *Detector) phiNow(w int) float64 {
	t := &d.tot[w]
	phi := d.st.Phi.of(w, d.spread(t.Bins))
	if t.Special > 0 {
		phi *= specialPhi
	}
	phi += d.st.Base.LevelVar + modelError + d.early(w)
	if d.young() {
		phi = max(phi, phiYoung)
	}
	return phi
}

// early is the variance of the relative error of a window's expectation because
// people come some minutes earlier or later than they usually do: much where a
// steep morning begins, hardly anything elsewhere.
func (d *Detector) early(w int) float64 {
	t, bins := &d.tot[w], d.lay.Bins[w]
	slid := shift / float64(d.st.Width) * float64(d.at(0).Mu-d.at(bins-1).Mu)
	e := slid / max(t.Mu, leastMean) * float64(t.Bins) / float64(bins) // of a part as of the whole
	return min(e*e, mostEarly)
}

// shift is the standard deviation of the time at which a day's hours come, in
// seconds; mostEarly bounds what follows from it.
const (
	shift     = 300
	mostEarly = 0.5
)

// settledTicks is the age from which the tail of quiet time is learnt.
const settledTicks = 7 * 86400 / tick

// Calibration: two hours end a cluster, and half a week of ticks is what the nominal
// tail is worth. Before a week is known, and where little is expected even in the longest window, counts are too
// coarse to show how often p is small: it is conservative at 1e-2 and right at 1e-6.
// Of bins wider than an hour there are few: surges are learnt from too, so that a
// series that has one each winter is not surprised by the next.
var (
	ofMany = calibrate.Habit{Slope: 0.85, Least: 0.7, Weight: 20, Limit: 3, Calm: 7200 / tick, Share: 1000}
	ofFew  = calibrate.Habit{Slope: 1.05, Least: 1, Weight: 20, Limit: 3, Calm: 7200 / tick}
	ofDays = calibrate.Habit{Slope: 1.05, Least: 1, Weight: 4, Limit: 10, Calm: 3 * ticksInHour}
)

// fewExpected is what the longest window holds where counts are coarse.
const fewExpected = 10

// habit is what is assumed of a direction's tail. Drops are tested against less than
// what is usual, because of holidays that a month of quiet time did not have: that
// they were never seen then does not make them more surprising.
func (d *Detector) habit(way int8) calibrate.Habit {
	switch {
	case d.lay.wide:
		return ofDays
	case way < 0 || !d.settled() || d.tot[d.lay.N-1].Mu < fewExpected:
		return ofFew
	}
	return ofMany
}

// chosen is what −log10 p loses because the window is the best of several. The
// windows are nested: six of them are worth one and a half independent ones, so
// that p is right on series without surges.
var chosen = math.Log10(1.5)

// youngPenalty is taken from −log10 p while the baseline is young.
const youngPenalty = 2

// quietShare is the unknown share of the last 15 minutes.
func (d *Detector) quietShare() float64 {
	n := 0
	for k := range d.lay.Rate {
		if d.at(k).Flags&unknown != 0 {
			n++
		}
	}
	return float64(n) / float64(d.lay.Rate)
}

// settle decides what may be learnt from the newest windows.
func (d *Detector) settle(r *result, young bool) {
	if d.at(0).Flags&(unknown|abnormal) != 0 {
		return
	}
	n, st := d.weight(), &d.st
	odd := !d.lay.wide && (max(r.RawUp, r.RawDown) > freezeAt || st.Ev.Kind != 0)
	st.Frozen *= 1 - min(1, n/freezeMemory)
	if odd && !young {
		st.Frozen += min(1, n/freezeMemory)
	}
	if young && !d.lay.wide {
		return
	}
	if d.at(0).Flags&special != 0 {
		if odd && d.freezes() {
			d.freeze(r)
		}
		return
	}
	if d.lay.wide || d.settled() && st.Ev.Kind == 0 {
		st.Up.Learn(r.RawUp, n, d.habit(1))
		st.Down.Learn(r.RawDown, n, d.habit(-1))
	}
	if odd && d.freezes() {
		d.freeze(r)
		return
	}
	for w := range d.lay.N {
		if d.tot[w].Unknown == 0 {
			st.Phi.learn(w, &d.tot[w], n)
		}
	}
}

// freezes says whether what is unusual is kept out of the baseline: not for ever,
// and not in bins wider than an hour, of which there are too few to spare any.
func (d *Detector) freezes() bool { return !d.lay.wide && d.st.Frozen < freezeShare }

// freeze keeps the best window out of the baseline.
func (d *Detector) freeze(r *result) {
	w := r.W
	if r.RawDown > r.RawUp {
		w = r.V
	}
	for k := range d.lay.Bins[w] {
		d.at(k).Flags |= abnormal
	}
}

// specialPhi is by how much the dispersion is larger on a holiday and on the day of
// a clock change.
const specialPhi = 2

// modelError is the variance of the relative error that even a good baseline has.
const modelError = 0.0025
