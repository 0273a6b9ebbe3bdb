package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"faultline"
	"faultline/api/apitest"
	"faultline/internal/publish/live"
)

// stands are what a name in a pattern may stand for in the fixture.
var stands = map[string][]string{
	"{service}":   {"larkpost", "hexwell", "orrery"},
	"{incident}":  {"larkpost-2026-05-04", "larkpost-2026-05-04@1"},
	"{document…}": {"howto/operate", "index"},
}

// standFor writes the addresses of a pattern, and fails on a name that it does
// not know.
func standFor(t *testing.T, pattern string) []string {
	t.Helper()
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	end := strings.IndexByte(pattern, '}') + 1
	var out []string
	for _, name := range stands[pattern[open:end]] {
		out = append(out, standFor(t, pattern[:open]+name+pattern[end:])...)
	}
	if len(out) == 0 {
		t.Fatalf("%s: say in this test what %s may stand for", pattern, pattern[open:end])
	}
	return out
}

// TestEachPageHasItsTwin walks the table of addresses: whatever is a page has a
// JSON twin, the page links to it, and the contract names it.
func TestEachPageHasItsTwin(t *testing.T) {
	s, c, pages := newSite(t, busy()), apitest.Load(t), 0
	for _, a := range s.addresses {
		for _, path := range standFor(t, a.pattern) {
			w := get(t, s, path)
			if w.Code != http.StatusOK {
				continue // a feed without a page; TestEveryPageIsWhole says which pages there are
			}
			pages++
			twin := strings.TrimSuffix(path, "/") + ".json"
			if path == "/" {
				twin = "/index.json"
			}
			if j := get(t, s, twin); j.Code != http.StatusOK || j.Header().Get("Content-Type") != typeJSON || !json.Valid(j.Body.Bytes()) {
				t.Errorf("%s has no JSON twin: %s gives %d %s", path, twin, j.Code, j.Header().Get("Content-Type"))
			}
			if !strings.Contains(w.Body.String(), `type="application/json" href="/`) {
				t.Errorf("%s does not link to its twin", path)
			}
		}
		if names := strings.NewReplacer("{service}", "{slug}", "{document…}", "{document}").Replace(a.pattern); a.pattern != "/" && a.pattern != "/possible" && !slices.Contains(c.Paths(), names+".json") {
			t.Errorf("the contract does not name %s.json", names)
		}
	}
	if pages < len(s.addresses) {
		t.Errorf("only %d pages in a table of %d addresses", pages, len(s.addresses))
	}
}

// Every address that a test of pages reads comes from the table.
func TestEveryPageStandsInTheTable(t *testing.T) {
	s := newSite(t, busy())
	for _, path := range htmlPages {
		path, query, _ := strings.Cut(path, "?")
		if _, ok := s.find(path, ""); !ok {
			t.Errorf("%s?%s", path, query)
		}
	}
}

func TestADocumentsTwinIsItsText(t *testing.T) {
	var d docDoc
	if err := json.Unmarshal(get(t, newSite(t, busy()), "/docs/howto/operate.json").Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	want := []jsonDocument{{"/docs.json", "Documents"}, {"/docs/howto/operate.json", "Operate it"}}
	if d.Title != "Operate it" || d.Licence != "Apache-2.0" || d.Text != string(fixtureDocs["howto/operate.md"].Data) || !slices.Equal(d.Documents, want) {
		t.Errorf("%+v", d)
	}
}

func TestThePrivacyPageAndItsTwinSayTheSame(t *testing.T) {
	s := newSite(t, busy())
	page := get(t, s, "/privacy").Body.String()
	var d privacyDoc
	if err := json.Unmarshal(get(t, s, "/privacy.json").Body.Bytes(), &d); err != nil || len(d.Parts) < 3 {
		t.Fatalf("%v: %+v", err, d)
	}
	for _, p := range d.Parts {
		if !strings.Contains(page, p.Heading) || len(p.Text) == 0 || !strings.Contains(page, p.Text[0]) {
			t.Errorf("the page does not say %q", p.Heading)
		}
	}
}

func TestTheFormsTwinSaysWhatAReportMaySay(t *testing.T) {
	here := func(d *Deps) {
		d.Place = func(*http.Request) faultline.Place { return faultline.Place{Country: "GB", ASN: 2856} }
	}
	var d reportDoc
	w := get(t, newSite(t, busy(), here), "/s/larkpost/report.json")
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Symptoms) != len(faultline.Symptoms()) || len(d.Surfaces) != 3 || d.Post != "/api/v1/reports" || d.Place.Country != "GB" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%+v %v", d, w.Header())
	}
	var r reportDoc
	s := newSite(t, busy(), replaying)
	if err := json.Unmarshal(get(t, s, s.d.Base+"/s/larkpost/report.json").Body.Bytes(), &r); err != nil || r.Post != "" || !r.Replay {
		t.Errorf("in a replay: %v %+v", err, r)
	}
}

