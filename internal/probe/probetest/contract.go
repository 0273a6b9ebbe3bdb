package probetest

import (
	"context"
	"crypto/x509"
	"testing"
	"time"

	"go.uber.org/goleak"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// Bench is a prober on the bench.
type Bench struct {
	Prober  probe.Prober
	Refused map[string]int // address refusals by reason
}

// Open opens a kind that trusts roots (nil: none) and permits public addresses
// and typed hosts.
func Open(t testing.TB, k probe.Kind, roots *x509.CertPool) *Bench {
	t.Helper()
	if roots == nil {
		roots = x509.NewCertPool()
	}
	b := &Bench{Refused: map[string]int{}}
	deps := probe.NewDeps(probe.Config{Contact: "ops@example.org"}, "test", roots, func(r string) { b.Refused[r]++ })
	p, err := k.Open(deps, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Prober = p
	return b
}

// Timeout is what Check gives a check that has no other.
const Timeout = 10 * time.Second

// Check checks a typed target and sees to it that the measurement is sound.
func (b *Bench) Check(t testing.TB, url string, timeout time.Duration) faultline.Measurement {
	t.Helper()
	return b.check(t, faultline.Target{URL: url, Typed: true}, timeout)
}

// CheckListed checks a target as it would stand in a configuration file.
func (b *Bench) CheckListed(t testing.TB, url string) faultline.Measurement {
	t.Helper()
	return b.check(t, faultline.Target{URL: url}, Timeout)
}

func (b *Bench) check(t testing.TB, target faultline.Target, timeout time.Duration) faultline.Measurement {
	t.Helper()
	parsed, err := probe.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	due := time.Now()
	m := b.Prober.Probe(t.Context(), probe.Job{Service: "test", Target: parsed, Attempt: 1, Due: due, Timeout: timeout})
	Sound(t, m)
	if m.Service != "test" || m.Target != target.URL || m.Attempt != 1 || !m.Due.Equal(due) {
		t.Errorf("the job is not in the measurement: %+v", m)
	}
	return m
}

// Sound sees to it that a measurement makes sense by itself: its steps follow
// each other, lie inside it, and the failure is that of a step.
func Sound(t testing.TB, m faultline.Measurement) {
	t.Helper()
	var at, end faultline.Seconds
	var seen bool
	for i, s := range m.Steps {
		if s.T0 < at || s.Runtime < 0 {
			t.Errorf("step %d (%s) begins at %v for %v, after one at %v", i, s.Op, s.T0, s.Runtime, at)
		}
		at, end = s.T0, max(end, s.T0+s.Runtime)
		seen = seen || s.Failure == m.Failure
	}
	switch {
	case end > m.Runtime:
		t.Errorf("the last step ends at %v, the check at %v", end, m.Runtime)
	case m.Failure != "" && len(m.Steps) > 0 && !seen:
		t.Errorf("failure %q is that of no step: %+v", m.Failure, m.Steps)
	case m.Start.IsZero() || m.Start.Before(m.Due.Add(-time.Millisecond)) || m.Probe == "":
		t.Errorf("start %v, due %v, probe %q", m.Start, m.Due, m.Probe)
	}
	if m.HasReadLate && m.ReadLate < 0 {
		t.Errorf("read %v before it was received", m.ReadLate)
	}
}

// Contract tries what every prober owes. target makes a target's URL out of a
// TCP address; silent is one that takes what it is sent and never answers.
func Contract(t *testing.T, k probe.Kind, target func(addr string) string, silent string) {
	t.Helper()
	t.Run("a check ends with its time-out", func(t *testing.T) { endsInTime(t, k, target(silent)) })
	t.Run("a check that is called off ends at once and is our fault", func(t *testing.T) { callsOff(t, k, target(silent)) })
	t.Run("a private address that nobody typed is not contacted", func(t *testing.T) { forbids(t, k, target) })
	t.Run("no goroutine is left behind", func(t *testing.T) {
		before := goleak.IgnoreCurrent()
		Open(t, k, nil).Check(t, target(silent), 50*time.Millisecond)
		goleak.VerifyNone(t, before)
	})
}

// ReadsLate sees to it that a check of a target that answers says how late it
// was read, where the kernel tells.
func ReadsLate(t *testing.T, k probe.Kind, url string) {
	t.Helper()
	if keep, err := wire.KeepStamps(); err == nil {
		defer keep.Close()
	}
	b := Open(t, k, nil)
	if !Stamps {
		if b.Check(t, url, Timeout).HasReadLate {
			t.Error("a stamp on a platform that has none")
		}
		return
	}
	for begun := time.Now(); time.Since(begun) < 5*time.Second; { // the kernel takes its time to switch stamps on
		if b.Check(t, url, Timeout).HasReadLate {
			return
		}
	}
	t.Error("no check had a stamp")
}

func endsInTime(t *testing.T, k probe.Kind, url string) {
	m := Open(t, k, nil).Check(t, url, 200*time.Millisecond)
	if m.Failure != faultline.GenericTimeout {
		t.Errorf("failure %q", m.Failure)
	}
	if took := time.Duration(m.Runtime); took < 150*time.Millisecond || took > 5*time.Second {
		t.Errorf("took %v of 200 ms", took)
	}
}

func callsOff(t *testing.T, k probe.Kind, url string) {
	ctx, cancel := context.WithCancel(t.Context())
	parsed, err := probe.ParseTarget(faultline.Target{URL: url, Typed: true})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	m := Open(t, k, nil).Prober.Probe(ctx, probe.Job{Target: parsed, Due: time.Now(), Timeout: time.Minute})
	if m.Failure != faultline.ProbeFault || time.Duration(m.Runtime) > 10*time.Second {
		t.Errorf("failure %q after %v", m.Failure, time.Duration(m.Runtime))
	}
}

func forbids(t *testing.T, k probe.Kind, target func(string) string) {
	for host, reason := range map[string]string{
		"127.0.0.1:1": "loopback", "10.0.0.1:1": "private", "169.254.169.254:80": "metadata", "[::ffff:127.0.0.1]:1": "loopback", "[64:ff9b::7f00:1]:1": "loopback",
		"0.0.0.0:1": "unspecified", "[fe80::1]:1": "link_local", "2130706433:1": "odd_form", "0177.0.0.1:1": "odd_form", "localhost:1": "loopback",
	} {
		b := Open(t, k, nil)
		m := b.CheckListed(t, target(host))
		if m.Failure != faultline.AddressForbidden || b.Refused[reason] == 0 {
			t.Errorf("%s: failure %q, refusals %v", host, m.Failure, b.Refused)
		}
	}
}
