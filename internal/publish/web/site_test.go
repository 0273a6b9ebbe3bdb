package web

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"faultline"
	"faultline/internal/publish/live"
)

func get(t *testing.T, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var htmlPages = []string{
	"/", "/services", "/s/larkpost", "/s/larkpost?country=GB", "/s/hexwell", "/s/tallybank", "/s/ferryline", "/s/larkpost/report", "/s/larkpost/thanks", "/s/larkpost/longest", "/s/larkpost/worst", "/s/orrery/longest", "/incidents",
	"/i/larkpost-2026-05-04", "/i/larkpost-2026-05-04@1", "/i/hexwell-2026-05-04", "/i/tallybank-2026-05-02", "/i/quillmail-2026-05-01",
	"/map", "/map/larkpost", "/map/tallybank", "/map/ferryline", "/method", "/data", "/privacy", "/corrections", "/docs/", "/docs/howto/operate", "/?q=o", "/?q=nobody",
}

func TestEveryPageIsWholeAndSafe(t *testing.T) {
	for _, base := range []string{"", "/replay/2025-03-10-x"} {
		s := newSite(t, busy(), func(d *Deps) {
			if base != "" {
				replaying(d)
			}
		})
		for _, path := range htmlPages {
			w := get(t, s, base+path)
			body := w.Body.String()
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != typeHTML {
				t.Errorf("%s: %d %s", base+path, w.Code, w.Header().Get("Content-Type"))
				continue
			}
			if !strings.HasSuffix(strings.TrimSpace(body), "</html>") || strings.Count(body, "<h1") != 1 {
				t.Errorf("%s: not whole, or not one headline", path)
			}
			for _, bad := range []string{"style=", "<script>", "onclick", "javascript:", "ZgotmplZ", "NaN", "%!", "<no value>", "http://www.google"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s contains %q", path, bad)
				}
			}
			h := w.Header()
			if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Set-Cookie") != "" {
				t.Errorf("%s: headers %v", path, h)
			}
		}
	}
}

func TestJSONTwinsAreValidAndLabelled(t *testing.T) {
	paths := []string{"/.json", "/index.json", "/services.json", "/s/larkpost.json", "/s/larkpost.json?country=GB", "/incidents.json", "/i/larkpost-2026-05-04.json", "/i/larkpost-2026-05-04@1.json", "/map.json", "/map/larkpost.json", "/method.json", "/data.json", "/corrections.json"}
	for _, replay := range []bool{false, true} {
		s := newSite(t, busy(), func(d *Deps) {
			if replay {
				replaying(d)
			}
		})
		for _, path := range paths {
			w := get(t, s, s.d.Base+path)
			var doc map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != typeJSON {
				t.Errorf("%s: %d %v", path, w.Code, err)
				continue
			}
			if doc["at"] == nil || doc["title"] == nil {
				t.Errorf("%s has no time or title", path)
			}
			if got := doc["replay"] == true; got != replay {
				t.Errorf("%s: replay %v, want %v", path, got, replay)
			}
			if replay && doc["notice"] != "reconstructed from published figures, not measured" {
				t.Errorf("%s: notice %v", path, doc["notice"])
			}
		}
	}
}

func TestHomeAndIndexJSONAreTheSame(t *testing.T) {
	s := newSite(t, busy())
	if a, b := get(t, s, "/.json").Body.String(), get(t, s, "/index.json").Body.String(); a != b {
		t.Error("they differ")
	}
}

func TestAReplaySaysSoEverywhere(t *testing.T) {
	s := newSite(t, busy(), replaying)
	for _, path := range htmlPages {
		w := get(t, s, s.d.Base+path)
		body := w.Body.String()
		if !strings.Contains(body, "<title>Replay: ") || !strings.Contains(body, "This is a replay: reconstructed from published figures, not measured") {
			t.Errorf("%s: title or banner is missing", path)
		}
		if !strings.Contains(body, `content="noindex"`) || w.Header().Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s may be indexed", path)
		}
		if strings.Contains(body, `href="/s/`) && !strings.Contains(path, "/report") || strings.Contains(body, `href="/i/`) {
			t.Errorf("%s links into the live site", path)
		}
		if strings.Contains(body, `role="img"`) && !strings.Contains(body, `aria-label="Replay, reconstructed`) {
			t.Errorf("%s: a chart is not labelled", path)
		}
	}
	for _, path := range []string{"/index.atom", "/.atom", "/possible.atom", "/s/larkpost.atom", "/i/larkpost-2026-05-04.atom"} {
		if body := get(t, s, s.d.Base+path).Body.String(); !strings.Contains(body, "<title>Faultline: Replay, reconstructed") {
			t.Errorf("%s is not labelled", path)
		}
	}
	if body := get(t, s, s.d.Base+"/i/larkpost-2026-05-04.csv").Body.String(); !strings.HasPrefix(body, "# replay: ") {
		t.Error("the CSV is not labelled")
	}
}

