package gauge

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
)

// episode is the open event. Times are Unix seconds.
type episode struct {
	Way                      int8 // +1 surge, −1 drop, 0 none
	Revision, Quiet          int32
	Opened, Onset, Peak, End int64
	PeakValue, PeakUsual     float64
	Excess, LogP, Told       float64
	Strongest                int64 // when the evidence was largest
	Said                     [aspects]float64
}

const (
	inside  = 2.0       // spreads within which a bin is back in its band
	quiet   = 6         // such bins in a row close an event
	forever = 2 * 86400 // seconds after which what is has become usual
	wake    = 86400     // seconds, or patience if that is more, for which half as much evidence as an event had is its wake
	silence = 86400     // seconds without a value that close an event, or six bins if that is more
)

// way is the side of what is usual on which the last quarter of an hour of bins,
// at most, lies: an event of any view is a surge or a drop.
func (b *band) way() int8 {
	sum := 0.0
	for k, z := range b.Recent[:4] {
		if !b.Unknown[k] {
			sum += z
		}
	}
	if sum < 0 {
		return -1
	}
	return 1
}

// track opens, follows and closes the event.
func (d *Detector) track(s *faultline.Sample, logP, z, usual float64) []faultline.Event {
	st := &d.st
	e := &st.Event
	end := st.Last + st.Width
	if e.Way == 0 {
		if logP < d.cfg.Open || end < st.After.Until && logP < st.After.LogP/2 {
			return nil
		}
		way := st.Band.way()
		*e = episode{Way: way, Opened: end, Onset: d.onset(way), End: end}
	}
	over := s.Value - d.value(usual)
	e.Excess += over
	if e.Strongest == 0 || logP > e.LogP {
		e.LogP, e.Strongest, e.Said = logP, end, d.now.said
	}
	if e.Peak == 0 || float64(e.Way)*over > float64(e.Way)*(e.PeakValue-e.PeakUsual) {
		e.Peak, e.PeakValue, e.PeakUsual = st.Last, s.Value, d.value(usual)
	}
	if math.Abs(z) > inside {
		e.Quiet, e.End = 0, end
	} else {
		e.Quiet++
	}
	switch {
	case e.Quiet >= quiet:
		return d.close("")
	case end-e.Opened > forever:
		st.Band.Level += d.scale(s.Value) - usual
		return d.close("lasted_too_long")
	case e.Revision == 0 || e.LogP > e.Told+1 || e.Quiet == 1:
		return []faultline.Event{d.tell()}
	}
	return nil
}

// onset goes back from the newest bin while bins stand out the same way.
func (d *Detector) onset(way int8) int64 {
	k := 0
	for k+1 < rate && !d.st.Band.Unknown[k+1] && float64(way)*d.st.Band.Recent[k+1] > inside {
		k++
	}
	return d.st.Last - int64(k)*d.st.Width
}

func (d *Detector) close(reason string) []faultline.Event {
	st := &d.st
	ev := d.tell()
	ev.State, ev.End, ev.Reason = faultline.EventClosed, detector.Unix(st.Event.End), reason
	st.After = held{LogP: st.Event.LogP, Until: st.Last + max(wake, patience*st.Width)}
	st.Event = episode{}
	return []faultline.Event{ev}
}

func (d *Detector) tell() faultline.Event {
	st := &d.st
	e := &st.Event
	e.Revision++
	e.Told = e.LogP
	kind := faultline.Surge
	if e.Way < 0 {
		kind = faultline.Drop
	}
	ev := faultline.Event{
		ID: detector.EventID(By, d.series, kind, d.st.Event.Opened), Revision: int(e.Revision), By: By, Series: d.series, Kind: kind, State: faultline.EventOpen,
		Opened: detector.Unix(e.Opened), At: detector.Unix(st.Last + st.Width), Onset: detector.Unix(e.Onset), OnsetLow: detector.Unix(e.Onset), OnsetHigh: detector.Unix(e.Onset),
		Peak: detector.Unix(e.Peak), PeakValue: faultline.Round(e.PeakValue, 6), PeakUsual: faultline.Round(e.PeakUsual, 6),
		PeakWidth: faultline.Seconds(time.Duration(st.Width) * time.Second), Excess: faultline.Round(e.Excess, 6),
		LogP: faultline.Round(e.LogP, 2), Working: d.working(), Origin: detector.OriginOf(st.Origin),
	}
	if e.Quiet > 0 {
		ev.Recovered = detector.Unix(e.End)
	}
	if st.Frame != 0 {
		ev.Because = []faultline.Position{{Partition: st.Partition, Frame: st.Frame, Index: st.Index}}
	}
	return ev
}

// working is what the views said when the evidence was largest, in their order.
func (d *Detector) working() *faultline.Working {
	e := &d.st.Event
	w := &faultline.Working{At: detector.Unix(e.Strongest), Rule: faultline.ViewsRule, Age: d.age(), Needs: faultline.Needs{LogP: d.cfg.Open}}
	for i, said := range e.Said {
		if said > 0 {
			w.Views = append(w.Views, faultline.View{Of: aspectNames[i], LogP: faultline.Round(said, 2)})
		}
	}
	return w
}

// age is how much was known of the series by now.
func (d *Detector) age() faultline.Seconds {
	return faultline.Seconds(time.Duration(d.st.Bins*d.st.Width) * time.Second)
}

func (d *Detector) reading(s *faultline.Sample, logP, usual float64) faultline.Reading {
	st := &d.st
	half := edge * math.Sqrt(st.Band.Spread)
	r := faultline.Reading{
		Series: d.series, At: detector.Unix(st.Last + st.Width), Value: faultline.Round(s.Value, 6), Expected: faultline.Round(d.value(usual), 6),
		Low: faultline.Round(d.value(usual-half), 6), High: faultline.Round(d.value(usual+half), 6), Width: s.Width,
		LogP: faultline.Round(logP, 2), Age: d.age(),
		Verdict: faultline.Usual, Mix: s.Mix, Origin: s.Origin,
	}
	switch {
	case s.Complete < 0.5:
		r.LogP, r.Verdict, r.Reason = 0, faultline.CannotTell, "collector_silent"
	case d.young():
		r.Verdict, r.Reason = faultline.CannotTell, "young_baseline"
	case st.Event.Way > 0:
		r.Verdict = faultline.Surging
	case st.Event.Way < 0:
		r.Verdict = faultline.Dropping
	case r.LogP >= d.cfg.Odd:
		r.Verdict = faultline.Odd
	}
	return r
}
