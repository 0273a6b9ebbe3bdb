package bbscan

import (
	"math"

	"faultline"
	"faultline/internal/detect/detector"
)

// episode is the event that is open, in numbers of fixed size. Times are Unix
// seconds.
type episode struct {
	Kind      int8 // +1 surge, −1 drop, 0 none
	Revision  int32
	Opened    int64
	Onset     int64
	OnsetLow  int64
	OnsetHigh int64
	Peak      int64
	Band      int64 // end of the last bin outside the band
	Recovered int64 // 0: outside the band
	Heard     int64 // end of the last bin that is known

	PeakValue float64 // the share furthest from usual in the rate window
	PeakUsual float64
	Excess    float64 // successes above usual from onset to Band
	Pending   float64 // and since Band
	LogP      float64
	Quiet     int32 // bins in a row inside the band

	SentLogP  float64 // what the last revision said
	SentPeak  float64
	SentOnset int64
	SentAt    int64
}

// Rules of the event machine.
const (
	bandLogP    = 1.3   // p > 0.05 in the rate window is inside the band
	repeatAfter = 600   // seconds after which an open event is told again
	moves       = 7200  // seconds for which the onset of an open event may still move
	silentClose = 86400 // seconds of silence after which an open event is closed; six bins if that is more
	acceptSpan  = 7200  // seconds that say what the level has become
)

// track takes the newest bin into the open event, opens one, or closes it.
func (d *Detector) track(r *result) []faultline.Event {
	e := &d.st.Ev
	switch {
	case e.Kind == 0:
		return d.open(r)
	case r.Late:
		d.climb(0)
		return d.tell(false)
	case d.st.Last-e.Heard > max(silentClose, 6*d.st.Width):
		return append(d.close("collector_silent"), d.open(r)...)
	case d.at(0).Flags&unknown != 0:
		return nil
	}
	e.Heard = d.st.Last + d.st.Width
	d.follow(r)
	switch {
	case int(e.Quiet) >= d.lay.Slow:
		return d.close("")
	case d.st.Frozen >= freezeShare:
		return d.accept("lasted_too_long")
	}
	return d.tell(false)
}

// opens says in which direction an event opens with this result.
func (d *Detector) opens(r *result) int8 {
	switch {
	case r.Silent || d.at(0).Flags&unknown != 0:
	case r.Down >= d.cfg.Open && d.matters(&d.tot[r.V]):
		return -1
	case r.Up >= d.cfg.Open && d.matters(&d.tot[r.W]):
		return 1
	}
	return 0
}

// matters says whether a window differs by enough tries and by enough of them.
func (d *Detector) matters(t *total) bool {
	return math.Abs(t.over()) >= max(d.cfg.Excess, d.cfg.Change*t.n())
}

func (d *Detector) open(r *result) []faultline.Event {
	way := d.opens(r)
	if way == 0 {
		return nil
	}
	now := d.st.Last + d.st.Width
	d.st.Ev = episode{Kind: way, Opened: now, Band: now, Heard: now, Peak: d.st.Last}
	e := &d.st.Ev
	e.LogP = max(r.Up, r.Down)
	w := r.V
	if way > 0 {
		w = r.W
	}
	first := d.onset(&d.tot[w])
	for k := first; k >= 0; k-- {
		if s := d.at(k); s.counts() {
			e.Excess += s.over()
			s.Flags |= abnormal
		}
		d.climb(k)
	}
	return d.tell(true)
}

// climb takes the rate window that ends k bins ago as the peak if its share is the
// furthest from usual so far. The event's peak is the middle bin of it.
func (d *Detector) climb(k int) bool {
	e := &d.st.Ev
	t := d.sum(k, k+d.lay.Rate)
	n := t.n()
	if n <= 0 || float64(e.Kind)*t.over()/n <= math.Abs(e.PeakValue-e.PeakUsual) {
		return false
	}
	e.PeakValue, e.PeakUsual = t.K/n, t.Mu/n
	e.Peak = max(e.Onset, d.st.Last-int64(k+d.lay.Rate/2)*d.st.Width)
	return true
}

// follow takes the newest bin into the open event.
func (d *Detector) follow(r *result) {
	e, s := &d.st.Ev, d.at(0)
	if d.st.Frozen < freezeShare {
		s.Flags |= abnormal
	}
	e.Pending += s.over()
	if outside := d.outside(d.lay.Rate); outside && d.stands(s) {
		d.lasts()
	} else if !outside {
		e.Quiet++
		if e.Recovered == 0 {
			e.Recovered = e.Band
		}
	} else {
		e.Quiet, e.Recovered = 0, 0
	}
	if int(e.Quiet) >= d.lay.Slow && d.outside(d.lay.Slow) {
		d.lasts() // no bin stands out, and all of them do
	}
	if d.climb(0) && d.st.Last-e.Opened < moves {
		t := d.sum(0, d.age(e.Onset)+1)
		d.onset(&t)
	}
	p := r.Up
	if e.Kind < 0 {
		p = r.Down
	}
	e.LogP = max(e.LogP, p)
}

// lasts notes that the newest bin lies outside the band.
func (d *Detector) lasts() {
	e := &d.st.Ev
	e.Band, e.Quiet, e.Recovered = d.st.Last+d.st.Width, 0, 0
	e.Excess += e.Pending
	e.Pending = 0
}

// outside says whether the newest bins lie outside the band in the event's
// direction.
func (d *Detector) outside(bins int) bool {
	t := d.sum(0, bins)
	return float64(d.st.Ev.Kind)*t.over() > 0 && logP(&t, d.phiOf(bins)) >= bandLogP
}

// stands says whether one bin lies further than usual in the event's direction.
func (d *Detector) stands(s *slot) bool {
	v := s.n() * s.Share * s.Rest
	return s.counts() && float64(d.st.Ev.Kind)*s.over() > math.Sqrt(v+d.phiBin()*v*v)
}

// age is how old the bin of a moment is, at most as old as the ring reaches.
func (d *Detector) age(at int64) int {
	return int(min(max(0, (d.st.Last-at)/d.st.Width), int64(len(d.ring)-1)))
}

// close ends the event. Its bins are spent: no later window looks at them.
func (d *Detector) close(reason string) []faultline.Event {
	e := &d.st.Ev
	end := e.Band
	if reason == "" {
		end = d.ending()
	}
	ev := d.event()
	ev.State, ev.End, ev.Reason = faultline.EventClosed, detector.Unix(end), reason
	ev.Revision++
	for k := range d.ring {
		if d.st.Last-int64(k)*d.st.Width < max(e.Band, end) {
			d.at(k).Flags |= spent
		}
	}
	*e = episode{}
	look(&d.lay, d.ring, int(d.st.Head), &d.tot)
	return []faultline.Event{ev}
}

// accept makes the level of the last two hours the usual one and ends the event that
// is open, if any.
func (d *Detector) accept(reason string) []faultline.Event {
	st := &d.st
	st.Accept, st.Frozen = false, 0
	bins := max(1, min(int(acceptSpan/st.Width), len(d.ring)))
	t := d.all(0, bins)
	var events []faultline.Event
	if st.Ev.Kind != 0 {
		events = d.close(reason)
	}
	for k := range d.ring {
		d.at(k).Flags |= spent | abnormal
	}
	if t.n() > 0 {
		st.Usual.Level.Mean += shift(&t)
		st.Usual.Level.Var = max(st.Usual.Level.Var, spreadHour*spreadHour)
	}
	return events
}