func TestAReportToAReplayIsRefusedWithThatReason(t *testing.T) {
	s := newSite(t, busy(), replaying)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, s.d.Base+"/s/larkpost/report", strings.NewReader("symptom=slow")))
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "This is a replay") || refused(t, s, refusedReplayPost) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	body := get(t, s, s.d.Base+"/s/larkpost/report").Body.String()
	if strings.Contains(body, "<form method=\"post\"") || !strings.Contains(body, "takes no reports") {
		t.Error("the form is there")
	}
}

func refused(t *testing.T, s *site, reason string) float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "faultline_publish_refused_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("reason %q is not a counter", reason)
	return 0
}

func TestWhatIsRefusedIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, reason string
		status               int
	}{
		"an unknown page":              {"GET", "/nothing", refusedNotFound, 404},
		"an unknown service":           {"GET", "/s/nobody", refusedNotFound, 404},
		"a service that is no slug":    {"GET", "/s/..%2f", refusedNotFound, 404},
		"a revision that is not there": {"GET", "/i/larkpost-2026-05-04@9", refusedNotFound, 404},
		"a revision that is no number": {"GET", "/i/larkpost-2026-05-04@01", refusedNotFound, 404},
		"a document outside":           {"GET", "/docs/../web.go", refusedNotFound, 404},
		"a POST to a page":             {"POST", "/method", refusedMethod, 405},
		"a very long search":           {"GET", "/?q=" + strings.Repeat("x", 300), refusedQuery, 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, busy())
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || refused(t, s, c.reason) != 1 {
				t.Errorf("status %d, counter %v", w.Code, refused(t, s, c.reason))
			}
		})
	}
}

func TestProblemsAreJSONForThoseWhoAskForIt(t *testing.T) {
	w := get(t, newSite(t, busy()), "/s/nobody.json")
	var p struct{ Status int }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v %+v", err, p)
	}
}

func TestAPageIsDrawnOnceATickAndOnlyWhenSomethingChanged(t *testing.T) {
	s := newSite(t, busy())
	draws := func() float64 { return testutil.ToFloat64(s.d.Metrics.renders) }
	for range 5 {
		get(t, s, "/i/larkpost-2026-05-04")
	}
	if draws() != 1 || testutil.ToFloat64(s.d.Metrics.hits) != 4 {
		t.Errorf("%v draws, %v hits", draws(), testutil.ToFloat64(s.d.Metrics.hits))
	}
	s.clock = s.clock.Add(Tick)
	get(t, s, "/i/larkpost-2026-05-04")
	if draws() != 1 {
		t.Error("drawn anew although nothing changed")
	}
	s.model.Apply(live.Delta{At: noon.Add(10 * time.Second)})
	get(t, s, "/i/larkpost-2026-05-04")
	if draws() != 1 {
		t.Error("drawn twice in a tick")
	}
	s.clock = s.clock.Add(Tick)
	get(t, s, "/i/larkpost-2026-05-04")
	if draws() != 2 {
		t.Error("not drawn after a change")
	}
}

func TestQueriesThatMeanNothingShareOnePage(t *testing.T) {
	s := newSite(t, busy())
	for _, q := range []string{"", "?utm_source=a", "?x=1&y=2"} {
		get(t, s, "/services"+q)
	}
	if n := testutil.ToFloat64(s.d.Metrics.renders); n != 1 {
		t.Errorf("%v draws for one page", n)
	}
}

func TestReadersWhoHaveThePageGet304(t *testing.T) {
	s := newSite(t, busy())
	first := get(t, s, "/", "Accept-Encoding", "gzip")
	etag := first.Header().Get("ETag")
	if first.Header().Get("Content-Encoding") != "gzip" || etag == "" || first.Header().Get("Cache-Control") != "max-age=5, stale-while-revalidate=30" {
		t.Errorf("headers %v", first.Header())
	}
	second := get(t, s, "/", "If-None-Match", `"other", `+etag)
	if second.Code != http.StatusNotModified || second.Body.Len() != 0 || second.Header().Get("ETag") != etag {
		t.Errorf("%d, %d bytes", second.Code, second.Body.Len())
	}
}

