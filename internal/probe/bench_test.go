package probe_test

import (
	"crypto/tls"
	"io"
	"net"
	stdhttp "net/http"
	"testing"
	"time"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/probe/http"
	"faultline/internal/probe/probetest"
)

// What a full check over TLS costs, beside the same with net/http: a new
// connection, a handshake, one request. Both pay for the server as well.
func BenchmarkCheck(b *testing.B) {
	ca := probetest.NewAuthority(b)
	addr := probetest.ServeTLS(b, ca.Config(b, nil), func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	})
	b.Run("faultline", func(b *testing.B) {
		p, err := http.Kind.Open(probe.NewDeps(probe.Config{}, "test", ca.Roots, nil), nil)
		if err != nil {
			b.Fatal(err)
		}
		target, _ := probe.ParseTarget(faultline.Target{URL: "https://" + addr + "/", Typed: true})
		b.ReportAllocs()
		for b.Loop() {
			if m := p.Probe(b.Context(), probe.Job{Target: target, Timeout: 10 * time.Second}); m.Failure != "" {
				b.Fatal(m.Failure)
			}
		}
	})
	b.Run("net/http", func(b *testing.B) {
		client := &stdhttp.Client{Timeout: 10 * time.Second, Transport: &stdhttp.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Roots}, DisableKeepAlives: true}}
		b.ReportAllocs()
		for b.Loop() {
			resp, err := client.Get("https://" + addr + "/")
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
