package nbscan

import (
	"math"

	"faultline"
	"faultline/internal/detect/detector"
)

// episode is the event that is open, in numbers of fixed size. Times are Unix
// seconds.
type episode struct {
	Kind      int8 // +1 surge, −1 drop, 0 none
	Young     bool
	Founded   bool // somebody listened before it began
	Revision  int32
	Opened    int64
	Onset     int64
	OnsetLow  int64
	OnsetHigh int64
	Peak      int64
	End       int64 // end of the last bin outside the band with a tenth of the peak's excess
	Band      int64 // end of the last bin outside the band
	Recovered int64 // 0: outside the band
	Heard     int64 // end of the last bin that is known

	PeakValue  float64
	PeakUsual  float64
	PeakExcess float64 // largest distance from usual in the rate window, in the event's direction
	Excess     float64 // sum of that distance from onset to End
	Pending    float64 // and since End
	LogP       float64
	Reporters  int32
	Networks   int32

	Quiet      int32   // bins in a row inside the band
	Valley     int32   // bins in a row below a quarter of the peak
	ValleyHigh float64 // excess at the end of the valley's first half hour
	Trough     int32   // bins below a tenth of the peak since it was last above half of it

	SentLogP  float64 // what the last revision said
	SentPeak  float64
	SentOnset int64
	SentAt    int64
}

// Rules of the event machine.
const (
	bandLogP    = 1.3      // p > 0.05 in the rate window is inside the band
	fellShare   = 0.1      // of the peak's excess: what is below is its tail
	valleyShare = 0.25     // of the peak's excess
	repeatAfter = 600      // seconds after which an open event is told again
	youngLimit  = 43200    // seconds that an event lasts before a young baseline takes it as usual
	afresh      = math.Ln2 // change of log level at which the old season says nothing about the new level
	silentClose = 86400    // seconds of silence after which an open event is closed; six bins if that is more
)

// track takes the newest bin into the open event, opens one, or closes it.
func (d *Detector) track(r *result) []faultline.Event {
	e := &d.st.Ev
	switch {
	case e.Kind == 0:
		return d.open(r)
	case r.Late:
		d.climb(0)
		d.weigh(r)
		return d.tell(false)
	case d.st.Last-e.Heard > max(silentClose, 6*d.st.Width):
		return append(d.close("collector_silent"), d.open(r)...)
	case d.at(0).Flags&unknown != 0:
		return nil
	}
	e.Heard = d.st.Last + d.st.Width
	if d.follow(r) {
		return append(d.close("split"), d.open(r)...)
	}
	if int(e.Quiet) >= d.lay.Slow {
		return d.close("")
	}
	switch {
	case d.unfounded():
		return retracted(d.accept(faultline.LevelSinceStart))
	case d.fell():
		return d.accept("settled")
	case d.st.Frozen >= freezeShare || d.young() && d.st.Last-e.Opened >= youngLimit:
		return d.accept("lasted_too_long")
	}
	return d.tell(false)
}

// retracted makes the end of an event its retraction.
func retracted(events []faultline.Event) []faultline.Event {
	for i := range events {
		events[i].State = faultline.EventRetracted
	}
	return events
}

// opens says in which direction an event opens with this result.
func (d *Detector) opens(r *result) int8 {
	young := d.young()
	switch {
	case r.Silent && (!young || d.cfg.Anonymous):
		return 0
	case young && d.cfg.Anonymous:
		if !d.blind() && r.Up >= d.cfg.Open {
			return 1
		}
	case young:
		if d.opensYoung() {
			return 1
		}
	case r.Up >= d.cfg.Open && d.enough(r):
		return 1
	case r.Down >= d.cfg.Open:
		return -1
	}
	return 0
}

// enough says whether enough people of enough networks stand behind the best
// window.
func (d *Detector) enough(r *result) bool {
	return d.cfg.Anonymous || d.tot[r.W].enough(d.cfg.Reporters, d.cfg.Networks)
}

func (d *Detector) open(r *result) []faultline.Event {
	way := d.opens(r)
	if way == 0 {
		return nil
	}
	for k := range d.ring {
		if way < 0 {
			d.at(k).least() // a drop is told against what the test held it against
		}
	}
	now := d.st.Last + d.st.Width
	d.st.Ev = episode{Kind: way, Opened: now, Young: d.young(), End: now, Band: now, Heard: now, Peak: d.st.Last}
	first := d.onset(0)
	e := &d.st.Ev
	e.Founded = d.founded(first)
	for k := first; k >= 0; k-- {
		s := d.at(k)
		if s.Flags&(unknown|spent) == 0 {
			e.Excess += float64(way) * (float64(s.X) - float64(s.Mu))
			d.part(s)
		}
	}
	for k := first; k >= 0; k-- {
		d.climb(k)
	}
	d.weigh(r)
	return d.tell(true)
}

// part makes a bin part of the event.
func (d *Detector) part(s *slot) {
	if !d.lay.wide {
		s.Flags |= abnormal
	}
}

