package incident

import (
	"maps"
	"slices"
	"time"

	"faultline"
	"faultline/internal/incident/blame"
)

// Know replaces what is known of the services: who carries whom, and who runs
// which networks.
func (r *Room) Know(list []faultline.Service) { r.topology = blame.NewTopology(list) }

// collateral looks, once a minute of data time, whether services surge
// together, and writes into their incidents whom that points to.
func (r *Room) collateral() {
	var surging []blame.Witness
	any := false
	for _, s := range r.order {
		rec := r.current(s)
		any = any || failing(rec)
		if w := r.witness(s, rec); !w.Onset.IsZero() {
			surging = append(surging, w)
		}
	}
	if !any {
		return
	}
	slices.SortStableFunc(surging, func(a, b blame.Witness) int { return a.Onset.Compare(b.Onset) })
	for _, group := range blame.Together(surging) {
		if r.anyFailing(group) {
			r.find(group, r.quiet(group))
		}
	}
}

func (r *Room) anyFailing(group []blame.Witness) bool {
	return slices.ContainsFunc(group, func(w blame.Witness) bool { return failing(r.current(r.services[w.ID])) })
}

// failing says whether findings are still made about an incident. Once it
// recovers, what is seen says nothing of where it failed.
func failing(rec *record) bool {
	return rec != nil && (rec.Incident.State == faultline.Possible || rec.Incident.State == faultline.Confirmed)
}

// find judges one group and takes the findings to the incidents that last.
func (r *Room) find(group, quiet []blame.Witness) {
	scene := blame.Scene{Topology: r.topology, Surging: group, Quiet: quiet, At: r.now}
	finding := scene.Judge()
	if !finding.Telling() {
		return
	}
	for i := range group {
		if rec := r.current(r.services[group[i].ID]); failing(rec) {
			r.blame(rec, finding.Of(i))
		}
	}
}

// blame takes a finding to an incident: at once with its words when the role,
// the party or the basis changed, else with the next revision for numbers.
func (r *Room) blame(rec *record, b *faultline.Blame) {
	rec.Found = b
	old := rec.Incident.Blame
	switch {
	case old == nil && b.Party.IsZero():
		r.change(rec, By)
	case old == nil || old.Role != b.Role || old.Basis != b.Basis || !old.Party.Same(b.Party):
		rec.step(r, rec.Incident.State, By, b.Text, rec.widest(rec.speaking()...))
	}
}

// witness is what the room knows of a service: since when it surges, if it
// does or did a short time ago, and what stands behind that.
func (r *Room) witness(s *service, rec *record) blame.Witness {
	w := blame.Witness{ID: s.ID}
	list := r.signs(s, rec)
	if len(list) == 0 {
		return w
	}
	w.Onset, w.Low, w.High = began(list)
	w.Excess, w.Countries, w.Networks = s.parts(list)
	w.Looks = r.looks(s, list, w.Onset)
	if rec != nil {
		w.Confirmed, w.Before = rec.Incident.Worst == faultline.Confirmed, rec.Incident.Blame
	}
	return w
}

// signs are the events of the incident's present stretch, or of one that ended
// a short time ago; without an incident those that are odd.
func (r *Room) signs(s *service, rec *record) (list []*tracked) {
	switch {
	case rec == nil || rec.Incident.State == faultline.Retracted || rec.Incident.MergedInto != "":
	case rec.open() || r.now.Sub(rec.Incident.End) <= r.cfg.Reopen:
		list = r.stretch(rec)
	}
	if len(list) > 0 {
		return list
	}
	for _, id := range slices.Sorted(maps.Keys(s.Weak)) {
		if e := s.Weak[id]; e.Kind != faultline.Drop {
			list = append(list, &tracked{Event: e})
		}
	}
	return list
}

// stretch lists the events of the newest episode: those after the last gap of
// Config.Merge in which none lasted.
func (r *Room) stretch(rec *record) []*tracked {
	list := slices.DeleteFunc(rec.sorted(), func(t *tracked) bool { return t.Ignored })
	from, until := 0, time.Time{}
	for i, t := range list {
		if i > 0 && t.Event.Onset.Sub(until) >= r.cfg.Merge {
			from = i
		}
		until = latest(until, r.until(t))
	}
	return list[from:]
}

// began is the onset of the first of the widest events, and its interval.
func began(list []*tracked) (onset, low, high time.Time) {
	first := slices.MinFunc(list, func(a, b *tracked) int {
		if c := int(a.Event.Series.Level) - int(b.Event.Series.Level); c != 0 && a.kind() == b.kind() {
			return c
		}
		return a.Event.Onset.Compare(b.Event.Onset)
	})
	return first.Event.Onset, first.Event.OnsetLow, first.Event.OnsetHigh
}

