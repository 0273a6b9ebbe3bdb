package probe

import (
	"net/netip"
	"time"

	"faultline"
	"faultline/internal/probe/address"
)

// path is what a measurement says about the way it took.
type path struct {
	addrs []netip.Addr // that its last hop tried to connect to
	local bool         // all of them are reached without the internet
	loop  bool         // all of them are this machine
	// proof: a public address answered in a way that nobody on the way could
	// have made up, or the check succeeded there.
	proof bool
}

func pathOf(m *faultline.Measurement) path {
	p := path{local: true, loop: true}
	hop, verified := 0, false
	if n := len(m.Steps); n > 0 {
		hop = m.Steps[n-1].Hop
	}
	for _, s := range m.Steps {
		if s.Op == faultline.OpTLS {
			verified = s.Failure == ""
		}
		a := s.Address.Addr()
		if !a.IsValid() || s.Failure == faultline.AddressForbidden {
			continue
		}
		reason := address.Classify(a)
		if s.Op == faultline.OpWait && s.Failure == "" && verified && !reason.Local() {
			p.proof = true
		}
		if s.Hop == hop {
			p.addrs = append(p.addrs, a)
			p.local, p.loop = p.local && reason.Local(), p.loop && reason == address.Loopback
		}
	}
	if len(p.addrs) == 0 {
		p.local, p.loop = false, false
	}
	p.proof = p.proof || m.Failure == "" && !p.local && len(p.addrs) > 0
	return p
}

// neutral says whether a failure says nothing about the network.
func neutral(f faultline.Failure) bool {
	return f == faultline.RefusedToUs || f == faultline.AddressForbidden || f == faultline.ProbeFault
}

// evidence is what the newest check of a target says about the network.
type evidence struct {
	slot    *slot
	control bool
	host    string
	network netip.Prefix // of the address; invalid when the name was not resolved
	local   bool
	begun   time.Time // when the check began
	known   time.Time // when its result was known
	proof   bool
	failure faultline.Failure
	since   time.Time // when the first of a row of failures began; zero: none
}

// learn takes a result in.
func (e *evidence) learn(m *faultline.Measurement, p path, begun, known time.Time) {
	if neutral(m.Failure) && !p.proof {
		return
	}
	e.begun, e.known, e.proof, e.failure = begun, known, p.proof, m.Failure
	if len(p.addrs) > 0 {
		e.network, e.local = networkOf(p.addrs[0]), p.local
	}
	switch {
	case m.Failure == "":
		e.since = time.Time{}
	case e.since.IsZero():
		e.since = begun
	}
}

// networkOf is what addresses of one operator's one place usually share.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 24
	if a = a.Unmap(); a.Is6() {
		bits = 48
	}
	p, _ := a.WithZone("").Prefix(bits) // fails for no address of ours
	return p
}

// unrelated says whether two targets would hardly fail together unless what
// fails is us: another service, on another host, in another network.
func (e *evidence) unrelated(o *evidence) bool {
	return e.slot.service != o.slot.service && e.host != o.host && (!e.network.IsValid() || e.network != o.network)
}

// fails says whether the target is known to fail since about the same time as
// another. One that has been broken for weeks says nothing about now.
func (e *evidence) fails(since time.Time, within time.Duration) bool {
	return !e.since.IsZero() && !e.proof && e.since.Sub(since).Abs() <= within
}
