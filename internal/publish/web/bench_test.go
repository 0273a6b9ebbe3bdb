package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ h http.Header }

func (w *nowhere) Header() http.Header         { return w.h }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w *nowhere) WriteHeader(int)             {}

// BenchmarkKeptPage is what a reader in a crowd costs.
func BenchmarkKeptPage(b *testing.B) {
	s := newSite(b, busy())
	r := httptest.NewRequest(http.MethodGet, "/i/larkpost-2026-05-04", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		w := &nowhere{http.Header{}}
		for p.Next() {
			s.ServeHTTP(w, r)
		}
	})
}

// BenchmarkDrawnPage is what a page costs once a tick.
func BenchmarkDrawnPage(b *testing.B) {
	s := newSite(b, busy())
	v := s.d.View()
	t, _ := s.incidentTarget([]string{"larkpost-2026-05-04"}, "", "")
	b.ReportAllocs()
	for b.Loop() {
		body, err := t.draw(v)
		if err != nil {
			b.Fatal(err)
		}
		s.pack(body, typeHTML, true)
	}
}

// BenchmarkKeptPageOverHTTP compares a kept page with a handler that writes
// the same bytes and does nothing else.
func BenchmarkKeptPageOverHTTP(b *testing.B) {
	s := newSite(b, busy())
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/i/larkpost-2026-05-04", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	s.ServeHTTP(w, r)
	bytes := w.Body.Bytes()
	for name, h := range map[string]http.Handler{
		"site": s, "bare": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes) }),
	} {
		b.Run(name, func(b *testing.B) {
			srv := httptest.NewServer(h)
			defer srv.Close()
			tr := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					req, _ := http.NewRequest(http.MethodGet, srv.URL+"/i/larkpost-2026-05-04", nil)
					req.Header.Set("Accept-Encoding", "gzip")
					resp, err := tr.RoundTrip(req)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		})
	}
}
