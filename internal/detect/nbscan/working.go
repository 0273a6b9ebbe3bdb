package nbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/windows"
)

// Young is the age below which the baseline of reports is young.
const Young = faultline.Seconds(youngTicks * tick * time.Second)

// tried is what the newest test made of one window. Phi is 0 for a window that
// was not tested: too much of it is unknown.
type tried struct{ Seen, Counted, Usual, Against, Phi, LogP float64 }

// drop notes the lower tail of a window.
func (t *tried) drop(against, logP float64) { t.Counted, t.Against, t.LogP = t.Seen, against, logP }

// work is the working of the open event, of fixed size for the snapshot: what
// the test found when its evidence was largest so far. It lies beside the state,
// and only while an event is open: nearly all series have none.
type work struct {
	At                  int64 // end of the newest bin, Unix seconds
	Down                bool
	ByPeople            bool // the rule of a young series: one window, its nominal p and many people
	Best                int8
	Reporters, Networks int32
	Bins                [windows.Most]int32
	Tried               [windows.Most]tried
	Known, Hour, Level  float64
	Choice, At2, Slope  float64 // At2: what 2 is worth
	Young               bool
}

// reckon keeps the working when an event opens and when its evidence grows: p is
// calibrated, of window w.
func (d *Detector) reckon(r *result, p float64, w int) {
	e := &d.st.Ev
	switch {
	case p <= e.LogP && d.why != nil:
		return
	case d.why == nil:
		d.why = &work{}
	}
	if e.Revision == 0 && e.Kind > 0 && d.young() && !d.cfg.Anonymous {
		*d.why = d.byPeople()
	} else {
		*d.why = d.byTail(r, w)
	}
}

// about is what the working says of the series, whatever the rule.
func (d *Detector) about() work {
	b := &d.st.Base
	level := math.Exp(b.Level)
	return work{
		At: d.st.Last + d.st.Width, Known: d.st.Known, Level: level, Young: d.young(), At2: 2, Slope: 1,
		Hour: b.Now.season(d.local(0), d.st.Width, 0) * float64(d.lay.Rate) * d.ticks(),
	}
}

// byTail is the working of the newest test.
func (d *Detector) byTail(r *result, w int) work {
	k := d.about()
	h, tail := d.habit(d.st.Ev.Kind), d.tail()
	k.Down, k.Best, k.Choice, k.At2, k.Slope = d.st.Ev.Kind < 0, int8(w), r.Choice, tail.At(h), tail.Slope(h)
	k.Tried = d.tried
	for i, bins := range d.lay.Bins {
		k.Bins[i] = int32(bins)
	}
	k.heard(&d.tot[w])
	return k
}

// byPeople is the working of opensYoung.
func (d *Detector) byPeople() work {
	k := d.about()
	t := d.sum(d.lay.Rate)
	k.ByPeople, k.Bins[0] = true, int32(d.lay.Rate)
	k.Tried[0] = tried{t.Sum, t.Sum, t.Mu, t.Mu, phiYoung, upperLogP(t.Sum, t.Mu, 1/phiYoung)}
	k.heard(&t)
	return k
}

// heard notes who stands behind a window. Both are estimates; nobody speaks from
// two networks at once.
func (k *work) heard(t *total) {
	reporters, networks := people(t)
	k.Reporters, k.Networks = int32(reporters), int32(min(networks, reporters))
}

// tail is the calibration of the open event's direction.
func (d *Detector) tail() *calibrate.Tail {
	if d.st.Ev.Kind < 0 {
		return &d.st.Down
	}
	return &d.st.Up
}

// working tells the working in the words of the vocabulary.
func (d *Detector) working() *faultline.Working {
	k := d.why
	if k == nil {
		return nil
	}
	seconds := func(bins int32) faultline.Seconds {
		return faultline.Seconds(time.Duration(int64(bins)*d.st.Width) * time.Second)
	}
	out := &faultline.Working{
		At: detector.Unix(k.At), Rule: d.rule(k), Age: faultline.Seconds(time.Duration(k.Known*tick) * time.Second), Needs: d.needs(k),
		Hour: faultline.Round(k.Hour, 4), HourWidth: seconds(int32(d.lay.Rate)), Level: faultline.Round(k.Level, 4),
		Reporters: int(k.Reporters), Networks: int(k.Networks),
	}
	if d.cfg.Anonymous { // nobody is named in files
		out.Reporters, out.Networks = 0, 0
	}
	if !k.ByPeople {
		out.Choice, out.TailAt, out.Slope, out.Youth = faultline.Round(k.Choice, 2), faultline.Round(k.At2, 3), faultline.Round(k.Slope, 3), k.youth()
	}
	for i, t := range k.Tried {
		if t.Phi == 0 {
			continue
		}
		if i == int(k.Best) {
			out.Best = len(out.Windows)
		}
		out.Windows = append(out.Windows, faultline.Window{
			Width: seconds(k.Bins[i]), Seen: faultline.Round(t.Seen, 3), Counted: faultline.Round(t.Counted, 3),
			Usual: faultline.Round(t.Usual, 4), Against: faultline.Round(t.Against, 4), Phi: faultline.Round(t.Phi, 5),
			LogP: faultline.Round(t.LogP, 2), Calibrated: faultline.Round(k.calibrated(t.LogP), 2),
		})
	}
	return out
}

func (d *Detector) rule(k *work) faultline.Rule {
	switch {
	case k.Down:
		return faultline.DropRule
	case k.Young && !d.cfg.Anonymous:
		return faultline.YoungRule
	}
	return faultline.TailRule
}

// youth is what −log10 p loses while the baseline is young.
func (k *work) youth() float64 {
	if k.Young {
		return youngPenalty
	}
	return 0
}

// calibrated is what test makes of a nominal value.
func (k *work) calibrated(logP float64) float64 {
	if k.ByPeople {
		return logP
	}
	return max(0, calibrate.Over(max(0, logP-k.Choice), k.At2, k.Slope)-k.youth())
}

func (d *Detector) needs(k *work) faultline.Needs {
	switch {
	case k.Down || d.cfg.Anonymous:
		return faultline.Needs{LogP: d.cfg.Open}
	case k.Young: // the tail of a young series opens nothing
		return faultline.Needs{LogP: youngLogP, Reporters: d.cfg.YoungReporters, Networks: d.cfg.Networks}
	}
	return faultline.Needs{LogP: d.cfg.Open, Reporters: d.cfg.Reporters, Networks: d.cfg.Networks}
}
