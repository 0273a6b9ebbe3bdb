package probe

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"faultline"
)

// health tells the vantage's own failures from those of its targets. It is
// asked about failures only, and looks at what the failed check's own way
// needed:
//
//   - this machine: time enough (local_cpu)
//   - a private address: a route to it (no_route)
//   - a public address: a route, and that not everything unrelated fails at the
//     same time (all_fail, controls_fail, captive_portal)
//   - a name that was not resolved: a way out (no_route) and a resolver that
//     answers (no_resolver), and then as for a public address
//
// An answer over verified TLS proves the way it took, whatever it says. With one
// public target and no control, a network that has a route and a resolver is
// taken to work: nothing else could be known.
type health struct {
	env      Environment
	check    func(context.Context, *slot) faultline.Measurement
	timeout  time.Duration
	together time.Duration // failures that begin within this are one

	asking turn   // held while controls are checked: once for all who ask
	budget budget // under asking

	resolver struct {
		turn // held while the resolver is asked
		err  error
		at   time.Time
	}

	mu        sync.Mutex
	known     map[string]*evidence
	state     Health
	wakes     time.Time // when the engine meant to wake up
	busyUntil time.Time
}

// Health is what the newest results say about the vantage's way to the
// internet.
type Health struct {
	Impaired faultline.Impairment `json:"impaired,omitempty"`
	Since    time.Time            `json:"since,omitzero"` // when that began
	At       time.Time            `json:"at,omitzero"`    // of the newest result that says so; zero: nothing is known
}

const (
	// fresh is how old a result may be to speak for now. It is also the
	// shortest time between two checks of a target as a control.
	fresh = 10 * time.Second
	// controlTimeout is what a control is given to prove the network: a result
	// that waits for it must not come late.
	controlTimeout = 3 * time.Second
	// resolverTimeout leaves a stub resolver time for its second try.
	resolverTimeout = 4 * time.Second
	resolverFresh   = 2 * time.Second
	maxControls     = 5 // checked at once
	maxRounds       = 2 // of them within fresh, for all who ask together
	// maxWait is how long one may have waited for somebody else's round and
	// still begin another.
	maxWait = controlTimeout / 2
)

func newHealth(c Config, env Environment, check func(context.Context, *slot) faultline.Measurement) *health {
	h := &health{env: env, check: check, timeout: c.Timeout, together: 2*c.Interval + c.Timeout, asking: make(turn, 1), known: map[string]*evidence{}}
	h.resolver.turn = make(turn, 1)
	for _, s := range c.controls() {
		e := evidenceOf(s)
		e.control = true
		h.known[s.key] = e
	}
	return h
}

func evidenceOf(s *slot) *evidence { return &evidence{slot: s, host: s.target.URL.Hostname()} }

// know replaces the targets. What is known of those that stay is kept.
func (h *health) know(slots []*slot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.known
	h.known = make(map[string]*evidence, len(slots))
	for key, e := range old {
		if e.control {
			h.known[key] = e
		}
	}
	for _, s := range slots {
		if e := old[s.key]; e != nil {
			h.known[s.key] = e
		} else {
			h.known[s.key] = evidenceOf(s)
		}
	}
}

// judge takes a result in and says why the vantage cannot be trusted with it.
func (h *health) judge(ctx context.Context, s *slot, m *faultline.Measurement, begun time.Time) faultline.Impairment {
	p, now := pathOf(m), time.Now()
	own := h.learn(s, m, p, begun, now)
	if m.Failure == "" || neutral(m.Failure) || p.proof {
		return h.note(p, "", now)
	}
	if h.busy(m, begun, now) {
		return faultline.LocalCPU
	}
	if p.loop {
		return ""
	}
	if !h.hasRoute(p) {
		return h.note(p, faultline.NoRoute, now)
	}
	if p.local {
		return ""
	}
	if len(p.addrs) == 0 && !h.resolves(ctx, m.Failure) {
		return h.note(p, faultline.NoResolver, now)
	}
	return h.note(p, h.correlate(ctx, own), now)
}

// learn gives a copy of what is now known of the target.
func (h *health) learn(s *slot, m *faultline.Measurement, p path, begun, now time.Time) evidence {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.known[s.key]
	if e == nil { // no longer listed
		e = evidenceOf(s)
	}
	e.learn(m, p, begun, now)
	return *e
}

// note keeps the state of the way to the internet.
func (h *health) note(p path, i faultline.Impairment, now time.Time) faultline.Impairment {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i == "" && !p.proof {
		return i // a failure of the target, or a local one, proves nothing
	}
	if i != h.state.Impaired || h.state.At.IsZero() {
		h.state.Impaired, h.state.Since = i, now.UTC().Round(0)
	}
	h.state.At = now.UTC().Round(0)
	return i
}

// The addresses of a root name server stand for the internet when the target
// has no address yet. Nothing is sent to them.
var reference = []netip.Addr{netip.MustParseAddr("198.41.0.4"), netip.MustParseAddr("2001:503:ba3e::2:30")}

// hasRoute says whether packets to at least one of the addresses can leave.
func (h *health) hasRoute(p path) bool {
	addrs := p.addrs
	if len(addrs) == 0 {
		addrs = reference
	}
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return h.env.Route(a) == nil })
}

// resolves says whether a resolver answers at all.
func (h *health) resolves(ctx context.Context, f faultline.Failure) bool {
	if f == faultline.DNSNXDomain || f == faultline.DNSNoAnswer || f == faultline.AssertionFailed {
		return true // that was an answer
	}
	if !h.resolver.take(ctx) {
		return true
	}
	defer h.resolver.leave()
	if h.resolver.at.IsZero() || time.Since(h.resolver.at) > resolverFresh {
		ctx, cancel := context.WithTimeout(ctx, resolverTimeout)
		defer cancel()
		h.resolver.err = h.env.Resolve(ctx)
		h.resolver.at = time.Now()
	}
	return h.resolver.err == nil
}

// busy says whether a time-out may be this machine's own: the engine woke up
// late by a tenth of the time-out or more while the check ran, or the machine
// was suspended.
func (h *health) busy(m *faultline.Measurement, begun, now time.Time) bool {
	if stepped(begun, now) {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return m.Failure == faultline.GenericTimeout && now.Before(h.busyUntil)
}

// sleeps notes when the engine means to wake up, and woke when it did.
func (h *health) sleeps(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakes = until
}

func (h *health) woke(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.wakes.IsZero() && now.Sub(h.wakes) >= h.timeout/10 {
		h.busyUntil = now.Add(h.timeout)
	}
}

// turn is a lock that one can stop waiting for.
type turn chan struct{}

// take waits for the turn, and says whether it came before ctx ended.
func (t turn) take(ctx context.Context) bool {
	select {
	case t <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t turn) leave() { <-t }

// Health says whether the vantage has a way to the internet, as far as its
// results tell. Local targets tell nothing.
func (e *Engine) Health() Health {
	e.health.mu.Lock()
	defer e.health.mu.Unlock()
	return e.health.state
}