// climb takes the rate window that ends k bins ago as the peak if it is the
// highest so far.
func (d *Detector) climb(k int) bool {
	e := &d.st.Ev
	t, top, value := total{}, k, math.Inf(-1)
	for i := k; i < k+d.lay.Rate && i < len(d.ring); i++ {
		s := d.at(i)
		if s.Flags&(unknown|spent) != 0 {
			continue
		}
		t.Sum += float64(s.X)
		t.Mu += float64(s.Mu)
		if x := float64(e.Kind) * float64(s.X); x > value {
			top, value = i, x
		}
	}
	excess := float64(e.Kind) * (t.Sum - t.Mu)
	if excess <= e.PeakExcess {
		return false
	}
	e.PeakExcess, e.PeakValue, e.PeakUsual = excess, t.Sum, t.Mu
	e.Peak = d.st.Last - int64(top)*d.st.Width
	return true
}

// weigh keeps the largest evidence.
func (d *Detector) weigh(r *result) {
	e := &d.st.Ev
	p, w := r.Up, r.W
	if e.Kind < 0 {
		p, w = r.Down, r.V
	}
	d.reckon(r, p, w)
	e.LogP = max(e.LogP, p)
	reporters, networks := people(&d.tot[w])
	if reporters > int(e.Reporters) {
		e.Reporters, e.Networks = int32(reporters), int32(networks)
	}
}

// follow takes the newest bin into the open event and says whether it begins
// another one: a rise out of a valley.
func (d *Detector) follow(r *result) (again bool) {
	e := &d.st.Ev
	s := d.at(0)
	way := float64(e.Kind)
	if d.st.Frozen < freezeShare {
		d.part(s)
	}
	over := way * (float64(s.X) - float64(s.Mu))
	e.Pending += over
	t := d.sum(d.lay.Rate)
	logP := d.logP(&t, d.lay.Rate)
	if over > d.sigma(float64(s.Mu), 1) && logP >= bandLogP {
		d.lasts()
	}
	d.calm(&t, logP)
	if d.trough() || d.valley(&t) {
		return true
	}
	if d.climb(0) && d.st.Last-e.Opened < 7200 {
		d.onset(0)
	}
	d.weigh(r)
	return false
}

// lasts notes that the newest bin lies outside the band.
func (d *Detector) lasts() {
	e := &d.st.Ev
	e.Band = d.st.Last + d.st.Width
	if d.excess(0) >= fellShare*e.PeakExcess {
		e.End = e.Band
		e.Excess += e.Pending
		e.Pending = 0
	}
}

// logP tests a window of so many bins in the event's direction, uncalibrated.
func (d *Detector) logP(t *total, bins int) float64 {
	phi := d.phiOf(bins)
	if d.st.Ev.Kind < 0 {
		return lowerLogP(t.Sum, t.Mu, 1/phi)
	}
	return upperLogP(t.Sum, t.Mu, 1/phi)
}

// calm counts how long the series has been back inside its band.
func (d *Detector) calm(t *total, logP float64) {
	e := &d.st.Ev
	half := d.sum(d.lay.Slow)
	left := float64(e.Kind) * (half.Sum - half.Mu)
	perRate := float64(d.lay.Slow) / float64(d.lay.Rate)
	room := max(2*d.sigma(half.Mu, d.lay.Slow), fellShare*e.PeakExcess*perRate)
	if t.Bins == 0 || logP >= bandLogP {
		e.Quiet, e.Recovered = 0, 0
		return
	}
	if e.Recovered == 0 {
		e.Recovered = e.Band
	}
	if e.Quiet++; left > room {
		e.Quiet = min(e.Quiet, int32(d.lay.Slow-1))
	}
}

// trough watches for a short deep valley between two surges: below a tenth of
// the peak and up again to a quarter, more than its own noise explains.
func (d *Detector) trough() bool {
	e := &d.st.Ev
	now := d.excess(0)
	if now < fellShare*e.PeakExcess {
		e.Trough++
		return false
	}
	if e.Kind < 0 || now < valleyShare*e.PeakExcess {
		return false
	}
	if int(e.Trough) >= max(2, d.lay.Bins[0]/2) && d.rises(d.lay.Bins[0], fellShare*e.PeakExcess) {
		return true
	}
	if now >= 2*valleyShare*e.PeakExcess {
		e.Trough = 0
	}
	return false
}

// rises says whether the newest window of so many bins holds more than an excess
// of low a rate window explains.
func (d *Detector) rises(bins int, low float64) bool {
	t := d.sum(bins)
	return upperLogP(t.Sum, t.Mu+low*float64(bins)/float64(d.lay.Rate), 1/d.phiOf(bins)) >= d.cfg.Open
}

// valley watches for a long one: the excess falls below a quarter of the peak
// for half an hour and rises to four times the valley again.
func (d *Detector) valley(t *total) bool {
	e := &d.st.Ev
	excess := float64(e.Kind) * (t.Sum - t.Mu)
	if excess < valleyShare*e.PeakExcess {
		e.Valley++
		if int(e.Valley) <= d.lay.Slow {
			e.ValleyHigh = max(excess, 0)
		}
	}
	if int(e.Valley) < d.lay.Slow {
		if excess >= valleyShare*e.PeakExcess {
			e.Valley = 0
		}
		return false
	}
	return e.Kind > 0 && excess > 0 && excess >= e.ValleyHigh/valleyShare && d.rises(d.lay.Rate, e.ValleyHigh)
}

