package blame

import (
	"math"
	"slices"

	"faultline"
)

// What is thought of an explanation before anything is seen, in nats. That a
// service fails by itself is the usual case.
const (
	priorAbove   = -0.5 // something that carries it, and is not reported itself
	priorNetwork = -0.5
	priorCountry = -1.0
	priorCause   = -3.0
	byChance     = 0.01 // that one more service surges within the window, by chance
	byUnknown    = 0.15 // that it does by a common cause that nobody knows
)

// How likely a service surges visibly, given what is wrong.
const (
	showsItself   = 0.9
	showsProvider = 0.6 // few people know their provider's provider by name
	showsTied     = 0.7
)

// weigh scores every explanation and gives each its share of the weight, the
// best first.
func (s *Scene) weigh() []*suspect {
	list := s.suspects()
	for _, x := range list {
		x.score = s.prior(x) + s.seen(x) + s.carries(x) + s.mix(x) + s.order(x) + s.measured(x) + s.classes(x) + s.held(x)
	}
	slices.SortStableFunc(list, func(a, b *suspect) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	total := 0.0
	for _, x := range list {
		x.p = math.Exp(x.score - list[0].score)
		total += x.p
	}
	for _, x := range list {
		x.p = faultline.Round(x.p/total, 4)
	}
	return list
}

func (s *Scene) prior(x *suspect) float64 {
	switch x.kind {
	case aService:
		if !x.self.surges() {
			return priorAbove
		}
	case aNetwork:
		return priorNetwork
	case aCountry:
		return priorCountry
	case aCause:
		return priorCause
	case coinciden:
	}
	return 0
}

// seen is how likely these services surge: those that the explanation reaches
// because they fail, the others because people mistake them.
func (s *Scene) seen(x *suspect) float64 {
	switch x.kind {
	case coinciden:
		return float64(len(s.Surging)-1) * ln(byChance)
	case aCause:
		return float64(len(s.Surging)-1)*ln(byUnknown) - s.dominance()
	case aService, aNetwork, aCountry:
	}
	sum := 0.0
	if x.kind == aService && x.self != nil && !x.self.surges() {
		sum += ln(1 - showsProvider) // it could show, and does not
	}
	group := s.reached(x)
	for i := range s.Surging {
		sum += s.shows(x, i, group)
	}
	return sum
}

// shows is how likely the i-th surge is under the explanation. Those that it
// carries are weighed all together, in carries.
func (s *Scene) shows(x *suspect, i int, group float64) float64 {
	switch w := &s.Surging[i]; x.ties[i].how {
	case itself:
		if len(s.Topology.below[w.ID]) > 0 {
			return ln(showsProvider)
		}
		return ln(showsItself)
	case through, inside:
		return ln(showsTied)
	case untied:
		return ln(mistaken(w.Excess, group, s.Topology.Provider(w.ID)))
	case carried:
	}
	return 0
}

// reached is the excess of all that the explanation reaches.
func (s *Scene) reached(x *suspect) (sum float64) {
	for i, t := range x.ties {
		if t.how != untied {
			sum += s.Surging[i].Excess
		}
	}
	return sum
}

// mistaken is how likely people report a healthy service because of a failing
// one: the more so the larger the failure, and ten times rather a provider than
// just another service.
func mistaken(excess, group float64, provider bool) float64 {
	p := 0.05
	switch r := excess / max(group, 1); {
	case r <= 0.1:
		p = 0.5
	case r <= 0.3:
		p = 0.3
	case r <= 1:
		p = 0.15
	}
	if !provider {
		p /= 10
	}
	return p
}

// dominance is what speaks against a common cause when one surge dwarfs the
// others.
func (s *Scene) dominance() float64 {
	first, next := s.largest()
	if len(s.Surging) < 2 || next <= 0 {
		return 0
	}
	return clip(ln(first/next)-1, 0, 2)
}

// largest are the two largest surges.
func (s *Scene) largest() (first, next float64) {
	for i := range s.Surging {
		switch e := s.Surging[i].Excess; {
		case e > first:
			first, next = e, first
		case e > next:
			next = e
		}
	}
	return first, next
}

// carries compares the services that the suspect carries: of those that would
// show it, how many surge, when the share that a failure hits is not known (a
// Beta prior that leans to "most"). Quiet ones that answer checks count more.
func (s *Scene) carries(x *suspect) float64 {
	if x.kind != aService {
		return 0
	}
	k, n, answer := s.children(x)
	if n == 0 {
		return 0
	}
	return evenly(k, n) - clip(0.3*float64(answer), 0, 1.5)
}

// evenly is the log probability of one certain choice of k of n, under
// a Beta(2, 1) prior for the share: 2 · (k+1)! (n−k)! / (n+2)!, factor by factor.
func evenly(k, n int) float64 {
	p := ln(2)
	for i := 1; i <= n-k; i++ {
		p += ln(float64(i) / float64(k+1+i))
	}
	return p - ln(float64(n+2))
}

// Limits of what the mix of reporters may bring, for one service and in all.
const (
	mixOne = 3.0
	mixAll = 8.0
	mixMax = 30.0 // reports that count: they are not independent of each other
	// oneOnly is against a country from which only one network is heard.
	oneOnly = -4.0
)

// mix is the reporters' networks and countries: how much more likely these
// shares are when everything comes from one place.
func (s *Scene) mix(x *suspect) float64 {
	sum := 0.0
	for i, t := range x.ties {
		switch {
		case t.got < 0:
		case t.how == through:
			sum += oneSided(t.got, orElse(t.usual, usualNetwork), 0.9, s.Surging[i].Excess)
		case t.how == inside:
			sum += oneSided(t.got, t.usual, 0.97, s.Surging[i].Excess)
		}
	}
	sum = clip(sum, -mixAll, mixAll)
	if x.kind == aCountry && s.oneNetwork(x) {
		sum += oneOnly
	}
	return sum
}

// oneSided is the log likelihood ratio of nearly all (so much, when all the
// trouble is there) against what is usual.
func oneSided(got, usual, all, n float64) float64 {
	u := clip(usual, 0.05, 0.85)
	per := got*ln(all/u) + (1-got)*ln((1-all)/(1-u))
	return clip(math.Round(1e4*min(n, mixMax)*per)/1e4, -mixOne, mixOne)
}

// oneNetwork says whether in a country one network brings nearly all, more than
// it usually does: then it is that network.
func (s *Scene) oneNetwork(x *suspect) bool {
	for i, t := range x.ties {
		if t.how != inside || t.got < 0 {
			continue
		}
		w := &s.Surging[i]
		for _, p := range w.Networks {
			usual := orElse(p.Usual, usualNetwork) / max(t.usual, 0.05)
			if p.Excess >= 0.7*w.Excess && p.Excess/w.Excess >= usual+aboveUsual {
				return true
			}
		}
	}
	return false
}

// order is what the onsets say about a suspect that surges itself: those that
// it does not carry should not begin before it.
func (s *Scene) order(x *suspect) float64 {
	if x.kind != aService || !x.self.surges() {
		return 0
	}
	sum := 0.0
	for i, t := range x.ties {
		if w := &s.Surging[i]; t.how == untied && w.High.Before(x.self.Low) {
			sum -= clip(x.self.Low.Sub(w.High).Minutes()/5, 0, 1)
		}
	}
	return clip(math.Round(1e4*sum)/1e4, -3, 0)
}

// held keeps a name that was given before a little ahead.
func (s *Scene) held(x *suspect) float64 {
	for i := range s.Surging {
		if b := s.Surging[i].Before; b != nil && !b.Party.IsZero() && b.Party.Same(x.party) && x.kind <= aCountry {
			return keeps
		}
	}
	return 0
}
