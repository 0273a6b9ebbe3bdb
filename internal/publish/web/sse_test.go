package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

// streamWriter is a ResponseWriter that hands over what is flushed.
type streamWriter struct {
	httptest.ResponseRecorder
	lines chan string
	buf   strings.Builder
}

func (w *streamWriter) Write(b []byte) (int, error) { return w.buf.Write(b) }
func (w *streamWriter) Flush()                      { w.lines <- w.buf.String(); w.buf.Reset() }

func newStreamWriter() *streamWriter {
	return &streamWriter{ResponseRecorder: *httptest.NewRecorder(), lines: make(chan string, 100)}
}

func TestAStreamNamesThePagesThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := busy()
		s := newSite(t, m)
		ctx, stop := context.WithCancel(t.Context())
		running := make(chan error, 1)
		go func() { running <- s.Run(ctx) }()
		w := newStreamWriter()
		served := make(chan struct{})
		go func() {
			defer close(served)
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx))
		}()
		if first := <-w.lines; !strings.HasPrefix(first, "retry: ") {
			t.Errorf("begins with %q", first)
		}
		synctest.Wait()
		m.Apply(live.Delta{At: noon.Add(10 * time.Second), Statuses: []faultline.Status{{Service: "hexwell", At: noon.Add(10 * time.Second), State: faultline.Possible}}})
		got := <-w.lines
		for _, want := range []string{"event: change\n", `"/s/hexwell"`, `"/i/hexwell-2026-05-04"`, `"/"`, `"/map"`, `"/map/hexwell"`} {
			if !strings.Contains(got, want) {
				t.Errorf("event %q lacks %s", got, want)
			}
		}
		if strings.Contains(got, "/s/tallybank") {
			t.Error("names a page that did not change")
		}
		if quiet := <-w.lines; !strings.HasPrefix(quiet, ": ") {
			t.Errorf("an idle stream gets %q, want a comment", quiet)
		}
		stop()
		<-served
		if err := <-running; err != nil {
			t.Error(err)
		}
	})
}

func TestTooManyStreamsAreSentToPolling(t *testing.T) {
	s := newSite(t, busy(), func(d *Deps) { d.MaxStreams = 1 })
	srv := httptest.NewServer(s)
	defer srv.Close()
	defer srv.CloseClientConnections()
	first, err := http.Get(srv.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Body.Close()
	if _, err := bufio.NewReader(first.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	second, err := http.Get(srv.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	second.Body.Close()
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") == "" || refused(t, s, refusedStreams) != 1 {
		t.Errorf("%d %v", second.StatusCode, second.Header)
	}
}

func TestAClosedSiteTakesNoStreams(t *testing.T) {
	s := newSite(t, busy())
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if w := get(t, s, "/events"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}
