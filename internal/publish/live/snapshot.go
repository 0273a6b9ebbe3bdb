package live

import (
	"cmp"
	"slices"
	"time"

	"faultline"
)

// View gives the newest snapshot, making it if something changed since the
// last one. Services that did not change share their part with it.
func (m *Model) View() *View {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirty {
		m.view.Store(m.snapshot())
		m.dirty = false
	}
	return m.view.Load()
}

func (m *Model) snapshot() *View {
	v := &View{
		At: m.at, Version: m.version, Commands: m.commands,
		service: make(map[faultline.ServiceID]*Service, len(m.order)), incident: make(map[string]*Incident, len(m.incidents)),
	}
	if m.quality != nil {
		v.Quality = *m.quality
	}
	v.Full = len(m.incidents) >= m.limits.Incidents
	for id, log := range m.incidents {
		v.incident[id] = log
		v.Incidents = append(v.Incidents, log)
	}
	newestFirst(v.Incidents)
	for _, id := range m.order {
		s := m.services[id]
		if s.made == nil || s.stale(m.at) {
			s.made, s.madeAt = m.build(s), m.at
		}
		v.Services = append(v.Services, s.made)
		v.service[id] = s.made
	}
	return v
}

// stale says whether a service without news must be drawn anew because its
// clock went on: once a bin, and only if it has anything that moves.
func (s *service) stale(now time.Time) bool {
	return binOf(now.Add(-settle)) != binOf(s.madeAt.Add(-settle)) && (s.world != nil || len(s.checks) > 0)
}

func (m *Model) build(s *service) *Service {
	out := &Service{Service: s.about, Status: s.status, Events: eventsOf(s), Origin: s.origin}
	if s.world != nil {
		out.World = s.world.line("", m.at)
	}
	for c, r := range s.countries {
		out.Countries = append(out.Countries, r.line(c, m.at))
	}
	sums := map[faultline.Country]float64{}
	for i := range out.Countries {
		sums[out.Countries[i].Country] = out.Countries[i].Sum(Bins)
	}
	slices.SortFunc(out.Countries, func(a, b Line) int {
		return cmp.Or(cmp.Compare(sums[b.Country], sums[a.Country]), cmp.Compare(a.Country, b.Country))
	})
	for _, c := range s.checks {
		out.Vantages = append(out.Vantages, c.view(m.at))
	}
	slices.SortFunc(out.Vantages, func(a, b Vantage) int {
		return cmp.Or(cmp.Compare(a.Vantage, b.Vantage), cmp.Compare(a.Target, b.Target))
	})
	out.Reach = together(out.Vantages)
	if s.mix != nil {
		out.Mix = s.mix.view(m.at)
	}
	for id := range s.incidents {
		out.Incidents = append(out.Incidents, m.incidents[id])
	}
	newestFirst(out.Incidents)
	return out
}

func newestFirst(list []*Incident) {
	slices.SortFunc(list, func(a, b *Incident) int {
		return cmp.Or(b.Now().Onset.Compare(a.Now().Onset), cmp.Compare(a.Now().ID, b.Now().ID))
	})
}

func (r *reports) line(c faultline.Country, now time.Time) Line {
	return Line{Country: c, Bins: r.bins(now), Last: r.last, Reading: r.read}
}
