package incident

import (
	"slices"
	"time"

	"faultline"
	"faultline/internal/incident/affected"
)

// How the share of users who are hit is followed. Every hitStep of data time the
// counts of the last hitWindow are weighed; what comes out stands for the step in
// the middle of that window, so that a sum over time does not lag.
const (
	hitStep   = 5 * time.Minute
	hitWindow = 15 * time.Minute
	hitLag    = (hitWindow - hitStep) / 2
	hitBefore = 3 * time.Hour // kept without an incident: an onset is found up to two hours late
	hitMost   = 8640          // moments kept of an incident, 30 days
	hitKnown  = 0.5           // share of the span below which a sum over it says too little
	// believed is the age from which a baseline says what is usual (as the
	// detector's young_baseline).
	believed = 72 * time.Hour
)

// working is a minute's "works for me", as people.
type working struct {
	Start time.Time
	N     int
}

// moment is a share of users that was told.
type moment struct {
	At               time.Time // end of the window
	Value, Low, High float64
	Reports, Checks  bool
}

// hearWorks keeps the newest revision of a minute's "works for me".
func (r *Room) hearWorks(x *faultline.Sample) {
	if x.Series.Metric != faultline.MetricReports || x.Series.Level != faultline.World {
		return
	}
	s := r.service(x.Series.Service)
	s.Works = slices.DeleteFunc(s.Works, func(w working) bool { return w.Start.Equal(x.Start) })
	if x.Works == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(s.Works, x.Start, func(w working, at time.Time) int { return w.Start.Compare(at) })
	s.Works = slices.Insert(s.Works, i, working{x.Start.UTC(), x.Works})
}

// measure weighs the counts of every service when a step of time is over. After
// a leap of time the steps in between stay unknown.
func (r *Room) measure(before time.Time) {
	if !r.crossed(before, hitStep) {
		return
	}
	at := r.now.Truncate(hitStep)
	for _, s := range r.order {
		if share, ok := affected.Estimate(r.counted(s, at)); ok {
			s.Shares = append(s.Shares, moment{
				at, faultline.Round(share.Value, 3), faultline.Round(share.Low, 3), faultline.Round(share.High, 3), share.Reports, share.Checks,
			})
		}
		r.forgetShares(s, at)
	}
}

// counted gathers what the window that ends at a moment holds. Reports that
// nobody listened to, or that a detector does not trust, are none.
func (r *Room) counted(s *service, at time.Time) (e affected.Evidence) {
	e.Failing, e.Groups = r.failingGroups(s)
	w := &s.World
	if !s.heard(r) || w.Width <= 0 || w.Verdict == faultline.CannotTell && w.Reason != YoungBaseline {
		return e
	}
	e.Problems = w.Value * hitWindow.Seconds() / w.Width.Seconds()
	e.Usual, e.Settled = w.Usual*hitWindow.Seconds(), w.Settled
	for _, m := range s.Works {
		if !m.Start.Before(at.Add(-hitWindow)) && m.Start.Before(at) {
			e.Works += float64(m.N)
		}
	}
	return e
}

// failingGroups counts the healthy groups of vantage points, and those in which
// most vantage points see most of their targets fail.
func (r *Room) failingGroups(s *service) (failing, groups int) {
	type group struct{ healthy, failing int }
	down, all := r.down(s), map[faultline.Place]group{}
	for _, v := range vantages(r.views(s), r.now) {
		place, n := faultline.Place{Country: v[0].Series.Country, ASN: v[0].Series.ASN}, 0
		for _, target := range v {
			if down[target.Series] {
				n++
			}
		}
		g := all[place]
		if g.healthy++; 2*n > len(v) {
			g.failing++
		}
		all[place] = g
	}
	for _, g := range all {
		if 2*g.failing > g.healthy {
			failing++
		}
	}
	return failing, len(all)
}

// down are the series of checks that fail now.
func (r *Room) down(s *service) map[faultline.Series]bool {
	down := map[faultline.Series]bool{}
	if rec := r.current(s); rec != nil {
		for _, t := range rec.Events {
			if t.kind() == Probes && t.active() {
				down[t.Event.Series] = true
			}
		}
	}
	return down
}

