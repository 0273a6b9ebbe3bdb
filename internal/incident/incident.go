// Package incident turns what detectors saw into incidents: a service failing,
// from the first sign to the last, with how sure we are, for whom, and why we
// say so.
//
// In: the Readings and Events of one step of the chain, its Samples of "works for
// me" and of what people say, and the operator's Commands. Out: new revisions of Incidents, and the Status of each service
// when it changed. A change of state always makes a revision at once; growing
// numbers make one at most every [Config.Growth] of data time. Each change of
// state carries its rule in words and the ids of what caused it, so that the
// verdict can be explained from the record alone.
//
// Two kinds of instruments speak: "reports" (surges of problem reports) and
// "probes" (checks that fail). Reports alone, however many, stay possible: they
// are what a crowd says, and a crowd can be made. What confirms is agreement
// of the kinds, a quorum of vantage points, or, if the operator said so, one
// healthy vantage. Checks that fail now and then, never two in a row, make a
// service odd and no incident. When nothing that can tell is awake the status is
// cannot_tell: that opens no incident, ends none, and is never fine.
//
// The room is a pure function of its inputs, driven by the times in them. It
// does not detect, look up causes or notify. It refuses commands that make no
// sense, with a reason of [Refusals], and never fails.
package incident

import (
	"cmp"
	"slices"
	"time"

	"faultline"
	"faultline/internal/incident/blame"
)

// By is the rule set's name and version, as records carry it.
const By = "incident/1"

// Kinds of instruments.
const (
	Reports = "reports"
	Probes  = "probes"
)

// Config holds the rules' numbers; a zero field takes its default.
type Config struct {
	// Services that have a status before anything was heard of them.
	Services []faultline.ServiceID
	// Catalogue is what is known of services: who carries whom, and who runs which
	// networks. It says what services have in common that surge together.
	Catalogue []faultline.Service

	// A surge of reports counts from these on: −log10 of its calibrated tail
	// probability, effective reporters, networks. Defaults 6, 5, 3.
	PossibleLogP      float64
	PossibleReporters int
	PossibleNetworks  int
	// YoungReporters replaces the first two while the baseline is younger than
	// the detector trusts (3 days). Default 20.
	YoungReporters int
	// Odd is listed from these on, without an incident. Defaults 4 and 5.
	OddLogP      float64
	OddReporters int

	// FailedChecks in a row, each with its second attempt, make one vantage's
	// failure count. Default 2.
	FailedChecks int
	// ConfirmWithOneVantage lets OneVantageChecks failed checks in a row of one
	// healthy vantage confirm: for those who watch only their own services.
	// Defaults false and 3.
	ConfirmWithOneVantage bool
	OneVantageChecks      int
	// A quorum: failing vantages, their ASNs, the share of healthy groups
	// (country and ASN) that fail at the same step, each within QuorumIntervals
	// check intervals. Defaults 3, 2, 0.5, 2.
	QuorumVantages  int
	QuorumASNs      int
	QuorumShare     float64
	QuorumIntervals int
	// Agree is how far apart signs of two kinds may be. Default 15 min.
	Agree time.Duration

	// RecoverReports and RecoverChecks are how long reports, and how many
	// checks in a row, must be as usual to be recovering. Defaults 10 min, 3.
	RecoverReports time.Duration
	RecoverChecks  int
	// Resolve is how long recovering lasts. Default 30 min.
	Resolve time.Duration
	// Reopen is how long after its end a new sign continues an incident. Default 6 h.
	Reopen time.Duration
	// Merge joins waves whose gap is shorter. Default 30 min.
	Merge time.Duration
	// Unheard ends an incident that nobody could measure for so long, with
	// those words. Default 24 h.
	Unheard time.Duration
	// GlobalShare of one country's reports above usual is where an incident
	// stops to be global. Default 0.8.
	GlobalShare float64

	Growth       time.Duration // between revisions for numbers only; default 5 min
	Fresh        time.Duration // age at which a reading of reports is too old; default 5 min
	MaxIncidents int           // kept for commands and late revisions; default 5,000
}

