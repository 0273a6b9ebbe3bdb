package probe_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"faultline"
	"faultline/internal/probe"
)

const (
	refused = faultline.ConnectionRefused
	timeout = faultline.GenericTimeout
)

// What a failed check means, by what else is known at the time.
func TestImpairment(t *testing.T) {
	verified := []faultline.Step{
		{Op: faultline.OpConnect, Address: netip.MustParseAddrPort("93.184.215.14:443")},
		{Op: faultline.OpTLS, Address: netip.MustParseAddrPort("93.184.215.14:443")},
		{Op: faultline.OpWait, Address: netip.MustParseAddrPort("93.184.215.14:443")},
		{Op: faultline.OpBody, Address: netip.MustParseAddrPort("93.184.215.14:443"), Failure: faultline.HTTPServerError},
	}
	control := func(c *probe.Config) { c.Controls = []faultline.Target{{URL: "tcp://control.example:443"}} }
	for name, c := range map[string]struct {
		n      int // services; the first one is looked at
		config func(*probe.Config)
		broken func(*world)
		want   faultline.Impairment
	}{
		"a single public target fails while the network is fine":     {1, nil, func(w *world) { w.fail[target(0)] = refused }, ""},
		"a single public target times out while the network is fine": {1, nil, func(w *world) { w.takes[target(0)] = time.Hour }, ""},
		"there is no route to a public target":                       {1, nil, func(w *world) { w.fail[target(0)], w.noRoute = faultline.NetworkUnreachable, true }, faultline.NoRoute},
		"a name is not resolved and there is no way out":             {1, nil, func(w *world) { w.unresolved(0, faultline.DNSTemporary); w.noRoute, w.noDNS = true, true }, faultline.NoRoute},
		"a name is not resolved and no resolver answers":             {1, nil, func(w *world) { w.unresolved(0, timeout); w.noDNS = true }, faultline.NoResolver},
		"a name is not resolved by a resolver that works":            {1, nil, func(w *world) { w.unresolved(0, faultline.DNSServFail) }, ""},
		"a name does not exist, says a resolver that is silent now":  {1, nil, func(w *world) { w.unresolved(0, faultline.DNSNXDomain); w.noDNS = true }, ""},
		"a literal address needs no resolver":                        {1, nil, func(w *world) { w.fail[target(0)], w.noDNS = refused, true }, ""},
		"a loopback target fails on a machine without a network":     {1, nil, func(w *world) { w.local(0, "127.0.0.1", refused); w.noRoute, w.noDNS = true, true }, ""},
		"a private target fails and its network is there":            {1, nil, func(w *world) { w.local(0, "192.168.1.9", timeout); w.noDNS = true }, ""},
		"a private target fails and its network is gone":             {1, nil, func(w *world) { w.local(0, "192.168.1.9", faultline.NetworkUnreachable); w.noRoute = true }, faultline.NoRoute},
		"everything unrelated fails at once":                         {4, nil, func(w *world) { w.failAll(4, timeout) }, faultline.AllFail},
		"everything unrelated is refused at once":                    {2, nil, func(w *world) { w.failAll(2, refused) }, faultline.AllFail},
		"one of the unrelated targets answers":                       {4, nil, func(w *world) { w.failAll(3, timeout) }, ""},
		"everything fails but a control":                             {4, control, func(w *world) { w.failAll(4, timeout) }, ""},
		"everything fails, the control too":                          {4, control, func(w *world) { w.failAll(4, timeout); w.fail["tcp://control.example:443"] = timeout }, faultline.AllFail},
		"the only target and the only control fail":                  {1, control, func(w *world) { w.failAll(1, timeout); w.fail["tcp://control.example:443"] = timeout }, faultline.ControlsFail},
		"everybody shows a stranger's certificate":                   {3, nil, func(w *world) { w.failAll(3, faultline.SSLUnknownAuthority) }, faultline.CaptivePortal},
		"all targets are on one network, which is one fate": {3, nil, func(w *world) {
			w.failAll(3, timeout)
			w.addr[target(0)], w.addr[target(1)], w.addr[target(2)] = "93.1.1.1", "93.1.1.2", "93.1.1.3"
		}, ""},
		"local targets say nothing about the internet": {3, nil, func(w *world) {
			w.local(1, "127.0.0.1", refused)
			w.local(2, "10.1.1.1", refused)
			w.fail[target(0)] = timeout
		}, ""},
		"nor do they prove it": {3, nil, func(w *world) { w.failAll(2, timeout); w.local(2, "127.0.0.1", "") }, faultline.AllFail},
		"an error over verified TLS proves its own way": {3, nil, func(w *world) {
			w.failAll(3, timeout)
			w.fail[target(0)], w.steps[target(0)] = faultline.HTTPServerError, verified
		}, ""},
		"and the way of the others": {3, nil, func(w *world) {
			w.failAll(2, timeout)
			w.fail[target(2)], w.steps[target(2)] = faultline.HTTPServerError, verified
		}, ""},
		"who refuses us does not impair us": {2, nil, func(w *world) { w.failAll(2, faultline.RefusedToUs); w.noRoute = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				defer w.start(t, c.config)()
				w.set(t, services(c.n)...)
				time.Sleep(3 * time.Minute)
				if before := w.results(); slices.ContainsFunc(before, func(m faultline.Measurement) bool { return m.Failure != "" || m.Impaired != "" }) {
					t.Fatalf("before anything broke: %+v", before)
				}
				w.say(func() { c.broken(w) })
				time.Sleep(3 * time.Minute)
				n := 0
				for _, m := range w.results() {
					if m.Target == target(0) && m.Failure != "" {
						if n++; m.Impaired != c.want {
							t.Errorf("failure %d, attempt %d: impaired %q, want %q", n, m.Attempt, m.Impaired, c.want)
						}
					}
				}
				if n < 3 {
					t.Errorf("only %d failures", n)
				}
			})
		})
	}
}

