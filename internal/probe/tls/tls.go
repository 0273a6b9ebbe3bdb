// Package tls checks that a port does a TLS handshake with a certificate that
// is valid for the host. In: a job for tls://host:port. Out: a measurement with
// the steps resolve, connect and tls. No protocol is offered by ALPN, and
// nothing is sent after the handshake.
package tls

import (
	"context"

	"faultline"
	"faultline/internal/kind"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// Kind is the prober as a value.
var Kind = kind.Of("tls", "Does a TLS handshake and verifies the certificate (tls://host:port).", struct{}{},
	func(d probe.Deps, _ struct{}) (probe.Prober, error) { return prober{d}, nil })

type prober struct{ deps probe.Deps }

// Probe does one check.
func (p prober) Probe(ctx context.Context, job probe.Job) faultline.Measurement {
	ctx, cancel, t, m := job.Begin(ctx, "tls")
	defer cancel()
	u := job.Target.URL
	port, _ := wire.Port(u.Port(), 0) // ParseTarget looked at it
	c, f := p.deps.Dialer.Open(ctx, t, "tcp", u.Hostname(), port, job.Target.Permit)
	if f == "" {
		f = p.deps.Verifier.Handshake(t, c, u.Hostname())
		c.Close()
	}
	return t.Finish(&m, f)
}
