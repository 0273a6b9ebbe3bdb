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
			p.Open = append(p.Open, ended{i, name(v, i.Service)})
		} else if len(p.Past) < 200 {
			p.Past = append(p.Past, ended{i, name(v, i.Service)})
		}
	}
	return s.page("incidents", frame{Title: "Incidents", Nav: "incidents", Path: "/incidents", Live: true, Twin: "/incidents.json", Feed: "/index.atom", Now: v.At, Data: p})
}

type incidentPage struct {
	I         *faultline.Incident
	Name      string
	Verdict   words.Verdict
	Pinned    bool
	Newest    int
	Chart     picture
	Where     []where
	Networks  []faultline.ASNShare
	Steps     []step
	Episodes  []faultline.Episode
	Revisions []revisionRow
	Cite      string
	Address   string
	Merged    string
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
	Because []string
}

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
	p := incidentPage{I: i, Name: f.Name, Verdict: words.Say(f), Pinned: pinned, Newest: log.Now().Revision, Episodes: i.Episodes, Networks: i.Scope.ASNs}
	if svc := v.Service(i.Service); svc != nil {
		w := incidentWindow(i, f.Now)
		p.Chart = s.clock(v, svc, "", w, shade(i, f.Now), true)
	}
	for _, c := range i.Scope.Countries[:min(len(i.Scope.Countries), 20)] {
		p.Where = append(p.Where, whereOf(c))
	}
	p.Networks = p.Networks[:min(len(p.Networks), 8)]
	p.Steps = steps(i)
	p.Revisions = revisionRows(log)
	p.Address = s.d.Origin + s.d.Base + "/i/" + i.ID + fmt.Sprintf("@%d", i.Revision)
	p.Cite = s.cite(v, i, p.Verdict, p.Address)
	return p
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
	w := where{Country: c.Country, N: words.People(c.N), Share: fmt.Sprintf("%.0f %%", c.Share*100), Ratio: "not known", Surging: c.Surging}
	if c.N < live.MinReporters {
		w.Share, w.Ratio = "too few", "too few"
	} else if c.Ratio > 0 && c.N >= 5 {
		w.Ratio = words.Times(c.Ratio)
	}
	return w
}

// steps are the changes and notes, newest first.
func steps(i *faultline.Incident) (out []step) {
	for _, c := range i.Changes {
		out = append(out, step{At: c.At, Text: words.State(c.To) + ": " + c.Why, Note: "by " + c.By, Because: c.Because})
	}
	for _, n := range i.Notes {
		out = append(out, step{At: n.At, Text: n.Text, Note: "note by " + n.By})
	}
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
	add(a.Scope.Vantages != b.Scope.Vantages, fmt.Sprintf("%d vantage points failing", b.Scope.Vantages))
	add(len(a.Instruments) != len(b.Instruments), "instruments: "+strings.Join(b.Instruments, ", "))
	add(len(a.Notes) != len(b.Notes), "note added")
	add(a.MergedInto != b.MergedInto, "merged into "+b.MergedInto)
	add(len(a.Flags) != len(b.Flags), "flags: "+strings.Join(b.Flags, ", "))
	if len(out) == 0 {
		return "numbers brought up to date"
	}
	return strings.Join(out, "; ")
}

// cite is a line to quote: what, by whom, as of when, where.
func (s *Site) cite(v *live.View, i *faultline.Incident, ver words.Verdict, address string) string {
	label := ""
	if s.d.Replay != nil {
		label = " [replay, " + s.d.Replay.Notice + "]"
	}
	return fmt.Sprintf("Faultline, “%s”%s, incident %s, revision %d, as of %s, %s", ver.Headline, label, i.ID, i.Revision, i.At.UTC().Format("2 January 2006, 15:04 UTC"), address)
}