func (c Config) withDefaults() Config {
	def(&c.PossibleLogP, 6)
	def(&c.PossibleReporters, 5)
	def(&c.PossibleNetworks, 3)
	def(&c.YoungReporters, 20)
	def(&c.OddLogP, 4)
	def(&c.OddReporters, 5)
	def(&c.FailedChecks, 2)
	def(&c.OneVantageChecks, 3)
	def(&c.QuorumVantages, 3)
	def(&c.QuorumASNs, 2)
	def(&c.QuorumShare, 0.5)
	def(&c.QuorumIntervals, 2)
	def(&c.Agree, 15*time.Minute)
	def(&c.RecoverReports, 10*time.Minute)
	def(&c.RecoverChecks, 3)
	def(&c.Resolve, 30*time.Minute)
	def(&c.Reopen, 6*time.Hour)
	def(&c.Merge, 30*time.Minute)
	def(&c.Unheard, 24*time.Hour)
	def(&c.GlobalShare, 0.8)
	def(&c.Growth, 5*time.Minute)
	def(&c.Fresh, 5*time.Minute)
	def(&c.MaxIncidents, 5000)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Input is one step of the chain. At is data time: the newest heartbeat.
type Input struct {
	At        time.Time
	Samples   []faultline.Sample // of the world's reports, for "works for me", and of symptoms and surfaces; others are not looked at
	Readings  []faultline.Reading
	Events    []faultline.Event
	Command   *faultline.Command
	CommandAt faultline.Position
}

// Output is what followed.
type Output struct {
	Incidents []faultline.Incident
	Statuses  []faultline.Status
	Refused   string // why the command was not carried out; "" or one of Refusals
}

// Room holds the state. It is not safe for concurrent use.
type Room struct {
	cfg       Config
	now       time.Time
	services  map[faultline.ServiceID]*service
	order     []*service // sorted by id
	incidents map[string]*record
	events    map[string]string // event id → incident id
	changed   []*record         // in this step, in order
	topology  *blame.Topology
}

// New makes an empty room.
func New(cfg Config) *Room {
	r := &Room{
		cfg: cfg.withDefaults(), services: map[faultline.ServiceID]*service{},
		incidents: map[string]*record{}, events: map[string]string{},
	}
	r.Watch(cfg.Services...)
	r.Know(cfg.Catalogue)
	return r
}

// Watch gives these services a status from the next step on.
func (r *Room) Watch(ids ...faultline.ServiceID) {
	for _, id := range ids {
		r.service(id)
	}
}

// Step takes the next step of the chain.
func (r *Room) Step(in Input) Output {
	var out Output
	before := r.now
	moved := r.advance(&in)
	for i := range in.Samples {
		r.hearWorks(&in.Samples[i])
		r.hearWhat(&in.Samples[i])
	}
	for i := range in.Readings {
		r.read(&in.Readings[i])
	}
	for i := range in.Events {
		r.event(&in.Events[i])
	}
	if in.Command != nil {
		out.Refused = r.command(in.Command, in.CommandAt)
	}
	r.measure(before)
	for _, s := range r.order {
		if moved || s.touched {
			r.judge(s)
			r.setStatus(s, &out)
			s.touched = false
		}
	}
	if r.crossed(before, time.Minute) {
		r.collateral()
	}
	r.emit(&out)
	return out
}

// crossed says whether data time came past a whole multiple of d in this step.
func (r *Room) crossed(before time.Time, d time.Duration) bool {
	return r.now.Truncate(d).After(before.Truncate(d))
}

// advance moves data time; it never goes back. A drop is no sign and moves nothing:
// the bins of checks that it rests on end before those of reports are known.
func (r *Room) advance(in *Input) bool {
	before := r.now
	r.now = latest(r.now, in.At.UTC())
	for i := range in.Events {
		if in.Events[i].Kind != faultline.Drop {
			r.now = latest(r.now, in.Events[i].At.UTC())
		}
	}
	return r.now.After(before)
}

// emit writes the next revision of what changed, in the order of the changes.
func (r *Room) emit(out *Output) {
	for _, rec := range r.changed {
		rec.changed = false
		rec.Incident.Revision++
		rec.Incident.At, rec.LastOut = r.now, r.now
		rec.numbers(r)
		out.Incidents = append(out.Incidents, rec.copy())
	}
	r.changed = r.changed[:0]
	r.forget()
}

// change marks a record for a revision in this step.
func (r *Room) change(rec *record, by string) {
	rec.Incident.By = by
	if !rec.changed {
		rec.changed = true
		r.changed = append(r.changed, rec)
	}
}

// forget keeps the number of incidents bounded: the oldest that are over go.
func (r *Room) forget() {
	for len(r.incidents) > r.cfg.MaxIncidents {
		var oldest *record
		for _, rec := range r.incidents {
			if !rec.open() && (oldest == nil || older(rec, oldest)) {
				oldest = rec
			}
		}
		if oldest == nil {
			return
		}
		for id := range oldest.Events {
			if r.events[id] == oldest.Incident.ID {
				delete(r.events, id)
			}
		}
		delete(r.incidents, oldest.Incident.ID)
	}
}

func older(a, b *record) bool {
	if c := a.Incident.Opened.Compare(b.Incident.Opened); c != 0 {
		return c < 0
	}
	return a.Incident.ID < b.Incident.ID
}

// service finds or makes the state of a service.
func (r *Room) service(id faultline.ServiceID) *service {
	s := r.services[id]
	if s == nil {
		s = newService(id)
		r.services[id] = s
		i, _ := slices.BinarySearchFunc(r.order, id, func(s *service, id faultline.ServiceID) int { return cmp.Compare(s.ID, id) })
		r.order = slices.Insert(r.order, i, s)
	}
	return s
}

// current is the incident of a service that is open or ended last, or nil.
func (r *Room) current(s *service) *record { return r.incidents[s.Current] }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
