package scenario

import (
	"time"

	"faultline"
)

// answer is a way in which checks end, beside those of failures.csv.
type answer struct {
	service  faultline.ServiceID
	vantage  string // or "*"
	from, to int    // minutes
	failure  faultline.Failure
	status   int
	share    uint64
}

// answerFailures are the ways: no name, refused, answered with an error.
var answerFailures = map[faultline.Failure]bool{
	faultline.DNSServFail: true, faultline.ConnectionRefused: true, faultline.ConnectionReset: true,
	faultline.HTTPServerError: true, faultline.RefusedToUs: true,
}

func (r *reader) answer(rw *row) {
	a := answer{
		service: rw.service(r.s), vantage: rw.word("vantage"), failure: faultline.Failure(rw.word("failure")),
		status: rw.whole("status", 0, 599), share: rw.percent("percent"),
	}
	a.from, a.to = r.minutes(rw, "from", "to")
	answered := a.failure == faultline.HTTPServerError || a.failure == faultline.RefusedToUs
	switch {
	case a.vantage != anything && r.vantageNamed(a.vantage) < 0:
		rw.bad("vantage %q is not in vantages.csv", a.vantage)
	case !answerFailures[a.failure]:
		rw.bad("failure %q: want dns_servfail_error, connection_refused, connection_reset, http_server_error or refused_to_us", a.failure)
	case answered != (a.status >= 400):
		rw.bad("status %d does not fit %s: an answer has one from 400 to 599, no answer has 0", a.status, a.failure)
	}
	r.s.tables.answers = append(r.s.tables.answers, a)
}

// answerTo draws how a check ends by answers.csv; nil is "as without it".
func (d *draft) answerTo(c *check) *answer {
	for i := range d.s.tables.answers {
		a := &d.s.tables.answers[i]
		if a.service != c.service || a.vantage != anything && a.vantage != d.s.tables.vantages[c.vantage].ID || d.m < a.from || d.m >= a.to {
			continue
		}
		if happens(d.rng, a.share) {
			return a
		}
	}
	return nil
}

// ends adds an attempt that ends as the table says.
func (d *draft) ends(c *check, v *vantage, a *answer, attempt int, start time.Duration) *faultline.Measurement {
	m := d.begin(c, v, attempt, start)
	if a.failure == faultline.DNSServFail {
		d.fails(&m, faultline.OpResolve, d.around(v.resolve), a.failure)
		return d.end(m, start)
	}
	d.step(&m, faultline.OpResolve, d.around(v.resolve))
	if a.status == 0 {
		d.fails(&m, faultline.OpConnect, d.around(v.connect), a.failure)
		return d.end(m, start)
	}
	d.answer(&m, v, false)
	m.Status, m.Failure = a.status, a.failure
	return d.end(m, start)
}

func (d *draft) fails(m *faultline.Measurement, op faultline.Op, took time.Duration, f faultline.Failure) {
	d.step(m, op, took)
	m.Failure, m.Steps[len(m.Steps)-1].Failure = f, f
}

func (d *draft) around(usual time.Duration) time.Duration { return around(d.rng, usual) }
