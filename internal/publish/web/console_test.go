package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"faultline"
)

const token = "a-long-enough-token"

// consoleSite is a site with a console that keeps what it is told.
func consoleSite(t *testing.T) (*site, *[]faultline.Command) {
	t.Helper()
	var done []faultline.Command
	s := newSite(t, busy(), func(d *Deps) {
		d.Console = &Console{Operators: map[string]string{"ada": token}, Do: func(_ context.Context, c faultline.Command) error {
			if c.Text == "fail" {
				return errors.New("journal is full")
			}
			done = append(done, c)
			return nil
		}}
	})
	return s, &done
}

func post(s http.Handler, path, origin, cookie string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://observatory.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const own = "http://observatory.example"

// loggedIn gives a session's cookie and the token of its forms.
func loggedIn(t *testing.T, s *site) (cookie, csrf string) {
	t.Helper()
	w := post(s, "/console/login", own, "", url.Values{"token": {token}})
	c := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(c) != 1 {
		t.Fatalf("login: %d %v", w.Code, c)
	}
	if !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/console" {
		t.Errorf("cookie %+v", c[0])
	}
	cookie = c[0].Name + "=" + c[0].Value
	page := get(t, s, "/console/", "Cookie", cookie)
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(page.Body.String())
	if m == nil || page.Header().Get("X-Robots-Tag") != "noindex" || page.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("console: %d %v", page.Code, page.Header())
	}
	if !strings.Contains(page.Body.String(), "status page says nothing yet") {
		t.Error("the audit log lacks the command")
	}
	return cookie, m[1]
}

func TestAnOperatorActsUnderTheirName(t *testing.T) {
	s, done := consoleSite(t)
	cookie, csrf := loggedIn(t, s)
	form := url.Values{"csrf": {csrf}, "action": {"merge"}, "incident": {"larkpost-2026-05-04"}, "into": {"larkpost-2026-05-04"}, "text": {"same fault"}, "operator": {"eve"}}
	if w := post(s, "/console/do", own, cookie, form); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("merge into itself: %d", w.Code)
	}
	form.Set("action", "retract")
	form.Set("into", "")
	if w := post(s, "/console/do", own, cookie, form); w.Code != http.StatusSeeOther {
		t.Fatalf("retract: %d %s", w.Code, w.Body)
	}
	want := faultline.Command{Operator: "ada", Action: faultline.Retract, Incident: "larkpost-2026-05-04", Text: "same fault"}
	if len(*done) != 1 || (*done)[0] != want {
		t.Errorf("done %+v, want %+v", *done, want)
	}
}

func TestTheConsoleRefuses(t *testing.T) {
	good := func(csrf string) url.Values {
		return url.Values{"csrf": {csrf}, "action": {"annotate"}, "incident": {"larkpost-2026-05-04"}, "text": {"note"}}
	}
	for name, c := range map[string]struct {
		reason string
		try    func(s *site, cookie, csrf string) *httptest.ResponseRecorder
	}{
		"a wrong token": {refusedToken, func(s *site, _, _ string) *httptest.ResponseRecorder {
			return post(s, "/console/login", own, "", url.Values{"token": {"a-long-enough-tokem"}})
		}},
		"an empty token": {refusedToken, func(s *site, _, _ string) *httptest.ResponseRecorder { return post(s, "/console/login", own, "", nil) }},
		"nobody's session": {refusedToken, func(s *site, _, csrf string) *httptest.ResponseRecorder {
			return post(s, "/console/do", own, "", good(csrf))
		}},
		"a forged session": {refusedToken, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			return post(s, "/console/do", own, cookie[:len(cookie)-2]+"AA", good(csrf))
		}},
		"a session that is over": {refusedToken, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			s.clock = s.clock.Add(sessionTime + time.Second)
			return post(s, "/console/do", own, cookie, good(csrf))
		}},
		"another site's form": {refusedOrigin, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			return post(s, "/console/do", "https://evil.example", cookie, good(csrf))
		}},
		"a form from nowhere": {refusedOrigin, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			return post(s, "/console/do", "", cookie, good(csrf))
		}},
		"a form of another session": {refusedCSRF, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			return post(s, "/console/do", own, cookie, good(csrf+"x"))
		}},
		"an unknown action": {refusedAction, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			f := good(csrf)
			f.Set("action", "delete")
			return post(s, "/console/do", own, cookie, f)
		}},
		"an unknown incident": {refusedAction, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			f := good(csrf)
			f.Set("incident", "nobody-2026-05-04")
			return post(s, "/console/do", own, cookie, f)
		}},
		"an action without a reason": {refusedAction, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			f := good(csrf)
			f.Del("text")
			return post(s, "/console/do", own, cookie, f)
		}},
		"what the journal does not keep": {refusedAction, func(s *site, cookie, csrf string) *httptest.ResponseRecorder {
			f := good(csrf)
			f.Set("text", "fail")
			return post(s, "/console/do", own, cookie, f)
		}},
		"too many tries": {refusedRate, func(s *site, _, _ string) (w *httptest.ResponseRecorder) {
			for range 12 {
				w = post(s, "/console/login", own, "", url.Values{"token": {"guess"}})
			}
			return w
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, done := consoleSite(t)
			cookie, csrf := loggedIn(t, s)
			w := c.try(s, cookie, csrf)
			if w.Code < 400 || refused(t, s, c.reason) < 1 || len(*done) != 0 {
				t.Errorf("status %d, counter %v, done %v", w.Code, refused(t, s, c.reason), *done)
			}
			if strings.Contains(w.Body.String(), token) {
				t.Error("the answer prints the token")
			}
		})
	}
}

func TestTheConsoleIsNowhereLinked(t *testing.T) {
	s, _ := consoleSite(t)
	for _, p := range htmlPages {
		if strings.Contains(get(t, s, p).Body.String(), "/console") {
			t.Errorf("%s links the console", p)
		}
	}
	if w := get(t, newSite(t, busy()), "/console/"); w.Code != http.StatusNotFound {
		t.Errorf("a site without operators has a console: %d", w.Code)
	}
}

func TestAShortTokenIsRefusedAtStart(t *testing.T) {
	c := &Console{Operators: map[string]string{"ada": "short"}, Do: func(context.Context, faultline.Command) error { return nil }}
	if err := c.Check(); err == nil || strings.Contains(err.Error(), "short:") {
		t.Errorf("error %v", err)
	}
}
