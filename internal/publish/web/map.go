package web

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

const (
	mapRows  = 14 // countries that the page lists before the rest is behind a summary
	mapLinks = 6  // services whose maps it offers
	mapNames = 3  // services that it names in a country; the JSON twin has all
)

// mapPage is the map of all services, or of one.
type mapPage struct {
	Verdict  words.Verdict
	Service  *live.Service // nil: all
	Choose   []Link        // other maps; without an address: this one
	From, To time.Time     // what is summed up; zero: nothing is known
	Map      template.HTML
	Legend   []mapStep
	Rows     []mapRow
	More     []mapRow // of Rows, behind a summary
	Unsure   int      // areas of which nothing can be said
	Incident *faultline.Incident
	Moments  []mapMoment
	Recorded bool // the moment is from the incident's record
	Reach    template.HTML
	Reached  []reachRow
	Legend2  []mapStep // of Reach
	Vantages int       // that speak, anywhere
}

// mapStep is a line of the legend.
type mapStep struct {
	Step chart.Step
	Text string
	N    int
}

// mapRow is a country in the table.
type mapRow struct {
	Country faultline.Country
	Name    string
	Href    string
	Shape   string
	State   string
	Ratio   string
	Reports string
	About   []Link // services with trouble; Note: how much
	More    int    // of them, that are not named
	Grey    bool
}

type mapMoment struct {
	At   time.Time
	What string
	Map  template.HTML
}

type reachRow struct {
	Name     string
	Vantages int
	State    string
	Shape    string
	Checks   string
}

// mapTarget finds the map of all services, or of one.
func (s *Site) mapTarget(args []string, form string, _ faultline.Country) (target, bool) {
	html, json := draw(func(v *live.View) ([]byte, error) { return s.drawMap(v, nil) }), draw(func(v *live.View) ([]byte, error) { return s.mapJSON(v, nil) })
	if len(args) > 0 {
		id := faultline.ServiceID(args[0])
		html, json = s.ofService(id, s.drawMap), s.ofService(id, s.mapJSON)
	}
	return forms{html: html, json: json}.target(form)
}

func (s *Site) drawMap(v *live.View, svc *live.Service) ([]byte, error) {
	p := s.mapPage(v, svc)
	path, title := "/map", "Map: "+p.Verdict.Headline
	if svc != nil {
		path += "/" + string(svc.ID)
	}
	return s.page("map", frame{Title: title, Nav: "map", Path: path, Live: true, Say: p.Verdict.Headline + ". " + p.Verdict.Text(), Twin: path + ".json", Now: v.At, Data: p})
}

// ofMap are the services that a map is about.
func ofMap(v *live.View, svc *live.Service) []*live.Service {
	if svc != nil {
		return []*live.Service{svc}
	}
	return v.Services
}

func (s *Site) mapPage(v *live.View, svc *live.Service) mapPage {
	services := ofMap(v, svc)
	end := newestEnd(services)
	list := standings(services, end)
	p := mapPage{Service: svc, Choose: s.choose(v, svc), Verdict: s.sayWhere(v, svc, list), Unsure: s.unsure(list)}
	if !end.IsZero() {
		p.From, p.To = end.Add(-mapWindow), end
	}
	p.Map = s.world.SVG(chart.Map{Sprite: s.names["world.svg"], Label: s.mapLabel(p.Verdict, svc), Areas: s.mapAreas(list, true)})
	p.Legend = s.legend(list)
	p.Rows = s.mapRows(svc, list)
	if len(p.Rows) > mapRows+2 {
		p.Rows, p.More = p.Rows[:mapRows], p.Rows[mapRows:]
	}
	if svc != nil {
		p.moments(s, svc, end)
	}
	p.reach(s, services, v.At)
	return p
}

// sayWhere puts the map into words.
func (s *Site) sayWhere(v *live.View, svc *live.Service, list []standing) words.Verdict {
	f := words.Where{State: faultline.Unclear, Unsure: s.unsure(list)}
	for i := range list {
		switch x := &list[i]; {
		case x.Doubt == words.TooYoung:
			f.Young = true
		case x.Step > 1:
			f.Trouble = append(f.Trouble, x.Country)
		case x.Step == 1:
			f.Usual++
		}
	}
	for _, x := range ofMap(v, svc) {
		if rank(stateOf(x)) < rank(f.State) {
			f.State = stateOf(x)
		}
		f.Origin = cmp.Or(unmeasured(f.Origin), x.Origin)
	}
	if svc != nil {
		f.Name = svc.Name
	}
	return words.SayWhere(f)
}

// unmeasured keeps an origin over which a caveat stands, and forgets others.
func unmeasured(o faultline.Origin) faultline.Origin {
	if words.Caveat(o) == "" {
		return ""
	}
	return o
}

// unsure counts the areas on the map of which nothing can be said.
func (s *Site) unsure(list []standing) int {
	n := s.world.Len()
	for i := range list {
		if list[i].Step > 0 && s.world.Has(string(list[i].Country)) {
			n--
		}
	}
	return n
}

func (s *Site) mapLabel(ver words.Verdict, svc *live.Service) string {
	about := "all services"
	if svc != nil {
		about = svc.Name
	}
	return s.labelled("Map of the world, problem reports about " + about + " against the usual number. " + ver.Headline + ". " + ver.Text() + " The table below carries the numbers.")
}

// labelled says in front of a picture's sentence that it is a replay's.
func (s *Site) labelled(text string) string {
	if s.d.Replay != nil {
		return "Replay, " + s.d.Replay.Notice + ". " + text
	}
	return text
}

