package web

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"faultline"
	"faultline/internal/publish/live"
)

//go:embed testdata/axe.min.js
var axe string

// browser starts a real Chromium. Without one the test is skipped, and fails
// where CI=true promises one.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium, and CI=true: install chromium")
		}
		t.Skip("no Chromium: the pages are not looked at")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the process has ended, so that its folder can go
		cancelTab()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// shotsDir is where pictures of the pages go, to be looked at.
func shotsDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FAULTLINE_SHOTS")
	if dir == "" {
		dir = t.ArtifactDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mode is a way to look at a page.
type mode struct {
	name          string
	width, height int64
	media         map[string]string
	picture       bool
}

var modes = []mode{
	{"desktop-light", 1280, 900, map[string]string{"prefers-color-scheme": "light"}, true},
	{"desktop-dark", 1280, 900, map[string]string{"prefers-color-scheme": "dark"}, true},
	{"mobile-light", 390, 844, map[string]string{"prefers-color-scheme": "light"}, true},
	{"320", 320, 640, map[string]string{"prefers-color-scheme": "light"}, false},
	{"forced-colors", 1280, 900, map[string]string{"forced-colors": "active", "prefers-color-scheme": "dark"}, false},
}

// emulate sets every feature that any mode uses, so that none is left over.
func (m mode) emulate(ctx context.Context) error {
	features := []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}
	for _, n := range []string{"prefers-color-scheme", "forced-colors"} {
		features = append(features, &emulation.MediaFeature{Name: n, Value: m.media[n]})
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		return err
	}
	return chromedp.Do(ctx, chromedp.EmulateViewport(m.width, m.height))
}

// visit opens a page and waits until its font is there.
func visit(ctx context.Context, url string) error {
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		return err
	}
	_, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.fonts.ready.then(()=>0)", chromedp.EvalAwaitPromise))
	return err
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Errorf("%.60s: %v", expression, err)
	}
	return v
}

var lookedAt = map[string]string{
	"home-busy": "/", "services": "/services", "service": "/s/larkpost", "service-country": "/s/larkpost?country=GB", "service-quiet": "/s/tallybank", "service-longest": "/s/larkpost/longest", "service-worst": "/s/larkpost/worst", "service-unknown": "/s/ferryline",
	"report": "/s/larkpost/report", "thanks": "/s/larkpost/thanks", "incidents": "/incidents", "incident": "/i/larkpost-2026-05-04", "incident-revision": "/i/larkpost-2026-05-04@1",
	"map": "/map", "map-service": "/map/larkpost", "map-unknown": "/map/ferryline", "map-past": "/map/tallybank", "incident-possible": "/i/hexwell-2026-05-04", "method": "/method", "data": "/data", "privacy": "/privacy", "corrections": "/corrections", "document": "/docs/howto/operate", "search": "/?q=o", "incident-over": "/i/tallybank-2026-05-02", "incident-retracted": "/i/quillmail-2026-05-01", "missing": "/nothing", "wrong-country": "/s/larkpost?country=ZZZ", "service-new": "/s/orrery", "console": "/console/",
}

type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

const runAxe = `axe.run(document,{runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r=>JSON.stringify(r.violations))`

func TestPagesInARealBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the pages are not looked at")
	}
	ctx := browser(t)
	dir := shotsDir(t)
	operated := func(d *Deps) {
		d.Console = &Console{Operators: map[string]string{"ada": token}, Do: func(context.Context, faultline.Command) error { return nil }}
	}
	sites := map[string]*httptest.Server{}
	for name, s := range map[string]*site{"": newSite(t, eventful(), operated), "quiet": newSite(t, calm()), "replay": newSite(t, eventful(), replaying), "names": newSite(t, manyScripts())} {
		srv := httptest.NewServer(s)
		t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() }) // streams are open for as long as their page
		sites[name] = srv
	}
	if err := logIn(ctx, sites[""].URL); err != nil {
		t.Fatal(err)
	}
	for _, m := range modes {
		for name, path := range lookedAt {
			look(t, ctx, dir, m, name, sites[""].URL+path, slices.Contains(everyMode, name) || m.name == "desktop-light")
		}
		look(t, ctx, dir, m, "home-quiet", sites["quiet"].URL+"/", m.name == "desktop-light")
		look(t, ctx, dir, m, "replay-incident", sites["replay"].URL+"/replay/2025-03-10-x/i/larkpost-2026-05-04", m.name == "desktop-light")
		for name, path := range map[string]string{"names-home": "/", "names-services": "/services", "names-incident": "/i/long-2026-05-04", "names-rtl": "/s/rtl"} {
			look(t, ctx, dir, m, name, sites["names"].URL+path, m.name == "desktop-light")
		}
		look(t, ctx, dir, m, "replay-report", sites["replay"].URL+"/replay/2025-03-10-x/s/larkpost/report", m.name == "desktop-light")
	}
}