func TestHEADHasTheHeadersAndNoBody(t *testing.T) {
	s := newSite(t, busy())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0": false, "br": false, "": false} {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestFewerThanThreeIsNeverPublished(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	f.reports(world("larkpost"), 0, false, func(x time.Time) float64 {
		if x.Equal(at(15, 57)) {
			return 2
		}
		return 0
	})
	f.reports(in("larkpost", "KE"), 0, false, func(x time.Time) float64 {
		if x.Equal(at(15, 57)) {
			return 2
		}
		return 0
	})
	f.d.At = noon
	f.d.Statuses = []faultline.Status{{Service: "larkpost", At: noon, State: faultline.Fine, Awake: []string{"reports"}}}
	m.Apply(f.d)
	s := newSite(t, m, func(d *Deps) { d.History = nil })
	page := get(t, s, "/s/larkpost").Body.String()
	if !strings.Contains(page, "Fewer than 3 reports in the last 5 minutes") || strings.Contains(page, "Kenya") {
		t.Error("the page names two people, or their country")
	}
	var doc struct {
		Bins []struct {
			Reports *float64 `json:"reports"`
			Few     bool     `json:"fewer_than_3"`
		} `json:"last_24_hours"`
		Countries []any `json:"countries"`
	}
	if err := json.Unmarshal(get(t, s, "/s/larkpost.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	few := 0
	for _, b := range doc.Bins {
		if b.Few {
			few++
		}
		if b.Reports != nil && *b.Reports > 0 && *b.Reports < 3 {
			t.Errorf("published %v", *b.Reports)
		}
	}
	if few != 1 || len(doc.Countries) != 0 {
		t.Errorf("%d bins with few, countries %v", few, doc.Countries)
	}
}

func TestCannotTellIsNeverCalledFine(t *testing.T) {
	s := newSite(t, busy())
	body := get(t, s, "/s/ferryline").Body.String()
	if !strings.Contains(body, "We can’t tell whether Ferryline works") || strings.Contains(body, "working as usual") {
		t.Error("the page does not say that it cannot tell")
	}
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	if body := get(t, newSite(t, empty), "/").Body.String(); !strings.Contains(body, "We can’t tell yet") {
		t.Error("an observatory that knows nothing calls it quiet")
	}
}

func TestDaysBeforeWeWatchedAreUnknown(t *testing.T) {
	s := newSite(t, calm(), func(d *Deps) { d.History = nil })
	for _, path := range []string{"/", "/s/larkpost"} {
		body := get(t, s, path).Body.String()
		if ok, not := strings.Count(body, `class="ok"`), strings.Count(body, `class="nt"`); ok != 2 || not != 88 {
			t.Errorf("%s: %d days fine and %d unknown, after 24 hours", path, ok, not)
		}
	}
}

func TestAReplayOffersNoReport(t *testing.T) {
	s := newSite(t, busy(), replaying)
	for _, path := range []string{"/s/larkpost", "/s/tallybank", "/i/larkpost-2026-05-04"} {
		if body := get(t, s, s.d.Base+path).Body.String(); strings.Contains(body, "/report") {
			t.Errorf("%s links to the form", path)
		}
	}
}

func TestFeedsCarryWhatTheyPromise(t *testing.T) {
	s := newSite(t, busy())
	for path, c := range map[string]struct{ has, lacks string }{
		"/index.atom":                 {"larkpost-2026-05-04", "hexwell"},
		"/possible.atom":              {"hexwell-2026-05-04", "nobody"},
		"/s/hexwell.atom":             {"hexwell-2026-05-04", "larkpost"},
		"/i/larkpost-2026-05-04.atom": {"larkpost-2026-05-04@3", "hexwell"},
	} {
		w := get(t, s, path)
		var feed struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			Entries []struct {
				ID string `xml:"id"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil || w.Header().Get("Content-Type") != typeAtom {
			t.Errorf("%s: %v", path, err)
		}
		body := w.Body.String()
		if !strings.Contains(body, c.has) || strings.Contains(body, c.lacks) || len(feed.Entries) == 0 {
			t.Errorf("%s: has %q %v, lacks %q %v", path, c.has, strings.Contains(body, c.has), c.lacks, !strings.Contains(body, c.lacks))
		}
	}
}

func TestRetractionsReachTheFeedOfConfirmed(t *testing.T) {
	if body := get(t, newSite(t, busy()), "/index.atom").Body.String(); !strings.Contains(body, "Retracted: ") {
		t.Error("who read the confirmation does not read the retraction")
	}
}

func TestAnOldRevisionStaysAsItWas(t *testing.T) {
	s := newSite(t, busy())
	old := get(t, s, "/i/larkpost-2026-05-04@1").Body.String()
	if !strings.Contains(old, "Larkpost may be failing: many people report problems") || strings.Contains(old, "is failing worldwide") {
		t.Error("revision 1 does not say what it said")
	}
	if !strings.Contains(old, "Revision 1 of 3") || !strings.Contains(old, "revision 1, as of 4 May 2026, 09:50 UTC") {
		t.Error("no citation of the revision")
	}
	now := get(t, s, "/i/larkpost-2026-05-04").Body.String()
	if !strings.Contains(now, "Larkpost is failing worldwide") || !strings.Contains(now, "not assessed by this version") || !strings.Contains(now, "recovering → disrupted") {
		t.Error("the newest revision lacks its verdict, its why or its changes")
	}
}

func TestDocumentsLinkToEachOther(t *testing.T) {
	s := newSite(t, busy(), replaying)
	body := get(t, s, s.d.Base+"/docs/").Body.String()
	if !strings.Contains(body, `href="/replay/2025-03-10-x/docs/howto/operate#disk"`) || strings.Contains(body, "alert(1)") {
		t.Error("links are not rewritten, or raw HTML came through")
	}
	body = get(t, s, s.d.Base+"/docs/howto/operate.md").Body.String()
	if !strings.Contains(body, `href="/replay/2025-03-10-x/docs/index"`) || !strings.Contains(body, `href="https://example.org/x.md"`) {
		t.Error("a link up, or one outside, is wrong")
	}
}

func TestSearchGoesStraightToOneHit(t *testing.T) {
	s := newSite(t, busy())
	if w := get(t, s, "/?q=tallybank"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/s/tallybank" {
		t.Errorf("%d %s", w.Code, w.Header().Get("Location"))
	}
	if w := get(t, s, "/?q=o"); !strings.Contains(w.Body.String(), "Which one do you mean?") {
		t.Error("several hits are not listed")
	}
	if w := get(t, s, "/?q=%3Cb%3E"); strings.Contains(w.Body.String(), "<b>”") || !strings.Contains(w.Body.String(), "We don’t know") {
		t.Error("no hit is not said, or the query came through unescaped")
	}
}

func TestTheReportPageSaysWhereTheReaderSeemsToBe(t *testing.T) {
	s := newSite(t, busy(), func(d *Deps) {
		d.Place = func(*http.Request) faultline.Place { return faultline.Place{Country: "GB", ASN: 2856} }
	})
	w := get(t, s, "/s/larkpost/report")
	body := w.Body.String()
	if !strings.Contains(body, "You seem to be in the United Kingdom, in the network AS2856") || w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the place is missing, or a reader's page may be kept")
	}
	if strings.Count(body, `name="symptom"`) != 6 || !strings.Contains(body, `name="works"`) {
		t.Error("not six symptoms and “it works”")
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	s := newSite(t, busy())
	for name, address := range s.names {
		w := get(t, s, address)
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	css := get(t, s, s.names["style.css"]).Body.String()
	if !strings.Contains(css, "url("+strings.TrimPrefix(s.names["sg.woff2"], "/static/")+")") {
		t.Error("the style sheet does not name the font's file")
	}
}

func TestPagesFitTheBudget(t *testing.T) {
	s := newSite(t, busy())
	assets := 0
	for _, n := range []string{"style.css", "live.js", "sg.woff2"} {
		assets += get(t, s, s.names[n], "Accept-Encoding", "gzip").Body.Len()
	}
	if n := get(t, s, s.names["live.js"]).Body.Len(); n > 5000 {
		t.Errorf("script: %d bytes", n)
	}
	for _, p := range htmlPages {
		n := assets + get(t, s, p, "Accept-Encoding", "gzip").Body.Len()
		if n > 80_000 {
			t.Errorf("%s: %d bytes cold", p, n)
		}
		t.Logf("%-34s %6d bytes cold", p, n)
	}
}

func TestACrowdGetsOneDrawing(t *testing.T) {
	s := newSite(t, busy())
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if w := get(t, s, "/i/larkpost-2026-05-04"); w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("status %d, %d bytes", w.Code, w.Body.Len())
			}
		})
	}
	wg.Wait()
	if n := testutil.ToFloat64(s.d.Metrics.renders); n != 1 {
		t.Errorf("%v drawings for one crowd", n)
	}
}