// Whatever is refused with a document carries the reason that was counted.
func TestAProblemCarriesTheReasonOfItsCounter(t *testing.T) {
	c := apitest.Load(t)
	for name, x := range map[string]struct {
		method, path, reason, field string
		status                      int
	}{
		"an unknown page":             {"GET", "/nothing.json", refusedNotFound, "", 404},
		"a POST to a page":            {"POST", "/method.json", refusedMethod, "", 405},
		"a very long search":          {"GET", "/?q=" + strings.Repeat("x", 300), refusedQuery, "q", 400},
		"no country":                  {"GET", "/s/larkpost.json?country=ZZZ", refusedCountry, "country", 400},
		"a country where none counts": {"GET", "/incidents.json?country=GB", refusedNoFilter, "country", 400},
		"a feed that is not there":    {"GET", "/nothing.atom", refusedNotFound, "", 404},
	} {
		s := newSite(t, busy())
		w, r := httptest.NewRecorder(), httptest.NewRequest(x.method, x.path, nil)
		r.Header.Set("Accept", "application/json")
		s.ServeHTTP(w, r)
		hold(t, c, name, "Problem", w.Body.Bytes())
		var p jsonProblem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Reason != x.reason || p.Field != x.field || p.Status != x.status || w.Code != x.status || p.Title != http.StatusText(x.status) || refused(t, s, x.reason) != 1 {
			t.Errorf("%s: %d %s, counted %v", name, w.Code, w.Body, refused(t, s, x.reason))
		}
	}
}

// onlyBritain is a model with reports from one country.
func onlyBritain() *live.Model {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	f.reports(world("larkpost"), 3, true, none)
	f.reports(in("larkpost", "GB"), 3, true, none)
	f.reports(in("larkpost", "AN"), 3, true, none) // an operator's own table says so
	f.d.At = noon
	m.Apply(f.d)
	return m
}

// left asks and goes away at once, so that a stream of events ends.
func left(s *site, path string) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	return w
}

func TestACountryIsNeverAnsweredForTheWorld(t *testing.T) {
	for _, path := range []string{"/s/larkpost", "/s/larkpost.json", "/s/larkpost.atom", "/events", "/i/larkpost-2026-05-04.csv", "/i/larkpost-2026-05-04@1.csv", "/i/larkpost-2026-05-04", "/", "/index.json", "/services", "/s/larkpost/report"} {
		for _, query := range []string{"country=ZZZ", "country=QQ", "country=UK", "country=", "country=G%00", "utm_source=a&country=ZZZ", "country=ZZZ&utm_source=a", "%63ountry=ZZZ"} {
			s := newSite(t, busy())
			left(s, path) // it is kept now, for the world
			w := left(s, path+"?"+query)
			if w.Code != http.StatusBadRequest || refused(t, s, refusedCountry) != 1 {
				t.Errorf("%s?%s: %d", path, query, w.Code)
			}
		}
		for _, query := range []string{"country=GB&country=US", "country=%zz", "x=%zz&country"} {
			if s := newSite(t, busy()); left(s, path+"?"+query).Code != http.StatusBadRequest || refused(t, s, refusedQuery) != 1 {
				t.Errorf("%s?%s is answered", path, query)
			}
		}
	}
}

func TestACountryIsTakenHoweverItIsWritten(t *testing.T) {
	s := newSite(t, onlyBritain())
	want := get(t, s, "/s/larkpost.json?country=GB").Body.Bytes()
	for _, query := range []string{"country=gb", "country=GB&utm_source=a", "utm_source=a&country=Gb", "%63ountry=GB"} {
		if w := get(t, s, "/s/larkpost.json?"+query); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("?%s: %d, not the document of ?country=GB", query, w.Code)
		}
	}
	if bytes.Equal(get(t, s, "/s/larkpost.json").Body.Bytes(), want) {
		t.Error("the world's document is that of the country")
	}
	for _, query := range []string{"country=AN", "country=ZZ", "country=FR"} {
		if w := get(t, s, "/s/larkpost?"+query); w.Code != http.StatusOK {
			t.Errorf("?%s: %d", query, w.Code)
		}
	}
}

func TestAnIncidentsSpreadsheetIsOfTheCountry(t *testing.T) {
	s := newSite(t, busy())
	all, some := get(t, s, "/i/larkpost-2026-05-04.csv"), get(t, s, "/i/larkpost-2026-05-04.csv?country=KE")
	if some.Code != http.StatusOK || some.Body.String() == all.Body.String() || strings.Count(some.Body.String(), "\n") != strings.Count(all.Body.String(), "\n") {
		t.Errorf("%d\n%.200s\n%.200s", some.Code, some.Body, all.Body)
	}
}

// A person gets a page; a program gets a document, also where the address is
// that of a file.
func TestAWrongCountryIsAPageForPeople(t *testing.T) {
	s := newSite(t, busy())
	const browser = "text/html,application/xhtml+xml"
	for _, path := range []string{"/s/larkpost", "/i/larkpost-2026-05-04.csv"} {
		w := get(t, s, path+"?country=%3Cb%3EUK", "Accept", browser)
		if body := w.Body.String(); w.Code != 400 || w.Header().Get("Content-Type") != typeHTML || !strings.Contains(body, "There is no country “&lt;b&gt;UK”") || !strings.Contains(body, "</html>") {
			t.Errorf("%s: %d %s\n%s", path, w.Code, w.Header().Get("Content-Type"), body)
		}
	}
	if body := get(t, s, "/s/larkpost?country=UK").Body.String(); !strings.Contains(body, "Did you mean ?country=GB?") || !strings.Contains(body, `href="/s/larkpost">This page for the world`) {
		t.Error("the likely one is not named, or there is no way to the world's page")
	}
	for _, path := range []string{"/i/larkpost-2026-05-04.csv", "/events", "/s/larkpost.atom"} {
		if w := get(t, s, path+"?country=ZZZ", "Accept", "*/*"); w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, w.Header().Get("Content-Type"))
		}
	}
}
