package blame

import (
	"cmp"
	"slices"

	"faultline"
)

// Topology is who is carried by whom, from the catalogue. It is immutable.
type Topology struct {
	services map[faultline.ServiceID]*faultline.Service
	above    map[faultline.ServiceID][]Link // all that carry it, nearest first
	below    map[faultline.ServiceID][]faultline.ServiceID
	networks map[faultline.ASN]faultline.ServiceID
}

// Link is one service above another, at some distance.
type Link struct {
	faultline.Parent
	Steps int // 1 is a parent
}

// maxSteps is how far up a chain of parents is followed: a game, its store, the
// store's cloud.
const maxSteps = 3

// NewTopology reads the parents and networks of the services. A parent that is
// not in the list counts all the same: it has a name from its id.
func NewTopology(list []faultline.Service) *Topology {
	t := &Topology{
		services: map[faultline.ServiceID]*faultline.Service{}, above: map[faultline.ServiceID][]Link{},
		below: map[faultline.ServiceID][]faultline.ServiceID{}, networks: map[faultline.ASN]faultline.ServiceID{},
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b faultline.Service) int { return cmp.Compare(a.ID, b.ID) })
	for i := range sorted {
		s := &sorted[i]
		t.services[s.ID] = s
		for _, a := range s.ASNs {
			if _, taken := t.networks[a]; !taken && a != 0 {
				t.networks[a] = s.ID
			}
		}
	}
	for i := range sorted {
		t.climb(&sorted[i])
	}
	return t
}

// climb finds everything above a service, each once, by the shortest way.
func (t *Topology) climb(s *faultline.Service) {
	seen := map[faultline.ServiceID]bool{s.ID: true}
	level := []faultline.ServiceID{s.ID}
	for steps := 1; steps <= maxSteps; steps++ {
		var next []faultline.ServiceID
		for _, id := range level {
			for _, p := range t.parents(id) {
				if seen[p.ID] || p.ID == "" {
					continue
				}
				seen[p.ID] = true
				next = append(next, p.ID)
				t.above[s.ID] = append(t.above[s.ID], Link{p, steps})
				t.below[p.ID] = append(t.below[p.ID], s.ID)
			}
		}
		level = next
	}
}

func (t *Topology) parents(id faultline.ServiceID) []faultline.Parent {
	if s := t.services[id]; s != nil {
		return s.Parents
	}
	return nil
}

// Name is what a service is called.
func (t *Topology) Name(id faultline.ServiceID) string {
	if s := t.services[id]; s != nil && s.Name != "" {
		return s.Name
	}
	return string(id)
}

// link is how one service stands above another.
func (t *Topology) link(parent, child faultline.ServiceID) (Link, bool) {
	for _, l := range t.above[child] {
		if l.ID == parent {
			return l, true
		}
	}
	return Link{}, false
}

// asns are the networks that a service runs.
func (t *Topology) asns(id faultline.ServiceID) []faultline.ASN {
	if s := t.services[id]; s != nil {
		return s.ASNs
	}
	return nil
}

// Provider says whether people may hold a service responsible for others: it
// carries some, runs an access network, or its category says so.
func (t *Topology) Provider(id faultline.ServiceID) bool {
	if len(t.below[id]) > 0 || len(t.asns(id)) > 0 {
		return true
	}
	s := t.services[id]
	return s != nil && (s.Category == "cloud" || s.Category == "internet provider")
}
