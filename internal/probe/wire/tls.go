package wire

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"faultline"
)

// Verifier checks certificate chains against roots, and remembers for ten
// minutes that a chain was good: verifying the same chain again is a fifth of
// the cost of a check. What is remembered is keyed by every byte of the chain
// and by the host, and never outlives the certificate that expires first. Bad
// chains are not remembered.
type Verifier struct {
	Roots *x509.CertPool // nil: those of the system

	mu   sync.Mutex
	good map[[sha256.Size]byte]time.Time // until when
}

const (
	remember  = 10 * time.Minute
	maxChains = 20_000 // about 1 MB
)

// Handshake does the TLS handshake and verifies the certificate: the step tls.
// protocols are offered by ALPN, in order.
func (v *Verifier) Handshake(t *Trace, c *Conn, host string, protocols ...string) faultline.Failure {
	from := time.Now()
	conn := tls.Client(c.socket, &tls.Config{
		ServerName: host, NextProtos: protocols,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does the same checks, with a memory
		VerifyConnection:   func(s tls.ConnectionState) error { return v.verify(host, s.PeerCertificates) },
	})
	err := conn.Handshake() // ends with the deadline of the socket
	c.Conn = conn
	return t.Step(faultline.OpTLS, from, time.Now(), c.Addr, c.why(handshakeError(err)))
}

// handshakeError names what is left over: whatever ends a handshake and has no
// better name is a failed handshake.
func handshakeError(err error) error {
	if Failure(err) == faultline.UnknownFailure {
		return &Fault{faultline.SSLFailedHandshake, err.Error()}
	}
	return err
}

func (v *Verifier) verify(host string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("tls: the server sent no certificate")
	}
	now, key := time.Now(), chainKey(host, chain)
	if v.remembers(key, now) {
		return nil
	}
	opts := x509.VerifyOptions{Roots: v.Roots, Intermediates: x509.NewCertPool(), DNSName: host, CurrentTime: now}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(opts); err != nil {
		return v.ours(err)
	}
	v.learn(key, chain, now)
	return nil
}

// ours tells an unknown authority from a machine that knows none at all.
func (v *Verifier) ours(err error) error {
	if v.Roots != nil || Failure(err) != faultline.SSLUnknownAuthority {
		return err
	}
	if pool, e := x509.SystemCertPool(); e != nil || pool.Equal(x509.NewCertPool()) {
		return &Fault{faultline.ProbeFault, "this machine has no certificate authorities: install ca-certificates"}
	}
	return err
}

func chainKey(host string, chain []*x509.Certificate) (key [sha256.Size]byte) {
	h := sha256.New()
	for _, c := range chain {
		h.Write(c.Raw)
	}
	h.Write([]byte(host))
	h.Sum(key[:0])
	return key
}

func (v *Verifier) remembers(key [sha256.Size]byte, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	until, ok := v.good[key]
	return ok && now.Before(until)
}

func (v *Verifier) learn(key [sha256.Size]byte, chain []*x509.Certificate, now time.Time) {
	until := now.Add(remember)
	for _, c := range chain {
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.good == nil || len(v.good) >= maxChains {
		v.good = map[[sha256.Size]byte]time.Time{}
	}
	v.good[key] = until
}
