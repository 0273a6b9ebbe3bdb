package tls_test

import (
	"crypto/x509"
	"net"
	"testing"

	"faultline"
	"faultline/internal/probe/probetest"
	"faultline/internal/probe/tls"
)

func url(addr string) string { return "tls://" + addr }

func TestContract(t *testing.T) { probetest.Contract(t, tls.Kind, url, probetest.Silent(t)) }

func TestCheck(t *testing.T) {
	ca, other := probetest.NewAuthority(t), probetest.NewAuthority(t)
	serve := func(a *probetest.Authority, change func(*x509.Certificate)) string {
		return url(probetest.ServeTLS(t, a.Config(t, change), func(net.Conn) {}))
	}
	b := probetest.Open(t, tls.Kind, ca.Roots)
	for name, c := range map[string]struct {
		url  string
		want faultline.Failure
	}{
		"a good certificate is fine":              {serve(ca, nil), ""},
		"an expired one is invalid":               {serve(ca, probetest.Expired), faultline.SSLInvalidCertificate},
		"one for another name is said so":         {serve(ca, probetest.OtherName), faultline.SSLInvalidHostname},
		"one of a stranger has unknown authority": {serve(other, nil), faultline.SSLUnknownAuthority},
		"plain text is no handshake":              {url(probetest.Answering(t, "220 smtp.example ESMTP\r\n")), faultline.SSLFailedHandshake},
		"a reset in the handshake is a reset":     {url(probetest.Resetting(t)), faultline.ConnectionReset},
		"hanging up in the handshake is an end":   {url(probetest.Closing(t)), faultline.EOFError},
		"nobody listens":                          {url(probetest.Refusing(t)), faultline.ConnectionRefused},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time a good chain is remembered
				if m := b.Check(t, c.url, probetest.Timeout); m.Failure != c.want {
					t.Errorf("failure %q, want %q; steps %+v", m.Failure, c.want, m.Steps)
				}
			}
		})
	}
}
