package report_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"faultline/internal/intake/report"
)

func TestTheFormTakesTwoTaps(t *testing.T) {
	g := newRig(t, setup{})
	w := g.send("POST", "/s/x/report", "symptom=cannot_load", nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/s/x/thanks" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if r := payload(t, &g.journal.all()[0]); r.Service != "x" || r.Symptom != "cannot_load" || r.Surface != "web" {
		t.Errorf("report %+v", r)
	}
	g.send("POST", "/s/bar/report", "works=1&surface=app&since=&country=&symptom=", nil)
	if r := payload(t, &g.journal.all()[1]); r.Service != "bar" || !r.Works || r.Surface != "app" {
		t.Errorf("report %+v", r)
	}
}

func TestTheFormsSince(t *testing.T) {
	for since, want := range map[string]time.Time{
		"now": noon, "15m": noon.Add(-15 * time.Minute), "2h": noon.Add(-2 * time.Hour), "": {},
		"2026-03-10T11%3A30": noon.Add(-30 * time.Minute), "2026-03-10T11:30:00Z": noon.Add(-30 * time.Minute),
	} {
		g := newRig(t, setup{})
		if w := g.send("POST", "/s/x/report", "symptom=slow&since="+since, nil); w.Code != 303 {
			t.Errorf("since %q: %d %s", since, w.Code, w.Body)
			continue
		}
		if r := payload(t, &g.journal.all()[0]); !r.Since.Equal(want) {
			t.Errorf("since %q became %v, want %v", since, r.Since, want)
		}
	}
}

func TestTheFormsRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		status     int
		reason     string
	}{
		"neither a symptom nor works":    {"/s/x/report", "surface=web", 422, report.ReasonMissing},
		"both":                           {"/s/x/report", "symptom=slow&works=1", 422, report.ReasonWorks},
		"a service nobody knows":         {"/s/nobody/report", "symptom=slow", 404, report.ReasonService},
		"a field nobody knows":           {"/s/x/report", "symptom=slow&mood=bad", 400, report.ReasonUnknownField},
		"the service as a field":         {"/s/x/report", "symptom=slow&service=bar", 400, report.ReasonUnknownField},
		"a field twice":                  {"/s/x/report", "symptom=slow&symptom=other", 400, report.ReasonMalformed},
		"a broken escape":                {"/s/x/report", "symptom=%zz", 400, report.ReasonMalformed},
		"works that is no yes":           {"/s/x/report", "works=perhaps", 400, report.ReasonType},
		"a time ago without a number":    {"/s/x/report", "symptom=slow&since=m", 422, report.ReasonSince},
		"more than a day ago":            {"/s/x/report", "symptom=slow&since=25h", 422, report.ReasonOld},
		"too large":                      {"/s/x/report", "symptom=" + strings.Repeat("x", 64<<10), 413, report.ReasonTooLarge},
		"a symptom nobody knows, quoted": {"/s/x/report", "symptom=%3Cscript%3E", 422, report.ReasonSymptom},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, setup{deps: func(d *report.Deps) {
				d.RenderProblem = func(w http.ResponseWriter, r *http.Request, p report.Problem) {
					w.WriteHeader(p.Status)
					fmt.Fprintf(w, "<p>%s %s", r.PathValue("slug"), p.Reason)
				}
			}})
			w := g.send("POST", c.path, c.body, nil)
			if w.Code != c.status || !strings.HasPrefix(w.Body.String(), "<p>") || !strings.HasSuffix(w.Body.String(), c.reason) {
				t.Errorf("%d %s; want %d %s", w.Code, w.Body, c.status, c.reason)
			}
			if n := g.count(t, "faultline_intake_refused_total", c.reason); n != 1 || len(g.journal.all()) != 0 {
				t.Errorf("counted %v, kept %d", n, len(g.journal.all()))
			}
		})
	}
}

func TestTheFormWantsAForm(t *testing.T) {
	g := newRig(t, setup{})
	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=x", "text/plain", ""} {
		if w := g.send("POST", "/s/x/report", "symptom=slow", header{"Content-Type": contentType}); w.Code != 415 {
			t.Errorf("%q: %d", contentType, w.Code)
		}
	}
	if w := g.send("POST", "/s/x/report", "symptom=slow", header{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}); w.Code != 303 {
		t.Errorf("with a charset: %d", w.Code)
	}
	if w := g.send("POST", "/s/x/report", "symptom=slow", header{"Origin": "https://evil.example"}); w.Code != 403 {
		t.Errorf("from another site: %d", w.Code)
	}
}
