package dns

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/miekg/dns"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/probe/wire"
)

// askServer asks the server that the target names.
func (p prober) askServer(ctx context.Context, t *wire.Trace, job probe.Job, q question) faultline.Failure {
	query := new(dns.Msg).SetQuestion(q.name, q.qtype)
	query.SetEdns0(1232, false) // what passes without fragments (DNS flag day 2020)
	packed, err := query.Pack()
	if err != nil {
		t.Err = err
		return faultline.ProbeFault
	}
	answer, f := p.exchange(ctx, t, job, q, "udp", query, packed)
	if f == "" && answer.Truncated {
		answer, f = p.exchange(ctx, t, job, q, "tcp", query, packed)
	}
	if f != "" {
		return f
	}
	return t.Fail(judgeAnswer(q, answer))
}

func (p prober) exchange(ctx context.Context, t *wire.Trace, job probe.Job, q question, network string, query *dns.Msg, packed []byte) (*dns.Msg, faultline.Failure) {
	c, f := p.deps.Dialer.Open(ctx, t, network, q.server, q.port, job.Target.Permit)
	if f != "" {
		return nil, f
	}
	defer c.Close()
	if network == "udp" {
		return askTwice(ctx, t, c, query, packed)
	}
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
	if f := c.Send(t, framed); f != "" {
		return nil, f
	}
	var answer *dns.Msg
	_, f = c.Wait(t, func() (err error) { answer, err = readStream(c, query); return err })
	return answer, f
}

// askTwice sends the query, and once more when a third of the time is over.
func askTwice(ctx context.Context, t *wire.Trace, c *wire.Conn, query *dns.Msg, packed []byte) (*dns.Msg, faultline.Failure) {
	end, _ := ctx.Deadline()
	var answer *dns.Msg
	var f faultline.Failure
	for _, until := range []time.Time{time.Now().Add(time.Until(end) / 3), end} {
		if f = c.Send(t, packed); f != "" {
			return nil, f
		}
		if err := c.SetReadDeadline(until); err != nil {
			t.Err = err
			return nil, faultline.ProbeFault
		}
		if ctx.Err() != nil { // called off before the deadline above was set
			return nil, wire.Failure(ctx.Err())
		}
		_, f = c.Wait(t, func() (err error) { answer, err = readDatagram(c, query); return err })
		if f != faultline.GenericTimeout || ctx.Err() != nil {
			break
		}
	}
	return answer, f
}

// readDatagram waits for the answer to the query. What is no DNS message, or
// none of ours, was not sent by the server that we asked, or a long time ago.
func readDatagram(c io.Reader, query *dns.Msg) (*dns.Msg, error) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		if answer, err := parse(buf[:n], query); err == nil {
			return answer, nil
		}
	}
}

// readStream reads one message with its length before it (RFC 1035 §4.2.2).
func readStream(c io.Reader, query *dns.Msg) (*dns.Msg, error) {
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, buf); err != nil {
		return nil, err
	}
	return parse(buf, query)
}

// parse reads an answer and sees to it that it is one to the query.
func parse(b []byte, query *dns.Msg) (*dns.Msg, error) {
	answer := new(dns.Msg)
	if err := answer.Unpack(b); err != nil {
		return nil, &wire.Fault{Failure: faultline.DNSTemporary, What: "not a DNS message: " + err.Error()}
	}
	if !answer.Response || answer.Id != query.Id || len(answer.Question) > 0 && !sameQuestion(answer.Question[0], query.Question[0]) {
		return nil, &wire.Fault{Failure: faultline.DNSTemporary, What: fmt.Sprintf("an answer to another query (id %d)", answer.Id)}
	}
	return answer, nil
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name)
}

// judgeAnswer says what a complete answer means.
func judgeAnswer(q question, answer *dns.Msg) faultline.Failure {
	switch answer.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return faultline.DNSNXDomain
	case dns.RcodeServerFailure:
		return faultline.DNSServFail
	case dns.RcodeRefused:
		return faultline.DNSRefused
	default:
		return faultline.DNSTemporary
	}
	var values []string
	for _, rr := range answer.Answer {
		if rr.Header().Rrtype == q.qtype {
			values = append(values, value(rr))
		}
	}
	return q.judge(values)
}

// value is the data of a record as text, without its header.
func value(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.A:
		return normal(rr.A.String())
	case *dns.AAAA:
		return normal(rr.AAAA.String())
	}
	return normal(rr.String()[len(rr.Header().String()):])
}