// mapAreas are the areas with something to say, worst last, so that its border lies on top.
func (s *Site) mapAreas(list []standing, text bool) []chart.Area {
	var out []chart.Area
	for i := range slices.Backward(list) {
		x := &list[i]
		a := chart.Area{Code: string(x.Country), Step: x.Step}
		if text {
			a.Text = countryName(x.Country) + ": " + pointedAt(x)
		}
		out = append(out, a)
	}
	return out
}

// pointedAt is what somebody reads who points at a country.
func pointedAt(x *standing) string {
	if x.Step > 1 {
		return words.Times(x.Ratio) + " the usual number"
	}
	return lowered(words.Standing(int(x.Step), x.Doubt))
}

func lowered(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// legend names the steps, worst first, with the number of areas at each.
func (s *Site) legend(list []standing) (out []mapStep) {
	n := [5]int{s.unsure(list)}
	for i := range list {
		if list[i].Step > 0 && s.world.Has(string(list[i].Country)) {
			n[list[i].Step]++
		}
	}
	for k := 4; k >= 0; k-- {
		out = append(out, mapStep{chart.Step(k), words.Step(k), n[k]})
	}
	return out
}

// shapes are the drawings beside a step's words. They are open: reports alone
// stay possible.
var shapes = [...]string{"unknown", "fine", "odd", "odd", "odd"}

func (s *Site) mapRows(svc *live.Service, list []standing) (out []mapRow) {
	for i := range list {
		x := &list[i]
		r := mapRow{
			Country: x.Country, Name: countryName(x.Country), Shape: shapes[x.Step], State: words.Standing(int(x.Step), x.Doubt),
			Ratio: "too few", Reports: mapReports(x), Grey: x.Step == 0,
		}
		if x.Ratio > 0 {
			r.Ratio = words.Times(x.Ratio)
		}
		if svc != nil {
			r.Href = s.d.Base + "/s/" + string(svc.ID) + "?country=" + string(x.Country)
		}
		for _, t := range x.Trouble[:min(len(x.Trouble), mapNames)] {
			r.About = append(r.About, Link{Href: s.d.Base + "/s/" + string(t.Service.ID) + "?country=" + string(x.Country), Title: t.Service.Name, Note: words.Times(t.Ratio())})
		}
		r.More = len(x.Trouble) - len(r.About)
		out = append(out, r)
	}
	return out
}

func mapReports(x *standing) string {
	if x.Reports == 0 && x.Few {
		return words.People(1)
	}
	return words.People(x.Reports)
}

// countryName is a country's name at the head of a row.
func countryName(c faultline.Country) string {
	if c == "" || c == faultline.UnknownCountry {
		return "Unknown country"
	}
	return words.Country(c)
}

// choose links to other maps: of all services, and of those that are most unusual.
func (s *Site) choose(v *live.View, svc *live.Service) []Link {
	all := Link{Href: s.d.Base + "/map", Title: "All services"}
	if svc == nil {
		all.Href = ""
	}
	out := []Link{all}
	if svc != nil {
		out = append(out, Link{Title: svc.Name})
	}
	for _, r := range s.rows(v, false) {
		if r.Service != svc && len(r.Service.Countries) > 0 && len(out) <= mapLinks {
			out = append(out, Link{Href: s.d.Base + "/map/" + string(r.Service.ID), Title: r.Service.Name})
		}
	}
	return out
}

// moments draws the moments of the service's last incident, all at one scale.
func (p *mapPage) moments(s *Site, svc *live.Service, end time.Time) {
	list, i := momentsOf(svc, end)
	if len(list) == 0 {
		return
	}
	p.Incident, p.Recorded = i, list[0].From.IsZero()
	for k := range list {
		m, size := &list[k], chart.Small
		if p.Recorded {
			size = chart.Half
		}
		p.Moments = append(p.Moments, mapMoment{m.From, m.What, s.world.SVG(chart.Map{Sprite: s.names["world.svg"], Label: s.labelled(m.label()), Size: size, Areas: s.mapAreas(m.Standings, false)})})
	}
}

// reach draws what the vantage points reach, where enough of them speak.
func (p *mapPage) reach(s *Site, services []*live.Service, now time.Time) {
	list, vantages := reachedFrom(services, now)
	p.Vantages = vantages
	var areas []chart.Area
	var n [5]int
	for i := range list {
		x := &list[i]
		n[x.Step]++
		row := reachRow{Name: countryName(x.Country), Vantages: x.Vantages, State: words.ReachStep(int(x.Step)), Shape: shapes[x.Step], Checks: "not shown"}
		if x.Step > 0 {
			row.Checks = fmt.Sprintf("%d of %d", x.OK, x.N)
			areas = append(areas, chart.Area{Code: string(x.Country), Step: x.Step, Text: row.Name + ": " + lowered(row.State)})
		}
		p.Reached = append(p.Reached, row)
	}
	if len(areas) == 0 {
		return
	}
	for k := 4; k >= 0; k-- {
		p.Legend2 = append(p.Legend2, mapStep{chart.Step(k), words.ReachStep(k), n[k]})
	}
	label := s.labelled(fmt.Sprintf("Map of the world: what our vantage points reach, where 3 or more speak in a country: %s. The table below carries the numbers.", words.Plural(float64(len(areas)), "country", "countries")))
	p.Reach = s.world.SVG(chart.Map{Sprite: s.names["world.svg"], Label: label, Size: chart.Half, Areas: areas})
}
