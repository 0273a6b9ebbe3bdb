package web

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

const origin = "https://status.example.org"

func public(d *Deps) { d.Origin, d.Contact = origin, "corrections@example.org" }

func TestAPublicAddressStandsInWhatIsCopied(t *testing.T) {
	s := newSite(t, busy(), public)
	page := get(t, s, "/i/larkpost-2026-05-04").Body.String()
	for _, want := range []string{
		`as of 4 May 2026, 15:58 UTC, <a href="` + origin + `/i/larkpost-2026-05-04@3" data-whole>` + origin + `/i/larkpost-2026-05-04@3</a>`,
		`<link rel="canonical" href="` + origin + `/i/larkpost-2026-05-04">`, `<meta property="og:title" content="Larkpost is failing worldwide">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of an incident has no %s", want)
		}
	}
	if body := get(t, s, "/corrections").Body.String(); !strings.Contains(body, `<a href="mailto:corrections@example.org">corrections@example.org</a>`) {
		t.Error("corrections have no address to write to")
	}
	var doc struct{ Citation string }
	if err := json.Unmarshal(get(t, s, "/i/larkpost-2026-05-04.json").Body.Bytes(), &doc); err != nil || !strings.HasSuffix(doc.Citation, origin+"/i/larkpost-2026-05-04@3") {
		t.Errorf("%v: the citation is %q", err, doc.Citation)
	}
	if body := get(t, s, "/nothing").Body.String(); strings.Contains(body, "canonical") {
		t.Error("an error page claims to be the canonical one")
	}
}

func TestWithoutAPublicAddressLinksStayRelative(t *testing.T) {
	s := newSite(t, busy())
	if body := get(t, s, "/i/larkpost-2026-05-04").Body.String(); !strings.Contains(body, `<a href="/i/larkpost-2026-05-04@3" data-whole>`) || strings.Contains(body, "canonical") {
		t.Error("the citation is not relative, or a canonical address is invented")
	}
}

type atomLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type atomFeed struct {
	XMLName xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
	Base    string     `xml:"http://www.w3.org/XML/1998/namespace base,attr"`
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated time.Time  `xml:"updated"`
	Author  []string   `xml:"author>name"`
	Links   []atomLink `xml:"link"`
	Entries []struct {
		ID      string     `xml:"id"`
		Title   string     `xml:"title"`
		Updated time.Time  `xml:"updated"`
		Links   []atomLink `xml:"link"`
		Content struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// TestFeedsAreValidAtom holds feeds to what RFC 4287 demands and readers need:
// ids that are unique, times, an author, a link to itself and one to the page.
func TestFeedsAreValidAtom(t *testing.T) {
	for _, with := range []func(*Deps){public, func(d *Deps) { public(d); replaying(d) }} {
		s := newSite(t, busy(), with)
		for _, path := range []string{"/index.atom", "/possible.atom", "/s/larkpost.atom", "/s/veldt.atom", "/i/larkpost-2026-05-04.atom"} {
			var f atomFeed
			if err := xml.Unmarshal(get(t, s, s.d.Base+path).Body.Bytes(), &f); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			checkFeed(t, s.d.Base+path, &f)
		}
	}
}

func checkFeed(t *testing.T, path string, f *atomFeed) {
	t.Helper()
	rel := map[string]string{}
	for _, l := range f.Links {
		rel[l.Rel] = l.Href
	}
	if rel["self"] != origin+path || !strings.HasPrefix(rel["alternate"], origin+"/") || strings.HasSuffix(rel["alternate"], ".atom") {
		t.Errorf("%s: links %v", path, f.Links)
	}
	if !strings.HasPrefix(f.ID, "urn:faultline:") || f.Title == "" || f.Updated.IsZero() || len(f.Author) != 1 {
		t.Errorf("%s: id %q, title %q, updated %v, authors %v", path, f.ID, f.Title, f.Updated, f.Author)
	}
	seen := map[string]bool{}
	for _, e := range f.Entries {
		if seen[e.ID] || e.ID == "" || e.Title == "" || e.Updated.IsZero() || e.Content.Type != "html" || e.Content.Text == "" {
			t.Errorf("%s: entry %+v", path, e)
		}
		if len(e.Links) != 1 || !strings.HasPrefix(e.Links[0].Href, origin+"/") {
			t.Errorf("%s: entry %s links to %v", path, e.ID, e.Links)
		}
		seen[e.ID] = true
	}
}

// TestAnIncidentNamesNoPlaceOfFewerThanThree: the fixture has two people in
// Kenya, and a network and an episode of two more.
func TestAnIncidentNamesNoPlaceOfFewerThanThree(t *testing.T) {
	m := busy()
	i := fixtureIncidents()[2]
	i.Revision = 4
	i.Scope.ASNs = append(i.Scope.ASNs[:1:1], faultline.ASNShare{Country: "KE", ASN: 64500, Share: 0.001, N: 2})
	i.Episodes[0].PeakValue = 2
	m.Apply(live.Delta{Incidents: []faultline.Incident{i}})
	s := newSite(t, m)
	for _, path := range []string{"/i/larkpost-2026-05-04", "/i/larkpost-2026-05-04.json", "/incidents.json", "/index.json", "/s/larkpost.json"} {
		body := get(t, s, path).Body.String()
		if !strings.Contains(body, "larkpost-2026-05-04") {
			t.Fatalf("%s is not about the incident", path)
		}
		for _, bad := range []string{"Kenya", `"KE"`, "AS64500", "64500", `"peak_value":2,`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s says %s", path, bad)
			}
		}
	}
	if body := get(t, s, "/i/larkpost-2026-05-04").Body.String(); !strings.Contains(body, "1 country with fewer than 3 is not named") {
		t.Error("the page does not say that it leaves a country out")
	}
}

func TestStepsOfOneMomentStandInTheirOrderNewestFirst(t *testing.T) {
	i := &faultline.Incident{Changes: []faultline.Change{{At: noon, To: faultline.Possible}, {At: noon, To: faultline.Confirmed}}}
	if got := steps(i, nil); !strings.HasPrefix(got[0].Text, "Disrupted") {
		t.Errorf("first %q", got[0].Text)
	}
}

func TestNeverIsSaidOfWatchedDaysOnly(t *testing.T) {
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	without := func(d *Deps) { d.History = nil }
	if body := get(t, newSite(t, empty, without), "/s/larkpost").Body.String(); strings.Contains(body, "Never") || !strings.Contains(body, "nobody watched it") {
		t.Error("a service that nobody watched never failed, says the page")
	}
	if body := get(t, newSite(t, calm(), without), "/s/larkpost").Body.String(); !strings.Contains(body, "on 2 of 90 days that were watched") {
		t.Error("the page does not say how many days were watched")
	}
}

func TestRowsOfTheTableBeginAtWholeHours(t *testing.T) {
	w := window{at(9, 45), at(12, 0), live.Step}
	var bins []live.Bin
	for x := w.from; x.Before(w.to); x = x.Add(w.step) {
		bins = append(bins, live.Bin{Start: x, Value: 10, Complete: 1})
	}
	checks := []live.Reach{{Start: at(9, 50), N: 5, OK: 5}, {Start: at(10, 0), N: 5, OK: 1}, {Start: at(10, 55), N: 5, OK: 1}}
	rows, daily := table(checks, bins, w, at(11, 30))
	if daily || len(rows) != 3 {
		t.Fatalf("%d rows, daily %v", len(rows), daily)
	}
	for i, want := range []tableRow{{at(9, 0), "30", "not known", "5 of 5"}, {at(10, 0), "120", "not known", "2 of 10"}, {at(11, 0), "120", "not known", "none"}} {
		if rows[i] != want {
			t.Errorf("row %d: %+v, want %+v", i, rows[i], want)
		}
	}
}

func TestPointsCarryNothingBelowThree(t *testing.T) {
	b, err := json.Marshal(readable(atLeastThree([]float64{2, 3, 1.4, 7.6}, "")))
	if err != nil || string(b) != "[0,3,0,8]" {
		t.Errorf("%s, %v", b, err)
	}
	b, err = json.Marshal(readable(heights([]live.Bin{{Value: 2, Complete: 1}, {}, {Value: 9, Complete: 1}, {}})))
	if err != nil || string(b) != "[0,null,9]" {
		t.Errorf("%s, %v", b, err)
	}
}

// A name in another script or of great length must not break a page or change
// the direction of the sentence around it.
func TestNamesOfAllScripts(t *testing.T) {
	s := newSite(t, manyScripts())
	if body := get(t, s, "/services").Body.String(); !strings.Contains(body, "<bdi>مرحبا بالعالم</bdi>") {
		t.Error("the name is not isolated from the text around it")
	}
}

// manyScripts is a model of services whose names run from right to left, have no
// spaces, or are very long; one of them has an incident.
func manyScripts() *live.Model {
	m := live.New(live.Limits{})
	m.SetServices([]faultline.Service{
		{ID: "rtl", Name: "مرحبا بالعالم"}, {ID: "cjk", Name: "日本放送協会オンライン"}, {ID: "long", Name: strings.Repeat("Donaudampfschifffahrts", 6)},
	})
	f := &fakeDay{}
	f.d.At = noon
	for _, id := range []faultline.ServiceID{"rtl", "cjk", "long"} {
		f.reports(world(id), 3, true, none)
	}
	i := fixtureIncidents()[2]
	i.ID, i.Service = "long-2026-05-04", "long"
	f.d.Incidents = []faultline.Incident{i}
	f.d.Statuses = []faultline.Status{{Service: "long", At: noon, State: faultline.Confirmed, Incident: i.ID, Awake: []string{"reports"}}, {Service: "rtl", At: noon, State: faultline.Fine, Awake: []string{"reports"}}}
	m.Apply(f.d)
	return m
}

// Before its first report nobody has failed to listen: nothing was said.
func TestBeforeItsFirstReportAServiceIsNotUnheard(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	f.checks("quillmail", "local", "https://quillmail.example/", func(time.Time) bool { return false })
	f.d.Statuses = []faultline.Status{{Service: "quillmail", At: noon, State: faultline.Fine, Awake: []string{"probes"}}}
	f.d.At = noon
	m.Apply(f.d)
	s := newSite(t, m, func(d *Deps) { d.History = nil })
	for _, path := range []string{"/s/quillmail", "/s/quillmail.json", "/s/quillmail?country=GB", "/s/larkpost"} {
		body := get(t, s, path).Body.String()
		if !strings.Contains(body, "has been counted so far") || strings.Contains(body, "listen") {
			t.Errorf("%s does not say that no report was counted, or says that nobody listens", path)
		}
	}
}

// In its first five minutes a page has nothing to draw, and says why: it says
// neither that nobody listens nor that nobody watches.
func TestAServiceThatIsWatchedForAMinute(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	begun, now := at(16, 1), at(16, 2) // inside five minutes of the clock
	reach := faultline.Series{Metric: faultline.MetricReach, Service: "quillmail", Level: faultline.AtVantage, Vantage: "local", Target: "https://quillmail.example/"}
	sample := faultline.Sample{Series: world("quillmail"), Start: begun, Width: faultline.Seconds(time.Minute), Complete: 1, Revision: 1, Origin: faultline.Measured}
	check := sample
	check.Series, check.Value, check.N = reach, 1, 1
	m.Apply(live.Delta{At: now, Samples: []faultline.Sample{sample, check}, Statuses: []faultline.Status{{Service: "quillmail", At: now, State: faultline.Fine, Awake: []string{"probes"}}}})
	body := get(t, newSite(t, m, func(d *Deps) { d.History = nil }), "/s/quillmail").Body.String()
	for _, want := range []string{"The first 5 minutes in which people’s reports are counted aren’t over yet. <b>The one healthy check</b> reaches it.", "we have only just begun to watch it", "Five minutes are drawn when they are over"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"listen", "nobody watched", "no probe looked"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page says %q", bad)
		}
	}
}

// With a country, the sentence of the twin is the page's.
func TestTheTwinSpeaksOfTheCountryToo(t *testing.T) {
	s := newSite(t, busy())
	for _, path := range []string{"/s/veldt?country=FR", "/s/tallybank?country=GB"} {
		page, twin := get(t, s, path).Body.String(), get(t, s, strings.Replace(path, "?", ".json?", 1)).Body.String()
		where := "no reports from France"
		if strings.HasSuffix(path, "GB") {
			where = "no reports from the United Kingdom"
		}
		if !strings.Contains(strings.ToLower(page), strings.ToLower(where)) || !strings.Contains(strings.ToLower(twin), strings.ToLower(where)) {
			t.Errorf("%s: %.600s", path, twin)
		}
	}
}

// TestBeforeTheFirstMinuteNothingIsInvented: a site that has just started knows
// no time, no day and no state.
func TestBeforeTheFirstMinuteNothingIsInvented(t *testing.T) {
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	s := newSite(t, empty, func(d *Deps) { d.History = nil })
	for _, path := range []string{"/", "/services", "/s/larkpost", "/incidents", "/s/larkpost/report", "/s/larkpost/thanks", "/index.json", "/s/larkpost.json", "/index.atom", "/s/larkpost.atom"} {
		if body := get(t, s, path).Body.String(); strings.Contains(body, "0001") || strings.Contains(body, "working as usual") || strings.Contains(body, "Quiet") || strings.Contains(body, "<updated></updated>") || strings.Contains(body, `"fine"`) {
			t.Errorf("%s invents a time or a state", path)
		}
	}
}
