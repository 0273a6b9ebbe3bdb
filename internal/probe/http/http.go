// Package http checks that a web address answers. In: a job for http:// or
// https://. Out: a measurement with the steps resolve, connect, tls, send, wait
// and body, once for each redirect that was followed.
//
// The protocol is HTTP/1.1, one request a connection, written by hand so that
// each phase begins and ends where we say; the answer is parsed by the standard
// library. The body is read up to a cap and not looked at, except that a page
// which asks a visitor to prove that he is human is recognised. Cookies live
// for one check, because some sites redirect until they get theirs back.
//
// 401, 403, 429 and such pages mean that the service answers and does not want
// us: refused_to_us, which is neither up nor down.
package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"

	"faultline"
	"faultline/internal/kind"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// Settings of the prober.
type Settings struct {
	MaxBody      int64 `yaml:"max_body"`      // bytes of a body that are read
	MaxRedirects int   `yaml:"max_redirects"` // more are a failure
}

// Kind is the prober as a value.
var Kind = kind.Of("http", "Fetches a page over HTTP/1.1 and TLS (http://, https://).", Settings{MaxBody: 1 << 20, MaxRedirects: 10},
	func(d probe.Deps, s Settings) (probe.Prober, error) {
		if s.MaxBody < 1 || s.MaxRedirects < 0 {
			return nil, errors.New("http: max_body must be at least 1 and max_redirects at least 0")
		}
		return &prober{d, s}, nil
	})

type prober struct {
	deps probe.Deps
	Settings
}

// maxHeader bounds what comes before a body. Browsers take 256 kB or more.
const maxHeader = 256 << 10

// check is one check on its way through the redirects.
type check struct {
	*prober
	ctx  context.Context //nolint:containedctx // lives as long as the check
	job  probe.Job
	t    *wire.Trace
	m    *faultline.Measurement
	jar  http.CookieJar // nil until somebody sets a cookie
	next *url.URL       // where the answer redirects to
}

// Probe does one check.
func (p *prober) Probe(ctx context.Context, job probe.Job) faultline.Measurement {
	ctx, cancel, t, m := job.Begin(ctx, "http")
	defer cancel()
	c := &check{prober: p, ctx: ctx, job: job, t: t, m: &m}
	return t.Finish(&m, c.follow(job.Target.URL))
}

func (c *check) follow(u *url.URL) faultline.Failure {
	for hop := 0; hop <= c.MaxRedirects; hop++ {
		c.t.Hop, c.next = hop, nil
		if f := c.hop(u); f != "" || c.next == nil {
			return f
		}
		u = c.next
	}
	return c.t.Fail(faultline.TooManyRedirects)
}

// hop fetches one address over a connection of its own. The address rules look
// at each hop anew, because each opens a connection.
func (c *check) hop(u *url.URL) faultline.Failure {
	c.m.Status, c.m.Bytes = 0, 0
	conn, f := c.open(u)
	if f != "" {
		return f
	}
	defer conn.Close()
	if f := conn.Send(c.t, c.request(u)); f != "" {
		return f
	}
	limit := &source{LimitedReader: io.LimitedReader{R: conn, N: maxHeader}}
	r := readers.Get().(*bufio.Reader)
	defer readers.Put(r)
	r.Reset(limit)
	return c.answer(u, conn, limit, r)
}

func (c *check) open(u *url.URL) (*wire.Conn, faultline.Failure) {
	usual := uint16(80)
	if u.Scheme == "https" {
		usual = 443
	}
	port, err := wire.Port(u.Port(), usual)
	if err != nil {
		return nil, faultline.HTTPInvalid // of a redirect; ParseTarget looked at the first
	}
	conn, f := c.deps.Dialer.Open(c.ctx, c.t, "tcp", u.Hostname(), port, c.job.Target.Permit)
	if f == "" && u.Scheme == "https" {
		if f = c.deps.Verifier.Handshake(c.t, conn, u.Hostname(), "http/1.1"); f != "" {
			conn.Close()
		}
	}
	return conn, f
}