// everyMode are the pages that axe sees in every mode, one of each kind; the
// others it sees once, and the layout is checked for all.
var everyMode = []string{"home-busy", "service", "report", "incidents", "incident", "map-service", "method", "search"}

// logIn opens the console as an operator does.
func logIn(ctx context.Context, url string) error {
	return chromedp.Do(ctx, chromedp.Navigate(url+"/console/"), chromedp.SendKeys(chromedp.CSS("#token"), token), chromedp.Submit(chromedp.CSS("#token")), chromedp.WaitReady(chromedp.CSS("#incident")))
}

// look opens a page, keeps its picture, and asks axe and the layout.
func look(t *testing.T, ctx context.Context, dir string, m mode, name, url string, whole bool) {
	if !whole && !m.picture && m.name != "320" {
		return
	}
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // a guard: axe takes long where others work too
	defer cancel()
	if err := errors.Join(m.emulate(ctx), visit(ctx, url)); err != nil {
		t.Errorf("%s %s: %v", name, m.name, err)
		return
	}
	out := "[]"
	if whole {
		ask[int](t, ctx, axe+";0")
		out = ask[string](t, ctx, runAxe)
	}
	over := ask[float64](t, ctx, `document.documentElement.scrollWidth-document.documentElement.clientWidth`)
	if m.picture && (whole || m.name != "desktop-dark") {
		keep(t, ctx, filepath.Join(dir, name+"-"+m.name+".png"))
	}
	var list []violation
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Errorf("%s %s: axe said %q", name, m.name, out)
	}
	for _, v := range list {
		for _, n := range v.Nodes[:min(len(v.Nodes), 3)] {
			t.Errorf("%s %s: %s (%s): %s\n%s\n%s", name, m.name, v.ID, v.Impact, v.Help, n.HTML, n.FailureSummary)
		}
	}
	if over > 0 {
		t.Errorf("%s %s: scrolls sideways by %v px", name, m.name, over)
	}
}

// keep writes a picture of the whole page.
func keep(t *testing.T, ctx context.Context, file string) {
	t.Helper()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(file, shot, 0o644)
	}
	if err != nil {
		t.Errorf("picture %s: %v", file, err)
	}
}

// TestBudgetsInARealBrowser counts what a cold visit costs.
func TestBudgetsInARealBrowser(t *testing.T) {
	ctx := browser(t)
	srv := httptest.NewServer(newSite(t, eventful()))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() }) // streams are open for as long as their page
	var mu sync.Mutex
	var requests []string
	bytes := 0.0
	err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasSuffix(e.Request.URL, "/events") {
				requests = append(requests, e.Request.URL)
			}
		case *network.EventLoadingFinished:
			bytes += e.EncodedDataLength
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/s/larkpost", "/i/larkpost-2026-05-04", "/s/larkpost/report", "/map", "/map/larkpost", "/method"} {
		mu.Lock()
		requests, bytes = nil, 0
		mu.Unlock()
		if _, err := chromedp.Call(ctx, network.ClearBrowserCache, struct{}{}); err != nil {
			t.Fatal(err)
		}
		if err := visit(ctx, srv.URL+path); err != nil {
			t.Fatal(err)
		}
		cookie := ask[string](t, ctx, "document.cookie")
		mu.Lock()
		if len(requests) > 6 || bytes > 80_000 {
			t.Errorf("%s: %d requests, %.0f bytes", path, len(requests), bytes)
		}
		for _, u := range requests {
			if !strings.HasPrefix(u, srv.URL) {
				t.Errorf("%s asks %s", path, u)
			}
		}
		t.Logf("%s: %d requests, %.0f bytes cold", path, len(requests), bytes)
		mu.Unlock()
		if cookie != "" {
			t.Errorf("%s sets a cookie", path)
		}
	}
}

