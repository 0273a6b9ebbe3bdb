package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// serverAddress reads --url. A host and port alone is one that speaks HTTP.
func serverAddress(given string) (string, error) {
	address := given
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--url %q: give the address that `faultline up` prints, as http://127.0.0.1:8080", given)
	}
	return strings.TrimSuffix(address, "/"), nil
}

// errSilent is why a request is given up.
var errSilent = errors.New("no answer")

// remote asks a running server. It may take as long as it likes, while it does
// not fall silent: an export is as long as its history.
func (k *client) remote(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	silence := time.AfterFunc(k.patience, func() { cancel(errSilent) })
	resp, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		silence.Stop()
		return nil, k.unreachable(context.Cause(ctx), err)
	}
	resp.Body = &patientBody{ReadCloser: resp.Body, ctx: ctx, silence: silence, patience: k.patience}
	if err := k.foreign(resp); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// patientBody gives up when nothing comes for too long.
type patientBody struct {
	io.ReadCloser
	ctx      context.Context
	silence  *time.Timer
	patience time.Duration
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.silence.Reset(b.patience)
	if err != nil && errors.Is(context.Cause(b.ctx), errSilent) {
		return n, fmt.Errorf("the server fell silent for %s: try again, or give a longer --timeout", b.patience)
	}
	return n, err
}

func (b *patientBody) Close() error {
	b.silence.Stop()
	return b.ReadCloser.Close()
}

// unreachable says why there is no answer, and what to do about it. cause is
// why the request was given up here, or nil.
func (k *client) unreachable(cause, err error) error {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	elsewhere := "name another --url"
	if !k.given {
		elsewhere = "name another --data"
	}
	switch {
	case errors.Is(cause, errSilent):
		return fmt.Errorf("%s does not answer within %s: it may be starting or busy; try again, give a longer --timeout, or %s", k.base, k.patience, elsewhere)
	case cause != nil:
		return errInterrupted
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s (connection refused): start it with `faultline up`, or %s", k.base, elsewhere)
	case errors.As(err, &name):
		return fmt.Errorf("the host of %s is not found (%s): check its spelling in --url", k.base, name.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s speaks HTTP without TLS: give --url %s", k.base, "http"+strings.TrimPrefix(k.base, "https"))
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of %s is not trusted here (%w): give the name that it was made for, or add its issuer to this machine's", k.base, certificate.Err)
	}
	return fmt.Errorf("%s does not answer as a faultline does (%w): another program may listen there; %s", k.base, reason(err), elsewhere)
}

// reason leaves out what the message says already: method and address.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// foreign says that an answer is not from a faultline, which answers in JSON or
// CSV, and in a problem document when it refuses.
func (k *client) foreign(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // "" is foreign
	switch {
	case kind == "application/problem+json":
		return nil
	case resp.StatusCode < 300 && (kind == "application/json" || kind == "application/x-ndjson" || kind == "text/csv"):
		return nil
	case resp.StatusCode == http.StatusBadRequest && strings.HasPrefix(k.base, "http://") && wantsTLS(resp.Body):
		return fmt.Errorf("%s wants TLS: give --url https%s", k.base, strings.TrimPrefix(k.base, "http"))
	}
	if kind == "" {
		kind = "no type"
	}
	return fmt.Errorf("%s answers, but not as a faultline does (HTTP %d, %s): another program listens there, or something in between; check --url", k.base, resp.StatusCode, kind)
}

// wantsTLS recognises what servers say to a client that speaks plain HTTP.
func wantsTLS(body io.Reader) bool {
	b, _ := io.ReadAll(io.LimitReader(body, 4096)) // what is missing is not recognised
	text := strings.ToLower(string(b))
	return strings.Contains(text, "http request") && (strings.Contains(text, "https server") || strings.Contains(text, "https port"))
}

// problem is an RFC 9457 document.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// failure turns an answer other than 2xx into an error that says why.
func failure(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var p problem
	if json.Unmarshal(b, &p) != nil || p.Title == "" {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	text := p.Title
	if p.Detail != "" {
		text = p.Detail
	}
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if resp.StatusCode == http.StatusUnauthorized {
		text += " (the token is read from FAULTLINE_CONSOLE_TOKEN)"
	}
	return errors.New(text)
}
