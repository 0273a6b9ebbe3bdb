package nbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
)

// reading tells what the newest bin looks like. Value, Expected, Low and High
// are over the last 15 minutes (or one bin where bins are wider), so that a
// chart of readings has one scale; LogP is of the best window, whatever its
// length, and Reporters and Networks are of that window. On a holiday Expected is
// the most that may be usual, and Low is of the least.
func (d *Detector) reading(s *faultline.Sample, r *result) faultline.Reading {
	t := d.sum(d.lay.Rate)
	low, high := d.band(t.Mu, d.lay.Rate)
	if t.Less > 0 {
		low, _ = d.band(t.Mu-t.Less, d.lay.Rate)
	}
	out := faultline.Reading{
		Series: d.series, At: detector.Unix(d.st.Last + d.st.Width),
		Value: faultline.Round(t.Sum, 3), Expected: faultline.Round(t.Mu, 4),
		Low: faultline.Round(low, 2), High: faultline.Round(high, 2),
		Width: faultline.Seconds(time.Duration(int64(d.lay.Rate)*d.st.Width) * time.Second),
		LogP:  faultline.Round(max(r.Up, r.Down), 2),
		Age:   faultline.Seconds(time.Duration(d.st.Known*tick) * time.Second),
		Mix:   s.Mix, Origin: s.Origin,
	}
	w := r.W
	if r.Down > r.Up {
		w = r.V
	}
	out.Reporters, out.Networks = people(&d.tot[w])
	out.Verdict, out.Reason = d.verdict(r, out.Reporters)
	return out
}

func (d *Detector) verdict(r *result, reporters int) (faultline.Verdict, string) {
	switch {
	case r.Silent && !d.begun():
		return faultline.CannotTell, "collector_silent"
	case d.st.Ev.Kind > 0:
		return faultline.Surging, ""
	case d.st.Ev.Kind < 0:
		return faultline.Dropping, ""
	case r.Down >= d.cfg.Odd:
		return faultline.Odd, ""
	case r.Up >= d.cfg.Odd && (d.cfg.Anonymous || reporters >= d.cfg.Reporters):
		return faultline.Odd, ""
	case d.young():
		return faultline.CannotTell, "young_baseline"
	case r.Up >= d.cfg.Odd:
		return faultline.Usual, "too_few"
	}
	return faultline.Usual, ""
}

// begun says that somebody listens to a series that is younger than the rate
// window: the bins before its first are unknown, and no silence.
func (d *Detector) begun() bool {
	return d.at(0).Flags&unknown == 0 && d.st.Known < float64(d.lay.Rate)*d.ticks()
}

// band is the 5 % and the 95 % quantile of what is usual, by the square root
// transformation that zScore uses.
func (d *Detector) band(m float64, bins int) (low, high float64) {
	if m <= 0 {
		return 0, 0
	}
	r := 1 / d.phiOf(bins)
	mid, half := math.Asinh(math.Sqrt(m/r)), 1.645/(2*math.Sqrt(r))
	at := func(a float64) float64 {
		if a <= 0 {
			return 0
		}
		return r * math.Sinh(a) * math.Sinh(a)
	}
	return max(0, at(mid-half)), at(mid + half)
}

// tell makes a revision of the open event if a reader would see a change.
func (d *Detector) tell(always bool) []faultline.Event {
	e := &d.st.Ev
	now := d.st.Last + d.st.Width
	changed := e.LogP >= e.SentLogP+1 || e.PeakValue > 1.1*e.SentPeak || e.Kind < 0 && e.PeakExcess > 1.1*e.SentPeak ||
		e.Onset != e.SentOnset || now-e.SentAt >= repeatAfter || e.Quiet == 1 || e.Recovered == 0 && e.SentAt < 0
	if !always && !changed {
		return nil
	}
	ev := d.event()
	ev.Revision++
	e.Revision++
	e.SentLogP, e.SentPeak, e.SentOnset, e.SentAt = e.LogP, e.PeakValue, e.Onset, now
	if e.Kind < 0 {
		e.SentPeak = e.PeakExcess
	}
	return []faultline.Event{ev}
}

// event is the open event in the words of the vocabulary.
func (d *Detector) event() faultline.Event {
	e := &d.st.Ev
	kind := faultline.Surge
	if e.Kind < 0 {
		kind = faultline.Drop
	}
	ev := faultline.Event{
		ID: detector.EventID(By, d.series, kind, d.st.Ev.Opened), Revision: int(e.Revision), By: By, Series: d.series, Kind: kind,
		State: faultline.EventOpen, Opened: detector.Unix(e.Opened), At: detector.Unix(d.st.Last + d.st.Width),
		Onset: detector.Unix(e.Onset), OnsetLow: detector.Unix(e.OnsetLow), OnsetHigh: detector.Unix(e.OnsetHigh), Peak: detector.Unix(e.Peak),
		PeakValue: faultline.Round(e.PeakValue, 3), PeakUsual: faultline.Round(e.PeakUsual, 4),
		PeakWidth: faultline.Seconds(time.Duration(int64(d.lay.Rate)*d.st.Width) * time.Second),
		Excess:    faultline.Round(float64(e.Kind)*max(e.Excess, 0), 2), LogP: faultline.Round(e.LogP, 2),
		Reporters: int(e.Reporters), Networks: int(e.Networks), Young: e.Young, Working: d.working(), Origin: detector.OriginOf(d.st.Origin),
	}
	if e.Recovered != 0 {
		ev.Recovered, ev.Fell = detector.Unix(e.Recovered), detector.Unix(e.End)
	}
	if p := faultline.Position(d.st.Because); !p.IsZero() {
		ev.Because = []faultline.Position{p}
	}
	return ev
}
