package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// rowLimit is how many services the drum on the home page shows.
const rowLimit = 16

// row is a service in the drum.
type row struct {
	Service *live.Service
	State   faultline.State
	Now     string // times the usual number, or why there is none
	Trace   template.HTML
	Hot     bool
	Tall    bool // its trace would reach into the row above
	trace   []float64
	ratio   float64
}

// tile is one of the counts under the headline.
type tile struct{ Label, Head, Note string }

type homePage struct {
	Verdict  words.Verdict
	Href     string // of the headline
	Pill     string // calm: nothing is wrong
	Tiles    []tile
	Rows     []row
	Services int
	Unclear  []unclear
	Ended    []ended
	Ninety   template.HTML
	Quiet    int  // days without disruption of ninety
	Scale    bool // the first row is tall enough to show the scale
	Replays  []Link
}

type unclear struct {
	Service *live.Service
	Why     string
}

type ended struct {
	I    *faultline.Incident
	Name string
	Now  time.Time // data time of the page
}

// stateOf is a service's state; one that nobody ever mentioned is unclear.
func stateOf(svc *live.Service) faultline.State {
	switch st := svc.Status.State; st {
	case "":
		return faultline.Unclear
	case faultline.Resolved, faultline.Retracted:
		return faultline.Fine
	default:
		return st
	}
}

// rank orders states: what readers should see first is smallest.
func rank(s faultline.State) int {
	for i, x := range []faultline.State{faultline.Confirmed, faultline.Recovering, faultline.Possible, faultline.OddState, faultline.Fine} {
		if s == x {
			return i
		}
	}
	return 5
}

// rows gives the drum, most unusual first: the first rowLimit, or all. Services
// of which nothing is known are not in it.
func (s *Site) rows(v *live.View, all bool) []row {
	var out []row
	for _, svc := range v.Services {
		if !svc.Silent() {
			out = append(out, s.row(svc))
		}
	}
	slices.SortStableFunc(out, func(a, b row) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(b.ratio, a.ratio), cmp.Compare(strings.ToLower(a.Service.Name), strings.ToLower(b.Service.Name)))
	})
	if !all {
		out = out[:min(len(out), rowLimit)]
	}
	for i := range out {
		r := &out[i]
		r.Tall = chart.Tall(r.trace) || (i == 0 && r.Hot) // the first row shows the scale
		r.Trace = chart.Row(r.trace, rowShade(r.Service, v.At), r.Hot, r.Tall)
	}
	return out
}

func (s *Site) row(svc *live.Service) row {
	r := row{Service: svc, State: stateOf(svc)}
	trace := make([]float64, live.Bins)
	for i := range trace {
		trace[i] = chart.Unknown
		if i < len(svc.World.Bins) {
			trace[i] = ratio(svc.World.Bins[i])
		}
	}
	b := svc.World.Now()
	switch x := ratio(b); {
	case b.Known() && b.Band && b.Value >= 5:
		r.ratio, r.Now = x, words.Times(x)
	case b.Known() && b.Band:
		r.ratio, r.Now = 0.5, "few"
	case !b.Known():
		r.Now = "no reports"
	default:
		r.Now = "too new"
	}
	r.Hot, r.trace = r.State.Open(), trace
	return r
}

// rowShade gives disruption as parts of the last 24 hours.
func rowShade(svc *live.Service, now time.Time) (out [][2]float64) {
	from := now.Add(-24 * time.Hour)
	for _, sp := range shades(svc.Incidents, now) {
		a, b := max(float64(sp.From.Sub(from))/float64(24*time.Hour), 0), min(float64(sp.To.Sub(from))/float64(24*time.Hour), 1)
		if b > a {
			out = append(out, [2]float64{a, b})
		}
	}
	return out
}

func (s *Site) home(v *live.View) homePage {
	p := homePage{Services: len(v.Services), Replays: s.d.Replays}
	p.Rows = s.rows(v, false)
	if len(p.Rows) > 0 {
		p.Scale = p.Rows[0].Tall
	}
	counts := map[faultline.State]int{}
	for _, svc := range v.Services {
		st := stateOf(svc)
		counts[st]++
		if st == faultline.Unclear && !svc.Silent() && len(p.Unclear) < 6 {
			_, _, imp := probes(v, svc)
			p.Unclear = append(p.Unclear, unclear{svc, words.CannotTell(svc.Status.Reason, imp)})
		}
	}
	p.Tiles = tiles(counts)
	p.Verdict, p.Href = s.story(v, p.Rows, counts)
	for _, i := range v.Incidents {
		n := i.Now()
		if !n.State.Open() && n.MergedInto == "" && v.At.Sub(n.Onset) < 7*24*time.Hour && len(p.Ended) < 6 {
			p.Ended = append(p.Ended, ended{n, name(v, n.Service), v.At})
		}
	}
	known := map[string]bool{}
	for _, r := range p.Rows[:min(len(p.Rows), 3)] { // the collector is the same for all
		s.knownDays(r.Service, v.At, known)
	}
	days := ninety(v.Incidents, known, v.At)
	p.Ninety, p.Quiet = chart.Days(days), quiet(days)
	return p
}

func tiles(n map[faultline.State]int) []tile {
	services := func(k int) string { return words.Plural(float64(k), "service", "services") }
	return []tile{
		{"Disrupted", services(n[faultline.Confirmed] + n[faultline.Recovering]), "two instruments agree, or several probes"},
		{"Possible", services(n[faultline.Possible]), "one instrument only, so not confirmed"},
		{"As usual", services(n[faultline.Fine] + n[faultline.OddState]), odds(n[faultline.OddState])},
		{"Can’t tell", services(n[faultline.Unclear]), "too few reports, or no probe"},
	}
}

