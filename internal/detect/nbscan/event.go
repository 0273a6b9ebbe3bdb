package nbscan

import (
	"math"

	"faultline"
)

// episode is the event that is open, in numbers of fixed size. Times are Unix
// seconds.
type episode struct {
	Kind      int8 // +1 surge, −1 drop, 0 none
	Young     bool
	Revision  int32
	Opened    int64
	Onset     int64
	OnsetLow  int64
	OnsetHigh int64
	Peak      int64
	End       int64 // end of the last bin outside the band
	Recovered int64 // 0: outside the band

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
	ValleyHigh float64 // largest excess in the valley's first half hour
	ValleyEnd  int64

	SentLogP  float64 // what the last revision said
	SentPeak  float64
	SentOnset int64
	SentAt    int64
}

// Rules of the event machine.
const (
	bandLogP    = 1.3      // p > 0.05 in the rate window is inside the band
	bandShare   = 0.1      // of the peak's excess, that the last half hour may hold
	valleyShare = 0.25     // of the peak's excess
	repeatAfter = 600      // seconds after which an open event is told again
	youngLimit  = 43200    // seconds that an event lasts before a young baseline takes it as usual
	afresh      = math.Ln2 // change of log level at which the old season says nothing about the new level
	silentClose = 86400    // seconds of silence after which an open event is closed
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
	case d.at(0).Flags&unknown != 0:
		if d.st.Last-e.End > silentClose {
			return d.close("collector_silent")
		}
		return nil
	}
	if d.follow(r) {
		return append(d.close("split"), d.open(r)...)
	}
	if int(e.Quiet) >= d.lay.slow {
		return d.close("")
	}
	if d.st.Frozen >= freezeShare || d.st.Known < youngTicks && d.st.Last-e.Opened >= youngLimit {
		return d.accept("lasted_too_long")
	}
	return d.tell(false)
}

