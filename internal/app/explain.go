package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"faultline"
	"faultline/internal/intake/scenario"
	"faultline/internal/publish/web"
	"faultline/internal/settings"
	"faultline/internal/store"
	"faultline/scenarios"
)

// Explanation is the whole working behind an incident or an event: the records
// as they are kept, not as they are published.
type Explanation struct {
	ID       string              `json:"id"`
	Notice   string              `json:"notice,omitempty"` // of a recorded day
	Rules    []string            `json:"rules,omitempty"`  // of an incident's states, in effect now
	Incident *faultline.Incident `json:"incident,omitempty"`
	Events   []Explained         `json:"events"` // an incident's in the order in which they joined it
}

// Explained is a revision of an event. Opening is the working with which it was
// opened, where the evidence grew afterwards.
type Explained struct {
	faultline.Event
	Opening *faultline.Working `json:"opening,omitempty"`
}

// UnknownIDError says that nothing has the id, and what is like it.
type UnknownIDError struct{ ID, Near string }

func (e *UnknownIDError) Error() string {
	s := fmt.Sprintf("nothing has the id %q", e.ID)
	if e.Near != "" {
		s += fmt.Sprintf(" (did you mean %q?)", e.Near)
	}
	return s + ". The ids of incidents are listed by faultline export --kind incidents, those of events by faultline export --kind events; of a recorded day, ask with --scenario"
}

// casebook gives all revisions of what has an id, oldest first, and lists ids.
type casebook interface {
	incident(id string) ([]faultline.Incident, error)
	event(id string) ([]faultline.Event, error)
	ids() ([]string, error)
}

// explain gathers what stands behind an id: an incident's ("x-2025-03-10"), a
// revision's of it ("x-2025-03-10@7") or an event's.
func explain(b casebook, id string, rules web.Rules) (Explanation, error) {
	bare, number, pinned := strings.Cut(id, "@")
	n, err := strconv.Atoi(number)
	if pinned && err != nil {
		return Explanation{}, unknown(b, id)
	}
	incidents, err := b.incident(bare)
	if err != nil {
		return Explanation{}, err
	}
	if i := revisionOf(incidents, n, func(i *faultline.Incident) int { return i.Revision }); i != nil {
		out := Explanation{ID: id, Rules: web.StateRules(rules), Incident: i}
		out.Events, err = behind(b, i, pinned)
		return out, err
	}
	events, err := b.event(bare)
	if err != nil {
		return Explanation{}, err
	}
	if e := revisionOf(events, n, func(e *faultline.Event) int { return e.Revision }); e != nil {
		return Explanation{ID: id, Events: []Explained{explained(events, e)}}, nil
	}
	return Explanation{}, unknown(b, id)
}

// revisionOf gives the revision with the number, of 0 the newest, or nil.
func revisionOf[T any](revisions []T, n int, number func(*T) int) *T {
	for k := len(revisions) - 1; k >= 0; k-- {
		if r := &revisions[k]; n == 0 || number(r) == n {
			return r
		}
	}
	return nil
}

// behind are the events of an incident; for an old revision as they were then.
func behind(b casebook, i *faultline.Incident, pinned bool) ([]Explained, error) {
	out := []Explained{}
	for _, id := range i.Events {
		events, err := b.event(id)
		if err != nil {
			return nil, err
		}
		if pinned {
			events = slices.DeleteFunc(events, func(e faultline.Event) bool { return e.At.After(i.At) })
		}
		if len(events) > 0 {
			out = append(out, explained(events, &events[len(events)-1]))
		}
	}
	return out, nil
}

func explained(revisions []faultline.Event, e *faultline.Event) Explained {
	x := Explained{Event: *e}
	if first := revisions[0].Working; first != nil && e.Working != nil && !first.At.Equal(e.Working.At) && first.Rule != faultline.FailedRule {
		x.Opening = first
	}
	return x
}

func unknown(b casebook, id string) error {
	all, err := b.ids()
	if err != nil {
		return err
	}
	near := settings.Nearest(id, all)
	if k := slices.IndexFunc(all, func(other string) bool { return strings.HasPrefix(other, id) }); near == "" && id != "" && k >= 0 {
		near = all[k]
	}
	return &UnknownIDError{id, near}
}

