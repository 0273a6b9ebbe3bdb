package incident

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"faultline"
)

// grow makes a revision when nothing but numbers changed, at most every
// Config.Growth. Incidents that are retracted or merged keep their numbers.
func (r *Room) grow(rec *record) {
	i := &rec.Incident
	if rec.changed || r.now.Sub(rec.LastOut) < r.cfg.Growth || i.State == faultline.Retracted || i.MergedInto != "" {
		return
	}
	before := rec.copy()
	rec.numbers(r)
	if !reflect.DeepEqual(before, rec.copy()) {
		r.change(rec, By)
	}
}

// numbers computes everything that follows from the events.
func (rec *record) numbers(r *Room) {
	i := &rec.Incident
	list := rec.sorted()
	if len(list) == 0 || i.State == faultline.Retracted || i.MergedInto != "" {
		return
	}
	rec.scopeOf(r, list)
	i.Episodes = rec.episodes(r, list)
	i.Events = rec.ids()
	i.Instruments = kinds(list)
	i.Peak = peak(list)
	i.Failure, i.Op = failures(list)
	rec.times(r)
}

// times are onset, end, span and the sum of the disrupted time. Span and sum
// are cut to milliseconds, which is what their JSON says.
func (rec *record) times(r *Room) {
	i := &rec.Incident
	i.Onset, i.End = i.Episodes[0].Onset, time.Time{}
	var sum time.Duration
	ongoing := false
	for _, e := range i.Episodes {
		i.End = latest(i.End, e.End)
		ongoing = ongoing || e.End.IsZero()
		sum += orNow(e.End, r.now).Sub(e.Onset)
	}
	if ongoing {
		i.End = time.Time{}
	}
	i.Span = faultline.Seconds(max(0, orNow(i.End, r.now).Sub(i.Onset)).Round(time.Millisecond))
	i.Disrupted = faultline.Seconds(max(0, sum).Round(time.Millisecond))
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

func kinds(list []*tracked) []string {
	var all []string
	for _, t := range list {
		all = append(all, t.kind())
	}
	return union(all, nil)
}

// wave is an interval of disruption under construction; its end is zero while
// it lasts.
type wave struct {
	start, end time.Time
	events     []*tracked
}

// episodes are the waves of the incident. The widest series say when: those of
// the world, and the checks that fail. A country's surge makes a wave of its
// own only where the wider ones saw none, and an ASN's likewise; else it only
// says for whom.
func (rec *record) episodes(r *Room, list []*tracked) []faultline.Episode {
	var waves []wave
	for _, tier := range [][]faultline.Level{{faultline.World, faultline.AtVantage}, {faultline.InCountry}, {faultline.InASN}} {
		var own []wave
		for _, t := range list {
			if !slices.Contains(tier, t.Event.Series.Level) {
				continue
			}
			if w := r.touching(waves, t, rec); w != nil {
				w.events = append(w.events, t)
			} else {
				own = append(own, wave{t.Event.Onset, r.endOf(rec, t), []*tracked{t}})
			}
		}
		waves = r.merge(append(waves, own...))
	}
	episodes := make([]faultline.Episode, len(waves))
	for i := range waves {
		episodes[i] = waves[i].episode()
	}
	return episodes
}

// endOf is when an event ended. One that lingers after the incident began to
// recover, or that an operator closed, does not keep its wave open.
func (r *Room) endOf(rec *record, t *tracked) time.Time {
	end := t.end()
	if !end.IsZero() {
		return end
	}
	switch {
	case rec.Incident.State.Open() && !t.Ignored && !slices.Contains(rec.Lingering, t.Event.ID):
		return time.Time{}
	case rec.Incident.State == faultline.Resolved:
		return latest(t.Event.At, t.Heard)
	}
	return t.Event.At
}

// touching finds the wave that an event belongs to: nearer than Merge.
func (r *Room) touching(waves []wave, t *tracked, rec *record) *wave {
	end := r.endOf(rec, t)
	for i := range waves {
		if r.near(&waves[i], t.Event.Onset, end) {
			return &waves[i]
		}
	}
	return nil
}

func (r *Room) near(w *wave, start, end time.Time) bool {
	return (w.end.IsZero() || start.Sub(w.end) < r.cfg.Merge) && (end.IsZero() || w.start.Sub(end) < r.cfg.Merge)
}

// merge sorts waves and joins those whose gap is shorter than Merge.
func (r *Room) merge(waves []wave) []wave {
	slices.SortStableFunc(waves, func(a, b wave) int { return a.start.Compare(b.start) })
	var out []wave
	for _, w := range waves {
		if n := len(out); n > 0 && r.near(&out[n-1], w.start, w.end) {
			last := &out[n-1]
			last.events = append(last.events, w.events...)
			if last.end.IsZero() || w.end.IsZero() {
				last.end = time.Time{}
			} else {
				last.end = latest(last.end, w.end)
			}
			continue
		}
		out = append(out, w)
	}
	return out
}

// episode describes a wave by the events in it.
func (w *wave) episode() faultline.Episode {
	first := slices.MinFunc(w.events, func(a, b *tracked) int { return a.Event.Onset.Compare(b.Event.Onset) })
	e := faultline.Episode{
		Onset: w.start, OnsetLow: first.Event.OnsetLow, OnsetHigh: first.Event.OnsetHigh, End: w.end, Events: []string{},
	}
	for _, t := range w.events {
		e.Events = append(e.Events, t.Event.ID)
		if t.Event.Series.Level == faultline.InCountry && !slices.Contains(e.Countries, t.Event.Series.Country) {
			e.Countries = append(e.Countries, t.Event.Series.Country)
		}
	}
	slices.Sort(e.Events)
	slices.Sort(e.Countries)
	if top := highest(w.events); top != nil {
		e.Peak, e.PeakValue, e.PeakUsual, e.PeakWidth = top.Event.Peak, top.Event.PeakValue, top.Event.PeakUsual, top.Event.PeakWidth
	}
	return e
}

// highest is the surge with the highest rate among those of the widest level.
func highest(list []*tracked) *tracked {
	var top *tracked
	for _, t := range list {
		if t.kind() != Reports || top != nil && t.Event.Series.Level > top.Event.Series.Level {
			continue
		}
		if top == nil || t.Event.Series.Level < top.Event.Series.Level || rate(&t.Event) > rate(&top.Event) {
			top = t
		}
	}
	return top
}

// rate is the peak per second.
func rate(e *faultline.Event) float64 {
	return e.PeakValue / max(1, time.Duration(e.PeakWidth).Seconds())
}

func peak(list []*tracked) faultline.PeakReports {
	top := highest(list)
	if top == nil {
		return faultline.PeakReports{}
	}
	e := &top.Event
	return faultline.PeakReports{At: e.Peak, Value: e.PeakValue, Usual: e.PeakUsual, Width: e.PeakWidth, Country: e.Series.Country}
}

// failures is how checks fail most often; among equals the first by name.
func failures(list []*tracked) (faultline.Failure, faultline.Op) {
	type how struct {
		failure faultline.Failure
		op      faultline.Op
	}
	n, top := map[how]int{}, how{}
	for _, t := range list {
		if t.kind() == Probes {
			n[how{t.Event.Failure, t.Event.Op}] += max(1, t.Event.Failed)
		}
	}
	for h, count := range n {
		if c := cmp.Compare(count, n[top]); c > 0 || c == 0 && (top == how{} || strings.Compare(string(h.failure)+" "+string(h.op), string(top.failure)+" "+string(top.op)) < 0) {
			top = h
		}
	}
	return top.failure, top.op
}
