package report_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"faultline/internal/intake/report"
)

// nobody is a response that goes nowhere.
type nobody struct{ h http.Header }

func (n nobody) Header() http.Header       { return n.h }
func (nobody) Write(b []byte) (int, error) { return len(b), nil }
func (nobody) WriteHeader(int)             {}

// BenchmarkHandler is what one report costs without a network and a journal:
// parsing, checks, limits, hashes, the answer.
func BenchmarkHandler(b *testing.B) {
	for _, c := range []struct{ name, key string }{{"plain", ""}, {"with a key", "the-same-key"}} {
		b.Run(c.name, func(b *testing.B) {
			g := newRig(b, setup{config: func(c *report.Config) { c.RatePerMinute = 1e9; c.Burst = 1 << 30 }})
			h, body := g.API(), bytes.NewReader([]byte(good))
			r := httptest.NewRequest("POST", "/api/v1/reports", nil)
			r.RemoteAddr = "81.2.3.4:5678"
			r.Header.Set("Content-Type", "application/json")
			if c.key != "" {
				r.Header.Set("Idempotency-Key", c.key)
			}
			w := nobody{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset([]byte(good))
				r.Body, r.ContentLength = io.NopCloser(body), int64(len(good))
				h.ServeHTTP(w, r)
				g.journal.obs = g.journal.obs[:0]
			}
		})
	}
}