// answer reads what came back.
func (c *check) answer(u *url.URL, conn *wire.Conn, limit *source, r *bufio.Reader) faultline.Failure {
	first, f := conn.Wait(c.t, func() error { _, err := r.Peek(1); return err })
	if f != "" {
		return f
	}
	resp, err := readHead(r)
	if err != nil {
		return conn.Body(c.t, first, invalid(err, limit))
	}
	c.m.Status = resp.StatusCode
	limit.N = c.MaxBody + maxHeader // chunk sizes and trailers come on top
	page, err := c.read(resp)
	if err != nil {
		err = invalid(err, limit)
	}
	if f := conn.Body(c.t, first, err); f != "" {
		return f
	}
	return c.t.Fail(c.judge(u, resp, page))
}

// readHead reads the head of the answer and skips interim ones (RFC 9110
// §15.2).
func readHead(r *bufio.Reader) (*http.Response, error) {
	for range 10 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode >= 200 {
			return resp, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
	}
	return nil, errors.New("the answer does not go beyond interim responses")
}

// read reads the body up to the cap and gives its beginning.
func (c *check) read(resp *http.Response) (page []byte, err error) {
	body := io.LimitReader(resp.Body, c.MaxBody)
	page, err = io.ReadAll(io.LimitReader(body, pageSize(resp.StatusCode)))
	c.m.Bytes = int64(len(page))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, body)
		c.m.Bytes += rest
	}
	return page, err
}

// invalid names an error of the parser: what is no failure of the network is
// an answer that is not HTTP.
func invalid(err error, from *source) error {
	f := wire.Failure(err)
	switch {
	case f == faultline.UnknownFailure && from.ended: // the parser asked for more
		return io.ErrUnexpectedEOF
	case f == faultline.UnknownFailure, f == faultline.EOFError && from.N <= 0:
		return &wire.Fault{Failure: faultline.HTTPInvalid, What: "not an HTTP/1.1 answer: " + err.Error()}
	}
	return err
}

// source is what an answer is read from: up to a limit, and it knows whether
// the other side has ended it.
type source struct {
	io.LimitedReader
	ended bool
}

// Read reads.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.LimitedReader.Read(p)
	s.ended = s.ended || err == io.EOF && s.N > 0 //nolint:errorlint // readers return it bare
	return n, err
}

// judge says what a complete answer means, and where it redirects to.
func (c *check) judge(u *url.URL, resp *http.Response, page []byte) faultline.Failure {
	switch s := resp.StatusCode; {
	case isChallenge(resp, page), s == 401, s == 403, s == 429:
		return faultline.RefusedToUs
	case s >= 500:
		return faultline.HTTPServerError
	case s >= 400:
		return faultline.HTTPClientError
	case s == 301, s == 302, s == 303, s == 307, s == 308:
		return c.redirect(u, resp)
	}
	return ""
}

func (c *check) redirect(u *url.URL, resp *http.Response) faultline.Failure {
	where := resp.Header.Get("Location")
	if where == "" {
		return "" // an answer that a browser shows as it is
	}
	next, err := u.Parse(where)
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Hostname() == "" || probe.ToASCII(next) != nil {
		return faultline.HTTPInvalid
	}
	c.keepCookies(u, resp)
	c.next = next
	return ""
}

func (c *check) keepCookies(u *url.URL, resp *http.Response) {
	cookies := resp.Cookies()
	if len(cookies) == 0 {
		return
	}
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // the error is always nil
	}
	c.jar.SetCookies(u, cookies)
}

// request writes the head of a GET.
func (c *check) request(u *url.URL) []byte {
	b := make([]byte, 0, 512)
	b = append(b, "GET "...)
	b = append(b, u.RequestURI()...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, hostHeader(u)...)
	b = append(b, "\r\nUser-Agent: "...)
	b = append(b, c.deps.UserAgent...)
	b = append(b, "\r\nAccept: */*\r\nConnection: close\r\n"...)
	if c.jar != nil {
		b = appendCookies(b, c.jar.Cookies(u))
	}
	return append(b, "\r\n"...)
}
