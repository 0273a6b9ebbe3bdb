// Package reach judges the checks of one target from one vantage point by
// counting failures in a row.
//
// In: a sample a check, Value 1 when it reached the service and 0 when not; a
// second attempt a second later arrives as revision 2 of the same start, with
// Confirmed set if it failed too. Out: a Reading a sample, and revisions of at
// most one open Event of kind unreachable.
//
// It opens when two checks in a row failed, each of them also at its second
// attempt: one lost packet or one restarting server is not an outage. It is
// recovered at the first success and closed after three in a row; the end is
// the time of the first. Samples that the vantage could not take properly, or
// that the service refused to us, or that our address rules refused, neither
// open nor close anything: they are readings of cannot_tell, whose reason is the
// impairment (as "no_route") or the failure. The same sample twice changes
// nothing.
//
// It does not compare vantage points: that is the incident room's.
package reach

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/kind"
)

// By is the name and version that events carry.
const By = "reach/1"

// Config is the detector's settings, in checks in a row.
type Config struct {
	Open  int `yaml:"open_after"`  // failed, both attempts
	Close int `yaml:"close_after"` // reached
}

// Defaults open after two failures and close after three successes.
func Defaults() Config { return Config{Open: 2, Close: 3} }

// Kind is the rule as a part that the binary may be built with.
var Kind = kind.Of("reach", "Counts failed checks in a row.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		if c.Open < 1 || c.Close < 1 {
			return nil, fmt.Errorf("open_after is %d and close_after %d: both must be at least 1", c.Open, c.Close)
		}
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

// Detector watches one target from one vantage point.
type Detector struct {
	cfg    Config
	series faultline.Series
	st     state
}

// state is what a snapshot keeps. The fields are exported for JSON alone.
type state struct {
	Version int
	Newest  check // the newest check; its revision may still come
	Before  run   // what had happened before it
	Known   time.Duration
	Event   faultline.Event // the open event; ID is empty when there is none
}

// run is what counts about the checks up to some moment.
type run struct {
	Failed  int       // in a row, newest last
	First   time.Time // start of the first of them
	Reached int       // in a row
	Again   time.Time // start of the first of them
}

// check is one sample, cut to what is judged.
type check struct {
	Start     time.Time
	Taken     time.Time // when this attempt was over and could be known
	First     time.Time // when the first attempt was
	Width     faultline.Seconds
	Revision  int
	Reached   bool
	Confirmed bool
	Skip      string // why it does not count; "" if it does
	Failure   faultline.Failure
	Op        faultline.Op
	Last      faultline.Position
	Origin    faultline.Origin
}

const stateVersion = 2

// New watches a series that nothing is known of.
func New(s faultline.Series, c Config) *Detector {
	return &Detector{cfg: c, series: s, st: state{Version: stateVersion}}
}

// Step takes a check or the second attempt of the newest check, whose readings
// have one time: when the first attempt was over. Anything older
// gives a reading whose At is zero, and no event.
func (d *Detector) Step(s *faultline.Sample) (faultline.Reading, []faultline.Event) {
	c := checkOf(s)
	st := &d.st
	switch {
	case c.Start.After(st.Newest.Start) || st.Newest.Start.IsZero():
		st.Before = d.after()
		st.Known += time.Duration(s.Width)
	case c.Start.Equal(st.Newest.Start) && c.Revision > st.Newest.Revision:
		c.First = st.Newest.First
	default:
		return faultline.Reading{}, nil
	}
	st.Newest = c
	now := d.after()
	events := d.judge(now)
	return d.reading(s, now), events
}

// Failing says whether an event is open.
func (d *Detector) Failing() bool { return d.st.Event.ID != "" }

func checkOf(s *faultline.Sample) check {
	c := check{
		Start: s.Start, Taken: s.Taken, Width: s.Width, Revision: s.Revision, Reached: s.Value > 0,
		Confirmed: s.Confirmed, Failure: s.Failure, Op: s.Op, Last: s.Last, Origin: s.Origin,
	}
	if c.Taken.IsZero() {
		c.Taken = s.Start
	}
	c.First, c.Skip = c.Taken, detector.Unheard(s)
	return c
}

// after is the run with the newest check in it. A failure that was not seen
// again a second later neither counts as one nor as a success, but it breaks
// both rows. A check that does not count breaks nothing.
func (d *Detector) after() run {
	r, c := d.st.Before, d.st.Newest
	switch {
	case c.Start.IsZero() || c.Skip != "":
		return r
	case c.Reached:
		if r.Reached == 0 {
			r.Again = c.Start
		}
		return run{Reached: r.Reached + 1, Again: r.Again}
	case !c.Confirmed:
		return run{}
	}
	if r.Failed == 0 {
		r.First = c.Start
	}
	return run{Failed: r.Failed + 1, First: r.First}
}

