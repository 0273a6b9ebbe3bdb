package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"faultline/internal/app"
)

// client asks a faultline: the one at --url, the one that runs on the data
// folder, or, if none runs, the folder itself, opened for this one command.
type client struct {
	base     string        // of a running server
	given    bool          // base was given with --url; else it stood in the lock file
	patience time.Duration // how long the server may be silent
	handler  http.Handler  // of a folder opened here
	token    string        // proves that we may read the data folder
	close    func() error
}

// connect finds whom to ask. The folder has to exist already when create is
// false, so that a mistyped --data is an error and not an empty answer.
func (c *common) connect(ctx context.Context, create bool) (*client, error) {
	if c.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: give more than 0, as 30s", c.timeout)
	}
	if c.url != "" {
		base, err := serverAddress(c.url)
		return &client{base: base, given: true, patience: c.timeout, token: c.env.Getenv("FAULTLINE_CONSOLE_TOKEN"), close: nothing}, err
	}
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	if owner, running := app.RunningOn(o.Dir); running {
		if owner.Address == "" {
			return nil, &app.InUseError{Dir: o.Dir, Owner: owner}
		}
		return &client{base: owner.Address, patience: c.timeout, token: app.LocalToken(o.Dir), close: nothing}, nil
	}
	is, err := app.IsFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	if !create && !is {
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
	return k.remote(req)
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
