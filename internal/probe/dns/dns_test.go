package dns_test

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/probe/dns"
	"faultline/internal/probe/probetest"
)

// serve runs a name server on UDP and TCP, of the same port.
func serve(t *testing.T, answer func(w mdns.ResponseWriter, q *mdns.Msg)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Skipf("the UDP port beside %s is taken: %v", l.Addr(), err)
	}
	for _, s := range []*mdns.Server{{Listener: l, Handler: mdns.HandlerFunc(answer)}, {PacketConn: pc, Handler: mdns.HandlerFunc(answer)}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan error, 1)
		go func() { done <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown(); <-done })
	}
	return l.Addr().String()
}

func reply(q *mdns.Msg, rcode int, records ...string) *mdns.Msg {
	m := new(mdns.Msg).SetRcode(q, rcode)
	for _, r := range records {
		rr, err := mdns.NewRR(r)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func rcode(t *testing.T, code int, records ...string) string {
	return serve(t, func(w mdns.ResponseWriter, q *mdns.Msg) { _ = w.WriteMsg(reply(q, code, records...)) })
}

// silence is a UDP port that takes queries and never answers.
func silence(t *testing.T) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc.LocalAddr().String()
}

func TestContract(t *testing.T) {
	probetest.Contract(t, dns.Kind, func(a string) string { return "dns://" + a + "/example.org" }, silence(t))
}

func TestCheck(t *testing.T) {
	good := rcode(t, mdns.RcodeSuccess, "example.org. 60 IN CNAME x.example.", "x.example. 60 IN A 192.0.2.7", "x.example. 60 IN AAAA 2001:db8::7", "example.org. 60 IN MX 10 mail.example.", `example.org. 60 IN TXT "hello"`)
	b := probetest.Open(t, dns.Kind, nil)
	for name, c := range map[string]struct {
		url  string
		want faultline.Failure
	}{
		"an address is an answer":                     {"dns://" + good + "/example.org", ""},
		"the type may be said":                        {"dns://" + good + "/example.org?type=aaaa&expect=2001:DB8:0::7", ""},
		"an expected address is there":                {"dns://" + good + "/example.org?expect=192.0.2.7", ""},
		"a wrong address fails":                       {"dns://" + good + "/example.org?expect=192.0.2.8", faultline.AssertionFailed},
		"other types are compared as text":            {"dns://" + good + "/example.org?type=MX&expect=10+MAIL.example.", ""},
		"quotes do not matter":                        {"dns://" + good + "/example.org?type=TXT&expect=hello", ""},
		"no record of the type is no answer":          {"dns://" + good + "/example.org?type=SRV", faultline.DNSNoAnswer},
		"a name that does not exist is said so":       {"dns://" + rcode(t, mdns.RcodeNameError) + "/example.org", faultline.DNSNXDomain},
		"a server that fails is said so":              {"dns://" + rcode(t, mdns.RcodeServerFailure) + "/example.org", faultline.DNSServFail},
		"a server that refuses is said so":            {"dns://" + rcode(t, mdns.RcodeRefused) + "/example.org", faultline.DNSRefused},
		"other codes are temporary":                   {"dns://" + rcode(t, mdns.RcodeNotImplemented) + "/example.org", faultline.DNSTemporary},
		"nobody listens":                              {"dns://" + probetest.Refusing(t) + "/example.org", faultline.ConnectionRefused},
		"a type that does not exist is our own fault": {"dns://" + good + "/example.org?type=NOPE", faultline.ProbeFault},
		"this machine's resolver knows localhost":     {"dns:localhost?expect=127.0.0.1", ""},
		"and gives no other address for it":           {"dns:localhost?expect=192.0.2.1", faultline.AssertionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			if m := b.Check(t, c.url, probetest.Timeout); m.Failure != c.want {
				t.Errorf("failure %q, want %q; steps %+v", m.Failure, c.want, m.Steps)
			}
		})
	}
}

func TestACutAnswerIsFetchedOverTCP(t *testing.T) {
	addr := serve(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		m := reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 192.0.2.7")
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			m.Truncated, m.Answer = true, nil
		}
		_ = w.WriteMsg(m)
	})
	m := probetest.Open(t, dns.Kind, nil).Check(t, "dns://"+addr+"/example.org", probetest.Timeout)
	var ops []string
	for _, s := range m.Steps {
		ops = append(ops, string(s.Op))
	}
	if got := strings.Join(ops, " "); m.Failure != "" || got != "send wait connect send wait" {
		t.Errorf("failure %q, steps %s", m.Failure, got)
	}
}

func TestALostQueryIsSentAgain(t *testing.T) {
	var n atomic.Int32
	addr := serve(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		if n.Add(1) > 1 {
			_ = w.WriteMsg(reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 192.0.2.7"))
		}
	})
	m := probetest.Open(t, dns.Kind, nil).Check(t, "dns://"+addr+"/example.org", 900*time.Millisecond)
	if m.Failure != "" || len(m.Steps) != 4 || m.Steps[1].Failure != faultline.GenericTimeout {
		t.Errorf("failure %q, steps %+v", m.Failure, m.Steps)
	}
}

func TestWhatIsNoAnswerToUsIsIgnored(t *testing.T) {
	addr := serve(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		forged := reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 203.0.113.66")
		forged.Id++
		_ = w.WriteMsg(forged)
		_, _ = w.Write([]byte("nonsense"))
		other := reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 203.0.113.66")
		other.Question[0].Name = "example.com."
		_ = w.WriteMsg(other)
		_ = w.WriteMsg(reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 192.0.2.7"))
	})
	m := probetest.Open(t, dns.Kind, nil).Check(t, "dns://"+addr+"/example.org?expect=192.0.2.7", probetest.Timeout)
	if m.Failure != "" || m.Steps[0].Address != netip.MustParseAddrPort(addr) {
		t.Errorf("failure %q, steps %+v", m.Failure, m.Steps)
	}
}

func TestHowLateWeReadIsKnown(t *testing.T) {
	probetest.ReadsLate(t, dns.Kind, "dns://"+rcode(t, mdns.RcodeSuccess, "example.org. 60 IN A 192.0.2.7")+"/example.org")
}

func FuzzParse(f *testing.F) {
	q := new(mdns.Msg).SetQuestion("example.org.", mdns.TypeA)
	good, _ := reply(q, mdns.RcodeSuccess, "example.org. 60 IN A 192.0.2.7").Pack()
	f.Add(good)
	f.Add(good[:12])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := dns.Parse(b, q); err == nil && m.Id != q.Id {
			t.Error("took an answer to another query")
		}
	})
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"dns://9.9.9.9/example.org?type=AAAA", "dns:example.org", "dns://[::1]:54/a..b", "dns:///"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if target, err := probe.ParseTarget(faultline.Target{URL: s}); err == nil && target.URL.Scheme == "dns" {
			if name, err := dns.Name(target); err == nil && !strings.HasSuffix(name, ".") {
				t.Errorf("%q: name %q has no end", s, name)
			}
		}
	})
}
