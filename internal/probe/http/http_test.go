package http_test

import (
	"crypto/x509"
	"fmt"
	"net"
	stdhttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"faultline"
	"faultline/internal/probe/http"
	"faultline/internal/probe/probetest"
)

func url(addr string) string { return "http://" + addr + "/" }

func TestContract(t *testing.T) { probetest.Contract(t, http.Kind, url, probetest.Silent(t)) }

func answer(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestCheckOfAnswers(t *testing.T) {
	b := probetest.Open(t, http.Kind, nil)
	for name, c := range map[string]struct {
		answer string
		want   faultline.Failure
		status int
		bytes  int64
	}{
		"a page is fine":                            {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "", 200, 5},
		"so is one without a length":                {"HTTP/1.1 200 OK\n\nhello", "", 200, 5},
		"so is an old protocol":                     {"HTTP/1.0 200 OK\n\nhello", "", 200, 5},
		"so are chunks":                             {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "", 200, 5},
		"so is an answer without a body":            {"HTTP/1.1 204 No Content\n\n", "", 204, 0},
		"interim answers are skipped":               {"HTTP/1.1 103 Early Hints\nLink: <x>\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n", "", 200, 0},
		"a redirect to nowhere is a page":           {"HTTP/1.1 302 Found\nContent-Length: 0\n\n", "", 302, 0},
		"500 is an error of the server":             {"HTTP/1.1 500 Oops\nContent-Length: 0\n\n", faultline.HTTPServerError, 500, 0},
		"503 is an error of the server":             {"HTTP/1.1 503 Busy\nContent-Length: 4\n\nbusy", faultline.HTTPServerError, 503, 4},
		"404 is an error of the client":             {"HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", faultline.HTTPClientError, 404, 0},
		"401 refuses us":                            {"HTTP/1.1 401 Who\nContent-Length: 0\n\n", faultline.RefusedToUs, 401, 0},
		"403 refuses us":                            {"HTTP/1.1 403 No\nContent-Length: 0\n\n", faultline.RefusedToUs, 403, 0},
		"429 refuses us":                            {"HTTP/1.1 429 Slow down\nContent-Length: 0\n\n", faultline.RefusedToUs, 429, 0},
		"a challenge with 503 refuses us":           {"HTTP/1.1 503 x\nContent-Length: 31\n\n<title>Just a moment...</title>", faultline.RefusedToUs, 503, 31},
		"a challenge with 202 says so in a header":  {"HTTP/1.1 202 x\nX-Amzn-Waf-Action: challenge\nContent-Length: 0\n\n", faultline.RefusedToUs, 202, 0},
		"a cut body is an end":                      {"HTTP/1.1 200 OK\nContent-Length: 50\n\nhello", faultline.EOFError, 200, 5},
		"a cut chunk is an end":                     {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n50\nhello", faultline.EOFError, 200, 5},
		"a cut head is an end":                      {"HTTP/1.1 200 OK\nContent-", faultline.EOFError, 0, 0},
		"something else is invalid":                 {"SSH-2.0-OpenSSH_9.2\n", faultline.HTTPInvalid, 0, 0},
		"a bad chunk is invalid":                    {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\nhello\n", faultline.HTTPInvalid, 200, 0},
		"another protocol is invalid":               {"HTTP/1.1 101 Switching Protocols\nUpgrade: x\n\n", faultline.HTTPInvalid, 0, 0},
		"interim answers for ever are invalid":      {strings.Repeat("HTTP/1.1 100 Continue\n\n", 20), faultline.HTTPInvalid, 0, 0},
		"an endless head is invalid":                {"HTTP/1.1 200 OK\nX: " + strings.Repeat("x", 1<<19), faultline.HTTPInvalid, 0, 0},
		"a redirect to another protocol is invalid": {"HTTP/1.1 302 x\nLocation: file:///etc/passwd\nContent-Length: 0\n\n", faultline.HTTPInvalid, 302, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.Check(t, url(probetest.Answering(t, answer(c.answer))), probetest.Timeout)
			if m.Failure != c.want || m.Status != c.status || m.Bytes != c.bytes {
				t.Errorf("failure %q status %d bytes %d, want %q %d %d; steps %+v", m.Failure, m.Status, m.Bytes, c.want, c.status, c.bytes, m.Steps)
			}
		})
	}
}

func TestCheckOfConnections(t *testing.T) {
	ca, other := probetest.NewAuthority(t), probetest.NewAuthority(t)
	serve := func(a *probetest.Authority, change func(*x509.Certificate)) string {
		return "https://" + probetest.ServeTLS(t, a.Config(t, change), func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(answer("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")))
		})
	}
	b := probetest.Open(t, http.Kind, ca.Roots)
	for name, c := range map[string]struct {
		url  string
		want faultline.Failure
		op   faultline.Op // the last one
	}{
		"all is well":                        {serve(ca, nil), "", faultline.OpBody},
		"nobody listens":                     {url(probetest.Refusing(t)), faultline.ConnectionRefused, faultline.OpConnect},
		"the request is answered by a reset": {url(probetest.Resetting(t)), faultline.ConnectionReset, faultline.OpWait},
		"the request is answered by an end":  {url(probetest.Closing(t)), faultline.EOFError, faultline.OpWait},
		"an expired certificate":             {serve(ca, probetest.Expired), faultline.SSLInvalidCertificate, faultline.OpTLS},
		"a certificate for somebody else":    {serve(ca, probetest.OtherName), faultline.SSLInvalidHostname, faultline.OpTLS},
		"a certificate of a stranger":        {serve(other, nil), faultline.SSLUnknownAuthority, faultline.OpTLS},
		"no TLS at all":                      {"https://" + probetest.Answering(t, "hello\n"), faultline.SSLFailedHandshake, faultline.OpTLS},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.Check(t, c.url, probetest.Timeout)
			if op := m.Steps[len(m.Steps)-1].Op; m.Failure != c.want || op != c.op {
				t.Errorf("failure %q at %s, want %q at %s", m.Failure, op, c.want, c.op)
			}
		})
	}
	t.Run("nothing answers a connection", func(t *testing.T) {
		m := b.Check(t, url(probetest.BlackHole(t)), 200*time.Millisecond)
		if m.Failure != faultline.GenericTimeout || len(m.Steps) != 1 || m.Steps[0].Op != faultline.OpConnect {
			t.Errorf("failure %q, steps %+v", m.Failure, m.Steps)
		}
	})
}

