package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"faultline"
)

// snapshotVersion changes with the meaning of the fields below.
const snapshotVersion = 1

// state is the snapshot. JSON sorts the keys of maps, and writes times and
// floats so that they are read back as they were.
type state struct {
	Version   int
	Now       time.Time
	Services  []*service
	Incidents map[string]*record
}

// MarshalBinary writes the whole state. The same state gives the same bytes.
// Config is not part of it.
func (r *Room) MarshalBinary() ([]byte, error) {
	b, err := json.Marshal(state{snapshotVersion, r.now, r.order, r.incidents})
	if err != nil {
		return nil, fmt.Errorf("incident snapshot: %w", err)
	}
	return b, nil
}

// UnmarshalBinary replaces the state by that of a snapshot and adds the
// services of the configuration. After an error the room is as before.
func (r *Room) UnmarshalBinary(b []byte) error {
	var st state
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&st); err != nil {
		return fmt.Errorf("incident snapshot is damaged: %w; delete it, the journal rebuilds it", err)
	}
	if st.Version != snapshotVersion {
		return fmt.Errorf("incident snapshot has version %d, this program reads %d: delete it, the journal rebuilds it", st.Version, snapshotVersion)
	}
	fresh := New(Config{})
	if err := fresh.restore(&st); err != nil {
		return err
	}
	fresh.cfg, fresh.topology = r.cfg, r.topology
	*r = *fresh
	r.Watch(r.cfg.Services...)
	return nil
}

// Statuses gives the newest status of each service that has one, in the order of
// their ids: for a reader who comes after a snapshot was restored, since Step
// tells changes only.
func (r *Room) Statuses() (out []faultline.Status) {
	for _, s := range r.order {
		if st := s.Status; st.State != "" {
			st.Awake = slices.Clone(st.Awake)
			out = append(out, st)
		}
	}
	return out
}

// restore rebuilds the indexes and checks what they rely on.
func (r *Room) restore(st *state) error {
	r.now = st.Now
	for id, rec := range st.Incidents {
		if rec == nil || rec.Incident.ID != id || rec.Events == nil {
			return fmt.Errorf("incident snapshot is damaged: incident %q is not whole; delete it, the journal rebuilds it", id)
		}
		for event, t := range rec.Events {
			if t == nil {
				return fmt.Errorf("incident snapshot is damaged: event %q is not whole; delete it, the journal rebuilds it", event)
			}
			if rec.Incident.MergedInto == "" {
				r.events[event] = id
			}
		}
		r.incidents[id] = rec
	}
	for _, s := range st.Services {
		if s == nil {
			return fmt.Errorf("incident snapshot is damaged: a service is missing; delete it, the journal rebuilds it")
		}
		r.adopt(s)
	}
	return nil
}

// adopt takes a service from a snapshot, with the maps that JSON left out.
func (r *Room) adopt(from *service) {
	s := r.service(from.ID)
	empty := newService(from.ID)
	*s = *from
	if s.Weak == nil {
		s.Weak = empty.Weak
	}
	if s.Days == nil {
		s.Days = empty.Days
	}
	if s.Odd == nil {
		s.Odd = empty.Odd
	}
	if s.Sometimes == nil {
		s.Sometimes = empty.Sometimes
	}
	if s.Views == nil {
		s.Views = map[string]*view{}
	}
	for key, v := range s.Views {
		if v == nil {
			delete(s.Views, key)
		}
	}
}
