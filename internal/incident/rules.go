package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"faultline"
)

// judge applies the state table to the service's incident until nothing
// changes any more: a long step of data time may carry it over several states.
func (r *Room) judge(s *service) {
	rec := r.current(s)
	if rec == nil {
		return
	}
	for range 4 {
		if !rec.open() || !r.next(s, rec) {
			break
		}
	}
	r.flag(s, rec)
	r.grow(rec)
}

// next makes at most one change of state.
func (r *Room) next(s *service, rec *record) bool {
	if rec.Stretch.Equal(r.now) && rec.Incident.State == faultline.Possible {
		rec.Openers = union(rec.Openers, rec.speaking()) // who spoke at the same moment
	}
	switch {
	case rec.withdrawn():
		rec.retract(r, By, rec.withdrawal(), rec.all())
		return true
	case r.unheard(rec):
		rec.resolve(r, By, "nobody could measure for "+inWords(r.cfg.Unheard)+"; this is not a sign that it works", nil)
		return true
	case rec.Incident.State == faultline.Recovering:
		return r.nextRecovering(s, rec)
	}
	if r.recovered(s, rec) {
		r.recover(s, rec)
		return true
	}
	return rec.Incident.State == faultline.Possible && r.confirm(s, rec)
}

// nextRecovering relapses, resolves, or waits.
func (r *Room) nextRecovering(s *service, rec *record) bool {
	if t := r.relapse(s, rec); t != nil {
		r.fallBack(rec, t)
		return true
	}
	if r.now.Sub(rec.Since) < r.cfg.Resolve || !r.allBack(s, rec) || !r.anyAwake(s) {
		return false
	}
	rec.resolve(r, By, "as usual for "+inWords(r.cfg.Resolve), nil)
	return true
}

// withdrawn says whether every event behind the incident was retracted, or rests
// on nothing since a wider one was.
func (rec *record) withdrawn() bool {
	for _, t := range rec.Events {
		if t.Event.State != faultline.EventRetracted && !rec.groundless(t) {
			return false
		}
	}
	return len(rec.Events) > 0
}

// groundless says whether a surge of a young series is part of a wider one that
// was only the level since listening began.
func (rec *record) groundless(t *tracked) bool {
	if !t.Event.Young {
		return false
	}
	for _, w := range rec.Events {
		if w.Event.State == faultline.EventRetracted && w.Event.Reason == faultline.LevelSinceStart &&
			above(w.Event.Series, t.Event.Series) && !t.Event.Onset.After(w.Event.At) {
			return true
		}
	}
	return false
}

// withdrawal says why.
func (rec *record) withdrawal() string {
	for _, t := range rec.Events {
		if t.Event.Reason == faultline.LevelSinceStart {
			return "an hour later the reports were still at the level that they had when listening began: that is taken as usual, and whether it is cannot be told yet"
		}
	}
	return "the data that opened it were corrected: nothing unusual is left in them"
}

// all lists every event, retracted ones too.
func (rec *record) all() []string { return slices.Sorted(maps.Keys(rec.Events)) }

// unheard says whether none of the series that fail was measured for long.
func (r *Room) unheard(rec *record) bool {
	failing := false
	for _, t := range rec.Events {
		if !t.active() {
			continue
		}
		failing = true
		if r.now.Sub(latest(t.Heard, t.Event.At)) < r.cfg.Unheard {
			return false
		}
	}
	return failing
}

// back says whether an event is inside the recovery band for long enough.
func (r *Room) back(s *service, t *tracked) bool {
	switch {
	case t.Event.State != faultline.EventOpen || t.Ignored:
		return true
	case t.Event.Recovered.IsZero():
		return false
	case t.kind() == Reports:
		return r.now.Sub(t.Event.Recovered) >= r.cfg.RecoverReports
	}
	v := s.Views[t.Event.Series.String()]
	return v != nil && v.OKs >= r.cfg.RecoverChecks
}

// recovered says whether the instruments that opened the stretch are back. A
// check that fails holds it up whoever opened it: it is direct evidence.
// Reports that linger behind probes that succeed do not.
func (r *Room) recovered(s *service, rec *record) bool {
	for _, t := range rec.Events {
		if !r.back(s, t) && (t.kind() == Probes || slices.Contains(rec.Openers, t.kind())) {
			return false
		}
	}
	return true
}

func (r *Room) recover(s *service, rec *record) {
	rec.Since, rec.Lingering = r.now, nil
	for _, t := range rec.sorted() {
		if !r.back(s, t) {
			rec.Lingering = append(rec.Lingering, t.Event.ID)
		}
	}
	var why []string
	if slices.Contains(rec.Openers, Reports) {
		why = append(why, "reports are back to their usual number for "+inWords(r.cfg.RecoverReports))
	}
	if slices.Contains(rec.Openers, Probes) {
		why = append(why, fmt.Sprintf("%d checks in a row succeed", r.cfg.RecoverChecks))
	}
	rec.step(r, faultline.Recovering, By, strings.Join(why, "; "), rec.widest(rec.Openers...))
}

