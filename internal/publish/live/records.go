package live

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"faultline"
)

func (m *Model) event(e *faultline.Event) {
	s := m.known(e.Series.Service)
	if old, ok := s.events[e.ID]; ok && old.Revision > e.Revision {
		return
	}
	s.events[e.ID] = *e
	if len(s.events) > m.limits.Events {
		oldest := slices.MinFunc(eventsOf(s), func(a, b faultline.Event) int { return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID)) })
		delete(s.events, oldest.ID)
		m.dropped++
	}
}

// eventsOf lists a service's events, newest onset first.
func eventsOf(s *service) []faultline.Event {
	out := make([]faultline.Event, 0, len(s.events))
	for _, e := range s.events {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b faultline.Event) int { return cmp.Or(b.Onset.Compare(a.Onset), cmp.Compare(a.ID, b.ID)) })
	return out
}

// incident appends a revision. A log that a View holds is never changed: it
// is replaced by a longer one.
func (m *Model) incident(x *faultline.Incident) {
	s := m.known(x.Service)
	log := m.incidents[x.ID]
	if log == nil {
		log = &Incident{}
		m.makeRoom()
	}
	at, found := slices.BinarySearchFunc(log.Revisions, x.Revision, func(i faultline.Incident, n int) int { return cmp.Compare(i.Revision, n) })
	if found {
		return // revisions are immutable
	}
	revisions := slices.Insert(slices.Clone(log.Revisions), at, *x)
	if len(revisions) > m.limits.Revisions {
		revisions = slices.Delete(revisions, 1, 2)
		m.dropped++
	}
	m.incidents[x.ID] = &Incident{Revisions: revisions}
	s.incidents[x.ID] = true
}

// makeRoom lets the oldest incident go that is not open.
func (m *Model) makeRoom() {
	if len(m.incidents) < m.limits.Incidents {
		return
	}
	var oldest *faultline.Incident
	for _, log := range m.incidents {
		i := log.Now()
		if i.State.Open() {
			continue
		}
		if oldest == nil || i.Onset.Before(oldest.Onset) || (i.Onset.Equal(oldest.Onset) && i.ID < oldest.ID) {
			oldest = i
		}
	}
	if oldest == nil {
		return
	}
	delete(m.incidents, oldest.ID)
	if s := m.services[oldest.Service]; s != nil {
		delete(s.incidents, oldest.ID)
		s.made = nil
	}
	m.dropped++
}

func (m *Model) command(c Command) {
	if slices.ContainsFunc(m.commands, func(o Command) bool { return o.ID == c.ID && c.ID != "" }) {
		return
	}
	m.commands = slices.Insert(slices.Clone(m.commands), 0, c)
	slices.SortStableFunc(m.commands, func(a, b Command) int { return b.At.Compare(a.At) })
	m.commands = m.commands[:min(len(m.commands), m.limits.Commands)]
}

// Past is what a start takes from the store, oldest first in each list.
type Past struct {
	Samples  []faultline.Sample  // the last 24 hours, world and countries and vantages
	Cells    []faultline.Cell    // the last hour
	Readings []faultline.Reading // the last 24 hours
	Records  []faultline.Record  // all revisions of incidents, events, commands
	Statuses []faultline.Status
}

// Load fills the model from what the store remembers. A record that cannot be
// read is an error that names it; everything before it is in.
func (m *Model) Load(p Past) error {
	d := Delta{Samples: p.Samples, Cells: p.Cells, Readings: p.Readings, Statuses: p.Statuses}
	for i := range d.Samples {
		if e := d.Samples[i].End(); d.Samples[i].Series.Metric == faultline.MetricReports && e.After(d.At) {
			d.At = e
		}
	}
	for _, r := range p.Records {
		if err := d.Record(r); err != nil {
			return err
		}
	}
	m.Apply(d)
	return nil
}

// Record adds a control record to the delta.
func (d *Delta) Record(r faultline.Record) error {
	var err error
	switch r.Kind {
	case faultline.RecordIncident:
		d.Incidents, err = decoded(d.Incidents, r)
	case faultline.RecordEvent:
		d.Events, err = decoded(d.Events, r)
	case faultline.RecordCommand:
		var body struct {
			faultline.Command
			Refused string `json:"refused"`
		}
		if err = json.Unmarshal(r.Body, &body); err == nil {
			d.Commands = append(d.Commands, Command{At: r.At, ID: r.ID, Command: body.Command, Refused: body.Refused})
		}
	}
	if err != nil {
		return fmt.Errorf("control record %s %s revision %d: %w", r.Kind, r.ID, r.Revision, err)
	}
	return nil
}

func decoded[T any](to []T, r faultline.Record) ([]T, error) {
	var x T
	if err := json.Unmarshal(r.Body, &x); err != nil {
		return to, err
	}
	return append(to, x), nil
}
