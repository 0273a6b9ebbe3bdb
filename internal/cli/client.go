package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"faultline/internal/app"
)

// client asks a faultline: the one at --url, the one that runs on the data
// folder, or, if none runs, the folder itself, opened for this one command.
type client struct {
	base    string       // of a running server
	handler http.Handler // of a folder opened here
	token   string       // proves that we may read the data folder
	close   func() error
}

// connect finds whom to ask. The folder has to exist already when create is
// false, so that a mistyped --data is an error and not an empty answer.
func (c *common) connect(ctx context.Context, create bool) (*client, error) {
	if c.url != "" {
		return &client{base: strings.TrimSuffix(c.url, "/"), token: c.env.Getenv("FAULTLINE_CONSOLE_TOKEN"), close: nothing}, nil
	}
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	if owner, running := app.RunningOn(o.Dir); running {
		if owner.Address == "" {
			return nil, &app.InUseError{Dir: o.Dir, Owner: owner}
		}
		return &client{base: owner.Address, token: app.LocalToken(o.Dir), close: nothing}, nil
	}
	if !create && !app.IsFolder(o.Dir) {
		return nil, fmt.Errorf("no data in %s and nothing runs there: start `faultline up`, or name another --data or --url", o.Dir)
	}
	if c.logLevel == "info" { // a question is not a start of the program
		c.logLevel = "warn"
		if o.Log, err = c.logger(); err != nil {
			return nil, err
		}
	}
	a, err := app.OpenOffline(ctx, o)
	if err != nil {
		return nil, err
	}
	return &client{handler: a.Handler(), token: app.LocalToken(o.Dir), close: a.Close}, nil
}

func nothing() error { return nil }

// do sends a request and gives back the answer; the caller closes its body.
func (k *client) do(ctx context.Context, method, path string, body []byte, contentType string) (*http.Response, error) {
	base := k.base
	if base == "" {
		base = "http://localhost"
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", base, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if k.token != "" {
		req.Header.Set("Authorization", "Bearer "+k.token)
	}
	if k.handler != nil {
		return k.local(req), nil
	}
	resp, err := (&http.Client{Timeout: 5 * time.Minute}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", base, err)
	}
	return resp, nil
}

// local serves the request in this process. The body arrives while it is
// written, so that an export of any size needs no memory for all of it.
func (k *client) local(req *http.Request) *http.Response {
	req.RemoteAddr = "127.0.0.1:0"
	r, w := io.Pipe()
	answer := &pipeResponse{pipe: w, header: http.Header{}, started: make(chan struct{})}
	go func() {
		k.handler.ServeHTTP(answer, req)
		answer.WriteHeader(http.StatusOK)
		w.Close()
	}()
	<-answer.started
	return &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status), Header: answer.sent, Trailer: answer.header, Body: r,
	}
}

// pipeResponse is a ResponseWriter whose body is a pipe. Headers set after the
// first byte are trailers.
type pipeResponse struct {
	pipe         *io.PipeWriter
	header, sent http.Header
	status       int
	once         sync.Once
	started      chan struct{}
}

func (p *pipeResponse) Header() http.Header { return p.header }

func (p *pipeResponse) WriteHeader(status int) {
	p.once.Do(func() {
		p.status, p.sent = status, p.header.Clone()
		close(p.started)
	})
}

func (p *pipeResponse) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.pipe.Write(b)
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
	if json.Unmarshal(b, &p) == nil && p.Title != "" {
		text := p.Title
		if p.Detail != "" {
			text = p.Detail
		}
		if p.Field != "" {
			text = p.Field + ": " + text
		}
		return errors.New(text)
	}
	return fmt.Errorf("the server answered %s", resp.Status)
}
