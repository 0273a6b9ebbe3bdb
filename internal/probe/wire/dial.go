package wire

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"faultline"
	"faultline/internal/probe/address"
)

// Resolver turns a name into addresses, in the order in which they should be
// tried. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dialer opens connections that obey the address rules.
type Dialer struct {
	Resolver Resolver
	Rules    *address.Rules
}

// Open resolves a host and connects to the first of its addresses that answers.
// network is tcp or udp. The context's deadline is that of the connection.
func (d *Dialer) Open(ctx context.Context, t *Trace, network, host string, port uint16, p address.Permit) (*Conn, faultline.Failure) {
	addrs, f := d.Resolve(ctx, t, host)
	if f != "" {
		return nil, f
	}
	return d.connectAny(ctx, t, network, host, port, addrs, p)
}

// Resolve gives the addresses of a host. An address needs no resolver and
// leaves no step.
func (d *Dialer) Resolve(ctx context.Context, t *Trace, host string) ([]netip.Addr, faultline.Failure) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, ""
	}
	from := time.Now()
	if err := d.Rules.CheckHost(host); err != nil {
		return nil, t.Step(faultline.OpResolve, from, from, netip.AddrPort{}, err)
	}
	addrs, err := d.lookup(ctx, host)
	return addrs, t.Step(faultline.OpResolve, from, time.Now(), netip.AddrPort{}, err)
}

func (d *Dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := d.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil && isLocalhost(host) {
		// RFC 6761 §6.3: these names need no resolver.
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	if err == nil && len(addrs) == 0 {
		err = &Fault{faultline.DNSNoAnswer, "the resolver gave no address for " + host}
	}
	if ctx.Err() != nil && err != nil { // resolvers hide why they gave up
		err = ctx.Err()
	}
	return addrs, err
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// connectAny tries one address after the other. What it says about the whole
// is the first failure that says something about the target.
func (d *Dialer) connectAny(ctx context.Context, t *Trace, network, host string, port uint16, addrs []netip.Addr, p address.Permit) (*Conn, faultline.Failure) {
	var all faultline.Failure
	for i, a := range addrs {
		to := netip.AddrPortFrom(a.Unmap(), port)
		conn, f := d.connect(ctx, t, network, host, to, p, share(ctx, len(addrs)-i))
		if f == "" {
			return conn, ""
		}
		if all == "" || says(f) && !says(all) {
			all = f
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, all
}

// says tells whether a failure to connect is news of the target rather than of
// our own machine or rules.
func says(f faultline.Failure) bool {
	return f != faultline.NetworkUnreachable && f != faultline.AddressForbidden && f != faultline.ProbeFault
}

// share is how long one of n addresses may take, so that a silent one leaves
// time for the others: an n-th of what is left, but at least two seconds.
func share(ctx context.Context, n int) time.Time {
	end, ok := ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	left := time.Until(end)
	part := max(left/time.Duration(n), min(left, 2*time.Second))
	return time.Now().Add(part)
}

func (d *Dialer) connect(ctx context.Context, t *Trace, network, host string, to netip.AddrPort, p address.Permit, until time.Time) (*Conn, faultline.Failure) {
	from := time.Now()
	// The rules look at the very address that is dialled in the next line;
	// there is no name left that could change its mind in between.
	if err := d.Rules.Check(host, to.Addr(), p); err != nil {
		return nil, t.Step(faultline.OpConnect, from, from, to, err)
	}
	dialer := net.Dialer{Deadline: until, KeepAlive: -1}
	raw, err := dialer.DialContext(ctx, network, to.String())
	if network != "udp" || err != nil { // connecting a datagram socket sends nothing
		if f := t.Step(faultline.OpConnect, from, time.Now(), to, err); f != "" {
			return nil, f
		}
	}
	return newConn(ctx, raw, to), ""
}

// Port gives the port of a URL's authority, or the usual one.
func Port(s string, usual uint16) (uint16, error) {
	if s == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}
