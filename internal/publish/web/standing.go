package web

import (
	"cmp"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

const (
	// mapWindow is the stretch of time that a map sums up: as long as the
	// detector's own readings of what is usual.
	mapWindow = 15 * time.Minute
	// ratioFrom is the fewest reports that are compared with what is usual.
	ratioFrom = 5
)

// stretch is what a country's people report about one service in a window.
type stretch struct {
	Service *live.Service
	Reports float64 // five minutes with fewer than three people count as none
	Few     bool    // there are such five minutes
	Usual   float64
	Step    chart.Step
	Doubt   words.Doubt // why Step is 0
}

// Ratio is how many times the usual number that is; 0 where there are too few to
// compare. As in the drum, what is usual counts as one at least.
func (s *stretch) Ratio() float64 {
	if s.Reports < ratioFrom {
		return 0
	}
	return s.Reports / max(s.Usual, 1)
}

// stretchOf sums up the window of a line that ends at end.
func stretchOf(svc *live.Service, l *live.Line, end time.Time) stretch {
	s := stretch{Service: svc, Doubt: words.Silent}
	verdict, known := faultline.Verdict(""), 0
	for _, b := range during(l.Bins, end) {
		if !b.Known() {
			continue
		}
		known++
		if b.Few() {
			s.Few = true
		} else {
			s.Reports += b.Value
		}
		s.Usual += b.Expected
		verdict = b.Verdict
	}
	if 2*known > int(mapWindow/live.Step) {
		s.Step, s.Doubt = stepOf(&s, verdict)
	}
	return s
}

// during gives the bins of the window that ends at end.
func during(bins []live.Bin, end time.Time) []live.Bin {
	if len(bins) == 0 {
		return nil
	}
	to := min(max(int(end.Sub(bins[0].Start)/live.Step), 0), len(bins))
	return bins[max(to-int(mapWindow/live.Step), 0):to]
}

// stepOf is the step on the map. Three times the usual number is only trouble
// where the detector says that chance would hardly bring it.
func stepOf(s *stretch, v faultline.Verdict) (chart.Step, words.Doubt) {
	unusual := v == faultline.Odd || v == faultline.Surging
	ratio := s.Ratio()
	switch {
	case v == "" || v == faultline.CannotTell:
		return 0, words.TooYoung
	case s.Reports < ratioFrom && s.Usual < ratioFrom:
		return 0, words.TooFew
	case ratio < 3:
		return 1, ""
	case !unusual:
		return 0, words.ByChance
	case ratio < 8:
		return 2, ""
	case ratio < 20:
		return 3, ""
	}
	return 4, ""
}

// standing is how a country stands with all services of a map together.
type standing struct {
	Country faultline.Country
	Step    chart.Step // of the service that stands worst
	Doubt   words.Doubt
	Ratio   float64 // of the services at that step, the largest
	Reports float64 // about all
	Few     bool
	Trouble []stretch // services at three times or more, worst first
}

// Printed says whether a country may be named: because it can be told how it
// stands, or because enough people speak.
func (s *standing) Printed() bool { return s.Step > 0 || s.Reports >= live.MinReporters }

// standings sums up the window that ends at end, worst first. Countries of which
// nothing may be said are not in it.
func standings(services []*live.Service, end time.Time) (out []standing) {
	at := map[faultline.Country]int{}
	for _, svc := range services {
		for i := range svc.Countries {
			l := &svc.Countries[i]
			k, ok := at[l.Country]
			if !ok {
				k, at[l.Country] = len(out), len(out)
				out = append(out, standing{Country: l.Country})
			}
			out[k].add(stretchOf(svc, l, end))
		}
	}
	out = slices.DeleteFunc(out, func(s standing) bool { return !s.Printed() })
	for i := range out {
		slices.SortStableFunc(out[i].Trouble, func(a, b stretch) int { return cmp.Compare(b.Ratio(), a.Ratio()) })
	}
	slices.SortFunc(out, func(a, b standing) int {
		return cmp.Or(cmp.Compare(b.Step, a.Step), cmp.Compare(b.Ratio, a.Ratio), cmp.Compare(b.Reports, a.Reports), cmp.Compare(a.Country, b.Country))
	})
	return out
}

func (s *standing) add(x stretch) {
	s.Reports, s.Few = s.Reports+x.Reports, s.Few || x.Few
	switch {
	case x.Step > s.Step || s.Doubt == "" && s.Step == 0:
		s.Step, s.Doubt, s.Ratio = x.Step, x.Doubt, x.Ratio()
	case x.Step == s.Step:
		s.Ratio = max(s.Ratio, x.Ratio())
		if x.Doubt == words.ByChance {
			s.Doubt = x.Doubt
		}
	}
	if x.Step > 1 {
		s.Trouble = append(s.Trouble, x)
	}
}

// newestEnd is the end of the newest five minutes that any country has.
func newestEnd(services []*live.Service) (end time.Time) {
	for _, svc := range services {
		for i := range svc.Countries {
			if n := len(svc.Countries[i].Bins); n > 0 {
				if e := svc.Countries[i].Bins[n-1].Start.Add(live.Step); e.After(end) {
					end = e
				}
			}
		}
	}
	return end
}

// reached is what the vantage points of a country reach.
type reached struct {
	Country  faultline.Country
	Vantages int // that speak now and count
	OK, N    int // checks in the window
	Step     chart.Step
}

// minVantages is the fewest vantage points that speak for a country.
const minVantages = 3

// reachedFrom sums up the newest checks by the vantage points' countries, most
// vantage points first. vantages is how many speak in all.
func reachedFrom(services []*live.Service, now time.Time) (out []reached, vantages int) {
	at, seen := map[faultline.Country]int{}, map[string]bool{}
	for _, svc := range services {
		for i := range svc.Vantages {
			x := &svc.Vantages[i]
			if !x.Fresh(now) || !x.Counts {
				continue
			}
			k, ok := at[x.Place.Country]
			if !ok {
				k, at[x.Place.Country] = len(out), len(out)
				out = append(out, reached{Country: x.Place.Country})
			}
			if !seen[x.Vantage] {
				seen[x.Vantage] = true
				out[k].Vantages++
			}
			for _, b := range x.Bins[max(0, len(x.Bins)-int(mapWindow/live.Step)):] {
				out[k].OK, out[k].N = out[k].OK+b.OK, out[k].N+b.N
			}
		}
	}
	for i := range out {
		out[i].Step = reachStep(&out[i])
	}
	slices.SortFunc(out, func(a, b reached) int {
		return cmp.Or(cmp.Compare(b.Vantages, a.Vantages), cmp.Compare(a.Country, b.Country))
	})
	return out, len(seen)
}

func reachStep(r *reached) chart.Step {
	if r.Vantages < minVantages || r.N == 0 {
		return 0
	}
	switch share := float64(r.OK) / float64(r.N); {
	case share >= 0.95:
		return 1
	case share >= 0.5:
		return 2
	case share >= 0.1:
		return 3
	}
	return 4
}