// allBack says whether every event is back, those that linger too.
func (r *Room) allBack(s *service, rec *record) bool {
	for _, t := range rec.Events {
		if !r.back(s, t) {
			return false
		}
	}
	return true
}

// covered says whether a wider series of reports shows the same disruption:
// then the event says for whom, and its tail is no relapse.
func (r *Room) covered(rec *record, t *tracked) bool {
	for _, w := range rec.Events {
		if w.kind() == Reports && w.Event.Series.Level < t.Event.Series.Level && w.Event.State != faultline.EventRetracted && above(w.Event.Series, t.Event.Series) && r.close(w, t) {
			return true
		}
	}
	return false
}

// above says whether the series a holds the reports of b.
func above(a, b faultline.Series) bool {
	return b.Level != faultline.AtVantage && (a.Level == faultline.World || a.Level == faultline.InCountry && a.Country == b.Country)
}

// relapse is an event that shows the failure again, or a new one. One that was
// only found late, and began before the disruption ended, lingers; so does the
// tail of a country or an ASN.
func (r *Room) relapse(s *service, rec *record) *tracked {
	for _, t := range rec.sorted() {
		switch {
		case !t.active() || r.back(s, t) || slices.Contains(rec.Lingering, t.Event.ID):
		case !t.Event.Onset.After(rec.Incident.End) && (t.Known.After(rec.Since) || r.covered(rec, t)):
			rec.Lingering = append(rec.Lingering, t.Event.ID)
		default:
			return t
		}
	}
	return nil
}

// fallBack leaves recovering. The same event again continues the stretch in
// its state; a new one begins a stretch of its own.
func (r *Room) fallBack(rec *record, t *tracked) {
	if t.Known.After(rec.Since) {
		r.reopen(rec, t)
		return
	}
	rec.Since, rec.Lingering = time.Time{}, nil
	rec.step(r, rec.Best, By, "it did not last: "+r.sign(&t.Event), []string{t.Event.ID})
}

// confirm tries the three ways to be sure.
func (r *Room) confirm(s *service, rec *record) bool {
	for _, rule := range []func(*service, *record) (string, []string){r.kindsAgree, r.quorum, r.oneVantage} {
		if why, because := rule(s, rec); why != "" {
			rec.step(r, faultline.Confirmed, By, why, because)
			return true
		}
	}
	return false
}

// kindsAgree finds signs of two kinds that overlap or are close in time. Of
// several it names the reports of the widest series.
func (r *Room) kindsAgree(_ *service, rec *record) (string, []string) {
	list := rec.ofStretch(r)
	wide := slices.Clone(list)
	slices.SortStableFunc(wide, func(a, b *tracked) int { return cmp.Compare(a.Event.Series.Level, b.Event.Series.Level) })
	for _, a := range wide {
		for _, b := range list {
			if a.kind() == Reports && b.kind() == Probes && r.close(a, b) {
				return "two kinds of instruments agree: " + r.sign(&a.Event) + "; " + r.sign(&b.Event), []string{a.Event.ID, b.Event.ID}
			}
		}
	}
	return "", nil
}

// ofStretch lists the events that belong to the present stretch.
func (rec *record) ofStretch(r *Room) []*tracked {
	return slices.DeleteFunc(rec.sorted(), func(t *tracked) bool {
		end := t.end()
		return t.Ignored || !end.IsZero() && end.Before(rec.Stretch.Add(-r.cfg.Agree))
	})
}

// close says whether two events overlap or are at most Agree apart.
func (r *Room) close(a, b *tracked) bool {
	return !a.Event.Onset.After(r.until(b).Add(r.cfg.Agree)) && !b.Event.Onset.After(r.until(a).Add(r.cfg.Agree))
}

// until is an event's end, or now.
func (r *Room) until(t *tracked) time.Time {
	if end := t.end(); !end.IsZero() {
		return end
	}
	return r.now
}

// quorum asks whether enough independent vantages fail at the same step.
func (r *Room) quorum(s *service, rec *record) (string, []string) {
	views := r.views(s)
	for _, op := range failingOps(rec) {
		q := r.poll(views, rec, op)
		if q.vantages >= r.cfg.QuorumVantages && q.asns >= r.cfg.QuorumASNs && float64(q.failing) >= r.cfg.QuorumShare*float64(q.groups) {
			return fmt.Sprintf("a quorum of vantage points: %d in %d networks fail at %s, %d of %d healthy groups", q.vantages, q.asns, op, q.failing, q.groups), q.events
		}
	}
	return "", nil
}

