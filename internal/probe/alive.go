package probe

import "time"

// awake is since when the engine has been awake without a break.
type awake struct {
	from   time.Time // zero: not running
	looked time.Time // when Alive last looked, on both clocks
}

func (e *Engine) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.awake = awake{from: now, looked: now}
}

func (e *Engine) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.awake = awake{}
}

// Alive gives the stretch of time in which the vantage has been awake and all
// of whose results have been handed over: every check that began in it. Both
// times are zero while the engine does not run. The end stands still while a
// check runs, by at most the time-outs of a check and of the controls; the
// beginning jumps forward when the machine was suspended or its clock was set.
func (e *Engine) Alive() (from, to time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.awake.from.IsZero() {
		return time.Time{}, time.Time{}
	}
	now := time.Now()
	if stepped(e.awake.looked, now) {
		e.awake.from = now
	}
	e.awake.looked = now
	from, to = e.awake.from, now
	for _, s := range e.slots {
		if !s.started.IsZero() && s.started.Before(to) {
			to = s.started
		}
	}
	if to.Before(from) {
		from = to
	}
	return from.UTC().Round(0), to.UTC().Round(0)
}

// maxStep is how far the wall clock may run away from the monotonic one
// between two looks. Time synchronisation slews by less than a millisecond a
// second.
const maxStep = time.Second

// stepped says whether the wall clock was set, or the machine slept, between
// two moments: the monotonic clock does neither.
func stepped(from, to time.Time) bool {
	d := to.Round(0).Sub(from.Round(0)) - to.Sub(from)
	return d > maxStep || d < -maxStep
}