// forgetShares keeps what an incident may still ask for.
func (r *Room) forgetShares(s *service, at time.Time) {
	oldest := at.Add(-hitBefore)
	if rec := r.current(s); rec != nil && r.measuring(s, rec) {
		if onset := rec.Incident.Onset.Add(-hitWindow); onset.Before(oldest) {
			oldest = onset
		}
	}
	s.Shares = slices.DeleteFunc(s.Shares, func(m moment) bool { return m.At.Before(oldest) })
	s.Shares = slices.Delete(s.Shares, 0, max(0, len(s.Shares)-hitMost))
	s.Said = slices.DeleteFunc(s.Said, func(t telling) bool { return t.At.Before(oldest) })
	s.Said = slices.Delete(s.Said, 0, max(0, len(s.Said)-hitMost))
	s.Works = slices.DeleteFunc(s.Works, func(w working) bool { return w.Start.Before(at.Add(-hitWindow)) })
}

// measuring says whether the moments of an incident's span are still kept: while
// it is open, and as long as it could go on.
func (r *Room) measuring(s *service, rec *record) bool {
	return s.Current == rec.Incident.ID && (rec.open() || r.now.Sub(rec.Incident.End) <= r.cfg.Reopen+hitBefore)
}

// hit fills in the share of users hit and what it sums up to. An incident whose
// moments are gone keeps what was said; one whose reports look forged has none.
func (rec *record) hit(r *Room, before []faultline.Episode) {
	i, s := &rec.Incident, r.service(rec.Incident.Service)
	switch {
	case slices.Contains(i.Flags, Brigade):
		i.Affected, i.AffectedNow, i.Severity = nil, nil, nil
		return
	case !r.measuring(s, rec):
		keepShares(i.Episodes, before)
		return
	}
	i.Affected, i.AffectedNow = nil, nil
	for k := range i.Episodes {
		e := &i.Episodes[k]
		e.Affected = r.worst(s, e.Onset, orNow(e.End, r.now))
		if i.Affected == nil || e.Affected != nil && e.Affected.Value > i.Affected.Value {
			i.Affected = e.Affected
		}
	}
	if n := len(s.Shares); n > 0 && i.End.IsZero() && r.newest(s, n-1) {
		i.AffectedNow = s.Shares[n-1].affected()
	}
	i.Severity = r.severity(s, i.Onset, orNow(i.End, r.now))
}

// keepShares takes over what was said of episodes that began at the same time.
func keepShares(now, before []faultline.Episode) {
	for k := range now {
		for _, e := range before {
			if e.Onset.Equal(now[k].Onset) {
				now[k].Affected = e.Affected
			}
		}
	}
}

func (m *moment) affected() *faultline.Affected {
	a := &faultline.Affected{At: m.At, Value: m.Value, Low: m.Low, High: m.High}
	if m.Checks {
		a.Instruments = append(a.Instruments, Probes)
	}
	if m.Reports {
		a.Instruments = append(a.Instruments, Reports)
	}
	return a
}

// newest says whether a moment is the last there can be: it stands for all time
// since.
func (r *Room) newest(s *service, k int) bool {
	return k == len(s.Shares)-1 && r.now.Before(s.Shares[k].At.Add(hitStep))
}

// within is how much of from to to a moment stands for.
func (r *Room) within(s *service, k int, from, to time.Time) time.Duration {
	start, end := s.Shares[k].At.Add(-hitLag-hitStep), s.Shares[k].At.Add(-hitLag)
	if r.newest(s, k) {
		end = r.now
	}
	start = latest(start, from)
	if end.After(to) {
		end = to
	}
	return max(0, end.Sub(start))
}

// worst is the moment with the largest share in from to to; nil: none was told.
func (r *Room) worst(s *service, from, to time.Time) *faultline.Affected {
	var top *moment
	for k := range s.Shares {
		if m := &s.Shares[k]; r.within(s, k, from, to) > 0 && (top == nil || m.Value > top.Value) {
			top = m
		}
	}
	if top == nil {
		return nil
	}
	return top.affected()
}

// severity sums the share over from to to. What is not known is nobody in Low,
// everybody in High, and like the rest in Value.
func (r *Room) severity(s *service, from, to time.Time) *faultline.Severity {
	span, known := to.Sub(from).Hours(), 0.0
	var sum moment
	for k := range s.Shares {
		h, m := r.within(s, k, from, to).Hours(), &s.Shares[k]
		known += h
		sum.Value += float64(h * m.Value)
		sum.Low += float64(h * m.Low)
		sum.High += float64(h * m.High)
	}
	if known <= 0 || known < float64(hitKnown*span) {
		return nil
	}
	return &faultline.Severity{
		Value: faultline.Round(sum.Value*span/known, 3), Low: faultline.Round(sum.Low, 3), High: faultline.Round(sum.High+max(0, span-known), 3),
		Known: faultline.Round(min(1, known/span), 3),
	}
}