func failingOps(rec *record) []faultline.Op {
	var ops []faultline.Op
	for _, t := range rec.sorted() {
		if t.kind() == Probes && t.active() && !slices.Contains(ops, t.Event.Op) {
			ops = append(ops, t.Event.Op)
		}
	}
	return ops
}

// ballot is what the vantages say about one step.
type ballot struct {
	vantages, asns  int // failing
	failing, groups int // a group is a country and an ASN; it speaks with its majority
	events          []string
}

// poll counts the healthy vantages by group, and those of them whose newest
// failed check at this step is at most QuorumIntervals old.
func (r *Room) poll(views []*view, rec *record, op faultline.Op) (q ballot) {
	type group struct{ healthy, failing int }
	groups, asns := map[faultline.Place]*group{}, map[faultline.ASN]bool{}
	for _, v := range vantages(views, r.now) {
		place := faultline.Place{Country: v[0].Series.Country, ASN: v[0].Series.ASN}
		g := groups[place]
		if g == nil {
			g = &group{}
			groups[place] = g
		}
		g.healthy++
		if ids := r.failingAt(v, rec, op); len(ids) > 0 {
			g.failing++
			q.vantages++
			asns[place.ASN] = true
			q.events = append(q.events, ids...)
		}
	}
	q.asns, q.groups = len(asns), len(groups)
	for _, g := range groups {
		if 2*g.failing > g.healthy {
			q.failing++
		}
	}
	return q
}

// vantages groups the healthy views by vantage, in the order of their names.
func vantages(views []*view, now time.Time) [][]*view {
	var list [][]*view
	healthy := slices.DeleteFunc(slices.Clone(views), func(v *view) bool { return !v.healthy(now) })
	slices.SortStableFunc(healthy, func(a, b *view) int { return cmp.Compare(a.Series.Vantage, b.Series.Vantage) })
	for i, v := range healthy {
		if i > 0 && v.Series.Vantage == healthy[i-1].Series.Vantage {
			list[len(list)-1] = append(list[len(list)-1], v)
			continue
		}
		list = append(list, []*view{v})
	}
	return list
}

// failingAt lists the events of a vantage that fail at the step now.
func (r *Room) failingAt(views []*view, rec *record, op faultline.Op) (ids []string) {
	for _, t := range rec.sorted() {
		if t.kind() != Probes || !t.active() || t.Event.Op != op {
			continue
		}
		for _, v := range views {
			window := time.Duration(r.cfg.QuorumIntervals) * max(v.Width, time.Second)
			if t.Event.Series == v.Series && !v.Up && r.now.Sub(v.Failed) <= window {
				ids = append(ids, t.Event.ID)
			}
		}
	}
	return ids
}

// oneVantage confirms where the operator watches only their own services.
func (r *Room) oneVantage(s *service, rec *record) (string, []string) {
	if !r.cfg.ConfirmWithOneVantage {
		return "", nil
	}
	for _, t := range rec.sorted() {
		if t.kind() != Probes || !t.active() || t.Event.Failed < r.cfg.OneVantageChecks {
			continue
		}
		if v := s.Views[t.Event.Series.String()]; v != nil && v.healthy(r.now) {
			rec.Incident.OneVantage = true
			return fmt.Sprintf("by one vantage, as configured: %s", r.sign(&t.Event)), []string{t.Event.ID}
		}
	}
	return "", nil
}

// resolve ends the incident.
func (rec *record) resolve(r *Room, by, why string, because []string) {
	rec.Incident.Resolved = r.now
	rec.step(r, faultline.Resolved, by, why, because)
}

// retract says that it was none.
func (rec *record) retract(r *Room, by, why string, because []string) {
	rec.Incident.Reason = why
	rec.step(r, faultline.Retracted, by, why, because)
}

// ids lists the events, oldest first.
func (rec *record) ids() []string {
	ids := []string{}
	for _, t := range rec.sorted() {
		ids = append(ids, t.Event.ID)
	}
	return ids
}

// widest lists the events of these kinds in the widest series that any of them
// has: what a change rests on, without every country and network below it.
func (rec *record) widest(kinds ...string) []string {
	ids := []string{}
	for _, kind := range kinds {
		list := slices.DeleteFunc(rec.sorted(), func(t *tracked) bool {
			return t.kind() != kind || t.Event.End.Before(rec.Stretch) && !t.Event.End.IsZero()
		})
		for _, t := range list {
			top := slices.MinFunc(list, func(a, b *tracked) int { return cmp.Compare(a.Event.Series.Level, b.Event.Series.Level) })
			if t.Event.Series.Level == top.Event.Series.Level {
				ids = append(ids, t.Event.ID)
			}
		}
	}
	return ids
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}