// web runs a real server whose handler knows its own address.
func web(t *testing.T, h func(w stdhttp.ResponseWriter, r *stdhttp.Request)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(stdhttp.HandlerFunc(h))
	t.Cleanup(s.Close)
	return s
}

func TestRedirects(t *testing.T) {
	s := web(t, func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
		_, port, _ := net.SplitHostPort(r.Host)
		switch r.URL.Path {
		case "/loop":
			stdhttp.Redirect(w, r, "/loop", stdhttp.StatusFound)
		case "/two":
			stdhttp.Redirect(w, r, "one?x=1", stdhttp.StatusMovedPermanently)
		case "/one":
			stdhttp.Redirect(w, r, "/", stdhttp.StatusTemporaryRedirect)
		case "/metadata":
			stdhttp.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", stdhttp.StatusFound)
		case "/other":
			stdhttp.Redirect(w, r, "http://localhost:"+port+"/", stdhttp.StatusFound)
		case "/mapped":
			stdhttp.Redirect(w, r, "http://[::ffff:127.0.0.1]:"+port+"/", stdhttp.StatusFound)
		case "/decimal":
			stdhttp.Redirect(w, r, "http://2130706433:"+port+"/", stdhttp.StatusFound)
		case "/cookie":
			if _, err := r.Cookie("seen"); err != nil {
				stdhttp.SetCookie(w, &stdhttp.Cookie{Name: "seen", Value: "1", Path: "/"})
				stdhttp.Redirect(w, r, "/cookie", stdhttp.StatusFound)
			}
		}
	})
	for name, c := range map[string]struct {
		path   string
		want   faultline.Failure
		hops   int
		reason string
	}{
		"redirects are followed":                        {"/two", "", 2, ""},
		"a loop ends":                                   {"/loop", faultline.TooManyRedirects, 10, ""},
		"a site gets its cookie back":                   {"/cookie", "", 1, ""},
		"a redirect to metadata is not followed":        {"/metadata", faultline.AddressForbidden, 1, "metadata"},
		"nor is one to another name of a private place": {"/other", faultline.AddressForbidden, 1, "loopback"},
		"nor is one to another form of it":              {"/mapped", faultline.AddressForbidden, 1, "loopback"},
		"nor is one to a number":                        {"/decimal", faultline.AddressForbidden, 1, "odd_form"},
	} {
		t.Run(name, func(t *testing.T) {
			b := probetest.Open(t, http.Kind, nil)
			m := b.Check(t, s.URL+c.path, probetest.Timeout)
			if last := m.Steps[len(m.Steps)-1]; m.Failure != c.want || last.Hop != c.hops {
				t.Errorf("failure %q at hop %d, want %q at %d", m.Failure, last.Hop, c.want, c.hops)
			}
			if c.reason != "" && b.Refused[c.reason] == 0 {
				t.Errorf("refusals %v, want %s", b.Refused, c.reason)
			}
		})
	}
}

