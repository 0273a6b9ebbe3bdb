package live

import (
	"time"

	"faultline"
)

// View is the state of everything at one moment. It is never changed after it
// was made, and may be read by any number of goroutines.
type View struct {
	At        time.Time // data time
	Version   uint64    // grows with each change
	Services  []*Service
	Incidents []*Incident // newest onset first
	Commands  []Command   // newest first
	Quality   faultline.Quality
	Full      bool // there were more incidents than the model holds

	service  map[faultline.ServiceID]*Service
	incident map[string]*Incident
}

// Service gives the service with the id, or nil.
func (v *View) Service(id faultline.ServiceID) *Service { return v.service[id] }

// Incident gives the incident with the id, or nil.
func (v *View) Incident(id string) *Incident { return v.incident[id] }

// Service is what is known of one service.
type Service struct {
	faultline.Service
	Status    faultline.Status
	World     Line
	Countries []Line // most reports in 24 hours first
	Reach     []Reach
	Vantages  []Vantage
	Mix       Mix
	Events    []faultline.Event // latest revisions, newest first
	Incidents []*Incident       // newest onset first
	Origin    faultline.Origin
}

// Open is the incident that is going on, or nil.
func (s *Service) Open() *Incident {
	for _, i := range s.Incidents {
		if i.Now().State.Open() && i.Now().MergedInto == "" {
			return i
		}
	}
	return nil
}

// Silent says whether nothing at all is known of the service yet.
func (s *Service) Silent() bool {
	return s.Status.State == "" && s.World.Last.IsZero() && len(s.Vantages) == 0
}

// Country gives the line of a country, or nil.
func (s *Service) Country(c faultline.Country) *Line {
	for i := range s.Countries {
		if s.Countries[i].Country == c {
			return &s.Countries[i]
		}
	}
	return nil
}

// Line is a series of reports over the last 24 hours.
type Line struct {
	Country faultline.Country // empty: the world
	Bins    []Bin             // oldest first; empty when nothing was ever seen
	Last    time.Time         // end of the newest closed minute
	Reading faultline.Reading // the newest; its At is zero when there is none
}

// Now is the newest bin, or a bin that is not known.
func (l *Line) Now() Bin {
	if len(l.Bins) == 0 {
		return Bin{}
	}
	return l.Bins[len(l.Bins)-1]
}

// Sum is the number of effective reports in the newest n bins that are known.
func (l *Line) Sum(n int) (sum float64) {
	for _, b := range l.Bins[max(0, len(l.Bins)-n):] {
		if b.Known() {
			sum += b.Value
		}
	}
	return sum
}

// Incident is an incident with all its revisions.
type Incident struct {
	Revisions []faultline.Incident // oldest first, never empty
}

// Now is the newest revision.
func (i *Incident) Now() *faultline.Incident { return &i.Revisions[len(i.Revisions)-1] }

// Revision gives the revision with the number, or nil.
func (i *Incident) Revision(n int) *faultline.Incident {
	for k := range i.Revisions {
		if i.Revisions[k].Revision == n {
			return &i.Revisions[k]
		}
	}
	return nil
}

// Command is an operator's action, as the audit log shows it.
type Command struct {
	At      time.Time
	ID      string // the command's place in the journal
	Refused string // why it was not carried out; empty: it was
	faultline.Command
}
