package blame

import "faultline"

// What a check weighs, in nats.
const (
	worksItself   = -4.0 // the suspect's own checks succeed
	siteWorks     = -1.0 // … of a provider's site, which says little about its network
	worksBelow    = -1.5 // checks of what it carries succeed
	failsBeside   = -3.0 // checks fail of what it does not reach
	worksAnyway   = -2.0 // checks succeed of what should fail by itself
	placeFails    = 2.0  // a vantage point inside the network fails or is cut off
	placeWorks    = -3.0 // … succeeds
	outsideFails  = -2.0 // checks fail from outside the network too
	sameFailure   = 1.0  // several that it carries fail in one way
	otherFailures = -0.5
)

// measured is what the checks say.
func (s *Scene) measured(x *suspect) float64 {
	switch x.kind {
	case aCause, coinciden:
		return clip(worksAnyway*float64(s.number((*Witness).working)), -8, 0)
	case aNetwork, aCountry:
		return s.fromPlaces(x)
	case aService:
	}
	sum := s.own(x) + s.fromPlaces(x)
	below := 0.0
	for i, t := range x.ties {
		switch w := &s.Surging[i]; {
		case t.how == carried && w.working():
			below += worksBelow
		case t.how == untied && w.failing():
			sum += failsBeside
		}
	}
	return sum + clip(below, 3*worksBelow, 0)
}

// own is what the suspect's own checks say.
func (s *Scene) own(x *suspect) float64 {
	switch {
	case x.self == nil || !x.self.working():
		return 0
	case len(x.asns) > 0:
		return siteWorks
	}
	return worksItself
}

func (s *Scene) number(is func(*Witness) bool) (n int) {
	for i := range s.Surging {
		if is(&s.Surging[i]) {
			n++
		}
	}
	return n
}

// inAndOut counts vantage points by where they stand: inside the suspect's
// network or country, or not, and whether services work from there.
type inAndOut struct{ inFail, inWork, outFail, outWork int }

// contrast asks each vantage point once: one that fails anywhere fails.
func (s *Scene) contrast(x *suspect) (c inAndOut) {
	type vantage struct{ fails, works, in bool }
	seen, order := map[string]*vantage{}, []*vantage{}
	for i, t := range x.ties {
		for _, l := range s.Surging[i].Looks {
			v := seen[l.Vantage]
			if v == nil {
				v = &vantage{in: x.within(l.Place)}
				seen[l.Vantage] = v
				order = append(order, v)
			}
			v.fails = v.fails || l.Result == Cut && v.in || l.Result == Fails && (t.how == through || t.how == inside)
			v.works = v.works || l.Result == Succeeds
		}
	}
	for _, v := range order {
		c.add(v.in, v.fails, v.works)
	}
	return c
}

func (c *inAndOut) add(in, fails, works bool) {
	switch {
	case in && fails:
		c.inFail++
	case in && works:
		c.inWork++
	case fails:
		c.outFail++
	case works:
		c.outWork++
	}
}

// fromPlaces compares vantage points inside a network or country with others.
func (s *Scene) fromPlaces(x *suspect) float64 {
	if x.kind == aService && len(x.asns) == 0 {
		return 0
	}
	c := s.contrast(x)
	sum := clip(placeWorks*float64(c.inWork), -6, 0) + clip(outsideFails*float64(c.outFail), -6, 0)
	if c.differs() {
		sum += clip(placeFails*float64(c.inFail), 0, 4)
	}
	return sum
}

// differs says that vantage points inside fail, and those outside do not.
func (c inAndOut) differs() bool {
	return c.inFail > 0 && c.inWork == 0 && c.outFail == 0 && c.outWork > 0
}

// classes compares how the services fail that the suspect carries. An answer
// of 5xx from one of them alone is rather its own; no connection is rather that
// of what stands before it.
func (s *Scene) classes(x *suspect) float64 {
	if x.kind != aService {
		return 0
	}
	switch ways, n := s.ways(x); {
	case n >= 2 && ways == 1:
		return sameFailure
	case n >= 2:
		return otherFailures
	case n == 1 && s.answered(x):
		return otherFailures
	case n == 1:
		return -otherFailures
	}
	return 0
}

// ways counts the ways in which carried services fail, and those services.
func (s *Scene) ways(x *suspect) (ways, n int) {
	type way struct {
		faultline.Failure
		faultline.Op
	}
	seen := map[way]bool{}
	for i, t := range x.ties {
		if l := s.Surging[i].failed(); l != nil && t.how == carried {
			seen[way{l.Failure, l.Op}] = true
			n++
		}
	}
	return len(seen), n
}

// failed is the first look that failed, or nil.
func (w *Witness) failed() *Look {
	for i := range w.Looks {
		if w.Looks[i].Result == Fails {
			return &w.Looks[i]
		}
	}
	return nil
}

// answered says whether the failure of what the suspect carries was an answer.
func (s *Scene) answered(x *suspect) bool {
	for i, t := range x.ties {
		if l := s.Surging[i].failed(); l != nil && t.how == carried {
			return l.Failure == faultline.HTTPServerError || l.Failure == faultline.HTTPClientError
		}
	}
	return false
}

// basis is what naming the suspect would rest on.
func (s *Scene) basis(x *suspect) faultline.Basis {
	switch {
	case x.self.surges() && x.self.failing() && (x.self.Confirmed || x.self.Excess > 0 || x.count(carried) > 1):
		return faultline.BasisMeasured
	case x.count(through, inside) > 0 && s.contrast(x).differs():
		return faultline.BasisMeasured
	}
	failing := 0
	for i, t := range x.ties {
		if t.how == carried && s.Surging[i].failing() {
			failing++
		}
	}
	if failing >= 2 {
		return faultline.BasisInferred
	}
	return faultline.BasisReports
}
