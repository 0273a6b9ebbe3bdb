package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline"
	"faultline/internal/intake/report"
)

// sim is a whole program on a real journal and a real store, without a server,
// whose clock the test turns: hours pass in a moment.
type sim struct {
	*testing.T
	opts Options
	app  *App
	step time.Duration // between two heartbeats; 30 s if nobody says otherwise

	mu   sync.Mutex
	time time.Time
}

// newSim opens a new data folder at nine o'clock of a day.
func newSim(t *testing.T, o Options) *sim {
	t.Helper()
	s := &sim{T: t, step: 30 * time.Second, time: time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)}
	o.Dir, o.Log, o.Version, o.Now = filepath.Join(t.TempDir(), "data"), quiet(), "test", s.now
	s.opts = o
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *sim) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

func (s *sim) open() {
	s.Helper()
	a, err := OpenOffline(context.Background(), s.opts)
	if err != nil {
		s.Fatal(err)
	}
	s.app = a
}

func (s *sim) close() {
	s.Helper()
	if s.app == nil {
		return
	}
	if err := s.app.Close(); err != nil {
		s.Errorf("close: %v", err)
	}
	s.app = nil
}

func (s *sim) restart() {
	s.Helper()
	s.close()
	s.open()
}

// pass lets time go by, with the heartbeats of the reports' collector, and with
// each of them whatever else is to happen then.
func (s *sim) pass(d time.Duration, each ...func()) {
	s.Helper()
	for end := s.now().Add(d); s.now().Before(end); {
		s.tick(min(s.step, end.Sub(s.now())), each...)
	}
	s.settle()
}

// tick is one heartbeat and what happens before it.
func (s *sim) tick(d time.Duration, each ...func()) {
	s.Helper()
	from := s.now()
	s.mu.Lock()
	s.time = from.Add(d)
	s.mu.Unlock()
	for _, f := range each {
		f()
	}
	s.append(&faultline.Heartbeat{Collector: faultline.CollectorReports, From: from})
}

func (s *sim) append(p faultline.Payload) {
	s.Helper()
	if err := s.app.append(s.Context(), faultline.Observation{At: s.now(), Payload: p}); err != nil {
		s.Fatal(err)
	}
}

// settle waits until the chain has taken all that the journal has.
func (s *sim) settle() {
	s.Helper()
	info, err := s.app.journal.Info(s.Context(), partition)
	if err != nil {
		s.Fatal(err)
	}
	waitFor(s.T, 20*time.Second, func() error {
		if at := s.app.obs.lastFrame.Load(); at < info.Last {
			return fmt.Errorf("the chain is at frame %d of %d", at, info.Last)
		}
		return nil
	})
}

// check is a check of a service, both attempts if it failed.
func (s *sim) check(id faultline.ServiceID, f faultline.Failure) {
	s.Helper()
	m := faultline.Measurement{
		Service: id, Target: "https://" + string(id) + ".example/", Probe: "http", Attempt: 1, Due: s.now(), Start: s.now(),
		Interval: faultline.Seconds(30 * time.Second), Failure: f, Vantage: s.opts.Config.Probe.Vantage,
	}
	first := m
	s.append(&first)
	if f != "" {
		m.Attempt, m.Start = 2, m.Start.Add(time.Second)
		s.append(&m)
	}
}

// report files a report from an address as its proxy passes it on.
func (s *sim) report(from, body string) *httptest.ResponseRecorder {
	s.Helper()
	return s.do(http.MethodPost, "/api/v1/reports", body, "Content-Type", "application/json", "X-Forwarded-For", from)
}

// do asks the program from loopback.
func (s *sim) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.Context(), method, "http://status.example"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.app.Handler().ServeHTTP(w, r)
	return w
}

// page is what a reader gets.
func (s *sim) page(path string) string {
	s.Helper()
	w := s.do(http.MethodGet, path, "")
	if w.Code != http.StatusOK {
		s.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// counter reads a counter off /metrics, as 'name{label="value"}'.
func counter(t *testing.T, metrics io.Reader, name string) (n float64) {
	t.Helper()
	b, err := io.ReadAll(metrics)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return n
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

func (s *sim) counter(name string) float64 {
	s.Helper()
	return counter(s.T, strings.NewReader(s.page("/metrics")), name)
}

// proxies reads networks.
func proxies(list ...string) (p report.Prefixes) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}
