package incident

import (
	"cmp"
	"math"
	"slices"
	"time"

	"faultline"
)

// What fails is told by the series of single symptoms and surfaces. What each of
// them holds, and what is usual there, is kept in steps of hitStep; over the
// episodes of an incident that is a count of all of them over the same time, so
// their parts can be compared, those of series that do not surge too. A later
// revision of a minute is not counted again: it is small beside the whole.

// whats is how many such series there are: six symptoms, then three surfaces.
const whats = 9

// whatIndex is the place of a series among them; −1: none.
func whatIndex(s faultline.Series) int {
	switch s.Level {
	case faultline.BySymptom:
		return slices.Index(faultline.Symptoms(), s.Symptom)
	case faultline.BySurface:
		if i := slices.Index(faultline.Surfaces(), s.Surface); i >= 0 {
			return len(faultline.Symptoms()) + i
		}
	}
	return -1
}

// telling is what people said in a step, and what is usual.
type telling struct {
	At          time.Time // begin of the step
	Seen, Usual [whats]float64
}

// hearUsual keeps how much is usual a second, from the newest reading of a symptom
// or a surface.
func (s *service) hearUsual(x *faultline.Reading) {
	if k := whatIndex(x.Series); k >= 0 {
		s.UsualWhat[k] = faultline.Round(x.Expected/max(1, time.Duration(x.Width).Seconds()), 9)
	}
}

// hearWhat counts a minute of a symptom or a surface, once it is known what is usual.
func (r *Room) hearWhat(x *faultline.Sample) {
	k := whatIndex(x.Series)
	if k < 0 || x.Revision > 1 || x.Complete < 0.5 {
		return
	}
	s := r.service(x.Series.Service)
	if !s.World.Settled {
		return
	}
	at := x.Start.UTC().Truncate(hitStep)
	i, known := slices.BinarySearchFunc(s.Said, at, func(t telling, at time.Time) int { return t.At.Compare(at) })
	if !known {
		s.Said = slices.Insert(s.Said, i, telling{At: at})
	}
	t := &s.Said[i]
	t.Seen[k] = faultline.Round(t.Seen[k]+x.Value, 2)
	t.Usual[k] = faultline.Round(t.Usual[k]+float64(s.UsualWhat[k]*time.Duration(x.Width).Seconds()), 4)
}

// A symptom stands out if it surges, has such a share of what is above usual, that
// is so many times its usual share, and if a crowd that complains as on any other
// day would say it so often only by rare chance: so many standard deviations of a
// binomial count. A surface need not surge, but must have nearly all; there are
// only three of them.
const (
	symptomShare, symptomTimes, symptomRare = 0.6, 2, 4
	surfaceShare, surfaceTimes, surfaceRare = 0.8, 1.3, 3
	// fewest is how many people above usual an aspect needs to be told at all.
	fewest = 3
)

// what tells what fails over the episodes of an incident: the symptoms, then the
// surfaces. An incident whose tellings are gone keeps what was said.
func (rec *record) what(r *Room, list []*tracked) []faultline.Aspect {
	s := r.service(rec.Incident.Service)
	if !r.measuring(s, rec) {
		return rec.Incident.What
	}
	var all telling
	for i := range s.Said {
		if t := &s.Said[i]; rec.during(t, r.now) {
			for k := range whats {
				all.Seen[k] += t.Seen[k]
				all.Usual[k] += t.Usual[k]
			}
		}
	}
	symptoms := len(faultline.Symptoms())
	return append(rec.aspects(list, &all, 0, symptoms), rec.aspects(list, &all, symptoms, whats)...)
}

// during says whether a step touches an episode.
func (rec *record) during(t *telling, now time.Time) bool {
	return slices.ContainsFunc(rec.Incident.Episodes, func(e faultline.Episode) bool {
		return t.At.Add(hitStep).After(e.Onset) && t.At.Before(orNow(e.End, now))
	})
}

// aspects are the series from one place to another that have people above usual,
// most of them first.
func (rec *record) aspects(list []*tracked, all *telling, from, to int) (out []faultline.Aspect) {
	seen, usual, excess := 0.0, 0.0, 0.0
	for k := from; k < to; k++ {
		seen, usual, excess = seen+all.Seen[k], usual+all.Usual[k], excess+all.above(k)
	}
	for k := from; k < to; k++ {
		if all.above(k) < fewest {
			continue
		}
		a := aspect(list, k)
		a.N, a.Share, a.Usual = faultline.Round(all.above(k), 1), ratio(all.above(k), excess), ratio(all.Usual[k], usual)
		// Half a report more of each keeps a usual share from being nothing or all.
		share := (all.Usual[k] + 0.5) / (usual + 1)
		rare := float64(all.Seen[k]-float64(seen*share)) / math.Sqrt(seen*share*(1-share))
		a.StandsOut = standsOut(&a, rare) && !slices.Contains(rec.Incident.Flags, Brigade)
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b faultline.Aspect) int { return cmp.Compare(b.N, a.N) })
	return out
}

// above is how much more was seen than is usual.
func (t *telling) above(k int) float64 { return max(0, t.Seen[k]-t.Usual[k]) }

// aspect names a series, with what its surges say.
func aspect(list []*tracked, k int) (a faultline.Aspect) {
	if n := len(faultline.Symptoms()); k < n {
		a.Symptom = faultline.Symptoms()[k]
	} else {
		a.Surface = faultline.Surfaces()[k-n]
	}
	var own []part
	for _, t := range list {
		if whatIndex(t.Event.Series) == k {
			own = plus(own, t)
		}
	}
	if len(own) > 0 {
		a.Ratio, a.Surging = faultline.Round(own[0].ratio, 1), own[0].surging
	}
	return a
}

// standsOut says whether most of what is above usual is here, more than usually and
// more than chance brings, in standard deviations.
func standsOut(a *faultline.Aspect, rare float64) bool {
	if a.Surface != "" {
		return a.Share >= surfaceShare && a.Share >= surfaceTimes*a.Usual && rare >= surfaceRare
	}
	return a.Ratio > 0 && a.Share >= symptomShare && a.Share >= symptomTimes*a.Usual && rare >= symptomRare
}
