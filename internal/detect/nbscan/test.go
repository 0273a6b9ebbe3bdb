package nbscan

import (
	"math"
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
	for w := range d.lay.n {
		t := &d.tot[w]
		d.tried[w] = tried{}
		if t.Bins == 0 || t.Unknown*2 > d.lay.bins[w] {
			continue
		}
		tested++
		phi := d.st.Phi.of(w, d.spread(t.Bins)) + d.st.Base.LevelVar + modelError
		if young {
			phi = max(phi, phiYoung)
		}
		d.tried[w] = tried{t.Sum, max(t.Cut, 0), t.Mu, t.Mu * lift, phi, 0}
		if x, usual := max(t.Cut, 0), t.Mu*lift; x-usual >= d.cfg.Excess {
			p := upperLogP(x, usual, 1/phi)
			d.tried[w].LogP = p
			if p > r.RawUp {
				r.RawUp, r.W = p, w
			}
		} else if t.Mu >= dropExpected && t.Mu-t.Sum >= d.cfg.Excess {
			p := lowerLogP(t.Sum, dropShare*t.Mu, 1/phi)
			d.tried[w].drop(p)
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
	r.Up, r.Down = d.st.Up.Of(r.RawUp, tailSlope), d.st.Down.Of(r.RawDown, tailSlope)
	if young {
		r.Up, r.Down = max(0, r.Up-youngPenalty), 0
	}
	if d.cfg.Anonymous && d.blind() {
		r.Up = 0 // how busy it is cannot be known yet, and no people vouch for it
	}
}

// settledTicks is the age from which the tail of quiet time is learnt.
const settledTicks = 7 * 86400 / tick

// Calibration: two hours end a cluster, and tails are a little wider than
// nominal before a series has shown its own.
const (
	tailCalm  = 7200 / tick
	tailSlope = 1.05
)

// chosen is what −log10 p loses because the window is the best of several. The
// windows are nested, so six of them are worth two independent ones: that
// makes p right on series without surges (measured down to 1e-4).
var chosen = math.Log10(2)

// youngPenalty is taken from −log10 p while the baseline is young.
const youngPenalty = 2

// quietShare is the unknown share of the last 15 minutes.
func (d *Detector) quietShare() float64 {
	n := 0
	for k := range d.lay.rate {
		if d.at(k).Flags&unknown != 0 {
			n++
		}
	}
	return float64(n) / float64(d.lay.rate)
}

// settle decides what may be learnt from the newest windows.
func (d *Detector) settle(r *result, young bool) {
	if d.at(0).Flags&(unknown|abnormal) != 0 {
		return
	}
	n := d.weight()
	odd := max(r.RawUp, r.RawDown) > freezeAt || d.st.Ev.Kind != 0
	st := &d.st
	st.Frozen *= 1 - min(1, n/freezeMemory)
	if odd && !young {
		st.Frozen += min(1, n/freezeMemory)
	}
	if young {
		return
	}
	if d.settled() && st.Ev.Kind == 0 {
		st.Up.Learn(r.RawUp, n, tailCalm)
		st.Down.Learn(r.RawDown, n, tailCalm)
	}
	if odd && st.Frozen < freezeShare {
		w := r.W
		if r.RawDown > r.RawUp {
			w = r.V
		}
		for k := range d.lay.bins[w] {
			d.at(k).Flags |= abnormal
		}
		return
	}
	for w := range d.lay.n {
		if d.tot[w].Unknown == 0 {
			st.Phi.learn(w, &d.tot[w], n)
		}
	}
}

// modelError is the variance of the relative error that even a good baseline has.
const modelError = 0.0025
