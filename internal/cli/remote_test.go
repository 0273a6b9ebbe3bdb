package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"faultline"
)

// ask runs a command in this process.
func ask(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(ctx, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Getenv: func(string) string { return "" }, Now: time.Now}, args)
	return code, out.String(), err.String()
}

// closedPort is an address at which nothing listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// answering is a server that answers everything alike.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestAskingWhatIsNoFaultline(t *testing.T) {
	plain := serve(t, answering(404, "text/html", "<h1>nginx</h1>"))
	secure := httptest.NewUnstartedServer(answering(200, "text/html", ""))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of handshakes that are meant to fail
	secure.StartTLS()
	t.Cleanup(secure.Close)
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	go greet(mail)
	for name, c := range map[string]struct{ url, says string }{
		"a port at which nothing listens": {closedPort(t), "(connection refused): start it with `faultline up`, or name another --url"},
		"a host that does not exist":      {"http://no..host", "the host of http://no..host is not found"},
		"another web server":              {plain, "answers, but not as a faultline does (HTTP 404, text/html): another program listens there"},
		"a web server without types":      {serve(t, answering(200, "", "hello")), "not as a faultline does (HTTP 200, no type)"},
		"another JSON":                    {serve(t, answering(200, "application/json", `{"hello": "world"}`)), "the answer is JSON, but not a faultline's"},
		"another JSON's error":            {serve(t, answering(404, "application/json", `{"message": "no"}`)), "not as a faultline does (HTTP 404, application/json)"},
		"TLS where there is none":         {"https" + strings.TrimPrefix(plain, "http"), "speaks HTTP without TLS: give --url " + plain},
		"no TLS where there is":           {"http" + strings.TrimPrefix(secure.URL, "https"), "wants TLS: give --url " + secure.URL},
		"a certificate of nobody":         {secure.URL, "is not trusted here (x509: "},
		"no HTTP at all":                  {"http://" + mail.Addr().String(), "does not answer as a faultline does ("},
		"a scheme that is none of ours":   {"ftp://127.0.0.1", "--url \"ftp://127.0.0.1\": give the address that `faultline up` prints"},
		"no address":                      {"http://", "--url \"http://\": give the address"},
		"a page of it":                    {plain + "/?q=1", "give the address that `faultline up` prints"},
		"its problem":                     {serve(t, answering(400, "application/problem+json", `{"title": "Bad", "detail": "it is so", "field": "country"}`)), "faultline: country: it is so"},
		"its want of a token":             {serve(t, answering(401, "application/problem+json", `{"title": "Bad", "detail": "a token is needed"}`)), "a token is needed (the token is read from FAULTLINE_CONSOLE_TOKEN)"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{"status", "x"}, {"status"}, {"export", "--kind", "reports"}, {"report", "x", "--works"}} {
				if name == "another JSON" && args[0] != "status" {
					continue // an export is written as it comes; a report wants another code
				}
				code, out, err := ask(t.Context(), append(args, "--url", c.url)...)
				if code != ExitUsage || !strings.Contains(err, c.says) || strings.Count(err, "\n") != 1 || out != "" {
					t.Errorf("%v: code %d, stdout %q, stderr %q, want %q", args, code, out, err, c.says)
				}
			}
		})
	}
}

// greet speaks first, as a mail server does.
func greet(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprint(c, "220 mail.example ESMTP\r\n")
		c.Close()
	}
}

func TestAServerThatIsSilent(t *testing.T) {
	over := make(chan struct{})
	silent := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	half := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		fmt.Fprintln(w, `{"id":1}`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(func() { close(over) })
	if code, _, err := ask(t.Context(), "status", "x", "--url", silent, "--timeout", "50ms"); code != ExitUsage || !strings.Contains(err, "does not answer within 50ms: it may be starting or busy; try again, give a longer --timeout") {
		t.Errorf("code %d, %q", code, err)
	}
	if code, out, err := ask(t.Context(), "export", "--kind", "reports", "--url", half, "--timeout", "50ms"); code != ExitUsage || !strings.Contains(err, "export broke off: the server fell silent for 50ms") || out != "{\"id\":1}\n" {
		t.Errorf("code %d, %q, %q", code, out, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, err := ask(ctx, "status", "x", "--url", silent); code != ExitUsage || err != "faultline: interrupted\n" {
		t.Errorf("interrupted: code %d, %q", code, err)
	}
	if code, _, err := ask(t.Context(), "status", "x", "--url", silent, "--timeout", "-1s"); code != ExitUsage || !strings.Contains(err, "--timeout -1s") {
		t.Errorf("a negative time: code %d, %q", code, err)
	}
}

func TestAnAddressWithoutSchemeIsHTTP(t *testing.T) {
	url := serve(t, answering(200, "application/json", `{"id": "x", "state": "fine", "verdict": "As usual"}`))
	if code, out, err := ask(t.Context(), "status", "x", "--url", strings.TrimPrefix(url, "http://")+"/"); code != ExitFine || out != "x: fine. As usual\n" {
		t.Errorf("code %d, %q, %q", code, out, err)
	}
}

// What is said of the incident that goes on is that of no other, and what cannot
// be told is missing.
func TestStatusSaysHowBadTheOpenIncidentIs(t *testing.T) {
	page := `{"id":"x","state":"possible","incident":"x-2","awake":[],"verdict":"V","detail":"D","incidents":[
		{"id":"x-2","flags":["brigade"],"affected":{"at":"2025-03-10T14:00:00Z","value":0.5,"low":0.1,"high":0.9,"instruments":["reports"]},"severity":{"value_h":1,"low_h":0.1,"high_h":2,"known":1},"what":[{"symptom":"slow","n":5,"share":1,"usual_share":0.1,"ratio":3,"surging":true}]},
		{"id":"x-1","what":[],"severity":{"value_h":7,"low_h":6,"high_h":8,"known":1}}]}`
	url := serve(t, answering(http.StatusOK, "application/json", page))
	code, out, err := ask(t.Context(), "status", "x", "--url", url, "-o", "json")
	var s struct {
		Flags     []string
		Affected  *faultline.Affected
		Now       *faultline.Affected `json:"affected_now"`
		Severity  *faultline.Severity
		What      []faultline.Aspect
		Incidents any
	}
	if json.Unmarshal([]byte(out), &s) != nil || code != ExitDisrupted || err != "" {
		t.Fatalf("exit code %d: %s%s", code, out, err)
	}
	if s.Affected == nil || s.Affected.High != 0.9 || s.Now != nil || s.Severity == nil || s.Severity.Value != 1 || len(s.Flags) != 1 || len(s.What) != 1 || s.What[0].Symptom != faultline.Slow || s.Incidents != nil {
		t.Errorf("%s", out)
	}
}