func odds(n int) string {
	if n == 0 {
		return "to people or to probes"
	}
	return fmt.Sprintf("%d of them a little odd", n)
}

// story is the headline: the worst that goes on, or that nothing does.
func (s *Site) story(v *live.View, rows []row, counts map[faultline.State]int) (words.Verdict, string) {
	if len(rows) > 0 && rows[0].State.Open() {
		svc := rows[0].Service
		href := s.d.Base + "/s/" + string(svc.ID)
		if i := svc.Open(); i != nil {
			href = s.d.Base + "/i/" + i.Now().ID
		}
		return words.Say(s.facts(v, svc, "")), href
	}
	ver := words.Verdict{State: faultline.Fine, Pill: "Quiet", Shape: "fine", Headline: "Nothing unusual right now"}
	fine, unknown := counts[faultline.Fine]+counts[faultline.OddState], counts[faultline.Unclear]
	if fine == 0 {
		ver.State, ver.Pill, ver.Shape, ver.Headline = faultline.Unclear, "Can’t tell", "unknown", "We can’t tell yet"
	}
	looks := " look as usual to those who can tell."
	if fine == 1 {
		looks = " looks as usual to those who can tell."
	}
	how := fmt.Sprintf("%d of %s", fine, words.Plural(float64(len(v.Services)), "service", "services"))
	if fine == 1 && len(v.Services) == 1 {
		how = "The one service we know"
	}
	ver.Lede = []words.Piece{{Text: how, Strong: true}, {Text: looks}}
	if unknown > 0 {
		ver.Lede = append(ver.Lede, words.Piece{Text: " For "}, words.Piece{Text: words.Count(float64(unknown)) + " we can’t tell", Strong: true}, words.Piece{Text: ", which isn’t the same as fine."})
	}
	for _, svc := range v.Services { // one that was not measured is enough
		ver.Caveat = cmp.Or(ver.Caveat, words.Caveat(svc.Origin))
	}
	return ver, ""
}

// ninety gives the disrupted minutes of each of the last 90 days (UTC). known
// says on which days somebody could tell.
func ninety(incidents []*live.Incident, known map[string]bool, now time.Time) []chart.Day {
	days := make([]chart.Day, 90)
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -89)
	for i := range days {
		days[i].Unknown = !known[first.AddDate(0, 0, i).Format(time.DateOnly)]
	}
	for _, sp := range shades(incidents, now) {
		for i := range days {
			a, b := first.AddDate(0, 0, i), first.AddDate(0, 0, i+1)
			if a.Before(sp.From) {
				a = sp.From
			}
			if b.After(sp.To) {
				b = sp.To
			}
			if b.After(a) {
				days[i].Disrupted += b.Sub(a).Minutes()
			}
		}
	}
	return days
}

func quiet(days []chart.Day) (n int) {
	for _, d := range days {
		if d.Disrupted == 0 && !d.Unknown {
			n++
		}
	}
	return n
}

func (s *Site) drawHome(v *live.View) ([]byte, error) {
	p := s.home(v)
	return s.page("home", frame{
		Title: p.Verdict.Headline, Nav: "now", Path: "/", Live: true, Say: p.Verdict.Headline + ". " + p.Verdict.Text(),
		Twin: "/index.json", Feed: "/index.atom", Now: v.At, Data: p,
	})
}

type servicesPage struct {
	Rows   []row
	Silent []*live.Service // of which nothing is known; by name
	All    int
}

func (s *Site) drawServices(v *live.View) ([]byte, error) {
	p := servicesPage{Rows: s.rows(v, true), All: len(v.Services)}
	for _, svc := range v.Services {
		if svc.Silent() {
			p.Silent = append(p.Silent, svc)
		}
	}
	slices.SortStableFunc(p.Silent, func(a, b *live.Service) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return s.page("services", frame{Title: words.Plural(float64(p.All), "service", "services"), Nav: "services", Path: "/services", Twin: "/services.json", Now: v.At, Data: p})
}

type searchPage struct {
	Query string
	Found []faultline.Service
	State map[faultline.ServiceID]faultline.State
}

// maxQuery bounds what is searched for, in bytes.
const maxQuery = 200

// search answers "is it down, or is it just me?" without JavaScript. One clear
// hit goes straight to its page.
func (s *Site) search(w http.ResponseWriter, r *http.Request) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(q) > maxQuery {
		s.refuse(w, r, Problem{http.StatusBadRequest, refusedQuery, "q", "That is too long to search for", fmt.Sprintf("Use at most %d characters: a name, or an address such as example.org.", maxQuery)})
		return
	}
	if q == "" {
		http.Redirect(w, r, s.d.Base+"/", http.StatusSeeOther)
		return
	}
	found := s.d.Search(q)
	if len(found) == 1 || (len(found) > 1 && strings.EqualFold(found[0].Name, q)) {
		http.Redirect(w, r, s.d.Base+"/s/"+string(found[0].ID), http.StatusSeeOther)
		return
	}
	v := s.d.View()
	p := searchPage{Query: q, Found: found[:min(len(found), 20)], State: map[faultline.ServiceID]faultline.State{}}
	for _, f := range p.Found {
		p.State[f.ID] = faultline.Unclear
		if svc := v.Service(f.ID); svc != nil {
			p.State[f.ID] = stateOf(svc)
		}
	}
	s.now(w, r, http.StatusOK, "search", frame{Title: "Search: " + q, Path: "/", Now: v.At, Data: p, Private: true})
}
