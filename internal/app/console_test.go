package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
)

const consoleToken = "the-token-of-an-operator"

// session is an operator at the console.
type session struct {
	*sim
	cookie, csrf string
}

func consoleSim(t *testing.T) *sim {
	c := DefaultConfig()
	c.Console.Operator = "ada"
	c.Incident.Reopen = time.Minute
	c.Intake.Report.TrustedProxies = proxies("127.0.0.1/32")
	c.Services = []faultline.Service{{ID: "alpha", Name: "Alpha"}, {ID: "beta", Name: "Beta"}}
	return newSim(t, Options{Config: c, ConsoleToken: consoleToken})
}

func (s *sim) login() *session {
	s.Helper()
	w := s.form("/console/login", "", url.Values{"token": {consoleToken}})
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		s.Fatalf("login: %d %s", w.Code, w.Body)
	}
	k := w.Result().Cookies()[0]
	o := &session{sim: s, cookie: k.Name + "=" + k.Value}
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(o.console())
	if m == nil {
		s.Fatalf("the console has no form:\n%s", o.console())
	}
	o.csrf = m[1]
	return o
}

// form sends a form as the site's own page does.
func (s *sim) form(path, cookie string, f url.Values, header ...string) *httptest.ResponseRecorder {
	h := []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", "http://status.example", "Cookie", cookie}
	return s.do(http.MethodPost, path, f.Encode(), append(h, header...)...)
}

