package incident

import (
	"fmt"
	"time"

	"faultline"
)

// Reasons why a command is not carried out.
const (
	UnknownIncident  = "unknown_incident"
	UnknownService   = "unknown_service"
	UnknownAction    = "unknown_action"
	NotOpen          = "not_open"
	AlreadyRetracted = "already_retracted"
	AlreadyMerged    = "already_merged"
	MergeItself      = "merge_itself"
	MergeElsewhere   = "merge_other_service"
	NoText           = "no_text"
)

// Refusals lists all reasons of Output.Refused, for counters.
func Refusals() []string {
	return []string{UnknownIncident, UnknownService, UnknownAction, NotOpen, AlreadyRetracted, AlreadyMerged, MergeItself, MergeElsewhere, NoText}
}

// command does what an operator decided, or says why not.
func (r *Room) command(c *faultline.Command, at faultline.Position) string {
	if c.Action == faultline.NewNormal {
		return r.newNormal(c, at)
	}
	rec := r.incidents[c.Incident]
	if rec == nil {
		return UnknownIncident
	}
	r.service(rec.Incident.Service).touched = true
	by, because := operator(c), []string{at.String()}
	switch c.Action {
	case faultline.Close:
		return r.closeIncident(rec, by, c.Text, because)
	case faultline.Retract:
		return r.retractIncident(rec, by, c.Text, because)
	case faultline.Annotate:
		return r.annotate(rec, by, c.Text)
	case faultline.Merge:
		return r.mergeIncident(rec, by, c, because)
	}
	return UnknownAction
}

func operator(c *faultline.Command) string {
	if c.Operator == "" {
		return "operator"
	}
	return c.Operator
}

func (r *Room) closeIncident(rec *record, by, text string, because []string) string {
	if !rec.open() {
		return NotOpen
	}
	rec.ignore(func(*tracked) bool { return true })
	rec.resolve(r, by, said("closed by the operator", text), because)
	return ""
}

// ignore makes later revisions of these events change nothing.
func (rec *record) ignore(which func(*tracked) bool) {
	for _, t := range rec.Events {
		t.Ignored = t.Ignored || which(t)
	}
}

func (r *Room) retractIncident(rec *record, by, text string, because []string) string {
	if rec.Incident.State == faultline.Retracted {
		return AlreadyRetracted
	}
	if text == "" {
		return NoText // a retraction stays visible, with its reason
	}
	rec.numbers(r)
	rec.ignore(func(*tracked) bool { return true })
	rec.retract(r, by, text, because)
	return ""
}

func (r *Room) annotate(rec *record, by, text string) string {
	if text == "" {
		return NoText
	}
	rec.Incident.Notes = append(rec.Incident.Notes, faultline.Note{At: r.now, By: by, Text: text})
	r.change(rec, by)
	return ""
}

// mergeIncident gives one incident's events to another of the same service.
func (r *Room) mergeIncident(rec *record, by string, c *faultline.Command, because []string) string {
	into := r.incidents[c.Into]
	if reason := mergeable(rec, into); reason != "" {
		return reason
	}
	s, wasOpen := r.service(rec.Incident.Service), rec.open()
	rec.numbers(r)
	for id, t := range rec.Events {
		own := *t
		into.Events[id] = &own
		r.events[id] = into.Incident.ID
	}
	state := into.Incident.State
	if wasOpen {
		state = rec.Incident.State
		into.Stretch, into.Openers, into.Best = rec.Stretch, rec.Openers, rec.Best
		into.Since, into.Lingering = rec.Since, rec.Lingering
		into.Incident.Resolved = time.Time{}
	}
	if s.Current == rec.Incident.ID {
		s.Current = into.Incident.ID
	}
	into.Incident.OneVantage = into.Incident.OneVantage || rec.Incident.OneVantage
	into.Incident.Worst = worse(into.Incident.Worst, rec.Incident.Worst)
	into.step(r, state, by, said(rec.Incident.ID+" is part of this", c.Text), because)
	rec.Incident.MergedInto = into.Incident.ID
	rec.ignore(func(*tracked) bool { return true })
	rec.stopsAt(r.now)
	rec.resolve(r, by, said("part of "+into.Incident.ID, c.Text), because)
	return ""
}

// stopsAt ends what is still going on in a record whose story continues
// elsewhere.
func (rec *record) stopsAt(at time.Time) {
	if rec.Incident.End.IsZero() {
		rec.Incident.End = at
	}
	for i := range rec.Incident.Episodes {
		if e := &rec.Incident.Episodes[i]; e.End.IsZero() {
			e.End = at
		}
	}
}

func mergeable(rec, into *record) string {
	switch {
	case into == nil:
		return UnknownIncident
	case rec == into:
		return MergeItself
	case rec.Incident.Service != into.Incident.Service:
		return MergeElsewhere
	case rec.Incident.MergedInto != "" || into.Incident.MergedInto != "":
		return AlreadyMerged
	case rec.Incident.State == faultline.Retracted || into.Incident.State == faultline.Retracted:
		return AlreadyRetracted
	case into.open() && rec.open():
		return NotOpen
	}
	return ""
}

// newNormal closes what is open on a service's reports. Checks that fail are
// not a matter of what is usual: they keep an incident open.
func (r *Room) newNormal(c *faultline.Command, at faultline.Position) string {
	s := r.services[c.Service]
	if s == nil {
		return UnknownService
	}
	s.touched = true
	clear(s.Odd)
	clear(s.Weak)
	rec := r.current(s)
	if rec == nil || !rec.open() {
		return ""
	}
	rec.ignore(func(t *tracked) bool { return t.kind() == Reports })
	for _, t := range rec.Events {
		if t.active() {
			r.change(rec, operator(c))
			return ""
		}
	}
	rec.resolve(r, operator(c), said("the operator accepts the present number of reports as usual", c.Text), []string{at.String()})
	return ""
}

func said(what, text string) string {
	if text == "" {
		return what
	}
	return fmt.Sprintf("%s: %s", what, text)
}
