package web

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"faultline"
	"faultline/internal/publish/live"
)

// TestAChartIsReadByKeyboard takes a chart's handle as somebody without a mouse
// does, and goes through its numbers.
func TestAChartIsReadByKeyboard(t *testing.T) {
	ctx := browser(t)
	m := busy()
	s := newSite(t, m)
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if err := modes[0].emulate(ctx); err != nil {
		t.Fatal(err)
	}
	front(t, ctx)
	if err := visit(ctx, srv.URL+"/i/larkpost-2026-05-04"); err != nil {
		t.Fatal(err)
	}
	const scripts = `performance.getEntriesByType("resource").filter(e=>e.name.endsWith(".js")).map(e=>e.name).join(" ")`
	if got := ask[string](t, ctx, scripts); strings.Contains(got, "/static/chart.") {
		t.Errorf("the chart's script is loaded before anybody wants it: %s", got)
	}
	press(t, ctx, kb.Home)
	if got := hand(t, ctx, "aria-valuenow"); got != "0" {
		t.Errorf("Home goes to %q", got)
	}
	for _, want := range []string{"4 May", "06:45 UTC", "United Kingdom: ", "Checks that reach it: 100 %"} {
		if got := hand(t, ctx, "aria-valuetext"); !strings.Contains(got, want) {
			t.Errorf("at the left end it says %q, without %q", got, want)
		}
	}
	press(t, ctx, kb.ArrowRight)
	press(t, ctx, kb.ArrowRight)
	press(t, ctx, kb.ArrowLeft)
	if got := hand(t, ctx, "aria-valuetext"); hand(t, ctx, "aria-valuenow") != "1" || !strings.Contains(got, "06:50 UTC") {
		t.Errorf("after two steps right and one left it says %q", got)
	}
	press(t, ctx, kb.End)
	if hand(t, ctx, "aria-valuenow") != hand(t, ctx, "aria-valuemax") {
		t.Error("End does not go to the last number")
	}
	if seen := ask[string](t, ctx, `document.querySelector(".read").textContent`); seen != hand(t, ctx, "aria-valuetext") || !strings.Contains(seen, "Checks that reach it: 1") {
		t.Errorf("the eye reads %q, the ear %q", seen, hand(t, ctx, "aria-valuetext"))
	}
	if n := ask[int](t, ctx, `document.querySelectorAll("svg .cr").length`); n != 1 {
		t.Errorf("%d lines over the charts", n)
	}
	ask[int](t, ctx, axe+";0")
	if out := ask[string](t, ctx, runAxe); out != "[]" {
		t.Errorf("axe: %s", out)
	}
	ask[bool](t, ctx, `(()=>{const h=document.querySelector(".hand"),b=h.getBoundingClientRect();h.dispatchEvent(new PointerEvent("pointermove",{clientX:b.left+44,clientY:b.top+50}));return true})()`)
	if got := hand(t, ctx, "aria-valuenow"); got != "0" {
		t.Errorf("the pointer at the left end of the plot is at %q", got)
	}
}

// front makes the page believe that its window is in front, so that its elements
// hear of the focus.
func front(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
}

// press sends a key to the first chart's handle and waits until it is taken.
func press(t *testing.T, ctx context.Context, key string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Focus(chromedp.CSS("#hand0"))); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("hand0").getAttribute("aria-valuemax")!=="0"`, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#hand0"), key)); err != nil {
		t.Fatal(err)
	}
}

func hand(t *testing.T, ctx context.Context, attribute string) string {
	t.Helper()
	return ask[string](t, ctx, `document.getElementById("hand0").getAttribute("`+attribute+`")`)
}

// TestAChartThatIsReadStaysReadWhenThePageChanges keeps the focus on the handle,
// and the handle at its time.
func TestAChartThatIsReadStaysReadWhenThePageChanges(t *testing.T) {
	ctx := browser(t)
	m := busy()
	s := newSite(t, m)
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	front(t, ctx)
	if err := visit(ctx, srv.URL+"/i/larkpost-2026-05-04"); err != nil {
		t.Fatal(err)
	}
	press(t, ctx, kb.Home)
	press(t, ctx, kb.PageUp)
	before := hand(t, ctx, "aria-valuetext")
	i := fixtureIncidents()[2]
	i.Revision, i.State, i.At = 4, faultline.Recovering, noon
	m.Apply(live.Delta{At: noon.Add(10 * time.Second), Incidents: []faultline.Incident{i}})
	s.cache.drop("/i/larkpost-2026-05-04")
	ask[bool](t, ctx, `window.dispatchEvent(new Event("online")),true`)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("h1").textContent.includes("coming back")&&document.getElementById("hand0").getAttribute("aria-valuemax")!=="0"`, chromedp.WithPollingTimeout(30*time.Second))); err != nil {
		t.Fatal(err)
	}
	if on := ask[string](t, ctx, `document.activeElement.id`); on != "hand0" || hand(t, ctx, "aria-valuetext") != before {
		t.Errorf("the focus is on %q, which says %q, not %q", on, hand(t, ctx, "aria-valuetext"), before)
	}
}

// TestScriptsAreSmall holds what a reader pays before touching anything.
func TestScriptsAreSmall(t *testing.T) {
	s := newSite(t, busy())
	for name, limit := range map[string]int{"live.js": 5_000, "chart.js": 5_000} {
		if n := len(get(t, s, s.names[name]).Body.Bytes()); n == 0 || n > limit {
			t.Errorf("%s has %d bytes, the limit is %d", name, n, limit)
		}
	}
}
