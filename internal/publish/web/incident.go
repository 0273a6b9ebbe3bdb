package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

type incidentsPage struct{ Open, Past []ended }

func (s *Site) drawIncidents(v *live.View) ([]byte, error) {
	var p incidentsPage
	for _, log := range v.Incidents {
		i := log.Now()
		if i.State.Open() {
			p.Open = append(p.Open, ended{i, name(v, i.Service), v.At})
		} else if len(p.Past) < 200 {
			p.Past = append(p.Past, ended{i, name(v, i.Service), v.At})
		}
	}
	return s.page("incidents", frame{Title: "Incidents", Nav: "incidents", Path: "/incidents", Live: true, Twin: "/incidents.json", Feed: "/index.atom", Now: v.At, Data: p})
}

type incidentPage struct {
	I         *faultline.Incident
	Name      string
	Verdict   words.Verdict
	Tiles     []tile
	Now       time.Time // of the numbers: the revision's for an old one
	Pinned    bool
	Newest    int
	Chart     picture
	Where     []where
	More      []where // of Where, behind a summary
	Few       int     // countries with fewer than three reports, not named
	Left      int     // countries that the page leaves to the JSON twin
	Networks  []faultline.ASNShare
	With      []Link   // the other services of a surge
	Party     string   // whom it points to, or what would explain it best
	Symptoms  []aspect // what fails
	Surfaces  []aspect
	Bad       words.Bad
	Ranks     []jsonRank // not of an old revision: a rank is as of now
	How       how
	Steps     []step
	Episodes  []faultline.Episode
	Revisions []revisionRow
	Cite      string
	Address   string // of this revision
}

// where is a country's part in an incident.
type where struct {
	Country faultline.Country
	N       string
	Share   string
	Ratio   string
	Surging bool
}

// step is a line of the timeline.
type step struct {
	At      time.Time
	Text    string
	Note    string
	Because []because
}

// because is a record that a step rests on, in words if it is still in memory.
type because struct{ ID, Text string }

type revisionRow struct {
	N       int
	At      time.Time
	By      string
	Changed string
}

func (s *Site) drawIncident(v *live.View, log *live.Incident, i *faultline.Incident, pinned bool) ([]byte, error) {
	p := s.incidentPage(v, log, i, pinned)
	title := p.Verdict.Headline
	path := "/i/" + i.ID
	if pinned {
		title += fmt.Sprintf(" (revision %d)", i.Revision)
		path += fmt.Sprintf("@%d", i.Revision)
	}
	f := frame{
		Title: title, Nav: "incidents", Path: path, Live: !pinned, Say: p.Verdict.Headline + ". " + p.Verdict.Text(),
		Twin: path + ".json", Feed: "/i/" + i.ID + ".atom", Now: v.At, Data: p,
	}
	if i.State.Open() {
		f.Dock = &Link{Href: s.d.Base + "/s/" + string(i.Service) + "/report", Title: "I have this problem"}
	}
	return s.page("incident", f)
}

func (s *Site) incidentPage(v *live.View, log *live.Incident, i *faultline.Incident, pinned bool) incidentPage {
	f := s.about(v, i, name(v, i.Service))
	if pinned {
		f.Now = i.At
	}
	i, few := published(i)
	p := incidentPage{I: i, Few: few, Name: f.Name, Verdict: words.Say(f), Pinned: pinned, Newest: log.Now().Revision, Episodes: i.Episodes, Networks: i.Scope.ASNs}
	p.Now, p.Tiles = f.Now, tilesOf(p.Verdict)
	svc := v.Service(i.Service)
	if svc != nil {
		w := incidentWindow(i, f.Now)
		p.Chart = s.clock(v, svc, "", w, shade(i, f.Now), true)
	}
	p.countries()
	p.Symptoms, p.Surfaces = aspectsOf(i)
	p.Networks = p.Networks[:min(len(p.Networks), placesShown)]
	p.With, p.Party = s.with(v, i), partyOf(i)
	if p.Bad = words.HowBad(i, f.Now); !pinned {
		p.Ranks = s.ranksOf(svc, i.ID, v.At)
	}
	p.How, p.Steps = howOf(svc, i), steps(i, svc)
	p.Revisions = revisionRows(log)
	p.Address = s.d.Origin + s.d.Base + "/i/" + i.ID + fmt.Sprintf("@%d", i.Revision)
	p.Cite = s.cite(i, p.Verdict)
	return p
}

