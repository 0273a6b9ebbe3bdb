package incident

import (
	"math"
	"slices"
	"time"

	"faultline"
)

// event takes one revision of an event to the incident that it belongs to. How
// the event was found stays with its own record.
func (r *Room) event(found *faultline.Event) {
	bare := *found
	bare.Working = nil
	e := &bare
	s := r.service(e.Series.Service)
	s.touched, s.Origin = true, e.Origin
	if e.Kind == faultline.Drop {
		s.sometimes(e)
		return // fewer reports than usual is no failure
	}
	if id, known := r.events[e.ID]; known {
		r.revise(s, r.incidents[id], e)
		return
	}
	if e.State == faultline.EventRetracted {
		delete(s.Weak, e.ID)
		return
	}
	if !r.counts(e) {
		if !e.Series.Level.What() {
			s.weaken(e)
		}
		return
	}
	delete(s.Weak, e.ID)
	r.attach(s, e)
}

// weaken keeps an open event that does not count, so that the page can list it.
func (s *service) weaken(e *faultline.Event) {
	if e.State == faultline.EventOpen {
		s.Weak[e.ID] = *e
	} else {
		delete(s.Weak, e.ID)
	}
}

// sometimes keeps an open event of checks that fail now and then. It makes the service
// odd, and never an incident: one vantage point whose every third check fails cannot
// tell a service that limps from its own bad line.
func (s *service) sometimes(e *faultline.Event) {
	if e.Series.Metric != faultline.MetricReach {
		return
	}
	if e.State == faultline.EventOpen && e.Recovered.IsZero() {
		s.Sometimes[e.Series.String()] = *e
	} else {
		delete(s.Sometimes, e.Series.String())
	}
}

// counts is the threshold of "possible".
func (r *Room) counts(e *faultline.Event) bool {
	c := &r.cfg
	switch {
	case e.Kind == faultline.Unreachable:
		return e.Failed >= c.FailedChecks
	case e.Networks < c.PossibleNetworks:
		return false
	case e.Young:
		return e.Reporters >= c.YoungReporters
	}
	return e.LogP >= c.PossibleLogP+shared(e.Series.Level)+r.crowd() && e.Reporters >= c.PossibleReporters
}

// fewServices are so many that, at p = 1e-6 and 2,016 independent looks a week,
// one of them is possible by chance once a week.
const fewServices = 500

// crowd is by how much more surprising a surge must be where many services are
// watched, as −log10 p: so that by chance one is possible in a week, and not one
// for every 500 services (Bonferroni again).
func (r *Room) crowd() float64 {
	n := 0
	for _, s := range r.order {
		if !s.World.At.IsZero() && r.now.Sub(s.World.At) < 24*time.Hour {
			n++
		}
	}
	return math.Log10(max(1, float64(n)/fewServices))
}

// shared is by how much more surprising a narrower surge must be to begin an
// incident, as −log10 p: about ten countries and a hundred networks of a service
// share the error that its world-wide series may make alone (Bonferroni, with
// weights by level). The nine series of symptoms and surfaces must be as rare as a
// network's: what they count is small, and the whole is heard beside them.
func shared(level faultline.Level) float64 {
	switch level {
	case faultline.InCountry:
		return 1
	case faultline.InASN, faultline.BySymptom, faultline.BySurface:
		return 2
	}
	return 0
}

// attach makes the event part of the service's incident: the open one, the one
// that ended a short time ago, or a new one.
func (r *Room) attach(s *service, e *faultline.Event) {
	rec := r.current(s)
	switch {
	case rec != nil && rec.open():
		r.add(rec, e)
	case rec != nil && r.continues(rec, e):
		r.add(rec, e)
		if e.State == faultline.EventOpen {
			r.reopen(rec, rec.Events[e.ID])
		}
	default:
		r.open(s, e)
	}
}

func (r *Room) add(rec *record, e *faultline.Event) {
	rec.Events[e.ID] = &tracked{Event: *e, Known: r.now, Heard: e.At}
	r.events[e.ID] = rec.Incident.ID
}

// continues says whether the event belongs to an incident that is over.
func (r *Room) continues(rec *record, e *faultline.Event) bool {
	return rec.Incident.State == faultline.Resolved && e.Onset.Sub(rec.Incident.End) <= r.cfg.Reopen
}

// open makes a new incident.
func (r *Room) open(s *service, e *faultline.Event) {
	rec := &record{Events: map[string]*tracked{}, Stretch: r.now, Openers: []string{kindOf(e)}}
	rec.Incident = faultline.Incident{
		ID: s.newID(e.Onset), By: By, Service: s.ID, Opened: r.now, Onset: e.Onset, Origin: e.Origin,
	}
	s.Current = rec.Incident.ID
	r.incidents[s.Current] = rec
	r.add(rec, e)
	rec.step(r, faultline.Possible, By, r.sign(e), []string{e.ID})
}

// reopen begins another stretch of an incident.
func (r *Room) reopen(rec *record, t *tracked) {
	why := r.sign(&t.Event)
	// A shorter gap is the tail of the last part, whose end is not settled yet.
	if gap := t.Event.Onset.Sub(rec.Incident.End); !rec.Incident.End.IsZero() && gap >= r.cfg.RecoverReports {
		why += "; " + inWords(gap) + " after the last disruption ended"
	}
	rec.Stretch, rec.Openers, rec.Best = r.now, []string{t.kind()}, ""
	rec.Since, rec.Lingering = time.Time{}, nil
	rec.Incident.Resolved = time.Time{}
	rec.step(r, faultline.Possible, By, why, []string{t.Event.ID})
}

// revise takes a later revision of an event that is part of an incident.
func (r *Room) revise(s *service, rec *record, e *faultline.Event) {
	t := rec.Events[e.ID]
	if e.Revision < t.Event.Revision {
		return
	}
	wasActive := t.active()
	t.Event = *e
	t.Heard = latest(t.Heard, e.At)
	if rec.Incident.State == faultline.Retracted || rec.Incident.MergedInto != "" {
		return
	}
	again := !wasActive && t.active() && !r.covered(rec, t)
	if again && rec.Incident.State == faultline.Resolved && s.Current == rec.Incident.ID && r.continues(rec, e) {
		r.reopen(rec, t)
	}
	if s.Current != rec.Incident.ID {
		r.grow(rec)
	}
}

// speaking lists the kinds of instruments that show the failure now.
func (rec *record) speaking() []string {
	var kinds []string
	for _, t := range rec.sorted() {
		if t.active() && !slices.Contains(kinds, t.kind()) {
			kinds = append(kinds, t.kind())
		}
	}
	slices.Sort(kinds)
	return kinds
}
