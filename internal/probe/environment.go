package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Environment is what this machine says about its own network.
type Environment interface {
	// Route says why packets to an address could not leave this machine, or
	// nil. It sends nothing.
	Route(to netip.Addr) error
	// Resolve says why no resolver of this machine answers, or nil. Any answer
	// counts, also "no such name"; a failure of the server does not.
	Resolve(ctx context.Context) error
}

// System is the environment of this machine. resolver may be nil: that of the
// system.
func System(resolver *net.Resolver) Environment {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return system{resolver}
}

type system struct{ resolver *net.Resolver }

// Route asks the kernel, by connecting a datagram socket, which source address
// it would use, and whether the interface with that address is running: a cable
// that was pulled leaves its routes behind.
func (system) Route(to netip.Addr) error {
	c, err := net.Dial("udp", netip.AddrPortFrom(to, 53).String())
	if err != nil {
		return fmt.Errorf("no route to %s: %w", to, err)
	}
	defer c.Close()
	from, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil
	}
	return leaves(from.AddrPort().Addr().Unmap(), to)
}

// leaves says why packets from one of our addresses do not get out.
func leaves(from, to netip.Addr) error {
	if from.IsLoopback() && !to.IsLoopback() {
		return fmt.Errorf("the route to %s ends in this machine", to)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil //nolint:nilerr // not knowing is no evidence of anything
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagRunning == 0 && holds(i, from) {
			return fmt.Errorf("interface %s is down", i.Name)
		}
	}
	return nil
}

func holds(i net.Interface, a netip.Addr) bool {
	addrs, _ := i.Addrs()
	for _, own := range addrs {
		if p, err := netip.ParsePrefix(own.String()); err == nil && p.Addr().Unmap() == a.WithZone("") {
			return true
		}
	}
	return false
}

// Resolve asks for the name servers of the root, which every resolver knows and
// nobody else's outage takes away.
func (s system) Resolve(ctx context.Context) error {
	_, err := s.resolver.LookupNS(ctx, ".")
	var dns *net.DNSError
	if err == nil || errors.As(err, &dns) && dns.IsNotFound {
		return nil
	}
	return fmt.Errorf("no resolver answers: %w", err)
}
