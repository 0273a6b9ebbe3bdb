// Package probetest is the contract that every prober keeps, and the servers on
// the loopback interface that it is tried against: they refuse, reset, keep
// silent, show bad certificates, answer slowly, partly or wrongly.
//
// Servers end with the test that started them.
package probetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// Refusing gives an address at which nobody listens.
func Refusing(t testing.TB) string {
	t.Helper()
	l := listen(t)
	addr := l.Addr().String()
	l.Close()
	return addr
}

// Serve accepts connections and calls serve with each. It closes them after
// serve returns, and waits for all of them at the end of the test.
func Serve(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l := listen(t)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Resetting accepts and answers the first bytes with a reset.
func Resetting(t testing.TB) string {
	t.Helper()
	return Serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
	})
}

// Closing accepts and hangs up after the first bytes.
func Closing(t testing.TB) string {
	t.Helper()
	return Serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 64<<10)) })
}

// Silent accepts and never says anything.
func Silent(t testing.TB) string {
	t.Helper()
	return Serve(t, func(c net.Conn) {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
}

// Answering reads a request and answers it with the same bytes each time.
func Answering(t testing.TB, answer string) string {
	t.Helper()
	return Serve(t, func(c net.Conn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			_, _ = c.Write([]byte(answer))
		}
	})
}

// Authority is a certificate authority of the test.
type Authority struct {
	Roots *x509.CertPool
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
}

// NewAuthority makes one.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Roots: x509.NewCertPool(), key: newKey(t)}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "probetest"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.Roots.AddCert(a.cert)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Config gives a server's TLS settings with a certificate for 127.0.0.1 and
// localhost, changed as the test likes.
func (a *Authority) Config(t testing.TB, change func(*x509.Certificate)) *tls.Config {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tmpl)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}
}

// Expired makes a certificate that was good until yesterday.
func Expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }

// OtherName makes a certificate for somebody else.
func OtherName(c *x509.Certificate) {
	c.DNSNames, c.IPAddresses = []string{"other.example"}, nil
}

// ServeTLS does handshakes and calls serve with each connection.
func ServeTLS(t testing.TB, cfg *tls.Config, serve func(net.Conn)) string {
	t.Helper()
	return Serve(t, func(c net.Conn) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil {
			serve(s)
			s.Close()
		}
	})
}