// with links to the services that surge together with an incident's.
func (s *Site) with(v *live.View, i *faultline.Incident) (links []Link) {
	if i.Blame == nil {
		return nil
	}
	for _, id := range i.Blame.With {
		links = append(links, Link{Href: s.d.Base + "/s/" + string(id), Title: name(v, id)})
	}
	return links
}

// partyOf names what the evidence of a finding is about.
func partyOf(i *faultline.Incident) string {
	if i.Blame == nil || i.Blame.Party.IsZero() {
		return "the best explanation"
	}
	return words.Party(i.Blame.Party)
}

// tilesOf are the four answers.
func tilesOf(v words.Verdict) []tile {
	return []tile{{"Is it down?", v.Down.Head, v.Down.Note}, {"For whom?", v.Whom.Head, v.Whom.Note}, {"How long?", v.Long.Head, v.Long.Note}, {"Why?", v.Why.Head, v.Why.Note}}
}

// countriesShown is how many countries of an incident the page lists; the JSON
// twin has all.
const countriesShown = 40

func (p *incidentPage) countries() {
	list := p.I.Scope.Countries
	p.Left = max(len(list)-countriesShown, 0)
	for _, c := range list[:len(list)-p.Left] {
		p.Where = append(p.Where, whereOf(c))
	}
	if len(p.Where) > placesShown+2 {
		p.Where, p.More = p.Where[:placesShown], p.Where[placesShown:]
	}
}

// published is an incident as it may be shown: without places and peaks of fewer
// than three people, and with lists that are empty where the record has none.
// few is how many countries were left out.
func published(i *faultline.Incident) (out *faultline.Incident, few int) {
	c := *i
	c.Scope.Countries, c.Scope.ASNs, c.What, c.Episodes = nil, nil, nil, append([]faultline.Episode{}, i.Episodes...)
	c.Instruments, c.Events, c.Changes = nonNil(i.Instruments), nonNil(i.Events), append([]faultline.Change{}, i.Changes...)
	for k := range c.Changes {
		c.Changes[k].Because = nonNil(c.Changes[k].Because)
	}
	for _, x := range i.Scope.Countries {
		if x.N < live.MinReporters {
			few++
			continue
		}
		c.Scope.Countries = append(c.Scope.Countries, x)
	}
	for _, x := range i.Scope.ASNs {
		if x.N >= live.MinReporters {
			c.Scope.ASNs = append(c.Scope.ASNs, x)
		}
	}
	for _, x := range i.What {
		if x.N >= live.MinReporters {
			c.What = append(c.What, x)
		}
	}
	for k := range c.Episodes {
		e := &c.Episodes[k]
		e.Events = nonNil(e.Events)
		if e.PeakValue < live.MinReporters {
			e.PeakValue, e.PeakUsual, e.PeakWidth = 0, 0, 0
		}
	}
	if c.Peak.Value < live.MinReporters {
		c.Peak = faultline.PeakReports{}
	}
	c.Scope.Countries = nonNil(c.Scope.Countries)
	return &c, few
}

// incidentWindow shows some hours before and after, and six at least.
func incidentWindow(i *faultline.Incident, now time.Time) window {
	from, to := i.Onset.Add(-3*time.Hour), now.Add(30*time.Minute)
	if !i.End.IsZero() && !i.State.Open() {
		to = i.End.Add(3 * time.Hour)
	}
	if to.Sub(from) < 6*time.Hour {
		from = to.Add(-6 * time.Hour)
	}
	w := window{step: stepFor(to.Sub(from))}
	w.from, w.to = from.Truncate(w.step), to.Truncate(w.step).Add(w.step)
	return w
}

func whereOf(c faultline.CountryShare) where {
	w := where{Country: c.Country, N: words.People(c.N), Share: words.Percent(c.Share), Ratio: "not known", Surging: c.Surging}
	if c.Ratio > 0 && c.N >= 5 {
		w.Ratio = words.Times(c.Ratio)
	}
	return w
}