// parts are the reports above usual, in all and by country and network, with
// what is usual from there.
func (s *service) parts(list []*tracked) (total float64, countries, networks []blame.Part) {
	world, byCountry, byASN := excess(list)
	if total = max(world, sum(byCountry), sum(byASN)); total == 0 {
		total = excessSaid(list)
	}
	for _, p := range byCountry {
		countries = append(countries, blame.Part{Place: faultline.Place{Country: p.series.Country}, Excess: p.excess, Usual: s.usual(list, p.series)})
	}
	for _, p := range byASN {
		networks = append(networks, blame.Part{Place: faultline.Place{Country: p.series.Country, ASN: p.series.ASN}, Excess: p.excess, Usual: s.usual(list, p.series)})
	}
	return total, countries, networks
}

// excessSaid is what symptoms or surfaces hold above usual, where no place surges.
func excessSaid(list []*tracked) float64 {
	by := map[faultline.Level]float64{}
	for _, t := range list {
		if t.Event.Series.Level.What() {
			by[t.Event.Series.Level] += max(0, t.Event.Excess)
		}
	}
	return max(by[faultline.BySymptom], by[faultline.BySurface])
}

// usual is the series' part of the service's usual reports; −1 where hardly any
// are usual.
func (s *service) usual(list []*tracked, of faultline.Series) float64 {
	rate := func(e *faultline.Event) float64 { return e.PeakUsual / max(1, time.Duration(e.PeakWidth).Seconds()) }
	mine, all := 0.0, s.World.Usual
	for _, t := range list {
		switch {
		case t.kind() != Reports:
		case t.Event.Series == of:
			mine = max(mine, rate(&t.Event))
		case t.Event.Series.Level == faultline.World:
			all = max(all, rate(&t.Event))
		}
	}
	if all*900 < 1 {
		return -1
	}
	return min(1, mine/all)
}

// looks are what the vantage points say since the onset.
func (r *Room) looks(s *service, list []*tracked, onset time.Time) (looks []blame.Look) {
	for _, v := range r.views(s) {
		l := blame.Look{Vantage: v.Series.Vantage, Place: faultline.Place{Country: v.Series.Country, ASN: v.Series.ASN}}
		l.Result = v.result(r.now, onset)
		for _, t := range list {
			if t.kind() == Probes && t.Event.Series == v.Series {
				l.Result, l.Failure, l.Op = blame.Fails, t.Event.Failure, t.Event.Op
			}
		}
		looks = append(looks, l)
	}
	for _, t := range list { // a check that failed, from where nothing was heard since
		if e := &t.Event; t.kind() == Probes && s.Views[e.Series.String()] == nil {
			looks = append(looks, blame.Look{Vantage: e.Series.Vantage, Place: faultline.Place{Country: e.Series.Country, ASN: e.Series.ASN}, Result: blame.Fails, Failure: e.Failure, Op: e.Op})
		}
	}
	return looks
}

// steady is how many checks in a row, all begun after the onset, must succeed
// before they say that the service works.
const steady = 3

// result judges a vantage of which no event says that it fails.
func (v *view) result(now, onset time.Time) blame.Result {
	switch {
	case !v.fresh(now) || v.At.Before(onset):
		return blame.Unsure
	case v.Verdict == faultline.CannotTell:
		return v.skipped()
	case !v.Refused.Before(onset):
		return blame.Refused // it was, in this surge
	case v.Up && v.OKs >= steady && v.At.Sub(onset) >= steady*v.Width:
		return blame.Succeeds
	}
	return blame.Unsure
}

// skipped is a check that does not count: refused to us, or made by a vantage
// point that has no network.
func (v *view) skipped() blame.Result {
	switch v.Reason {
	case string(faultline.RefusedToUs):
		return blame.Refused
	case string(faultline.NoRoute), string(faultline.NoResolver), string(faultline.AllFail), string(faultline.ControlsFail):
		return blame.Cut
	}
	return blame.Unsure
}

// audible is how many reports in 15 minutes must be usual before silence says
// that people have no trouble.
const audible = 0.5

// quiet lists the services outside the group that could show a surge and do
// not: people report them on other days and are heard, or checks succeed.
func (r *Room) quiet(group []blame.Witness) (list []blame.Witness) {
	for _, s := range r.order {
		if slices.ContainsFunc(group, func(w blame.Witness) bool { return w.ID == s.ID }) || len(r.signs(s, r.current(s))) > 0 {
			continue
		}
		w := blame.Witness{ID: s.ID, Looks: r.looks(s, nil, group[0].Onset)}
		heard := s.reportsAwake(r) && s.World.Usual*900 >= audible
		if heard || slices.ContainsFunc(w.Looks, func(l blame.Look) bool { return l.Result == blame.Succeeds }) {
			list = append(list, w)
		}
	}
	return list
}
