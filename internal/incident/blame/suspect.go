package blame

import (
	"cmp"
	"slices"

	"faultline"
)

// what an explanation is about.
type kind int

const (
	aService  kind = iota // one of the services, or one that carries some
	aNetwork              // an access network that the catalogue has no service for
	aCountry              // a country's networks
	aCause                // a shared cause that nobody knows
	coinciden             // each for itself, by chance
)

// suspect is one explanation, and how well it fits.
type suspect struct {
	kind  kind
	party faultline.Party
	asns  []faultline.ASN
	self  *Witness // surging or quiet; nil: nothing is known of it
	ties  []tie    // one for each surging witness
	score float64  // natural log, up to a constant
	p     float64
	pro   []string
	con   []string
}

// tie is how an explanation reaches a witness.
type tie struct {
	how        how
	link       Link    // carried
	got, usual float64 // network, country: share of the excess, and what is usual; -1: not known
}

type how int

const (
	untied how = iota
	itself
	carried
	through // its reports come from the network
	inside  // its reports come from the country
)

// Shares from which on reports count as coming from one network or country: at
// least so large, and so much above what is usual. A network's usual share is
// taken to be usualNetwork when it is not known; a country's must be known.
const (
	mostly       = 0.6
	mostlyThere  = 0.9
	aboveUsual   = 0.2
	usualNetwork = 0.2
)

// suspects lists the explanations: services by the order of the witnesses and
// of their parents, then networks, countries, and the two without a name.
func (s *Scene) suspects() []*suspect {
	var list []*suspect
	seen := map[faultline.ServiceID]bool{}
	add := func(id faultline.ServiceID) {
		if !seen[id] {
			seen[id] = true
			list = append(list, s.service(id))
		}
	}
	for i := range s.Surging {
		add(s.Surging[i].ID)
	}
	for i := range s.Surging {
		for _, l := range s.Topology.above[s.Surging[i].ID] {
			add(l.ID)
		}
	}
	if len(s.Surging) == 1 { // a network that is as usual is worth a word
		for i := range s.Quiet {
			if len(s.Topology.asns(s.Quiet[i].ID)) > 0 {
				add(s.Quiet[i].ID)
			}
		}
	}
	places := s.places(add)
	list = append(append(list, places...), &suspect{kind: aCause})
	if len(s.Surging) > 1 {
		list = append(list, &suspect{kind: coinciden})
	}
	for _, x := range list {
		s.tie(x)
	}
	return list
}

func (s *Scene) service(id faultline.ServiceID) *suspect {
	x := &suspect{kind: aService, party: faultline.Party{Service: id, Name: s.Topology.Name(id)}, asns: s.Topology.asns(id)}
	x.self = s.witness(id)
	return x
}

// witness finds a service among those that surge and those that do not.
func (s *Scene) witness(id faultline.ServiceID) *Witness {
	for _, list := range [][]Witness{s.Surging, s.Quiet} {
		for i := range list {
			if list[i].ID == id {
				return &list[i]
			}
		}
	}
	return nil
}

func (w *Witness) surges() bool { return w != nil && !w.Onset.IsZero() }

// places are the networks and countries from which most reports of a witness
// come. A network whose service is in the catalogue is that service.
func (s *Scene) places(add func(faultline.ServiceID)) (list []*suspect) {
	asns, countries := map[faultline.ASN]faultline.Country{}, map[faultline.Country]bool{}
	for i := range s.Surging {
		w := &s.Surging[i]
		for _, p := range w.Networks {
			if p.ASN != 0 && p.Excess >= mostly*w.Excess && w.Excess >= leastExcess {
				asns[p.ASN] = p.Country
			}
		}
		for _, p := range w.Countries {
			if p.Excess >= mostlyThere*w.Excess && w.Excess >= leastExcess {
				countries[p.Country] = true
			}
		}
	}
	for _, a := range sortedKeys(asns) {
		if id, known := s.Topology.networks[a]; known {
			add(id)
			continue
		}
		list = append(list, &suspect{kind: aNetwork, asns: []faultline.ASN{a}, party: faultline.Party{ASN: a, Country: asns[a], Name: a.String()}})
	}
	for _, c := range sortedKeys(countries) {
		list = append(list, &suspect{kind: aCountry, party: faultline.Party{Country: c, Name: string(c)}})
	}
	return list
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// tie finds how the explanation reaches each witness.
func (s *Scene) tie(x *suspect) {
	x.ties = make([]tie, len(s.Surging))
	for i := range s.Surging {
		x.ties[i] = s.reach(x, &s.Surging[i])
	}
}

func (s *Scene) reach(x *suspect, w *Witness) tie {
	if x.kind == aService && x.party.Service == w.ID {
		return tie{how: itself}
	}
	if l, ok := s.Topology.link(x.party.Service, w.ID); ok && x.kind == aService {
		return tie{how: carried, link: l}
	}
	if len(x.asns) > 0 {
		got, usual := share(w.Networks, w.Excess, x.within)
		if got >= max(mostly, orElse(usual, usualNetwork)+aboveUsual) && len(s.Topology.asns(w.ID)) == 0 {
			return tie{how: through, got: got, usual: usual}
		}
	}
	if x.kind == aCountry {
		got, usual := share(w.Countries, w.Excess, x.within)
		if usual >= 0 && got >= max(mostlyThere, usual+aboveUsual) { // who is read in one country only tells nothing
			return tie{how: inside, got: got, usual: usual}
		}
	}
	return s.sighted(x, w)
}

// sighted ties a service whose checks fail from vantage points inside the
// suspect's network or country, and from no other.
func (s *Scene) sighted(x *suspect, w *Witness) tie {
	in, out := 0, 0
	for _, l := range w.Looks {
		switch {
		case l.Result == Fails && x.within(l.Place):
			in++
		case l.Result == Fails:
			out++
		}
	}
	switch {
	case in == 0 || out > 0:
		return tie{}
	case x.kind == aCountry:
		return tie{how: inside, got: -1, usual: -1}
	}
	return tie{how: through, got: -1, usual: -1}
}

// within says whether a place belongs to the suspect.
func (x *suspect) within(p faultline.Place) bool {
	if x.kind == aCountry {
		return p.Country == x.party.Country
	}
	return slices.Contains(x.asns, p.ASN)
}

func orElse(x, unknown float64) float64 {
	if x < 0 {
		return unknown
	}
	return x
}

// count is how many of the surging witnesses are tied that way.
func (x *suspect) count(ways ...how) (n int) {
	for _, t := range x.ties {
		if slices.Contains(ways, t.how) {
			n++
		}
	}
	return n
}

// mixed is how many are tied that way by where their reports come from.
func (x *suspect) mixed(h how) (n int) {
	for _, t := range x.ties {
		if t.how == h && t.got >= 0 {
			n++
		}
	}
	return n
}

// children are those that the suspect carries: how many surge, of how many that
// would show it; and how many of the quiet ones answer checks.
func (s *Scene) children(x *suspect) (surge, of, answer int) {
	surge = x.count(carried)
	of = surge
	for i := range s.Quiet {
		if _, ok := s.Topology.link(x.party.Service, s.Quiet[i].ID); ok {
			of++
			if s.Quiet[i].working() {
				answer++
			}
		}
	}
	return surge, of, answer
}
