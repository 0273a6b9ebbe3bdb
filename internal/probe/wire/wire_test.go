package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"faultline"
	"faultline/internal/probe/address"
)

func TestFailure(t *testing.T) {
	op := func(err error) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		err  error
		want faultline.Failure
	}{
		{nil, ""},
		{op(syscall.ECONNREFUSED), faultline.ConnectionRefused},
		{op(syscall.ECONNRESET), faultline.ConnectionReset},
		{op(syscall.EPIPE), faultline.ConnectionReset},
		{op(syscall.ETIMEDOUT), faultline.GenericTimeout},
		{op(syscall.EHOSTUNREACH), faultline.HostUnreachable},
		{op(syscall.ENETUNREACH), faultline.NetworkUnreachable},
		{op(syscall.ENETDOWN), faultline.NetworkDown},
		{op(syscall.EMFILE), faultline.ProbeFault},
		{op(syscall.EPERM), faultline.ProbeFault},
		{fmt.Errorf("read: %w", io.EOF), faultline.EOFError},
		{io.ErrUnexpectedEOF, faultline.EOFError},
		{os.ErrDeadlineExceeded, faultline.GenericTimeout},
		{context.DeadlineExceeded, faultline.GenericTimeout},
		{context.Canceled, faultline.ProbeFault},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, faultline.DNSNXDomain},
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, faultline.DNSServFail},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, faultline.GenericTimeout},
		{&net.DNSError{Err: "dial udp: network is unreachable"}, faultline.DNSTemporary},
		{x509.HostnameError{Certificate: new(x509.Certificate)}, faultline.SSLInvalidHostname},
		{x509.UnknownAuthorityError{}, faultline.SSLUnknownAuthority},
		{x509.CertificateInvalidError{Reason: x509.Expired}, faultline.SSLInvalidCertificate},
		{x509.SystemRootsError{}, faultline.ProbeFault},
		{errors.New("tls: first record does not look like a TLS handshake"), faultline.SSLFailedHandshake},
		{&address.Refusal{Reason: address.Loopback}, faultline.AddressForbidden},
		{errors.New("something new"), faultline.UnknownFailure},
	} {
		if got := Failure(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// names is a resolver that answers from a table, and otherwise with nothing.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) (all []netip.Addr, err error) {
	if host == "broken.example" || n[host] == nil && isLocalhost(host) {
		return nil, &net.DNSError{Err: "server misbehaving", Name: host}
	}
	for _, a := range n[host] {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

func listen(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

func TestOpenTriesEveryAddressThatItMay(t *testing.T) {
	port := listen(t)
	d := &Dialer{Rules: new(address.Rules), Resolver: names{
		"two.example": {"127.0.0.9", "127.0.0.1"}, "rebound.example": {"10.0.0.1", "169.254.169.254"}, "half.example": {"169.254.169.254", "127.0.0.1"},
	}}
	for name, c := range map[string]struct {
		host  string
		typed bool
		want  faultline.Failure
		steps int // of connect
	}{
		"the second address answers":                  {"two.example", true, "", 2},
		"a name that leads inside is not followed":    {"rebound.example", false, faultline.AddressForbidden, 2},
		"a forbidden address is left out":             {"half.example", true, "", 2},
		"no address is no answer":                     {"none.example", false, faultline.DNSNoAnswer, 0},
		"the resolver's failure is said":              {"broken.example", false, faultline.DNSServFail, 0},
		"localhost needs no resolver":                 {"localhost", true, "", 1},
		"nor do names below it":                       {"app.localhost", true, "", 1},
		"a host in odd form is not even resolved":     {"0x7f.1", true, faultline.AddressForbidden, 0},
		"a typed address is dialled without resolver": {"127.0.0.1", true, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			trace := NewTrace()
			conn, f := d.Open(ctx, trace, "tcp", c.host, port, address.Permit{Host: c.host, Typed: c.typed})
			if f == "" {
				conn.Close()
			}
			n := 0
			for _, s := range trace.Steps {
				if s.Op == faultline.OpConnect {
					n++
				}
			}
			if f != c.want || n != c.steps {
				t.Errorf("failure %q after %d connections, want %q after %d: %+v", f, n, c.want, c.steps, trace.Steps)
			}
		})
	}
}

func TestShareLeavesTimeForOthers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for n, want := range map[int]time.Duration{1: 10 * time.Second, 2: 5 * time.Second, 4: 2500 * time.Millisecond, 100: 2 * time.Second} {
		if got := time.Until(share(ctx, n)); (got - want).Abs() > 200*time.Millisecond {
			t.Errorf("one of %d addresses gets %v of 10 s, want %v", n, got, want)
		}
	}
}

func TestAGoodChainIsRememberedNoLongerThanItIsGood(t *testing.T) {
	now := time.Now()
	chain := []*x509.Certificate{{Raw: []byte("leaf"), NotAfter: now.Add(time.Minute)}, {Raw: []byte("ca"), NotAfter: now.Add(time.Hour)}}
	key, v := chainKey("example.org", chain), new(Verifier)
	v.learn(key, chain, now)
	if !v.remembers(key, now.Add(59*time.Second)) || v.remembers(key, now.Add(time.Minute)) {
		t.Error("a chain must be remembered until its first certificate expires")
	}
	if v.remembers(chainKey("example.com", chain), now) {
		t.Error("a chain that is good for one host is not for another")
	}
	chain[0].NotAfter = now.Add(time.Hour)
	v.learn(key, chain, now)
	if !v.remembers(key, now.Add(remember-time.Second)) || v.remembers(key, now.Add(remember)) {
		t.Error("a chain must be looked at again after ten minutes")
	}
	for i := range maxChains + 10 {
		v.learn(chainKey(fmt.Sprint(i), chain), chain, now)
	}
	if len(v.good) > maxChains {
		t.Errorf("%d chains remembered", len(v.good))
	}
}

func TestAServerWithoutACertificate(t *testing.T) {
	if err := new(Verifier).verify("example.org", nil); Failure(err) != faultline.SSLFailedHandshake {
		t.Error(err)
	}
}
