// Package tcp checks that a port accepts connections. In: a job for
// tcp://host:port. Out: a measurement with the steps resolve and connect.
// Nothing is sent and nothing is read.
package tcp

import (
	"context"

	"faultline"
	"faultline/internal/kind"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// Kind is the prober as a value.
var Kind = kind.Of("tcp", "Connects to a port (tcp://host:port).", struct{}{},
	func(d probe.Deps, _ struct{}) (probe.Prober, error) { return prober{d}, nil })

type prober struct{ deps probe.Deps }

// Probe does one check.
func (p prober) Probe(ctx context.Context, job probe.Job) faultline.Measurement {
	ctx, cancel, t, m := job.Begin(ctx, "tcp")
	defer cancel()
	u := job.Target.URL
	port, _ := wire.Port(u.Port(), 0) // ParseTarget looked at it
	c, f := p.deps.Dialer.Open(ctx, t, "tcp", u.Hostname(), port, job.Target.Permit)
	if f == "" {
		c.Close()
	}
	return t.Finish(&m, f)
}
