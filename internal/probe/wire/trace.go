// Package wire makes one connection at a time and times what happens on it.
//
// In: a host, a port, the operator's permit. Out: a connection, the steps that
// led to it in a [Trace], and failures as values in the words of the
// vocabulary. All durations are taken on the monotonic clock by the code that
// does the work, so that two attempts can never be mixed up; addresses are
// tried one after the other, each a step of its own. Where the kernel says when
// it received the first byte (Linux), that is where waiting ends, and the time
// until our code ran is the vantage's own lag.
//
// The package keeps no connection and no TLS session: a check that resumes a
// session does not see the certificate. It uses no proxy.
package wire

import (
	"net/netip"
	"time"

	"faultline"
)

// Trace collects the steps of one check. It belongs to one goroutine.
type Trace struct {
	Start time.Time
	Hop   int // redirect hop that the next step belongs to
	Steps []faultline.Step
	// ReadLate is how much later we read the first byte of the last answer
	// than the kernel received it. HasReadLate says whether the kernel told.
	ReadLate    time.Duration
	HasReadLate bool
	// Err is the error behind the newest failure, for the operator's log.
	Err error
}

// NewTrace starts the check's clock.
func NewTrace() *Trace {
	return &Trace{Start: time.Now(), Steps: make([]faultline.Step, 0, 6)}
}

// Step records an operation from one moment to another and how it failed.
func (t *Trace) Step(op faultline.Op, from, to time.Time, addr netip.AddrPort, err error) faultline.Failure {
	f := Failure(err)
	if f != "" {
		t.Err = err
	}
	t.Steps = append(t.Steps, faultline.Step{
		Op: op, Hop: t.Hop, T0: faultline.Seconds(from.Sub(t.Start)), Runtime: faultline.Seconds(to.Sub(from)), Address: addr, Failure: f,
	})
	return f
}

// Fail marks the newest step as failed by what was found after it.
func (t *Trace) Fail(f faultline.Failure) faultline.Failure {
	if n := len(t.Steps); n > 0 && f != "" && t.Steps[n-1].Failure == "" {
		t.Steps[n-1].Failure = f
	}
	return f
}

// Finish writes what was collected into the measurement.
func (t *Trace) Finish(m *faultline.Measurement, f faultline.Failure) faultline.Measurement {
	m.Start, m.Runtime = t.Start.UTC(), faultline.Seconds(time.Since(t.Start))
	m.Steps, m.Failure = t.Steps, f
	m.ReadLate, m.HasReadLate = faultline.Seconds(t.ReadLate), t.HasReadLate
	return *m
}
