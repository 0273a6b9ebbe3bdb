package web

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// feedLimit is how many entries a feed carries.
const feedLimit = 60

// nowAtom is the feed of what is going on: with possible everything, else only
// what was confirmed at some time.
func (s *Site) nowAtom(possible bool) draw {
	return func(v *live.View) ([]byte, error) {
		title, path := "Confirmed disruptions", "/index.atom"
		if possible {
			title, path = "Possible and confirmed disruptions", "/possible.atom"
		}
		var items []*feeds.Item
		for _, log := range v.Incidents {
			i := log.Now()
			if !possible && !everConfirmed(log) {
				continue
			}
			items = append(items, s.item(v, i, i))
			if len(items) == feedLimit {
				break
			}
		}
		return s.atom(v, title, path, items)
	}
}

// everConfirmed says whether any revision was confirmed: a retraction has to
// reach those who read the confirmation.
func everConfirmed(log *live.Incident) bool {
	for k := range log.Revisions {
		if log.Revisions[k].State == faultline.Confirmed || log.Revisions[k].Worst == faultline.Confirmed {
			return true
		}
	}
	return false
}

func (s *Site) serviceAtom(v *live.View, svc *live.Service, _ faultline.Country) ([]byte, error) {
	var items []*feeds.Item
	for _, log := range svc.Incidents[:min(len(svc.Incidents), feedLimit)] {
		items = append(items, s.item(v, log.Now(), log.Now()))
	}
	return s.atom(v, "Disruptions of "+svc.Name, "/s/"+string(svc.ID)+".atom", items)
}

// incidentAtom has an entry for each revision that changed the state, and for
// the first and the newest.
func (s *Site) incidentAtom(v *live.View, log *live.Incident, i *faultline.Incident, _ bool) ([]byte, error) {
	var items []*feeds.Item
	for k := len(log.Revisions) - 1; k >= 0 && len(items) < feedLimit; k-- {
		rev := &log.Revisions[k]
		if k > 0 && k < len(log.Revisions)-1 && log.Revisions[k-1].State == rev.State && len(log.Revisions[k-1].Notes) == len(rev.Notes) {
			continue
		}
		it := s.item(v, rev, log.Now())
		it.Id = s.urn("incident", fmt.Sprintf("%s@%d", rev.ID, rev.Revision))
		it.Link.Href += fmt.Sprintf("@%d", rev.Revision)
		items = append(items, it)
	}
	return s.atom(v, "Incident "+i.ID, "/i/"+i.ID+".atom", items)
}

// urn names a feed or an entry for ever. The site's public host is in it, so that
// a reader of two observatories does not take the one's incident for the other's.
func (s *Site) urn(kind, id string) string {
	parts := []string{"urn:faultline"}
	if _, host, ok := strings.Cut(s.d.Origin, "://"); ok {
		parts = append(parts, strings.ReplaceAll(host, ":", "-"))
	}
	if s.d.Replay != nil {
		parts = append(parts, "replay", s.d.Replay.Case)
	}
	return strings.Join(append(parts, kind, id), ":")
}

func (s *Site) item(v *live.View, i, newest *faultline.Incident) *feeds.Item {
	f := s.about(v, i, name(v, i.Service))
	f.Now = i.At
	ver := words.Say(f)
	title := words.State(i.State) + ": " + ver.Headline
	text := ver.Text()
	if ver.Caveat != "" {
		text += " " + ver.Caveat
	}
	if s.d.Replay != nil {
		title = "Replay: " + title
	}
	return &feeds.Item{
		Id: s.urn("incident", newest.ID), Title: title, Link: &feeds.Link{Href: s.d.Origin + s.d.Base + "/i/" + i.ID},
		Updated: i.At, Created: newest.Opened, Content: "<p>" + html.EscapeString(strings.TrimSpace(text)) + "</p>", Author: &feeds.Author{Name: "Faultline"},
	}
}

func (s *Site) atom(v *live.View, title, path string, items []*feeds.Item) ([]byte, error) {
	if s.d.Replay != nil {
		title = "Replay, " + s.d.Replay.Notice + ": " + title
	}
	f := &feeds.Feed{
		Id: s.urn("feed", strings.Trim(path, "/")), Title: "Faultline: " + title, Link: &feeds.Link{Href: s.d.Origin + s.d.Base + path, Rel: "self"},
		Updated: s.updated(v, items), Author: &feeds.Author{Name: "Faultline"}, Items: items, Copyright: "CC BY 4.0",
	}
	out, err := feeds.ToXML(&linked{f, s.d.Origin + s.d.Base + pageOf(path)})
	if err != nil {
		return nil, fmt.Errorf("write feed %s: %w", path, err)
	}
	return []byte(out), nil
}

// pageOf is the page that a feed belongs to.
func pageOf(path string) string {
	switch path {
	case "/index.atom":
		return "/"
	case "/possible.atom":
		return "/incidents"
	}
	return strings.TrimSuffix(path, ".atom")
}

// linked is an Atom feed with its own id and a second link, to the page for
// people. The library takes the address as the id, and knows one link.
type linked struct {
	*feeds.Feed
	page string
}

// FeedXml implements feeds.XmlFeed.
func (l *linked) FeedXml() any {
	f := (&feeds.Atom{Feed: l.Feed}).AtomFeed()
	links := []feeds.AtomLink{*f.Link, {Href: l.page, Rel: "alternate", Type: "text/html"}}
	f.Id, f.Link = l.Id, nil
	return struct {
		*feeds.AtomFeed
		Links []feeds.AtomLink
	}{f, links}
}

// updated is when the newest entry changed: a feed without news keeps its
// bytes, so that readers get 304.
func (s *Site) updated(v *live.View, items []*feeds.Item) (t time.Time) {
	for _, i := range items {
		if i.Updated.After(t) {
			t = i.Updated
		}
	}
	if t.IsZero() {
		t = v.At
	}
	if t.IsZero() {
		t = s.d.Clock() // nothing has happened yet, and the standard wants a time
	}
	if len(items) == 0 {
		t = t.UTC().Truncate(24 * time.Hour)
	}
	return t
}