// judge opens, follows and closes the event.
func (d *Detector) judge(now run) []faultline.Event {
	st := &d.st
	c, e := &st.Newest, &st.Event
	switch {
	case e.ID == "" && now.Failed >= d.cfg.Open && c.Skip == "":
		return d.open(now)
	case e.ID == "" || c.Skip != "":
		return nil
	case now.Failed > 0:
		return d.still(now)
	case now.Reached >= d.cfg.Close:
		e.State, e.End, e.Recovered = faultline.EventClosed, now.Again, now.Again
		out := d.tell()
		*e = faultline.Event{}
		return out
	case now.Reached > 0 && e.Recovered.IsZero():
		e.Recovered = now.Again
		return d.tell()
	case now.Reached == 0 && !e.Recovered.IsZero():
		e.Recovered = time.Time{}
		return d.tell()
	}
	return nil
}

func (d *Detector) open(now run) []faultline.Event {
	c := &d.st.Newest
	d.st.Event = faultline.Event{
		ID: d.id(c.Start), By: By, Series: d.series, Kind: faultline.Unreachable, State: faultline.EventOpen,
		Opened: c.Taken, Onset: now.First, OnsetLow: now.First, OnsetHigh: now.First, Peak: now.First,
		PeakUsual: 1, PeakWidth: c.Width, Origin: c.Origin,
	}
	// The service may have failed at any time since the last check before.
	d.st.Event.OnsetLow = now.First.Add(-time.Duration(c.Width))
	return d.still(now)
}

// still tells that the newest check failed too.
func (d *Detector) still(now run) []faultline.Event {
	e, c := &d.st.Event, &d.st.Newest
	if e.Failed == now.Failed && e.Failure == c.Failure && e.Recovered.IsZero() {
		return nil
	}
	e.Failed, e.Failure, e.Op, e.Recovered = now.Failed, c.Failure, c.Op, time.Time{}
	e.Excess = max(e.Excess, float64(now.Failed))
	e.Working = &faultline.Working{
		At: c.Taken, Rule: faultline.FailedRule, Age: faultline.Seconds(d.st.Known), Needs: faultline.Needs{Failed: d.cfg.Open},
	}
	return d.tell()
}

func (d *Detector) tell() []faultline.Event {
	e, c := &d.st.Event, &d.st.Newest
	e.Revision++
	e.At = c.Taken
	out := *e
	if !c.Last.IsZero() {
		out.Because = []faultline.Position{c.Last}
	}
	return []faultline.Event{out}
}

func (d *Detector) reading(s *faultline.Sample, now run) faultline.Reading {
	c := &d.st.Newest
	r := faultline.Reading{
		Series: d.series, At: c.First, Value: faultline.Round(s.Value, 3), Expected: 1, Low: 1, High: 1,
		Width: s.Width, Age: faultline.Seconds(d.st.Known), Verdict: faultline.Usual, Mix: s.Mix, Origin: c.Origin,
	}
	switch {
	case c.Skip != "":
		r.Verdict, r.Reason = faultline.CannotTell, c.Skip
	case d.st.Event.ID != "" && now.Reached == 0:
		r.Verdict = faultline.Failing
	case !c.Reached:
		r.Verdict, r.Reason = faultline.Odd, string(c.Failure)
	}
	return r
}

// id names an event by its content: detector, series and the check that opened it.
func (d *Detector) id(at time.Time) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(By + " " + d.series.String() + " " + at.UTC().Format(time.RFC3339Nano)))
	return "unreachable-" + at.UTC().Format("20060102T150405") + "-" + strconv.FormatUint(h.Sum64(), 36)
}

// MarshalBinary writes the state as JSON behind its length.
func (d *Detector) MarshalBinary() ([]byte, error) {
	body, err := json.Marshal(&d.st)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...), nil
}

// UnmarshalBinary continues where MarshalBinary left off.
func (d *Detector) UnmarshalBinary(b []byte) error {
	if len(b) < 4 || int(binary.LittleEndian.Uint32(b)) != len(b)-4 {
		return fmt.Errorf("restore %s: %d bytes of state are not whole", d.series, len(b))
	}
	var st state
	if err := json.Unmarshal(b[4:], &st); err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("restore %s: state of version %d, want %d", d.series, st.Version, stateVersion)
	}
	d.st = st
	return nil
}