// TestAnOpenPageFollows opens an incident, changes it, and waits for the page
// to say so: by events, without a reload, with the focus where it was.
func TestAnOpenPageFollows(t *testing.T) {
	ctx := browser(t)
	m := busy()
	s := newSite(t, m)
	run, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var clock sync.Mutex
	s.d.Clock = func() time.Time { clock.Lock(); defer clock.Unlock(); return s.clock }
	go func() { done <- s.Run(run) }()
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.CloseClientConnections()
		srv.Close()
	})
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	link := `main a[href="/method#reports"]`
	if err := visit(ctx, srv.URL+"/i/larkpost-2026-05-04"); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Focus(chromedp.CSS(link))); err != nil {
		t.Fatal(err)
	}
	ask[bool](t, ctx, `document.querySelector("main details").open=true`)
	i := fixtureIncidents()[2]
	i.Revision, i.State, i.At, i.End = 4, faultline.Recovering, noon, noon.Add(-10*time.Minute)
	clock.Lock()
	s.clock = s.clock.Add(Tick)
	clock.Unlock()
	m.Apply(live.Delta{At: noon.Add(10 * time.Second), Incidents: []faultline.Incident{i}, Statuses: []faultline.Status{{Service: "larkpost", At: noon.Add(time.Second), State: faultline.Recovering}}})
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("h1").textContent.includes("coming back")`, chromedp.WithPollingTimeout(45*time.Second))); err != nil {
		t.Fatal(err)
	}
	said := ask[string](t, ctx, `document.getElementById("say").textContent`)
	focus := ask[string](t, ctx, `document.activeElement.getAttribute("href")||""`)
	open := ask[bool](t, ctx, `document.querySelector("main details").open`)
	if !strings.Contains(said, "Larkpost is coming back") {
		t.Errorf("a screen reader hears %q", said)
	}
	if focus != "/method#reports" || !open {
		t.Errorf("the focus went to %q, table open: %v", focus, open)
	}
}

// TestPagesWorkWithoutJavaScript reads an incident with scripts switched off.
func TestPagesWorkWithoutJavaScript(t *testing.T) {
	ctx := browser(t)
	srv := httptest.NewServer(newSite(t, busy()))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() }) // streams are open for as long as their page
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(srv.URL+"/i/larkpost-2026-05-04")); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS("main")))
	if err != nil {
		t.Fatal(err)
	}
	keep(t, ctx, filepath.Join(shotsDir(t), "incident-nojs.png"))
	for _, want := range []string{"Larkpost is failing worldwide", "United Kingdom", "41 ×", "not assessed by this version", "Timeline"} {
		if !strings.Contains(text, want) {
			t.Errorf("without JavaScript there is no %q", want)
		}
	}
}

// TestMapsAreDrawnInARealBrowser sees that the sprite arrives under the page's own
// policy and that each use of it has an outline, without any script.
func TestMapsAreDrawnInARealBrowser(t *testing.T) {
	ctx := browser(t)
	srv := httptest.NewServer(newSite(t, mapped()))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	if err := visit(ctx, srv.URL+"/map/larkpost"); err != nil {
		t.Fatal(err)
	}
	const drawn = `[...document.querySelectorAll(".map use")].filter(u=>u.getBoundingClientRect().width>0).length`
	if n := ask[int](t, ctx, drawn); n != 6 { // the land, of which one of two hatches is shown, and five countries
		t.Errorf("%d outlines are drawn", n)
	}
	if c := ask[string](t, ctx, `getComputedStyle(document.querySelector(".map use.l4")).fill`); c != "rgb(143, 29, 20)" {
		t.Errorf("the worst step is drawn in %s", c)
	}
	if n := ask[int](t, ctx, `document.querySelectorAll(".map circle.l3").length`); n != 1 {
		t.Errorf("%d dots, want one for Singapore", n)
	}
}
