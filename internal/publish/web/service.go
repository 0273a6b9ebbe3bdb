package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

type servicePage struct {
	Service *live.Service
	Verdict words.Verdict
	Country faultline.Country
	Open    *faultline.Incident
	Tiles   []tile
	Day     picture
	Week    picture
	HasWeek bool
	Ninety  template.HTML
	First   time.Time
	Places  []place
	Hidden  int     // countries with too few to be shown
	More    []place // of Places, behind a summary
	Said    []said
	Used    []said
	Works   int
	Past    []ranked
	Now     time.Time
}

// placesShown is how many countries or networks a table shows before the rest
// is behind a summary.
const placesShown = 8

// place is a country in the last hour.
type place struct {
	Country faultline.Country
	Shape   string
	State   string
	Reports string
	Usual   string
	Grey    bool
}

// said is a symptom or a surface and its share of the last hour's reports.
type said struct {
	What  string
	Count string
	Share float64
}

func (s *Site) drawService(v *live.View, svc *live.Service, c faultline.Country) ([]byte, error) {
	p := s.servicePage(v, svc, c)
	title := p.Verdict.Headline
	twin := "/s/" + string(svc.ID) + ".json"
	if c != "" {
		title += ", " + words.Country(c)
		twin += "?country=" + string(c)
	}
	return s.page("service", frame{
		Title: title, Nav: "services", Path: "/s/" + string(svc.ID), Live: true, Say: p.Verdict.Headline + ". " + p.Verdict.Text(),
		Twin: twin, Feed: "/s/" + string(svc.ID) + ".atom", Now: v.At, Data: p,
		Dock: &Link{Href: s.d.Base + "/s/" + string(svc.ID) + "/report", Title: "I have a problem"},
	})
}

func (s *Site) servicePage(v *live.View, svc *live.Service, c faultline.Country) servicePage {
	p := servicePage{Service: svc, Verdict: words.Say(s.facts(v, svc, c)), Country: c, Now: v.At}
	if i := svc.Open(); i != nil {
		p.Open = i.Now()
	}
	w := window{v.At.Add(-24 * time.Hour).Truncate(live.Step).Add(live.Step), v.At.Add(time.Hour).Truncate(live.Step), live.Step}
	p.Day = s.clock(v, svc, c, w, shades(svc.Incidents, v.At), false)
	p.Week, p.HasWeek = s.week(v, svc, c)
	known := map[string]bool{}
	s.knownDays(svc, v.At, known)
	p.Tiles = s.serviceTiles(v, svc, p.Verdict, p.Open, len(known))
	p.Ninety = chart.Days(ninety(svc.Incidents, known, v.At))
	p.First = v.At.UTC().Truncate(24*time.Hour).AddDate(0, 0, -89)
	p.Places, p.Hidden = places(svc)
	if len(p.Places) > placesShown+2 {
		p.Places, p.More = p.Places[:placesShown], p.Places[placesShown:]
	}
	p.Said, p.Used, p.Works = saidOf(svc.Mix, faultline.Symptoms(), svc.Mix.Symptom, words.Symptom), saidOf(svc.Mix, faultline.Surfaces(), svc.Mix.Surface, words.Surface), svc.Mix.Works
	p.Past = rankingOf(svc, &measures[0], v.At).List
	p.Past = p.Past[:min(len(p.Past), 10)]
	return p
}

// serviceTiles answers down, whom, long and why while something goes on, and
// down, whom, last time and how often when nothing does. "Never" is said of the
// days that somebody watched, and of no others.
func (s *Site) serviceTiles(v *live.View, svc *live.Service, ver words.Verdict, open *faultline.Incident, watched int) []tile {
	t := tilesOf(ver)
	if open != nil {
		return t
	}
	t = t[:2]
	last, often := tile{"Last time", "None on record", ""}, tile{"How often?", "Can’t tell", "nobody watched it in the last 90 days"}
	if len(svc.Vantages) > 0 || !svc.World.Last.IsZero() {
		often.Note = "we have only just begun to watch it"
	}
	if watched > 0 {
		often = tile{"How often?", "Never", fmt.Sprintf("on %d of 90 days that were watched", watched)}
	}
	n, sum := 0, time.Duration(0)
	for _, log := range svc.Incidents {
		i := log.Now()
		if i.State == faultline.Retracted || i.MergedInto != "" {
			continue
		}
		if last.Note == "" {
			last = tile{"Last time", ago(v.At.Sub(i.Onset)), i.Onset.UTC().Format("2 January 2006") + ", " + words.Duration(time.Duration(i.Disrupted))}
		}
		if v.At.Sub(i.Onset) < 90*24*time.Hour {
			n++
			sum += time.Duration(i.Disrupted)
		}
	}
	if n > 0 {
		often = tile{"How often?", words.Plural(float64(n), "time", "times") + " in 90 days", words.Duration(sum) + " in all"}
	}
	return append(t, last, often)
}

