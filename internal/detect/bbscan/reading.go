package bbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
)

// digits of a share that leave the room.
const digits = 6

// reading tells what the newest bin looks like. Value, Expected, Low and High are
// shares over the last 15 minutes (or one bin where bins are wider), so that a chart
// of readings has one scale; LogP is of the best window, whatever its length.
func (d *Detector) reading(s *faultline.Sample, r *result) faultline.Reading {
	t := d.all(0, d.lay.Rate)
	n, usual, seen := t.n(), d.at(0).Share, 0.0
	if n > 0 {
		usual, seen = t.Mu/n, t.K/n
	}
	low, high := d.band(usual, n)
	out := faultline.Reading{
		Series: d.series, At: detector.Unix(d.st.Last + d.st.Width),
		Value: faultline.Round(seen, digits), Expected: faultline.Round(usual, digits),
		Low: faultline.Round(low, digits), High: faultline.Round(high, digits),
		Width: d.rateWidth(), LogP: faultline.Round(max(r.Up, r.Down), 2),
		Age: faultline.Seconds(time.Duration(d.st.Known*tick) * time.Second), Mix: s.Mix, Origin: s.Origin,
	}
	out.Verdict, out.Reason = d.verdict(s, r)
	return out
}

func (d *Detector) rateWidth() faultline.Seconds {
	return faultline.Seconds(time.Duration(int64(d.lay.Rate)*d.st.Width) * time.Second)
}

func (d *Detector) verdict(s *faultline.Sample, r *result) (faultline.Verdict, string) {
	silent := "collector_silent"
	switch {
	case d.at(0).Flags&unknown != 0 && !r.Late:
		return faultline.CannotTell, unheard(s)
	case d.at(0).Flags&unknown != 0:
		return faultline.CannotTell, silent
	case d.st.Ev.Kind > 0:
		return faultline.Surging, ""
	case d.st.Ev.Kind < 0:
		return faultline.Dropping, ""
	case d.young():
		return faultline.CannotTell, "young_baseline"
	case r.Silent:
		return faultline.CannotTell, silent
	case max(r.Up, r.Down) >= d.cfg.Odd:
		return faultline.Odd, ""
	}
	return faultline.Usual, ""
}

// band is the 5 % and the 95 % quantile of the usual share of n tries, on the scale
// of the arc sine.
func (d *Detector) band(p, n float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	same := n / (1 + n*d.phiOf(d.lay.Rate)*p*(1-p))
	mid, half := math.Asin(math.Sqrt(min(p, 1))), 1.645/(2*math.Sqrt(same))
	low, high = math.Sin(max(mid-half, 0)), math.Sin(min(mid+half, math.Pi/2))
	return low * low, high * high
}

// tell makes a revision of the open event if a reader would see a change.
func (d *Detector) tell(always bool) []faultline.Event {
	e := &d.st.Ev
	now, away := d.st.Last+d.st.Width, math.Abs(e.PeakValue-e.PeakUsual)
	changed := e.LogP >= e.SentLogP+1 || away > 1.1*e.SentPeak || e.Onset != e.SentOnset || now-e.SentAt >= repeatAfter || e.Quiet == 1
	if !always && !changed {
		return nil
	}
	ev := d.event()
	ev.Revision++
	e.Revision++
	e.SentLogP, e.SentPeak, e.SentOnset, e.SentAt = e.LogP, away, e.Onset, now
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
		ID: detector.EventID(By, d.series, kind, e.Opened), Revision: int(e.Revision), By: By, Series: d.series, Kind: kind,
		State: faultline.EventOpen, Opened: detector.Unix(e.Opened), At: detector.Unix(d.st.Last + d.st.Width),
		Onset: detector.Unix(e.Onset), OnsetLow: detector.Unix(e.OnsetLow), OnsetHigh: detector.Unix(e.OnsetHigh), Peak: detector.Unix(e.Peak),
		PeakValue: faultline.Round(e.PeakValue, digits), PeakUsual: faultline.Round(e.PeakUsual, digits), PeakWidth: d.rateWidth(),
		Excess: faultline.Round(e.Excess, 2), LogP: faultline.Round(e.LogP, 2), Origin: detector.OriginOf(d.st.Origin),
	}
	if e.Recovered != 0 {
		ev.Recovered, ev.Fell = detector.Unix(e.Recovered), detector.Unix(e.Band)
	}
	if p := faultline.Position(d.st.Because); !p.IsZero() {
		ev.Because = []faultline.Position{p}
	}
	return ev
}
