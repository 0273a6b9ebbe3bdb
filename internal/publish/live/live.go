// Package live is the read model behind the pages: what the chain says about
// now, in memory.
//
// In: the chain's outputs (samples, cells, readings, events, incidents,
// statuses) as they come, the list of services, and control records. Out: a
// [View], which never changes and which any number of readers may hold.
//
// It promises that applying the same output twice changes nothing but the
// counts of cells (which add up), that a later revision wins, and that its
// memory is bounded whatever comes in: 24 hours a series, so many series a
// service and in all, so many incidents and revisions. What is let go is the
// oldest, or the series with the fewest reports, and it is counted. It keeps
// nothing on disk; [Model.Load] fills it at start. It judges nothing.
package live

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"faultline"
)

// Limits bound the model's memory. A series costs about 29 kB.
type Limits struct {
	Countries int // a service
	Series    int // all countries of all services together
	Vantages  int // targets × vantage points, a service
	Events    int // a service
	Incidents int // in all
	Revisions int // an incident; the first and the newest stay
	Commands  int
}

// DefaultLimits are enough for a few hundred services; 47 MB when full.
func DefaultLimits() Limits {
	return Limits{Countries: 40, Series: 1500, Vantages: 64, Events: 200, Incidents: 1000, Revisions: 500, Commands: 1000}
}

// Delta is what one step of the chain led to.
type Delta struct {
	At        time.Time // data time; the zero time changes no clock
	Samples   []faultline.Sample
	Cells     []faultline.Cell
	Readings  []faultline.Reading
	Events    []faultline.Event
	Incidents []faultline.Incident
	Statuses  []faultline.Status
	Commands  []Command
	Quality   *faultline.Quality // never changed after it was told
}

// Model is the read model. Its methods may be called from any goroutine.
type Model struct {
	mu        sync.Mutex
	limits    Limits
	at        time.Time
	version   uint64
	order     []faultline.ServiceID
	services  map[faultline.ServiceID]*service
	named     bool // there is a list of services
	series    int  // of countries
	incidents map[string]*Incident
	commands  []Command
	quality   *faultline.Quality
	dropped   uint64
	dirty     bool
	view      atomic.Pointer[View]
}

// service is the changing side of a Service.
type service struct {
	about     faultline.Service
	listed    bool
	status    faultline.Status
	world     *reports
	countries map[faultline.Country]*reports
	checks    map[faultline.Series]*checks
	mix       *mixRing
	events    map[string]faultline.Event
	incidents map[string]bool
	origin    faultline.Origin
	made      *Service // nil: must be made anew
	madeAt    time.Time
}

// New makes an empty model. Zero limits are replaced by the defaults.
func New(l Limits) *Model {
	if l == (Limits{}) {
		l = DefaultLimits()
	}
	m := &Model{limits: l, services: map[faultline.ServiceID]*service{}, incidents: map[string]*Incident{}}
	m.view.Store(&View{})
	return m
}

// SetServices replaces the list of services. What is known of one that is no
// longer listed is kept as long as it has an incident; otherwise what the chain
// still says of it is not heard.
func (m *Model) SetServices(list []faultline.Service) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.named = true
	for _, s := range m.services {
		s.listed = false
	}
	m.order = m.order[:0]
	for _, about := range list {
		s := m.service(about.ID)
		s.about, s.listed, s.made = about, true, nil
		m.order = append(m.order, about.ID)
	}
	m.forgetUnlisted()
	m.touched()
}

func (m *Model) forgetUnlisted() {
	for id, s := range m.services {
		switch {
		case s.listed:
		case len(s.incidents) == 0:
			m.series -= len(s.countries)
			delete(m.services, id)
		default:
			m.order = append(m.order, id)
		}
	}
	slices.Sort(m.order[len(m.order)-m.unlisted():])
}

func (m *Model) unlisted() (n int) {
	for _, s := range m.services {
		if !s.listed {
			n++
		}
	}
	return n
}

// service gives the state of a service, making it at its first mention.
func (m *Model) service(id faultline.ServiceID) *service {
	s := m.services[id]
	if s == nil {
		s = &service{
			about: faultline.Service{ID: id, Name: string(id)}, countries: map[faultline.Country]*reports{},
			checks: map[faultline.Series]*checks{}, events: map[string]faultline.Event{}, incidents: map[string]bool{},
		}
		m.services[id] = s
	}
	return s
}

