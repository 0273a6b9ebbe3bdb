package tcp_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/probe/probetest"
	"faultline/internal/probe/tcp"
)

func url(addr string) string { return "tcp://" + addr }

func TestContract(t *testing.T) { probetest.Contract(t, tcp.Kind, url, probetest.BlackHole(t)) }

func TestCheck(t *testing.T) {
	b := probetest.Open(t, tcp.Kind, nil)
	for name, c := range map[string]struct {
		url  string
		want faultline.Failure
		ops  int
	}{
		"a port that accepts is reached":        {url(probetest.Silent(t)), "", 1},
		"one that nobody listens at is refused": {url(probetest.Refusing(t)), faultline.ConnectionRefused, 1},
		"a name is resolved first":              {"tcp://localhost" + probetest.Silent(t)[len("127.0.0.1"):], "", 0},
		"a name that does not exist is said so": {"tcp://no.such.name.invalid:80", faultline.DNSNXDomain, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := b.Check(t, c.url, probetest.Timeout)
			if c.want == faultline.DNSNXDomain && m.Failure != c.want && m.Failure != "" {
				t.Skipf("this machine's resolver says %q", m.Failure)
			}
			if m.Failure != c.want || c.ops > 0 && len(m.Steps) != c.ops {
				t.Errorf("failure %q, steps %+v", m.Failure, m.Steps)
			}
		})
	}
}

func TestEachAddressIsAStep(t *testing.T) {
	hole := probetest.BlackHole(t)
	m := probetest.Open(t, tcp.Kind, nil).Check(t, url(hole), 100*time.Millisecond)
	if len(m.Steps) != 1 || m.Steps[0].Op != faultline.OpConnect || m.Steps[0].Address.String() != hole || m.Steps[0].Failure != faultline.GenericTimeout {
		t.Errorf("%+v", m.Steps)
	}
}