func (w *world) failAll(n int, f faultline.Failure) {
	for i := range n {
		if f == timeout {
			w.takes[target(i)] = time.Hour
		}
		w.fail[target(i)] = f
	}
}

func (w *world) unresolved(i int, f faultline.Failure) {
	w.fail[target(i)], w.addr[target(i)] = f, ""
}

func (w *world) local(i int, addr string, f faultline.Failure) {
	w.fail[target(i)], w.addr[target(i)] = f, addr
}

// The same when the program starts without a network: nothing was seen to work
// before, and nothing may be called down.
func TestStartingWithoutANetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.failAll(3, timeout)
		defer w.start(t, nil)()
		w.set(t, services(3)...)
		time.Sleep(2 * time.Minute)
		for _, m := range w.results() {
			if m.Impaired != faultline.AllFail {
				t.Errorf("%s attempt %d: impaired %q", m.Target, m.Attempt, m.Impaired)
			}
		}
		if h := w.engine.Health(); h.Impaired != faultline.AllFail || h.At.IsZero() {
			t.Errorf("health %+v", h)
		}
		w.say(func() { w.fail, w.takes = map[string]faultline.Failure{}, map[string]time.Duration{} })
		time.Sleep(2 * time.Minute)
		if h := w.engine.Health(); h.Impaired != "" {
			t.Errorf("health after the network came: %+v", h)
		}
	})
}

// A target that has been broken for long is no witness against the vantage.
func TestAnOldFailureIsNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.fail[target(1)] = refused
		defer w.start(t, nil)()
		w.set(t, services(2)...)
		time.Sleep(time.Hour)
		w.results()
		w.say(func() { w.fail[target(0)] = refused })
		time.Sleep(2 * time.Minute)
		for _, m := range w.results() {
			if m.Target == target(0) && m.Impaired != "" {
				t.Errorf("impaired %q", m.Impaired)
			}
		}
	})
}

// However many targets fail, the others are not asked all the time to find out
// why.
func TestControlsAreAskedSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.set(t, services(200)...)
		time.Sleep(2 * time.Minute)
		w.results()
		w.say(func() { w.failAll(200, timeout); w.asked = map[string]int{} })
		time.Sleep(time.Minute)
		for _, m := range w.results() {
			if m.Failure != "" && m.Impaired != faultline.AllFail {
				t.Errorf("%s attempt %d: impaired %q", m.Target, m.Attempt, m.Impaired)
			}
		}
		n := testutil.ToFloat64(counter(t, w, "faultline_probe_controls_total", "result=failed"))
		if n < 5 || n > 70 {
			t.Errorf("%v extra checks in a minute", n)
		}
	})
}

// The verdict must not make a result late: a bin waits 15 seconds for it.
func TestAVerdictComesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.emit = func(_ context.Context, m faultline.Measurement) {
			if d := time.Since(m.Start); d >= 15*time.Second {
				t.Errorf("%s handed over after %v", m.Target, d)
			}
		}
		defer w.start(t, nil)()
		w.set(t, services(50)...)
		time.Sleep(2 * time.Minute)
		w.say(func() { w.failAll(50, timeout) })
		time.Sleep(2 * time.Minute)
	})
}

func TestResultsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		for _, kind := range []string{"ok", "failed", "refused_to_us", "impaired", "address_forbidden", "probe_fault"} {
			if n := testutil.CollectAndCount(counter(t, w, "faultline_probe_checks_total", "kind=tcp", "result="+kind)); n != 1 {
				t.Errorf("%s is not there from the start", kind)
			}
		}
		w.fail[target(1)], w.fail[target(2)], w.fail[target(3)] = refused, faultline.RefusedToUs, faultline.AddressForbidden
		w.set(t, services(4)...)
		time.Sleep(500 * time.Millisecond)
		for _, kind := range []string{"ok", "failed", "refused_to_us", "address_forbidden"} {
			if n := testutil.ToFloat64(counter(t, w, "faultline_probe_checks_total", "kind=tcp", "result="+kind)); n != 1 {
				t.Errorf("%v checks are %s", n, kind)
			}
		}
		if n := testutil.ToFloat64(counter(t, w, "faultline_probe_lag_seconds")); n != 4 {
			t.Errorf("%v lags observed", n)
		}
	})
}

func TestRefusalsAreCounted(t *testing.T) {
	w := newWorld()
	inc := probe.Refused(w.metrics)
	inc("metadata")
	if n := testutil.ToFloat64(counter(t, w, "faultline_probe_refused_total", "reason=metadata")); n != 1 {
		t.Errorf("%v refusals", n)
	}
	if n := testutil.ToFloat64(counter(t, w, "faultline_probe_refused_total")); n != 1 {
		t.Errorf("%v refusals for all reasons", n)
	}
}
