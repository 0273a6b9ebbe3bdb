package blame

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline"
)

// text is the finding for the i-th surging service, in sentences.
func (f *Finding) text(i int, b *faultline.Blame) string {
	parts := []string{f.lead(i)}
	switch {
	case b.Role == faultline.RoleBlamed:
		parts = append(parts, f.checksOf(&f.scene.Surging[i]), f.insideOf(&f.scene.Surging[i]), "So it is probably not "+f.name(i)+".")
	case b.Party.IsZero():
		parts = append(parts, f.unnamed(i))
	case len(f.scene.Surging) == 1:
		parts = append(parts, f.checksOf(f.best.self), f.alone(), f.points(b))
	default:
		parts = append(parts, f.shared(), f.checksOf(f.best.self), f.points(b))
	}
	return join(parts)
}

func join(parts []string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

func (f *Finding) name(i int) string { return f.scene.Topology.Name(f.scene.Surging[i].ID) }

// lead says what happens together, since when.
func (f *Finding) lead(i int) string {
	s := f.scene
	since := clock(s.since())
	if f.named() && f.best.ties[i].how == untied && f.best.self.surges() {
		return fmt.Sprintf("Reports about %s began with those about %s%s, at %s.", f.name(i), f.best.party.Name, f.larger(i), since)
	}
	if len(s.Surging) == 1 {
		return fmt.Sprintf("%s %s since %s, and of no other service that we hear of.", s.whoSays(), f.name(0), since)
	}
	return fmt.Sprintf("%s %s together since %s.", s.whoSays(), f.list(), since)
}

// whoSays is what the surge consists of.
func (s *Scene) whoSays() string {
	for i := range s.Surging {
		if s.Surging[i].Excess > 0 {
			return "People report"
		}
	}
	return "Our checks fail of"
}

// larger says how many times as many reports the party has.
func (f *Finding) larger(i int) string {
	mine, theirs := f.scene.Surging[i].Excess, f.best.self.Excess
	if mine < 1 || theirs < 2*mine {
		return ""
	}
	return ", of which there are " + times(theirs/mine) + " as many"
}

// list names the services that surge, the largest first, three at most.
func (f *Finding) list() string {
	order := slices.Clone(f.scene.Surging)
	slices.SortStableFunc(order, func(a, b Witness) int { return cmp.Compare(b.Excess, a.Excess) })
	var names []string
	for i := range order {
		names = append(names, f.scene.Topology.Name(order[i].ID))
	}
	if n := len(names); n > 4 {
		return strings.Join(names[:3], ", ") + " and " + strconv.Itoa(n-3) + " others"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// shared says what ties them to the party.
func (f *Finding) shared() string {
	x, s := f.best, f.scene
	switch {
	case x.mixed(through) > 0:
		return fmt.Sprintf("Of %s, %s.", things(x.mixed(through), "service", "services"), f.mixOf(through, x.where()))
	case x.mixed(inside) > 0:
		return fmt.Sprintf("Of %s, %s.", things(x.mixed(inside), "service", "services"), f.mixOf(inside, x.party.Name))
	case x.count(carried)+x.count(itself) == len(s.Surging) && x.count(carried) > 0:
		return "All " + x.relation() + " " + x.party.Name + "."
	case x.count(carried) > 0:
		return fmt.Sprintf("%d of them %s %s.", x.count(carried), x.relation(), x.party.Name)
	}
	return ""
}

// relation is how those that the suspect carries stand to it, as a verb.
func (x *suspect) relation() string {
	for _, t := range x.ties {
		if t.how == carried && t.link.As == "platform" {
			return "belong to"
		}
	}
	return "use"
}

// where names the network beside the service that runs it.
func (x *suspect) where() string {
	var names []string
	for _, a := range x.asns {
		names = append(names, a.String())
	}
	if x.kind == aService {
		return "the network of " + x.party.Name + " (" + strings.Join(names, ", ") + ")"
	}
	return "the network " + strings.Join(names, ", ")
}

// mixOf gives the smallest share among the tied services, and the largest that
// is usual.
func (f *Finding) mixOf(h how, where string) string {
	least, usual := 1.0, -1.0
	for _, t := range f.best.ties {
		if t.how == h && t.got >= 0 {
			least, usual = min(least, t.got), max(usual, t.usual)
		}
	}
	out := fmt.Sprintf("%s or more of the reports come from %s", percent(least), where)
	if least >= 0.995 {
		out = "all reports come from " + where
	}
	if usual >= 0 {
		out += fmt.Sprintf(", where at most %s are usual", percent(usual))
	}
	return out
}

// checksOf says what checks of a service say.
func (f *Finding) checksOf(w *Witness) string {
	if w == nil {
		return ""
	}
	name, c := f.scene.Topology.Name(w.ID), w.checks()
	switch {
	case c.fail > 0:
		return fmt.Sprintf("Our checks of %s fail from %d of %s.", name, c.fail, things(c.vantages, "vantage point", "vantage points"))
	case c.ok > 0 && len(f.scene.Topology.asns(w.ID)) > 0:
		return fmt.Sprintf("Checks of the site of %s succeed, which says little about its network.", name)
	case c.ok > 0:
		return fmt.Sprintf("Our checks of %s succeed from %s.", name, all(c.ok))
	case c.refused > 0:
		return fmt.Sprintf("%s answers our checks and refuses them, so the way to it works.", name)
	}
	return ""
}

// insideOf says what vantage points in a provider's own network see.
func (f *Finding) insideOf(w *Witness) string {
	x := &suspect{asns: f.scene.Topology.asns(w.ID), ties: make([]tie, len(f.scene.Surging))}
	if c := f.scene.contrast(x); len(x.asns) > 0 && c.inWork > 0 && c.inFail == 0 {
		return things(c.inWork, "vantage point of ours", "vantage points of ours") + " in its network " + see(c.inWork) + " nothing wrong."
	}
	return ""
}

func all(n int) string {
	if n == 1 {
		return "our one vantage point"
	}
	return "all " + strconv.Itoa(n) + " vantage points"
}

// points is the conclusion, in words no stronger than its basis.
func (f *Finding) points(b *faultline.Blame) string {
	name := f.best.party.Name
	if f.best.kind == aCountry {
		name = "networks in " + name
	}
	switch b.Basis {
	case faultline.BasisMeasured:
		return "What fails is " + name + ", as measured."
	case faultline.BasisInferred:
		return "Failing checks of what uses it point to " + name + ", which is not measured itself."
	case faultline.BasisReports, faultline.BasisNone:
	}
	return fmt.Sprintf("Reports on %s point to %s (not measured).", things(len(f.scene.Surging), "service", "services"), name)
}

// alone says what stayed quiet beside a single service.
func (f *Finding) alone() string {
	for _, x := range f.all[1:] {
		if x.kind != aService {
			continue
		}
		if _, n, _ := f.scene.children(x); n > 1 {
			return things(n-1, "service that uses", "services that use") + " " + x.party.Name + " as well " + isAre(n-1) + " as usual."
		}
	}
	providers := 0
	for i := range f.scene.Quiet {
		if len(f.scene.Topology.asns(f.scene.Quiet[i].ID)) > 0 {
			providers++
		}
	}
	if providers == 0 {
		return ""
	}
	return things(providers, "provider of access", "providers of access") + " " + isAre(providers) + " as usual."
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// unnamed says that it cannot be told, and what was weighed.
func (f *Finding) unnamed(i int) string {
	w := &f.scene.Surging[i]
	checks := f.checksOf(w)
	switch f.best.kind {
	case coinciden:
		return join([]string{checks, "Nothing ties them together: it may be chance."})
	case aCause:
		return join([]string{checks, "Nothing that we know carries all of them, so where it fails cannot be told."})
	case aService, aNetwork, aCountry:
	}
	return join([]string{checks, f.hesitates()})
}

// hesitates says why the best explanation is not named.
func (f *Finding) hesitates() string {
	x := f.best
	switch {
	case x.p < f.threshold():
		return "Where it fails cannot be told: " + f.rivals() + "."
	case f.workingItself():
		return x.party.Name + " would explain it, but its checks succeed."
	case x.self.surges() && !f.settled(x.self):
		return fmt.Sprintf("Where it fails cannot be told yet: what carries %s has %s to show itself.", x.party.Name, minutes(Window))
	}
	return upper(x.label()) + " would explain it, but one service is no case against what carries it."
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func minutes(d time.Duration) string { return fmt.Sprintf("%.0f min", d.Minutes()) }

// rivals are the best explanations with their shares.
func (f *Finding) rivals() string {
	var parts []string
	for _, x := range f.all {
		if len(parts) < 2 && x.p >= second {
			parts = append(parts, x.label()+" "+percent(x.p))
		}
	}
	return strings.Join(parts, ", ")
}

// label names an explanation.
func (x *suspect) label() string {
	switch x.kind {
	case aCause:
		return "a common cause that we do not know"
	case coinciden:
		return "chance"
	case aCountry:
		return "networks in " + x.party.Name
	case aService, aNetwork:
	}
	return x.party.Name
}

// things is a number with its noun.
func things(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// percent is a share in whole per cent.
func percent(x float64) string { return fmt.Sprintf("%.0f %%", math.Round(100*x)) }

// times is a ratio as a reader says it.
func times(x float64) string {
	if x < 10 {
		return strconv.FormatFloat(faultline.Round(x, 1), 'f', -1, 64) + " times"
	}
	return strconv.FormatFloat(math.Round(x), 'f', 0, 64) + " times"
}

func clock(t time.Time) string { return t.UTC().Format("15:04") }

func see(n int) string {
	if n == 1 {
		return "sees"
	}
	return "see"
}
