package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// momentsShown is how many moments of an incident a page compares.
const momentsShown = 4

// moment is how the countries stood at one moment of an incident.
type moment struct {
	From      time.Time // of its window; zero: each country at its worst, whenever that was
	What      string
	Standings []standing
}

// lastIncident is the one that goes on, or the newest that was one; or nil.
func lastIncident(svc *live.Service) *faultline.Incident {
	if log := svc.Open(); log != nil {
		return log.Now()
	}
	for _, log := range svc.Incidents {
		if i := log.Now(); i.State != faultline.Retracted && i.MergedInto == "" {
			return i
		}
	}
	return nil
}

// instant is a moment before anything is looked up.
type instant struct {
	from time.Time // of its window
	what string
	last int // the larger, the sooner it is left out
}

// instants picks the moments that tell an incident's story: before it, its
// beginning, its waves, the highest first, and now, or its end. end is that of the
// newest five minutes.
func instants(svc *live.Service, i *faultline.Incident, end time.Time) []instant {
	at := func(t time.Time, what string, last int) instant { return instant{t.Truncate(live.Step), what, last} }
	out := []instant{at(end.Add(-mapWindow), "now", 0), at(i.Onset.Add(-mapWindow), "before", 2), at(i.Onset, "when it began", 4)}
	if !i.End.IsZero() && !i.State.Open() {
		out[0] = at(i.End, "when it was over", 0)
	}
	waves := wavesOf(svc, i, end)
	for k, w := range waves {
		what := "most reports"
		if len(waves) > 1 {
			what = fmt.Sprintf("wave %d of %d", w.number, len(i.Episodes))
			if k == 0 {
				what += ", the highest"
			}
		}
		out = append(out, at(w.from, what, 1+2*k))
	}
	return told(out)
}

// wave is the highest window of an episode.
type wave struct {
	number int // from 1, in the order of time
	from   time.Time
	sum    float64 // reports in the window
}

// wavesOf finds the waves that are in memory, highest first.
func wavesOf(svc *live.Service, i *faultline.Incident, end time.Time) (out []wave) {
	for k, e := range i.Episodes {
		until, w := end, wave{number: k + 1}
		if !e.End.IsZero() && e.End.Before(end) {
			until = e.End
		}
		for t := e.Onset.Truncate(live.Step); t.Before(until); t = t.Add(live.Step) {
			sum := 0.0
			for _, b := range during(svc.World.Bins, t.Add(mapWindow)) {
				sum += shown(b)
			}
			if sum > w.sum { // false for unknown
				w.from, w.sum = t, sum
			}
		}
		if w.sum > 0 {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b wave) int { return cmp.Compare(b.sum, a.sum) })
	return out
}

// told keeps as many moments as are shown, none of them close to another that
// matters more, in their order.
func told(list []instant) (out []instant) {
	slices.SortStableFunc(list, func(a, b instant) int { return cmp.Compare(a.last, b.last) })
	for _, x := range list {
		close := slices.ContainsFunc(out, func(o instant) bool { return x.from.Sub(o.from).Abs() < mapWindow })
		if !close && len(out) < momentsShown {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b instant) int { return a.from.Compare(b.from) })
	return out
}

// momentsOf looks the moments of a service's last incident up. What is older than
// memory is left out; of an incident that is older as a whole there is the record
// of how far each country went.
func momentsOf(svc *live.Service, end time.Time) (out []moment, i *faultline.Incident) {
	i = lastIncident(svc)
	if i == nil {
		return nil, nil
	}
	first := firstHeld(svc)
	for _, x := range instants(svc, i, end) {
		if !first.IsZero() && !x.from.Before(first) && !x.from.Add(mapWindow).After(end) {
			out = append(out, moment{x.from, x.what, standings([]*live.Service{svc}, x.from.Add(mapWindow))})
		}
	}
	if len(out) > 1 {
		return out, i
	}
	if worst := recorded(i); len(worst) > 0 {
		return []moment{{time.Time{}, "each country at its worst", worst}}, i
	}
	return nil, i
}

// firstHeld is the start of the oldest five minutes of which anything is known.
func firstHeld(svc *live.Service) time.Time {
	for _, b := range svc.World.Bins {
		if b.Known() {
			return b.Start
		}
	}
	return time.Time{}
}

// recorded is how far an incident's record says that each country went.
func recorded(i *faultline.Incident) (out []standing) {
	i, _ = published(i)
	for _, c := range i.Scope.Countries {
		x := standing{Country: c.Country, Reports: c.N, Doubt: words.TooYoung}
		if c.Ratio > 0 {
			s := stretch{Reports: c.N, Usual: c.N / c.Ratio}
			x.Step, x.Doubt = stepOf(&s, faultline.Surging)
			x.Ratio = s.Ratio()
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b standing) int { return cmp.Or(cmp.Compare(b.Step, a.Step), cmp.Compare(b.Ratio, a.Ratio)) })
	return out
}

// label says a moment's picture in a sentence: what it shows, and where it is worst.
func (m *moment) label() string {
	worst, trouble, usual := faultline.Country(""), 0, 0
	for _, s := range m.Standings {
		switch {
		case s.Step > 1:
			if worst == "" {
				worst = s.Country
			}
			trouble++
		case s.Step == 1:
			usual++
		}
	}
	when := "In the record"
	if m.From.IsZero() {
		when += ", " + m.What
	} else {
		when = m.From.UTC().Format("15:04") + ", " + m.What
	}
	out := fmt.Sprintf("%s: %s at 3 times the usual number or more", when, words.Plural(float64(trouble), "country", "countries"))
	if worst != "" {
		out += ", most of all " + words.The(worst)
	}
	return out + fmt.Sprintf(", %d as usual.", usual)
}
