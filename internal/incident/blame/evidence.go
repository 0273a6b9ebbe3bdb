package blame

import (
	"fmt"
)

// evidence lists what speaks for and against the best explanation, each
// a sentence with its numbers.
func (f *Finding) evidence() (pro, con []string) {
	x := f.best
	x.pro, x.con = nil, nil
	f.ofChildren(x)
	f.ofMix(x)
	f.ofSelf(x)
	f.ofOrder(x)
	f.ofChecks(x)
	f.ofPlaces(x)
	f.ofRival(x)
	return x.pro, x.con
}

func (x *suspect) note(good bool, format string, args ...any) {
	if s := fmt.Sprintf(format, args...); good {
		x.pro = append(x.pro, s)
	} else {
		x.con = append(x.con, s)
	}
}

// ofChildren compares what the suspect carries with the rest.
func (f *Finding) ofChildren(x *suspect) {
	k, n, answer := f.scene.children(x)
	if x.kind != aService || n == 0 {
		return
	}
	others := len(f.scene.Surging) - k - x.count(itself)
	x.note(2*k >= n && k > 1, "%d of %s that use %s surge, and %d of %s.", k, things(n, "service", "services"), x.party.Name,
		others, things(others+f.quietBeside(x), "other", "others"))
	if answer > 0 {
		x.note(false, "Checks of %s that use it succeed, and nobody reports them.", things(answer, "service", "services"))
	}
}

// quietBeside counts the quiet services that the suspect does not carry.
func (f *Finding) quietBeside(x *suspect) (n int) {
	for i := range f.scene.Quiet {
		id := f.scene.Quiet[i].ID
		if _, under := f.scene.Topology.link(x.party.Service, id); !under && id != x.party.Service {
			n++
		}
	}
	return n
}

func (f *Finding) ofMix(x *suspect) {
	if n := x.mixed(through); n > 0 {
		x.note(true, "Of %s, %s.", things(n, "service", "services"), f.mixOf(through, x.where()))
	}
	if n := x.mixed(inside); n > 0 {
		x.note(true, "Of %s, %s, from more than one network.", things(n, "service", "services"), f.mixOf(inside, x.party.Name))
	}
	if n := x.count(untied); n > 0 && x.kind <= aCountry {
		x.note(false, "%s to it in no way that we know.", things(n, "service is tied", "services are tied"))
	}
}

// ofSelf says whether the suspect is reported itself, and how much more.
func (f *Finding) ofSelf(x *suspect) {
	if x.kind != aService {
		return
	}
	if !x.self.surges() {
		if x.self != nil {
			x.note(false, "Nobody reports %s itself, which is heard of on other days.", x.party.Name)
		}
		return
	}
	first, next := f.scene.largest()
	switch e := x.self.Excess; {
	case e < 1 || len(f.scene.Surging) < 2:
	case e == first && first >= 2*max(next, 1):
		x.note(true, "Above the usual number it has %s as many reports as the next.", times(first/max(next, 1)))
	case x.count(carried, through) == 0 && first >= 2*e:
		x.note(false, "Another has %s as many reports above the usual number.", times(first/max(e, 1)))
	}
}

// ofOrder says who began first, if that can be told.
func (f *Finding) ofOrder(x *suspect) {
	if x.kind != aService || !x.self.surges() || len(f.scene.Surging) < 2 {
		return
	}
	earlier, later := 0, 0
	for i, t := range x.ties {
		switch w := &f.scene.Surging[i]; {
		case t.how == itself:
		case w.High.Before(x.self.Low) && t.how == untied:
			earlier++
		case x.self.High.Before(w.Low):
			later++
		}
	}
	if earlier > 0 {
		x.note(false, "%s began before it, by more than the starts are uncertain.", things(earlier, "service", "services"))
	} else if later > 0 {
		x.note(true, "It began before %d of the others, by more than the starts are uncertain.", later)
	}
}

// ofChecks says what the checks of the suspect and of the others say.
func (f *Finding) ofChecks(x *suspect) {
	if x.kind == aService {
		if s := f.checksOf(x.self); s == "" {
			x.note(false, "No check of ours measures %s.", x.party.Name)
		} else {
			x.note(x.self.failing() || x.self.checks().refused > 0, "%s", s)
		}
	}
	failing, working := 0, 0
	for i, t := range x.ties {
		switch w := &f.scene.Surging[i]; {
		case t.how == itself:
		case w.failing() && t.how == carried:
		case w.failing():
			failing++
		case w.working():
			working++
		}
	}
	if failing > 0 {
		x.note(x.count(through, inside) > 0, "Checks of %s beside it fail.", things(failing, "service", "services"))
	}
	if working > 0 {
		x.note(x.count(carried) == 0 && x.kind <= aCountry, "Checks of %s beside it succeed.", things(working, "service", "services"))
	}
	f.ofClasses(x)
}

func (f *Finding) ofClasses(x *suspect) {
	switch ways, n := f.scene.ways(x); {
	case x.kind != aService || n == 0:
	case n >= 2 && ways == 1:
		x.note(true, "Checks of %s that use it fail in the same way.", things(n, "service", "services"))
	case n >= 2:
		x.note(true, "Checks of %s that use it fail, though in %d different ways.", things(n, "service", "services"), ways)
	case f.scene.answered(x):
		x.note(false, "What fails answers with an error, so it can be reached.")
	default:
		x.note(true, "What fails cannot be reached at all.")
	}
}

// ofPlaces compares vantage points inside a network or country with others.
func (f *Finding) ofPlaces(x *suspect) {
	if x.kind > aCountry || x.kind == aService && len(x.asns) == 0 {
		return
	}
	c := f.scene.contrast(x)
	switch {
	case c.differs():
		x.note(true, "Of our vantage points inside, %d fail or are cut off; %d outside succeed.", c.inFail, c.outWork)
	case c.inWork > 0:
		x.note(false, "%s inside reach what people report.", things(c.inWork, "vantage point of ours", "vantage points of ours"))
	case c.inFail == 0:
		x.note(false, "No vantage point of ours is inside.")
	}
	if c.outFail > 0 {
		x.note(false, "Checks fail from %s outside it too.", things(c.outFail, "vantage point", "vantage points"))
	}
}

// ofRival names the next best explanation, if it has some weight.
func (f *Finding) ofRival(x *suspect) {
	if len(f.all) > 1 && f.all[1].p >= second {
		x.note(false, "Next best: %s, with %s of the weight.", f.all[1].label(), percent(f.all[1].p))
	}
}