// storedCases are the control records of a store.
type storedCases struct {
	ctx   context.Context //nolint:containedctx // lives for one question
	store store.Reader
}

func (s storedCases) incident(id string) ([]faultline.Incident, error) {
	return recordsOf[faultline.Incident](s, faultline.RecordIncident, id)
}

func (s storedCases) event(id string) ([]faultline.Event, error) {
	return recordsOf[faultline.Event](s, faultline.RecordEvent, id)
}

func recordsOf[T any](s storedCases, kind faultline.RecordKind, id string) (out []T, err error) {
	records, err := s.store.Records(s.ctx, store.RecordFilter{Kind: kind, ID: id})
	if err != nil {
		return nil, err
	}
	for i := range records {
		var v T
		if err := json.Unmarshal(records[i].Body, &v); err != nil {
			return nil, fmt.Errorf("record %s: %w", id, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func (s storedCases) ids() (out []string, err error) {
	for _, kind := range []faultline.RecordKind{faultline.RecordIncident, faultline.RecordEvent} {
		records, err := s.store.Records(s.ctx, store.RecordFilter{Kind: kind, Latest: true})
		if err != nil {
			return nil, err
		}
		for i := range records {
			out = append(out, records[i].ID)
		}
	}
	return out, nil
}

// explain serves GET /console/explain to those who may read the data folder.
func (e *exporter) explain(rules web.Rules) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !e.allowed(r) {
			e.refuse(w, http.StatusUnauthorized, "unauthorized", "an explanation needs the token of the console, or to run on the same data folder; the page of an incident says how we know without one")
			return
		}
		x, err := explain(storedCases{r.Context(), e.store}, r.URL.Query().Get("id"), rules)
		if no := (*UnknownIDError)(nil); errors.As(err, &no) {
			e.refuse(w, http.StatusNotFound, "unknown_id", no.Error())
			return
		}
		if err != nil {
			e.refuse(w, http.StatusInternalServerError, "store", "the store cannot be read: "+err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		//nolint:errcheck,errchkjson // the client went away
		json.NewEncoder(w).Encode(x)
	}
}

// playedCases are what the rooms made of a recorded day.
type playedCases struct {
	incidents map[string][]faultline.Incident
	events    map[string][]faultline.Event
	order     []string
}

func (p *playedCases) incident(id string) ([]faultline.Incident, error) { return p.incidents[id], nil }
func (p *playedCases) event(id string) ([]faultline.Event, error)       { return p.events[id], nil }
func (p *playedCases) ids() ([]string, error)                           { return p.order, nil }

func (p *playedCases) take(out *Output) {
	for _, i := range out.Incidents {
		if p.incidents[i.ID] == nil {
			p.order = append(p.order, i.ID)
		}
		p.incidents[i.ID] = append(p.incidents[i.ID], i)
	}
	for _, e := range out.Events {
		if p.events[e.ID] == nil {
			p.order = append(p.order, e.ID)
		}
		p.events[e.ID] = append(p.events[e.ID], e)
	}
}

// ExplainScenario plays a recorded day and explains something that came out of
// it, from the day on as Replay does.
func ExplainScenario(ctx context.Context, name string, c Config, id string) (Explanation, error) {
	s, err := scenario.Find(name, scenarios.Files)
	if err != nil {
		return Explanation{}, err
	}
	chain := ChainConfigOf(c)
	chain.Series.Services, chain.Incident.Services, chain.Incident.Catalogue = ids(s.Services), ids(s.Services), s.Services
	rooms := NewChain(chain)
	played := &playedCases{incidents: map[string][]faultline.Incident{}, events: map[string][]faultline.Event{}}
	for o := range s.All() {
		if err := ctx.Err(); err != nil {
			return Explanation{}, err
		}
		if out := rooms.Step(o); !out.At.Before(s.Day) {
			played.take(&out)
		}
	}
	x, err := explain(played, id, methodRules(c))
	x.Notice = s.Notice
	return x, err
}
