// Package dns checks that a name server gives an answer. In: a job for
//
//	dns://SERVER[:PORT]/NAME[?type=AAAA][&expect=VALUE]…    a server of the operator's choice
//	dns:NAME[?type=AAAA][&expect=ADDRESS]…                  the resolvers of this machine
//
// (RFC 4501, with the parameter expect of our own.) Out: a measurement with the
// steps resolve (of the server's name, or of the name itself), send and wait,
// and connect where the answer needed TCP.
//
// The answer must hold a record of the type asked for, A unless another was
// given, and each expected value must be among them. Queries go over UDP and
// are sent a second time when a third of the time has passed, as every stub
// resolver does; an answer that was cut is fetched over TCP (RFC 7766).
// Datagrams that are no answer to our query are ignored. Signatures are not
// verified.
package dns

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"faultline"
	"faultline/internal/kind"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// Kind is the prober as a value.
var Kind = kind.Of("dns", "Asks a name server, or this machine's resolvers (dns://server/name, dns:name).", struct{}{},
	func(d probe.Deps, _ struct{}) (probe.Prober, error) { return prober{d}, nil })

type prober struct{ deps probe.Deps }

// Probe does one check.
func (p prober) Probe(ctx context.Context, job probe.Job) faultline.Measurement {
	ctx, cancel, t, m := job.Begin(ctx, "dns")
	defer cancel()
	q, err := readQuestion(job.Target)
	if err != nil {
		t.Err = err
		return t.Finish(&m, faultline.ProbeFault)
	}
	if q.server == "" {
		return t.Finish(&m, p.askSystem(ctx, t, q))
	}
	return t.Finish(&m, p.askServer(ctx, t, job, q))
}

// question is what a target asks.
type question struct {
	server string // host; "" is this machine's resolvers
	port   uint16
	name   string // with its last dot
	qtype  uint16
	expect []string
}

func readQuestion(target probe.Target) (question, error) {
	u := target.URL
	q := question{server: u.Hostname(), port: 53, qtype: dns.TypeA}
	q.name = dns.Fqdn(strings.Trim(u.Opaque+u.Path, "/"))
	if _, ok := dns.IsDomainName(q.name); !ok {
		return q, fmt.Errorf("%q is no domain name", q.name)
	}
	var err error
	if q.port, err = wire.Port(u.Port(), 53); err != nil {
		return q, fmt.Errorf("port of %s: %w", target.Name, err)
	}
	args := u.Query()
	if s := args.Get("type"); s != "" {
		var ok bool
		if q.qtype, ok = dns.StringToType[strings.ToUpper(s)]; !ok {
			return q, fmt.Errorf("type %q is no type of record", s)
		}
	}
	for _, e := range args["expect"] {
		q.expect = append(q.expect, normal(e))
	}
	if q.server == "" && q.qtype != dns.TypeA && q.qtype != dns.TypeAAAA {
		return q, fmt.Errorf("this machine's resolvers are asked for A and AAAA only, not %s", dns.TypeToString[q.qtype])
	}
	return q, nil
}

// normal gives a value the form in which two of them can be compared.
func normal(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	return strings.ToLower(strings.Trim(strings.TrimSuffix(s, "."), `"`))
}

// askSystem asks the resolvers of this machine. The standard library does not
// say which of them answered.
func (p prober) askSystem(ctx context.Context, t *wire.Trace, q question) faultline.Failure {
	from, network := time.Now(), "ip4"
	if q.qtype == dns.TypeAAAA {
		network = "ip6"
	}
	addrs, err := p.deps.Dialer.Resolver.LookupNetIP(ctx, network, strings.TrimSuffix(q.name, "."))
	if err != nil && ctx.Err() != nil { // resolvers hide why they gave up
		err = ctx.Err()
	}
	if f := t.Step(faultline.OpResolve, from, time.Now(), netip.AddrPort{}, err); f != "" {
		return f
	}
	values := make([]string, len(addrs))
	for i, a := range addrs {
		values[i] = a.Unmap().String()
	}
	return t.Fail(q.judge(values))
}

// judge compares what was answered with what was expected.
func (q question) judge(values []string) faultline.Failure {
	if len(values) == 0 {
		return faultline.DNSNoAnswer
	}
	for _, e := range q.expect {
		if !slices.Contains(values, e) {
			return faultline.AssertionFailed
		}
	}
	return ""
}