// opens says in which direction an event opens with this result.
func (d *Detector) opens(r *result) int8 {
	young := d.st.Known < youngTicks
	switch {
	case r.Silent && (!young || d.cfg.Anonymous):
		return 0
	case young && d.cfg.Anonymous:
		if d.st.Known >= blindTicks && r.Up >= d.cfg.Open {
			return 1
		}
	case young:
		t := d.sum(d.lay.rate)
		reporters, networks := people(&t)
		// So many people of several networks are no retried batch: what they
		// said within one minute counts in full. Nor does it matter that nobody
		// listened before: more could only have been heard.
		if reporters >= d.cfg.YoungReporters && networks >= d.cfg.Networks && max(r.RawUp, upperLogP(t.Sum, t.Mu, 1/phiYoung)) >= youngPenalty {
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
	if d.cfg.Anonymous {
		return true
	}
	reporters, networks := people(&d.tot[r.W])
	return reporters >= d.cfg.Reporters && networks >= d.cfg.Networks
}

func (d *Detector) open(r *result) []faultline.Event {
	way := d.opens(r)
	if way == 0 {
		return nil
	}
	now := d.st.Last + d.st.Width
	d.st.Ev = episode{Kind: way, Opened: now, Young: d.st.Known < youngTicks, End: now, Peak: d.st.Last}
	first := d.onset(0)
	e := &d.st.Ev
	for k := first; k >= 0; k-- {
		s := d.at(k)
		if s.Flags&(unknown|spent) == 0 {
			e.Excess += float64(way) * (float64(s.X) - float64(s.Mu))
			s.Flags |= abnormal
		}
	}
	for k := first; k >= 0; k-- {
		d.climb(k)
	}
	d.weigh(r)
	return d.tell(true)
}

// climb takes the rate window that ends k bins ago as the peak if it is the
// highest so far.
func (d *Detector) climb(k int) bool {
	e := &d.st.Ev
	t, top, value := total{}, k, math.Inf(-1)
	for i := k; i < k+d.lay.rate && i < len(d.ring); i++ {
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
		s.Flags |= abnormal
	}
	over := way * (float64(s.X) - float64(s.Mu))
	e.Pending += over
	t := d.sum(d.lay.rate)
	excess := way * (t.Sum - t.Mu)
	logP := d.logP(&t, d.lay.rate)
	if over > d.sigma(float64(s.Mu), 1) && logP >= bandLogP {
		e.End = d.st.Last + d.st.Width
		e.Excess += e.Pending
		e.Pending = 0
	}
	d.calm(&t, logP)
	if d.valley(&t, excess) {
		return true
	}
	if d.climb(0) && d.st.Last-e.Opened < 7200 {
		d.onset(0)
	}
	d.weigh(r)
	return false
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
	half := d.sum(d.lay.slow)
	left := float64(e.Kind) * (half.Sum - half.Mu)
	perRate := float64(d.lay.slow) / float64(d.lay.rate)
	room := max(2*d.sigma(half.Mu, d.lay.slow), bandShare*e.PeakExcess*perRate)
	if t.Bins == 0 || logP >= bandLogP {
		e.Quiet, e.Recovered = 0, 0
		return
	}
	if e.Recovered == 0 {
		e.Recovered = e.End
	}
	if e.Quiet++; left > room {
		e.Quiet = min(e.Quiet, int32(d.lay.slow-1))
	}
}

// valley watches for two surges in one event: the excess falls below a quarter
// of the peak for half an hour and rises to four times the valley again, more
// than its own noise explains.
func (d *Detector) valley(t *total, excess float64) bool {
	e := &d.st.Ev
	if excess < valleyShare*e.PeakExcess {
		e.Valley++
		if int(e.Valley) <= d.lay.slow {
			e.ValleyHigh, e.ValleyEnd = max(excess, 0), e.End
		}
		e.ValleyHigh = max(e.ValleyHigh, 0)
	}
	if int(e.Valley) < d.lay.slow {
		if excess >= valleyShare*e.PeakExcess {
			e.Valley = 0
		}
		return false
	}
	if excess < e.ValleyHigh/valleyShare || excess <= 0 || e.Kind < 0 {
		return false
	}
	usual := t.Mu + e.ValleyHigh
	return upperLogP(t.Sum, usual, 1/d.phiOf(d.lay.rate)) >= d.cfg.Open
}

// close ends the event. Its bins are spent: no later window looks at them.
func (d *Detector) close(reason string) []faultline.Event {
	e := &d.st.Ev
	if reason == "split" {
		e.End = min(e.End, max(d.rise(), e.Onset+d.st.Width))
	}
	ev := d.event()
	ev.State, ev.End, ev.Reason = faultline.EventClosed, unix(e.End), reason
	ev.Revision++
	for k := range d.ring {
		if d.st.Last-int64(k)*d.st.Width < e.End {
			d.at(k).Flags |= spent
		}
	}
	*e = episode{}
	look(&d.lay, d.ring, int(d.st.Head), &d.tot)
	return []faultline.Event{ev}
}

// rise is where the newest rise out of a valley began: after the newest bin of
// the last hour at which the excess was within a quarter of what it is now.
func (d *Detector) rise() int64 {
	top := d.sum(d.lay.rate)
	limit := valleyShare * (top.Sum - top.Mu) / float64(d.lay.rate)
	for k := range min(2*d.lay.slow, len(d.ring)) {
		if s := d.at(k); float64(s.X)-float64(s.Mu) <= limit {
			return d.st.Last - int64(k-1)*d.st.Width
		}
	}
	return d.st.Last
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
	if st.Known >= youngTicks && math.Abs(level-st.Base.Level) < afresh {
		st.Base.Level, st.Base.LevelVar = level, spreadLevel*spreadLevel
		return events
	}
	st.Base, st.Known = newBaseline(), min(st.Known, n)
	st.Base.Total = cell{x, n}
	st.Base.refresh(d.middle(0), d.phiTick(), d.shapeAt)
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
		t.NetBits |= s.NetBits
	}
	return t
}

// phiOf is the dispersion of a window of so many bins.
func (d *Detector) phiOf(bins int) float64 {
	w := 0
	for w+1 < d.lay.n && d.lay.bins[w] < bins {
		w++
	}
	return d.st.Phi.of(w, float64(d.lay.bins[w])*d.ticks()) + d.st.Base.LevelVar
}

// sigma is the standard deviation of a window of mean m.
func (d *Detector) sigma(m float64, bins int) float64 {
	return math.Sqrt(m + d.phiOf(bins)*m*m)
}