// steps are the changes and notes, newest first.
func steps(i *faultline.Incident, svc *live.Service) (out []step) {
	for _, c := range i.Changes {
		st := step{At: c.At, Text: words.State(c.To) + ": " + words.Reason(c.Why), Note: "by " + c.By}
		for _, id := range c.Because {
			st.Because = append(st.Because, because{id, evidence(svc, id)})
		}
		out = append(out, st)
	}
	for _, n := range i.Notes {
		out = append(out, step{At: n.At, Text: n.Text, Note: "note by " + n.By})
	}
	slices.Reverse(out) // of two steps at one moment the later one comes first too
	slices.SortStableFunc(out, func(a, b step) int { return b.At.Compare(a.At) })
	return out
}

// revisionRows says of each revision what changed, newest first.
func revisionRows(log *live.Incident) (out []revisionRow) {
	var before *faultline.Incident
	for k := range log.Revisions {
		i := &log.Revisions[k]
		out = append(out, revisionRow{i.Revision, i.At, i.By, changed(before, i)})
		before = i
	}
	slices.Reverse(out)
	return out
}

// changed names what a revision changed.
func changed(a, b *faultline.Incident) string {
	if a == nil {
		return "opened as " + strings.ToLower(words.State(b.State))
	}
	var out []string
	add := func(differs bool, text string) {
		if differs {
			out = append(out, text)
		}
	}
	add(a.State != b.State, strings.ToLower(words.State(a.State))+" → "+strings.ToLower(words.State(b.State)))
	add(!a.Onset.Equal(b.Onset), "start moved to "+b.Onset.UTC().Format("15:04"))
	add(!a.End.Equal(b.End) && !b.End.IsZero(), "end set to "+b.End.UTC().Format("15:04"))
	add(!a.End.IsZero() && b.End.IsZero(), "began again")
	add(len(a.Episodes) != len(b.Episodes), words.Plural(float64(len(b.Episodes)), "episode", "episodes"))
	add(a.Peak.Value != b.Peak.Value && b.Peak.Value >= live.MinReporters, "peak "+words.Count(b.Peak.Value)+" reports")
	add(len(a.Scope.Countries) != len(b.Scope.Countries), words.Plural(float64(len(b.Scope.Countries)), "country", "countries"))
	add(words.StandsOut(a) != words.StandsOut(b), words.StandsOut(b))
	add(a.Scope.Vantages != b.Scope.Vantages, fmt.Sprintf("%d vantage points failing", b.Scope.Vantages))
	add(len(a.Instruments) != len(b.Instruments), "instruments: "+strings.Join(b.Instruments, ", "))
	add(len(a.Notes) != len(b.Notes), "note added")
	add(a.MergedInto != b.MergedInto, "merged into "+b.MergedInto)
	add(blamed(a) != blamed(b), blamed(b))
	add(len(a.Flags) != len(b.Flags), "flags: "+strings.Join(b.Flags, ", "))
	if len(out) == 0 {
		return "numbers brought up to date"
	}
	return strings.Join(out, "; ")
}

// blamed says in a few words whom an incident points to, and its own part.
func blamed(i *faultline.Incident) string {
	switch b := i.Blame; {
	case b == nil:
		return ""
	case b.Party.IsZero():
		return "points to nobody"
	case b.Party.Service == i.Service:
		return "points to the service itself"
	default:
		return "points to " + words.Party(b.Party) + " (" + strings.ReplaceAll(string(b.Role), "_", " ") + ")"
	}
}

// cite is a line to quote: what, by whom, as of when. The address comes after it.
func (s *Site) cite(i *faultline.Incident, ver words.Verdict) string {
	label := ""
	if s.d.Replay != nil {
		label = " [replay, " + s.d.Replay.Notice + "]"
	}
	return fmt.Sprintf("Faultline, “%s”%s, incident %s, revision %d, as of %s", ver.Headline, label, i.ID, i.Revision, i.At.UTC().Format("2 January 2006, 15:04 UTC"))
}
