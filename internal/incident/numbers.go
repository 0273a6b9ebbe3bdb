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
	if i.State == faultline.Retracted || i.MergedInto != "" {
		return
	}
	if len(list) == 0 {
		rec.cut(r.now)
		return
	}
	rec.scopeOf(r, list)
	before := i.Episodes
	i.Episodes = rec.episodes(r, list)
	i.Events = rec.ids()
	i.Instruments = kinds(list)
	i.Peak = peak(list)
	i.Failure, i.Op = failures(list)
	i.Blame = rec.Found
	rec.times(r)
	i.What = rec.what(r, list)
	rec.hit(r, before)
}

// cut ends what lasts when an incident was closed in the step that took its last
// event away: nothing is left that could say when it was over.
func (rec *record) cut(now time.Time) {
	i := &rec.Incident
	if i.State != faultline.Resolved || !i.End.IsZero() {
		return
	}
	i.Episodes, i.End = slices.Clone(i.Episodes), now
	for k := range i.Episodes {
		if e := &i.Episodes[k]; e.End.IsZero() {
			e.End = now
		}
	}
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

// episodes are the waves of the incident. The widest series say when. Surges
// of the world's series are waves of their own: their detector has merged and
// split them already. Checks that fail lengthen the wave that they touch, or
// make one. A country's surge makes a wave only where the wider series saw
// none, and an ASN's likewise; else it only says for whom. So does a symptom's or
// a surface's; else it only says what fails.
func (rec *record) episodes(r *Room, list []*tracked) []faultline.Episode {
	var waves []wave
	for _, level := range []faultline.Level{faultline.World, faultline.AtVantage, faultline.InCountry, faultline.InASN, faultline.BySymptom, faultline.BySurface} {
		var own []wave
		for _, t := range list {
			w := wave{t.Event.Onset, r.endOf(rec, t), []*tracked{t}}
			if t.Event.Series.Level != level {
				continue
			}
			touched := r.touching(waves, &w)
			if len(touched) == 0 || level == faultline.World {
				own = append(own, w)
				continue
			}
			for _, i := range touched {
				join(waves, i, &w, level == faultline.AtVantage)
			}
		}
		waves = apart(append(waves, r.merge(own)...))
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

// touching finds the waves that another belongs to: those that it overlaps,
// else the first that is nearer than Merge.
func (r *Room) touching(waves []wave, w *wave) []int {
	var over, near []int
	for i := range waves {
		switch d := gap(&waves[i], w); {
		case d == 0:
			over = append(over, i)
		case d < r.cfg.Merge && near == nil:
			near = []int{i}
		}
	}
	if over != nil {
		return over
	}
	return near
}

// gap is the time between two waves; 0 if they overlap.
func gap(a, b *wave) time.Duration {
	switch {
	case !a.end.IsZero() && b.start.After(a.end):
		return b.start.Sub(a.end)
	case !b.end.IsZero() && a.start.After(b.end):
		return a.start.Sub(b.end)
	}
	return 0
}

// join adds w to the wave i; with longer, it lengthens it, but not into the
// wave before.
func join(waves []wave, i int, w *wave, longer bool) {
	to := &waves[i]
	to.events = append(to.events, w.events...)
	if !longer {
		return
	}
	start := w.start
	if i > 0 {
		start = latest(start, waves[i-1].end)
	}
	if start.Before(to.start) {
		to.start = start
	}
	to.end = later(to.end, w.end)
}

// later is the later of two ends; zero is still to come.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	return latest(a, b)
}

// merge joins waves whose gap is shorter than Merge, unless they hold surges
// of the same series: those were split by their detector.
func (r *Room) merge(waves []wave) []wave {
	slices.SortStableFunc(waves, func(a, b wave) int { return a.start.Compare(b.start) })
	var out []wave
	for _, w := range waves {
		if n := len(out); n > 0 && gap(&out[n-1], &w) < r.cfg.Merge && !split(&out[n-1], &w) {
			join(out, n-1, &w, true)
			continue
		}
		out = append(out, w)
	}
	return out
}

func split(a, b *wave) bool {
	return slices.ContainsFunc(a.events, func(x *tracked) bool {
		return x.kind() == Reports && slices.ContainsFunc(b.events, func(y *tracked) bool { return x.Event.Series == y.Event.Series })
	})
}

// apart sorts waves and ends each where the next begins, at the latest.
func apart(waves []wave) []wave {
	slices.SortStableFunc(waves, func(a, b wave) int { return a.start.Compare(b.start) })
	for i := range len(waves) - 1 {
		if w := &waves[i]; w.end.IsZero() || w.end.After(waves[i+1].start) {
			w.end = waves[i+1].start
		}
	}
	return waves
}

// episode describes a wave by the events in it.
func (w *wave) episode() faultline.Episode {
	e := faultline.Episode{Onset: w.start, End: w.end, Events: []string{}}
	e.OnsetLow, e.OnsetHigh = w.onset()
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

// onset is the interval of the wave's start: that of the event that began with
// it, or else of the one nearest to it.
func (w *wave) onset() (low, high time.Time) {
	first := slices.MinFunc(w.events, func(a, b *tracked) int {
		return cmp.Compare(w.start.Sub(a.Event.Onset).Abs(), w.start.Sub(b.Event.Onset).Abs())
	})
	low, high = first.Event.OnsetLow, first.Event.OnsetHigh
	if low.After(w.start) {
		low = w.start
	}
	return low, latest(high, w.start)
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
	return faultline.PeakReports{At: e.Peak, Value: e.PeakValue, Usual: e.PeakUsual, Width: e.PeakWidth, Country: e.Series.Country, Symptom: e.Series.Symptom, Surface: e.Series.Surface}
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
