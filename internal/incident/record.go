package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"faultline"
)

// record is an incident with what stands behind it. Exported fields are the
// snapshot.
type record struct {
	Incident faultline.Incident
	Events   map[string]*tracked // by event id
	// Stretch began when the state last became possible from a quieter one;
	// Openers are the kinds of instruments that spoke then, Best the highest
	// state since.
	Stretch time.Time
	Openers []string
	Best    faultline.State
	// Lingering are events that went on when recovering began: of a kind that
	// did not open the stretch. They hold back resolved, and are no relapse.
	Since     time.Time // recovering
	Lingering []string
	LastOut   time.Time
	Found     *faultline.Blame // the newest finding; the incident takes it with its next revision

	changed bool // in this step
}

// tracked is the newest revision of an event.
type tracked struct {
	Event   faultline.Event
	Ignored bool      // an operator closed it: later revisions do not open anything
	Known   time.Time // when it became part of the incident
	Heard   time.Time // newest reading of its series that could tell
}

func (rec *record) open() bool { return rec.Incident.State.Open() }

// sorted lists the events that count, by onset and id.
func (rec *record) sorted() []*tracked {
	var list []*tracked
	for _, id := range slices.Sorted(maps.Keys(rec.Events)) {
		if t := rec.Events[id]; t.Event.State != faultline.EventRetracted {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b *tracked) int { return a.Event.Onset.Compare(b.Event.Onset) })
	return list
}

// kind is the instrument behind an event.
func (t *tracked) kind() string { return kindOf(&t.Event) }

func kindOf(e *faultline.Event) string {
	if e.Kind == faultline.Unreachable {
		return Probes
	}
	return Reports
}

// end is when the event was over; zero while it lasts.
func (t *tracked) end() time.Time {
	if !t.Event.End.IsZero() {
		return t.Event.End
	}
	switch {
	case t.Event.State != faultline.EventOpen:
		return t.Event.At
	case t.Event.Recovered.IsZero():
		return time.Time{}
	}
	return cmp.Or(t.Event.Fell, t.Event.Recovered)
}

// active says whether the event shows the failure now.
func (t *tracked) active() bool {
	return t.Event.State == faultline.EventOpen && t.Event.Recovered.IsZero() && !t.Ignored
}

// step changes the state, with the rule and its causes.
func (rec *record) step(r *Room, to faultline.State, by, why string, because []string) {
	from := rec.Incident.State
	if len(rec.Incident.Changes) == 0 {
		from = ""
	}
	rec.Incident.State = to
	rec.Incident.Changes = append(rec.Incident.Changes, faultline.Change{At: r.now, From: from, To: to, By: by, Why: why, Because: because})
	if to == faultline.Possible || to == faultline.Confirmed {
		rec.Incident.Worst = worse(rec.Incident.Worst, to)
		rec.Best = worse(rec.Best, to)
	}
	r.change(rec, by)
}

// worse is the surer of possible and confirmed.
func worse(a, b faultline.State) faultline.State {
	if a == faultline.Confirmed {
		return a
	}
	return b
}

// copy gives a revision to the outside that later steps do not touch.
func (rec *record) copy() faultline.Incident {
	i := rec.Incident
	i.Changes = slices.Clone(i.Changes)
	i.Notes = slices.Clone(i.Notes)
	i.Flags = slices.Clone(i.Flags)
	return i
}