// known is service for input: an unlisted one joins the end of the list.
func (m *Model) known(id faultline.ServiceID) *service {
	s := m.services[id]
	if s == nil {
		s = m.service(id)
		m.order = append(m.order, id)
	}
	s.made = nil
	return s
}

// gone says whether nobody wants to hear of a service: it was taken off the list.
func (m *Model) gone(id faultline.ServiceID) bool { return m.named && m.services[id] == nil }

func (m *Model) touched() { m.version++; m.dirty = true }

// Apply folds an output of the chain into the model.
func (m *Model) Apply(d Delta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.At.After(m.at) {
		m.at = d.At
		m.touched()
	}
	for i := range d.Incidents { // first: they keep a service that is not listed
		m.incident(&d.Incidents[i])
	}
	for i := range d.Samples {
		m.sample(&d.Samples[i])
	}
	for i := range d.Cells {
		if m.gone(d.Cells[i].Service) {
			continue
		}
		s := m.known(d.Cells[i].Service)
		if s.mix == nil {
			s.mix = &mixRing{}
		}
		s.mix.cell(&d.Cells[i])
	}
	for i := range d.Readings {
		m.reading(&d.Readings[i])
	}
	for i := range d.Events {
		if m.gone(d.Events[i].Series.Service) {
			continue
		}
		m.event(&d.Events[i])
	}
	for i := range d.Statuses {
		if m.gone(d.Statuses[i].Service) {
			continue
		}
		if s := m.known(d.Statuses[i].Service); !d.Statuses[i].At.Before(s.status.At) {
			s.status = d.Statuses[i]
			s.origin = cmp.Or(s.status.Origin, s.origin)
		}
	}
	for i := range d.Commands {
		m.command(d.Commands[i])
	}
	if d.Quality != nil && (m.quality == nil || !d.Quality.At.Before(m.quality.At)) {
		m.quality = d.Quality
		m.touched()
	}
	if len(d.Samples)+len(d.Cells)+len(d.Readings)+len(d.Events)+len(d.Incidents)+len(d.Statuses)+len(d.Commands) > 0 {
		m.touched()
	}
}

func (m *Model) sample(x *faultline.Sample) {
	if m.gone(x.Series.Service) {
		return
	}
	s := m.known(x.Series.Service)
	s.origin = cmp.Or(x.Origin, s.origin)
	if x.Series.Metric == faultline.MetricReach {
		m.check(s, x)
		return
	}
	if r := m.reportsOf(s, x.Series, x.Value); r != nil {
		r.sample(x)
	}
}

func (m *Model) reading(x *faultline.Reading) {
	if x.Series.Metric != faultline.MetricReports || m.gone(x.Series.Service) {
		return
	}
	if r := m.reportsOf(m.known(x.Series.Service), x.Series, 0); r != nil {
		r.reading(x)
	}
}

// reportsOf finds the ring of a world's or country's series; networks are not
// published and have none. A country's is made when somebody reports.
func (m *Model) reportsOf(s *service, of faultline.Series, value float64) *reports {
	switch of.Level {
	case faultline.World:
		if s.world == nil {
			s.world = &reports{}
		}
		return s.world
	case faultline.InCountry:
		r := s.countries[of.Country]
		if r == nil && value > 0 && m.room(s, value) {
			r = &reports{}
			s.countries[of.Country] = r
			m.series++
		}
		return r
	}
	return nil
}

// room makes place for one more country of s by letting the one with the
// fewest reports go, if that has fewer than what is to come.
func (m *Model) room(s *service, value float64) bool {
	if len(s.countries) < m.limits.Countries && m.series < m.limits.Series {
		return true
	}
	var least faultline.Country
	for c, r := range s.countries {
		if l := s.countries[least]; l == nil || r.sum < l.sum || (r.sum == l.sum && c > least) {
			least = c
		}
	}
	m.dropped++
	if least == "" || s.countries[least].sum >= value {
		return false
	}
	delete(s.countries, least)
	m.series--
	return true
}

func (m *Model) check(s *service, x *faultline.Sample) {
	c := s.checks[x.Series]
	if c == nil {
		if len(s.checks) >= m.limits.Vantages {
			m.dropped++
			return
		}
		c = &checks{series: x.Series}
		s.checks[x.Series] = c
	}
	c.sample(x)
}

// Dropped counts the series and revisions that the limits let go.
func (m *Model) Dropped() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dropped
}
