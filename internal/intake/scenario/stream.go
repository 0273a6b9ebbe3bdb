package scenario

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"faultline"
)

// Offsets of heartbeats in a minute. That of the reports comes first and after
// a series' watermark, so that a minute is whole when it is closed; those of
// vantages come when all attempts of the minute are over.
const (
	beatReports = 20 * time.Second
	beatProbes  = 50 * time.Second
)

// All gives every observation in the order of Received. Each is new; the
// caller may keep it.
func (s *Scenario) All() iter.Seq[*faultline.Observation] { return s.Between(s.From, s.To) }

// Between gives the observations of the minutes that begin in [from, to), the
// same with the same positions as in All.
func (s *Scenario) Between(from, to time.Time) iter.Seq[*faultline.Observation] {
	return func(yield func(*faultline.Observation) bool) {
		for m := max(s.minute(from), 0); m < s.minutes() && s.From.Add(time.Duration(m)*time.Minute).Before(to); m++ {
			obs := s.oneMinute(m)
			for i := range obs {
				if !yield(&obs[i]) {
					return
				}
			}
		}
	}
}

// draft is one minute in the making. Records of each kind are made in one
// piece of memory; order sorts them by the time at which they were received.
type draft struct {
	s        *Scenario
	m        int
	start    time.Time
	rng      *rand.PCG
	reports  []faultline.Report
	checks   []faultline.Measurement
	beats    []faultline.Heartbeat
	received []entry
}

// entry says when a record was received, of which kind it is and where it lies
// in the slice of its kind, packed so that numbers sort as records should:
// nanoseconds after the minute's start, then kind, then place.
type entry uint64

const (
	isReport entry = iota
	isCheck
	isBeat
)

func (d *draft) receive(at time.Duration, kind entry, i int) {
	d.received = append(d.received, entry(at)<<26|kind<<24|entry(i))
}

func (e entry) at() time.Duration { return time.Duration(e >> 26) }
func (e entry) kind() entry       { return e >> 24 & 3 }
func (e entry) place() int        { return int(e & (1<<24 - 1)) }

func (s *Scenario) oneMinute(m int) []faultline.Observation {
	d := &draft{s: s, m: m, start: s.From.Add(time.Duration(m) * time.Minute)}
	d.rng = rand.NewPCG(s.Seed, blend(named("reports"), uint64(m)))
	if s.plan.listening[m] {
		d.addReports()
	}
	d.rng = rand.NewPCG(s.Seed, blend(named("checks"), uint64(m)))
	d.addChecks()
	d.addBeats()
	return d.finish()
}

func (d *draft) addBeats() {
	for _, a := range d.s.tables.awake {
		at := beatProbes
		if a.collector == faultline.CollectorReports {
			at = beatReports
		}
		now := d.start.Add(at)
		if now.After(a.to) || !now.After(a.from) {
			continue
		}
		from := now.Add(-time.Minute)
		if from.Before(a.from) {
			from = a.from
		}
		d.receive(at, isBeat, len(d.beats))
		d.beats = append(d.beats, faultline.Heartbeat{Collector: a.collector, From: from})
	}
}

// finish sorts the minute and gives it its frame.
func (d *draft) finish() []faultline.Observation {
	slices.Sort(d.received)
	obs := make([]faultline.Observation, len(d.received))
	for i, e := range d.received {
		o := &obs[i]
		o.Position = faultline.Position{Frame: uint64(d.m) + 1, Index: uint16(i)}
		o.Received, o.Origin = d.start.Add(e.at()), d.s.Origin
		o.At = o.Received
		switch e.kind() {
		case isReport:
			o.Payload = &d.reports[e.place()]
		case isCheck:
			m := &d.checks[e.place()]
			o.Payload, o.At = m, m.Start
		default:
			o.Payload = &d.beats[e.place()]
		}
	}
	return obs
}