func TestTheBodyIsReadUpToTheCap(t *testing.T) {
	s := web(t, func(w stdhttp.ResponseWriter, _ *stdhttp.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(3<<20))
		_, _ = w.Write(make([]byte, 3<<20))
	})
	m := probetest.Open(t, http.Kind, nil).Check(t, s.URL, probetest.Timeout)
	if m.Failure != "" || m.Bytes != 1<<20 {
		t.Errorf("failure %q, %d bytes", m.Failure, m.Bytes)
	}
}

func TestWeSayWhoWeAre(t *testing.T) {
	requests := make(chan *stdhttp.Request, 1)
	s := web(t, func(_ stdhttp.ResponseWriter, r *stdhttp.Request) { requests <- r })
	probetest.Open(t, http.Kind, nil).Check(t, s.URL+"/a%20b?q=%C3%A4#f", probetest.Timeout)
	got := <-requests
	if ua := got.UserAgent(); ua != "faultline/test (outage observatory; +ops@example.org)" {
		t.Errorf("User-Agent %q", ua)
	}
	if got.RequestURI != "/a%20b?q=%C3%A4" || got.Host != s.Listener.Addr().String() || got.Method != "GET" {
		t.Errorf("%s %s of %s", got.Method, got.RequestURI, got.Host)
	}
}

// A slow answer must be found in the phase that was slow.
func TestPhasesAreWhereTheTimeWent(t *testing.T) {
	const hold = 60 * time.Millisecond
	for phase, serve := range map[faultline.Op]func(net.Conn){
		faultline.OpWait: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			<-time.After(hold)
			_, _ = c.Write([]byte(answer("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")))
		},
		faultline.OpBody: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(answer("HTTP/1.1 200 OK\nContent-Length: 5\n\nhel")))
			<-time.After(hold)
			_, _ = c.Write([]byte("lo"))
		},
	} {
		m := probetest.Open(t, http.Kind, nil).Check(t, url(probetest.Serve(t, serve)), probetest.Timeout)
		for _, s := range m.Steps {
			if slow := time.Duration(s.Runtime) >= hold-time.Millisecond; slow != (s.Op == phase) && time.Duration(s.Runtime) < 2*hold {
				t.Errorf("%s was held up, but %s took %v", phase, s.Op, time.Duration(s.Runtime))
			}
		}
		if m.Failure != "" {
			t.Errorf("failure %q", m.Failure)
		}
	}
}

func TestHowLateWeReadIsKnown(t *testing.T) {
	probetest.ReadsLate(t, http.Kind, url(probetest.Answering(t, answer("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"))))
}

func TestASlowServerRunsIntoTheTimeout(t *testing.T) {
	addr := probetest.Serve(t, func(c net.Conn) { // a byte at a time, for ever
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte(answer("HTTP/1.1 200 OK\nContent-Length: 1000\n\n")))
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
	})
	m := probetest.Open(t, http.Kind, nil).Check(t, url(addr), 300*time.Millisecond)
	if last := m.Steps[len(m.Steps)-1]; m.Failure != faultline.GenericTimeout || last.Op != faultline.OpBody || m.Status != 200 {
		t.Errorf("failure %q at %s, status %d", m.Failure, last.Op, m.Status)
	}
}

// Whatever a server says, a check ends in time with a sound measurement.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"", "H", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n-1\n", "HTTP/1.1 302 x\nLocation: ://\n\n",
		"HTTP/1.1 302 x\nLocation: http://0x7f.1/\nSet-Cookie: a=b; Domain=..\n\n", "HTTP/1.1 999 x\n\n", "HTTP/1.1 302 x\nLocation: http://xn--/\n\n", "HTTP/1.1 200\nContent-Length: 99999999999999999999\n\n",
	} {
		f.Add(answer(s))
	}
	var say atomic.Value // the fuzzer calls one at a time
	addr := probetest.Serve(f, func(c net.Conn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			_, _ = c.Write([]byte(say.Load().(string)))
		}
	})
	f.Fuzz(func(t *testing.T, s string) {
		say.Store(s)
		probetest.Open(t, http.Kind, nil).Check(t, url(addr), 2*time.Second)
	})
}
