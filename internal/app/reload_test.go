package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"faultline"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// watched is a server that counts who looks at it.
type watchedServer struct {
	*httptest.Server
	seen atomic.Int64
}

func newWatchedServer(t *testing.T) *watchedServer {
	w := &watchedServer{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.seen.Add(1) }))
	t.Cleanup(w.Close)
	return w
}

// status is the HTTP status of an address.
func (p *program) status(path string) int {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (p *program) counter(name string) float64 {
	p.t.Helper()
	return counter(p.t, bytes.NewReader(p.get("/metrics")), name)
}

// reloading is a program with a configuration file that can be changed.
type reloading struct {
	*program
	file string
	hup  chan os.Signal
	log  lines
}

func newReloading(t *testing.T, services string, watch ...string) *reloading {
	r := &reloading{file: filepath.Join(t.TempDir(), "faultline.yaml"), hup: make(chan os.Signal, 1)}
	r.write(t, services)
	c, err := LoadConfig(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.program = runApp(t, Options{Config: c, Watch: watch, Log: r.log.logger()}, func(a *App) {
		a.Reload, a.ReadConfig = r.hup, func() (Config, error) { return LoadConfig(r.file) }
	})
	return r
}

func (r *reloading) write(t *testing.T, services string) {
	t.Helper()
	text := "listen: 127.0.0.1:0\nprobe: {interval: 1s, urgent_interval: 1s, allow_private: true}\nservices:\n" + services
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *reloading) reload(services string) {
	r.t.Helper()
	r.write(r.t, services)
	r.hup <- syscall.SIGHUP
}

func listed(id, url string) string { return fmt.Sprintf("  - {id: %s, targets: [%q]}\n", id, url) }

// SIGHUP: a new service has a page and a status, one that is gone is looked at
// no more, and a file with a mistake changes nothing.
func TestServicesAreReloaded(t *testing.T) {
	t.Parallel()
	first, second := newWatchedServer(t), newWatchedServer(t)
	p := newReloading(t, listed("first", first.URL))
	p.waitState("first", "fine")
	if s := p.status("/s/second"); s != http.StatusNotFound {
		t.Errorf("before: %d for a service that is not listed", s)
	}

	p.reload(listed("second", second.URL))
	waitFor(t, 20*time.Second, func() error {
		if s := p.status("/s/second"); s != http.StatusOK {
			return fmt.Errorf("the new service's page: %d", s)
		}
		return nil
	})
	p.waitState("second", "fine")
	looked, other := first.seen.Load(), second.seen.Load()
	waitFor(t, 20*time.Second, func() error {
		if second.seen.Load() < other+3 {
			return fmt.Errorf("the new one was looked at %d times", second.seen.Load())
		}
		return nil
	})
	if n := first.seen.Load(); n > looked {
		t.Errorf("the one that is gone was looked at %d more times, while the new one was three times", n-looked)
	}
	if s := p.status("/s/first"); s != http.StatusNotFound {
		t.Errorf("the page of the one that is gone: %d", s)
	}
}

func TestABrokenFileIsNotReloaded(t *testing.T) {
	t.Parallel()
	first, typed := newWatchedServer(t), newWatchedServer(t)
	p := newReloading(t, listed("first", first.URL), typed.URL)
	p.waitState("first", "fine")
	taken := string(slug(strings.TrimPrefix(typed.URL, "http://")))
	for reason, c := range map[string]struct{ services, says string }{
		"file":     {"  - {id: first, targetz: []}\n", "faultline.yaml:4"},
		"services": {listed(taken, first.URL), taken},
	} {
		p.reload(c.services)
		name := fmt.Sprintf("faultline_config_refused_total{reason=%q}", reason)
		waitFor(t, 20*time.Second, func() error {
			if n := p.counter(name); n != 1 {
				return fmt.Errorf("%s: counted %v times", reason, n)
			}
			if !strings.Contains(p.log.String(), c.says) {
				return fmt.Errorf("%s: the log does not say %q:\n%s", reason, c.says, p.log.String())
			}
			return nil
		})
	}
	before := first.seen.Load()
	waitFor(t, 20*time.Second, func() error {
		if first.seen.Load() == before {
			return fmt.Errorf("the old service is not looked at")
		}
		return nil
	})
	if s := p.status("/s/first"); s != http.StatusOK {
		t.Errorf("the old service's page: %d", s)
	}
}

// A new service has a status with the next heartbeat, though nothing was heard
// of it.
func TestANewServiceHasAStatusAtOnce(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.pass(time.Minute)
	s.app.obs.watch([]faultline.ServiceID{"gamma"})
	s.app.model.SetServices([]faultline.Service{{ID: "gamma"}})
	s.pass(time.Minute)
	if st := s.app.model.View().Service("gamma").Status; st.State != faultline.Unclear || st.Reason == "" {
		t.Errorf("status %+v, want that nobody can tell, and why", st)
	}
}
