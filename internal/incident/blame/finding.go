package blame

import (
	"time"

	"faultline"
)

// Finding is what a scene comes to.
type Finding struct {
	scene *Scene
	all   []*suspect // best first
	best  *suspect
	basis faultline.Basis
}

// Judge weighs the scene.
func (s *Scene) Judge() Finding {
	all := s.weigh()
	f := Finding{scene: s, all: all, best: all[0], basis: faultline.BasisNone}
	if f.named() {
		f.basis = s.basis(f.best)
	}
	return f
}

// named says whether the best explanation is good enough to be named. What
// carries others needs two that it carries, or a measurement: that one service
// fails alone is no case against its cloud.
func (f *Finding) named() bool {
	x := f.best
	switch {
	case x.kind > aCountry || x.p < f.threshold() || f.workingItself():
		return false
	case x.kind == aService && x.self.surges():
		return f.settled(x.self)
	}
	return x.count(carried, through, inside) >= 2
}

// threshold is the share of the weight from which on the best is named.
func (f *Finding) threshold() float64 {
	if f.scene.held(f.best) > 0 {
		return stays
	}
	return named
}

// workingItself is the guard behind the rule: whatever the weights say, a party
// whose own checks succeed is not named. A provider's site is no check of its
// network.
func (f *Finding) workingItself() bool {
	x := f.best
	return x.self != nil && x.self.working() && len(x.asns) == 0
}

// Party is whom the surge points to; zero when that cannot be told.
func (f *Finding) Party() faultline.Party {
	if !f.named() {
		return faultline.Party{}
	}
	return f.best.party
}

// Telling says whether there is anything to say: several services surge, or one
// does and a service that carries it, or a network that is known, was weighed.
func (f *Finding) Telling() bool {
	services := 0
	for _, x := range f.all {
		if x.kind == aService {
			services++
		}
	}
	return len(f.scene.Surging) > 1 || services > 1
}

// Of is the finding for the i-th surging service.
func (f *Finding) Of(i int) *faultline.Blame {
	s := f.scene
	b := &faultline.Blame{Role: f.role(i), Party: f.Party(), Basis: f.basis, P: faultline.Round(f.best.p, 2), Since: s.since()}
	for k := range s.Surging {
		if k != i {
			b.With = append(b.With, s.Surging[k].ID)
		}
	}
	b.Text = f.text(i, b)
	b.For, b.Against = f.evidence()
	return b
}

func (s *Scene) since() time.Time { return s.Surging[0].Onset }

// role is the part of the i-th surging service.
func (f *Finding) role(i int) faultline.Role {
	w := &f.scene.Surging[i]
	if !f.named() {
		return faultline.RoleUndetermined
	}
	switch f.best.ties[i].how {
	case itself:
		if f.basis == faultline.BasisMeasured {
			return faultline.RoleOrigin
		}
		return faultline.RoleUndetermined
	case carried, through, inside:
		return faultline.RoleCollateral
	case untied:
	}
	mistake := f.scene.Topology.Provider(w.ID) && 2*w.Excess <= f.scene.reached(f.best)
	if w.failing() || !w.working() && !mistake {
		return faultline.RoleUndetermined // it fails too, or nothing says that it does not
	}
	return faultline.RoleBlamed
}

// settled says whether nothing above the service can still turn out to be what
// fails: each was measured and works, or had the time to show itself.
func (f *Finding) settled(w *Witness) bool {
	if f.scene.At.Sub(f.scene.since()) >= Window || f.scene.held(f.best) > 0 {
		return true
	}
	for _, l := range f.scene.Topology.above[w.ID] {
		if p := f.scene.witness(l.ID); p == nil || !p.working() {
			return false
		}
	}
	return true
}