func ago(d time.Duration) string {
	if d < 48*time.Hour {
		return words.Duration(d) + " ago"
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// week draws seven days by the hour, if there is history.
func (s *Site) week(v *live.View, svc *live.Service, c faultline.Country) (picture, bool) {
	if s.d.History == nil {
		return picture{}, false
	}
	w := window{v.At.Add(-7 * 24 * time.Hour).Truncate(time.Hour), v.At.Truncate(time.Hour).Add(time.Hour), time.Hour}
	bins := s.series(v, svc, c, w)
	if !anyKnown(bins) {
		return picture{}, false
	}
	low, high := bands(bins)
	k := chart.Clock{
		From: w.from, To: w.to, Step: w.step, Now: v.At, Shade: shades(svc.Incidents, v.At), TickText: "Mon 2", Label: s.label(svc, bins, w),
		Lanes: []chart.Lane{{Title: "Reports in an hour", Height: 84, Lines: []chart.Series{{Name: "Reports", Class: "s1", V: heights(bins)}}, Low: low, High: high}},
	}
	p := paint(k)
	p.Table, p.Daily = table(nil, bins, w, v.At)
	return p, true
}

// knownDays says on which of the last 90 days (UTC) anybody could tell: what
// the model holds, and what history adds.
func (s *Site) knownDays(svc *live.Service, now time.Time, known map[string]bool) {
	for _, b := range svc.World.Bins {
		if b.Known() {
			known[b.Start.UTC().Format(time.DateOnly)] = true
		}
	}
	for _, r := range svc.Reach {
		if r.Known() {
			known[r.Start.UTC().Format(time.DateOnly)] = true
		}
	}
	if s.d.History == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyTimeout)
	defer cancel()
	from := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -89)
	bins, err := s.d.History.Series(ctx, faultline.Series{Metric: faultline.MetricReports, Service: svc.ID}, from, now, 24*time.Hour)
	if err != nil {
		s.d.Logger.Warn("history is not available", slog.String("service", string(svc.ID)), slog.Any("error", err))
	}
	for _, b := range bins {
		if b.Known() {
			known[b.Start.UTC().Format(time.DateOnly)] = true
		}
	}
}

// places are the countries of the last hour that have enough reports.
func places(svc *live.Service) (out []place, hidden int) {
	for i := range svc.Countries {
		l := &svc.Countries[i]
		sum := l.Sum(12)
		if sum < live.MinReporters {
			hidden++
			continue
		}
		out = append(out, placeOf(l, sum))
	}
	slices.SortStableFunc(out, func(a, b place) int { return boolean(a.Grey) - boolean(b.Grey) })
	if len(out) > 25 {
		hidden += len(out) - 25
		out = out[:25]
	}
	return out, hidden
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func placeOf(l *live.Line, sum float64) place {
	p := place{Country: l.Country, Reports: words.Count(sum), Usual: "not known"}
	low, high, n := 0.0, 0.0, 0
	for _, b := range l.Bins[max(0, len(l.Bins)-12):] {
		if b.Band {
			low, high, n = low+b.Low, high+b.High, n+1
		}
	}
	if n > 0 {
		p.Usual = words.Range(low, high)
	}
	switch l.Reading.Verdict {
	case faultline.Surging:
		p.Shape, p.State = "odd", "More than usual"
	case faultline.Odd:
		p.Shape, p.State = "odd", "Odd"
	case faultline.Usual, faultline.Dropping:
		p.Shape, p.State = "fine", "As usual"
	default:
		p.Shape, p.State, p.Grey = "unknown", "Too few to say", true
		if sum >= 5 {
			p.State = "Can’t tell yet"
		}
	}
	return p
}

// saidOf gives the parts of the last hour's reports by one kind of answer, most
// frequent first.
func saidOf[K comparable](m live.Mix, of []K, counts map[K]int, name func(K) string) (out []said) {
	if m.Problem < live.MinReporters {
		return nil
	}
	for _, x := range of {
		n := counts[x]
		if n == 0 {
			continue
		}
		one := said{What: name(x), Count: words.People(float64(n))}
		if n >= live.MinReporters {
			one.Share = float64(n) / float64(m.Problem)
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b said) int { return cmp.Compare(b.Share, a.Share) })
	return out
}
