package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

// keepAlive is how often an idle stream gets a comment, so that proxies and
// readers see that it lives.
const keepAlive = 25 * time.Second

// writeTimeout is how long a slow reader may take for one event.
const writeTimeout = 10 * time.Second

// streams are the readers' event streams. One encoder makes each event once;
// a reader who is too slow to take it misses it, and catches up with the next.
type streams struct {
	mu      sync.Mutex
	clients map[chan []byte]struct{}
	closed  bool
	limit   int
	m       *Metrics
}

func newStreams(limit int, m *Metrics) *streams {
	return &streams{clients: map[chan []byte]struct{}{}, limit: limit, m: m}
}

// join gives a new stream, or false when there are too many.
func (s *streams) join() (chan []byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.clients) >= s.limit {
		return nil, false
	}
	c := make(chan []byte, 2)
	s.clients[c] = struct{}{}
	s.m.streams.Inc()
	return c, true
}

func (s *streams) leave(c chan []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.clients[c]; ok {
		delete(s.clients, c)
		s.m.streams.Dec()
	}
}

func (s *streams) send(event []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		select {
		case c <- event:
		default:
		}
	}
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.clients {
		close(c)
		delete(s.clients, c)
		s.m.streams.Dec()
	}
}

// run looks once a tick which pages changed and tells everybody.
func (s *streams) run(ctx context.Context, site *Site) error {
	defer s.close()
	t := time.NewTicker(Tick)
	defer t.Stop()
	before := site.d.View()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		now := site.d.View()
		if pages := changedPages(before, now); len(pages) > 0 {
			s.send(event(now, pages))
		}
		before = now
	}
}

// changedPages names the pages, without base, that differ between two views.
func changedPages(a, b *live.View) (out []string) {
	if a.Version == b.Version {
		return nil
	}
	old := map[faultline.ServiceID]*live.Service{}
	for _, s := range a.Services {
		old[s.ID] = s
	}
	for _, s := range b.Services {
		if old[s.ID] == s {
			continue
		}
		out = append(out, "/s/"+string(s.ID), "/map/"+string(s.ID))
		if i := s.Open(); i != nil {
			out = append(out, "/i/"+i.Now().ID)
		}
	}
	for _, i := range b.Incidents {
		if x := a.Incident(i.Now().ID); x != i && !i.Now().State.Open() {
			out = append(out, "/i/"+i.Now().ID)
		}
	}
	if len(out) > 0 {
		out = append(out, "/", "/map", "/incidents")
	}
	return out
}

func event(v *live.View, pages []string) []byte {
	data, _ := json.Marshal(struct { // strings and a time: cannot fail
		At    time.Time `json:"at"`
		Pages []string  `json:"pages"`
	}{v.At, pages})
	return fmt.Appendf(nil, "id: %d\nevent: change\ndata: %s\n\n", v.Version, data)
}

// serve keeps a reader's stream open until the reader leaves or the site stops.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, site *Site) {
	c, ok := s.join()
	if !ok {
		w.Header().Set("Retry-After", "60")
		site.refuse(w, r, Problem{http.StatusServiceUnavailable, refusedStreams, "", "Too many readers follow at once", "The page asks again by itself every half minute."})
		return
	}
	defer s.leave(c)
	h := w.Header()
	secure(h)
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := http.NewResponseController(w)
	write := func(b []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every writer has deadlines
		if _, err := w.Write(b); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if r.Method == http.MethodHead || !write([]byte("retry: 15000\n\n")) {
		return
	}
	t := time.NewTicker(keepAlive)
	defer t.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case b, open := <-c:
			if !open || !write(b) {
				return
			}
		case <-t.C:
			if !write([]byte(": still here\n\n")) {
				return
			}
		}
	}
}