func (o *session) console() string {
	o.Helper()
	w := o.do(http.MethodGet, "/console/", "", "Cookie", o.cookie)
	if w.Code != http.StatusOK {
		o.Fatalf("console: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// act does one thing, and waits until the chain has seen it.
func (o *session) act(action string, more ...string) {
	o.Helper()
	f := url.Values{"csrf": {o.csrf}, "action": {action}, "text": {"because of " + action}}
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	if w := o.form("/console/do", o.cookie, f); w.Code != http.StatusSeeOther {
		o.Fatalf("%s: %d %s", action, w.Code, w.Body)
	}
	o.pass(time.Minute)
}

func (s *sim) incident(id string) faultline.Incident {
	s.Helper()
	log := s.app.model.View().Incident(id)
	if log == nil {
		s.Fatalf("there is no incident %s", id)
	}
	return *log.Now()
}

// The operator's actions go the whole way: form, journal, rooms, control log,
// pages, audit log, and back after a restart.
func TestWhatTheOperatorDoesIsRecorded(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	ok, fail := func() { s.check("alpha", "") }, func() { s.check("alpha", faultline.ConnectionRefused) }
	s.pass(5*time.Minute, ok)
	s.pass(2*time.Minute, fail)
	const first, second = "alpha-2026-03-04", "alpha-2026-03-04-2"
	o := s.login()
	o.act("annotate", "incident", first)
	o.act("close", "incident", first)
	o.act("close", "incident", first) // which is closed already: refused by the rules
	s.pass(10*time.Minute, ok)
	s.pass(2*time.Minute, fail)
	o.act("merge", "incident", second, "into", first)
	s.pass(5*time.Minute, ok)
	o.act("retract", "incident", first)
	surge := o.surge("beta")
	o.act("new_normal", "service", "beta")

	check := func(when string) {
		t.Helper()
		o.says(when, first, "because of annotate", "because of retract", "ada")
		o.says(when, second, "part of "+first, "ada")
		o.says(when, surge, "the operator accepts the present number of reports as usual", "ada")
		if got := o.records(); !slices.Equal(got, []string{"annotate", "close", "close", "merge", "retract", "new_normal"}) {
			t.Errorf("%s: the control log has %v", when, got)
		}
		o.audited(when)
	}
	check("before the restart")
	if a, b := s.incident(first), s.incident(second); a.State != faultline.Retracted || b.MergedInto != first || a.By != "ada" {
		t.Errorf("%s is %s by %s, %s is part of %q", first, a.State, a.By, second, b.MergedInto)
	}
	if n := s.counter(`faultline_chain_refused_total{reason="not_open"}`); n != 1 {
		t.Errorf("the second close was counted %v times", n)
	}
	s.restart()
	if w := o.do(http.MethodGet, "/console/", "", "Cookie", o.cookie); strings.Contains(w.Body.String(), "Audit log") {
		t.Error("a session outlived the program that gave it")
	}
	o = s.login()
	check("after the restart")
}

// surge makes people report until there is an incident, and gives its id.
func (s *sim) surge(id faultline.ServiceID) string {
	s.Helper()
	s.pass(30 * time.Minute)
	n := 0
	s.pass(6*time.Minute, func() {
		for range 24 * int(s.step/time.Second) / 60 {
			n++
			if w := s.report(fmt.Sprintf("81.%d.%d.9", n%250, n), fmt.Sprintf(`{"service":%q,"symptom":"cannot_load","surface":"web"}`, id)); w.Code != http.StatusAccepted {
				s.Fatalf("report: %d %s", w.Code, w.Body)
			}
		}
	})
	incident := s.app.model.View().Service(id).Status.Incident
	if incident == "" {
		s.Fatalf("%d people report %s, and there is no incident: %+v", n, id, s.app.model.View().Service(id).Status)
	}
	return incident
}

// says wants words on an incident's page.
func (s *sim) says(when, incident string, words ...string) {
	s.Helper()
	page := s.page("/i/" + incident)
	for _, w := range words {
		if !strings.Contains(page, w) {
			s.Errorf("%s: the page of %s does not say %q", when, incident, w)
		}
	}
}

// records lists the operator's actions in the journal's control log.
func (s *sim) records() (actions []string) {
	s.Helper()
	err := s.app.journal.ReadRecords(s.Context(), func(r faultline.Record) error {
		if r.Kind == faultline.RecordCommand {
			action := regexp.MustCompile(`"action":"([a-z_]+)"`).FindSubmatch(r.Body)
			if r.By != "ada" || action == nil {
				s.Errorf("control record %s by %q: %s", r.ID, r.By, r.Body)
				return nil
			}
			actions = append(actions, string(action[1]))
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return actions
}

func (o *session) audited(when string) {
	o.Helper()
	_, log, _ := strings.Cut(o.console(), "Audit log")
	if n := strings.Count(log, "<td>ada</td>"); n != 6 {
		o.Errorf("%s: the audit log has %d lines of ada", when, n)
	}
	if n := strings.Count(log, "not carried out"); n != 1 {
		o.Errorf("%s: the audit log names %d refused commands, want one", when, n)
	}
}

// What is not the operator's changes nothing, and is counted.
func TestStrangersAtTheConsole(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.pass(5*time.Minute, func() { s.check("alpha", faultline.ConnectionRefused) })
	o := s.login()
	form := func(csrf string) url.Values {
		return url.Values{"csrf": {csrf}, "action": {"retract"}, "incident": {"alpha-2026-03-04"}, "text": {"nothing was wrong"}}
	}
	for name, c := range map[string]struct {
		reason string
		try    func() *httptest.ResponseRecorder
	}{
		"a wrong token": {"console_token", func() *httptest.ResponseRecorder {
			return s.form("/console/login", "", url.Values{"token": {consoleToken + "x"}})
		}},
		"no session":    {"console_token", func() *httptest.ResponseRecorder { return s.form("/console/do", "", form(o.csrf)) }},
		"no CSRF token": {"console_csrf", func() *httptest.ResponseRecorder { return s.form("/console/do", o.cookie, form("")) }},
		"a foreign Origin": {"console_origin", func() *httptest.ResponseRecorder {
			return s.form("/console/do", o.cookie, form(o.csrf), "Origin", "https://elsewhere.example")
		}},
		"a cross-site form": {"console_origin", func() *httptest.ResponseRecorder {
			return s.form("/console/do", o.cookie, form(o.csrf), "Sec-Fetch-Site", "cross-site")
		}},
	} {
		reason := fmt.Sprintf("faultline_publish_refused_total{reason=%q}", c.reason)
		before := s.counter(reason)
		if w := c.try(); w.Code != http.StatusForbidden || s.counter(reason) != before+1 {
			t.Errorf("%s: %d, counted %v times", name, w.Code, s.counter(reason)-before)
		}
	}
	s.pass(time.Minute)
	if got := s.records(); len(got) != 0 {
		t.Errorf("the control log has %v", got)
	}
	if i := s.incident("alpha-2026-03-04"); i.State != faultline.Possible {
		t.Errorf("the incident is %s", i.State)
	}
}