// close ends the event. Its bins are spent: no later window looks at them.
func (d *Detector) close(reason string) []faultline.Event {
	e := &d.st.Ev
	if weak := fellShare*e.PeakExcess < 3*d.sigma(e.PeakUsual, d.lay.Rate); weak && reason == "" {
		e.End = d.ending()
	}
	spend := max(e.Band, e.End)
	if reason == "split" {
		var until int64
		until, spend = d.lull()
		e.End = min(e.End, max(until, e.Onset+d.st.Width))
	}
	ev := d.event()
	ev.State, ev.End, ev.Reason = faultline.EventClosed, detector.Unix(e.End), reason
	ev.Revision++
	for k := range d.ring {
		if d.st.Last-int64(k)*d.st.Width < spend {
			d.at(k).Flags |= spent
		}
	}
	*e, d.why = episode{}, nil
	look(&d.lay, d.ring, int(d.st.Head), &d.tot)
	return []faultline.Event{ev}
}

// lull is how the event looks between two surges: until, the end of the last bin
// that held a tenth of the first one's peak, and rise, the start of the second:
// after the newest of the last hour's bins that lay near its lowest.
func (d *Detector) lull() (until, rise int64) {
	e := &d.st.Ev
	last := min(2*d.lay.Slow, int((d.st.Last-e.Onset)/d.st.Width), len(d.ring)-d.lay.Bins[0])
	lowest := math.Inf(1)
	for k := range last {
		lowest = min(lowest, d.excess(k))
	}
	k, near := 0, lowest+fellShare*(d.excess(0)-lowest)
	for k < last-1 && d.excess(k) > near {
		k++
	}
	end := func(k int) int64 { return d.st.Last - int64(k-1)*d.st.Width }
	rise = end(k)
	for k < last-1 && d.excess(k) < fellShare*e.PeakExcess {
		k++
	}
	return end(k), rise
}

// excess is what the shortest window that ended k bins ago held above usual, in
// the event's direction, as much as it would be in the rate window.
func (d *Detector) excess(k int) float64 {
	over := 0.0
	for i := k; i < min(k+d.lay.Bins[0], len(d.ring)); i++ {
		if s := d.at(i); s.Flags&(unknown|spent) == 0 {
			over += float64(s.X) - float64(s.Mu)
		}
	}
	return float64(d.st.Ev.Kind) * over * float64(d.lay.Rate) / float64(d.lay.Bins[0])
}

// accept makes the level of the last two hours the usual one and ends the
// event that is open, if any. A level of more than twice or less than half of
// the old one is a new series: its baseline is young again, and says so.
func (d *Detector) accept(reason string) []faultline.Event {
	st := &d.st
	st.Accept, st.Frozen = false, 0
	var events []faultline.Event
	if st.Ev.Kind != 0 {
		events = d.close(reason)
	}
	var x, usual, n float64
	level := math.Exp(st.Base.Level)
	for k := range len(d.ring) / 2 {
		if s := d.at(k); s.Flags&unknown == 0 && d.st.Last-int64(k)*st.Width >= st.AcceptAt-7200 {
			x += float64(s.X)
			usual += float64(s.Mu) / level
			n += d.ticks()
		}
		d.at(k).Flags |= spent | abnormal
	}
	if usual <= 0 {
		return events
	}
	level = math.Log((x + 0.5) / (usual + 0.5))
	if !d.young() && math.Abs(level-st.Base.Level) < afresh {
		st.Base.Level, st.Base.LevelVar = level, spreadLevel*spreadLevel
		return events
	}
	if d.young() {
		st.Base.begin(cell{x, n})
	} else {
		st.Base, st.Known = newBaseline(), min(st.Known, n)
		st.Base.Total = cell{x, n}
	}
	d.refresh(0)
	return events
}

// sum adds up the newest bins that belong to nothing older.
func (d *Detector) sum(bins int) total {
	var t total
	for k := range min(bins, len(d.ring)) {
		s := d.at(k)
		if s.Flags&(unknown|spent) != 0 {
			t.Unknown++
			continue
		}
		t.Bins++
		t.Sum += float64(s.X)
		t.Mu += float64(s.Mu)
		t.Reporters += int(s.Reporters)
		t.Networks += int(s.Networks)
		t.People |= s.People
		t.Nets |= s.Nets
		if s.Flags&special != 0 {
			t.Special++
			t.Less += s.under()
		}
	}
	return t
}

// phiOf is the dispersion of a window of so many bins.
func (d *Detector) phiOf(bins int) float64 {
	w := 0
	for w+1 < d.lay.N && d.lay.Bins[w] < bins {
		w++
	}
	return d.st.Phi.of(w, d.spread(d.lay.Bins[w])) + d.st.Base.LevelVar
}

// sigma is the standard deviation of a window of mean m.
func (d *Detector) sigma(m float64, bins int) float64 {
	return math.Sqrt(m + d.phiOf(bins)*m*m)
}
