package scenario

import (
	"math/rand/v2"
	"time"

	"faultline"
)

// addChecks makes the checks of the minute, each with a second attempt a
// second after a failed first one.
func (d *draft) addChecks() {
	for i := range d.s.tables.checks {
		c := &d.s.tables.checks[i]
		if d.m < c.from || d.m >= c.to {
			continue
		}
		v := &d.s.tables.vantages[c.vantage]
		timeout, refuse, again := d.chances(c)
		start := v.slot + time.Duration(between(d.rng, 200, 3000))*time.Microsecond
		if a := d.answerTo(c); a != nil {
			m := d.ends(c, v, a, 1, start)
			d.ends(c, v, a, 2, start+time.Duration(m.Runtime)+secondAfter)
			continue
		}
		m := d.attempt(c, v, 1, start, timeout, refuse)
		if m.Failure != "" {
			if m.Failure == faultline.GenericTimeout {
				timeout, refuse = again, 0
			} else {
				timeout, refuse = 0, again
			}
			d.attempt(c, v, 2, start+time.Duration(m.Runtime)+secondAfter, timeout, refuse)
		}
	}
}

// chances is how likely a check times out now, how likely one that connects
// gets a 5xx, and how likely a second attempt fails as the first did.
func (d *draft) chances(c *check) (timeout, refuse, again uint64) {
	for i := range d.s.tables.failures {
		f := &d.s.tables.failures[i]
		if f.service != c.service || f.vantage != anything && f.vantage != d.s.tables.vantages[c.vantage].ID {
			continue
		}
		left := f.strength(d.m)
		if left == 0 {
			continue
		}
		parts := uint64(f.clear + 1)
		timeout = max(timeout, d.s.plan.shares[i][c.vantage]*left/parts)
		refuse = max(refuse, d.s.plan.errors[i][c.vantage]*left/parts)
		again = max(again, f.again)
	}
	return timeout, refuse, again
}

// strength is how much of a failure is there in minute m, in parts of
// clear+1: all from from to to, then one part less each minute.
func (f *failure) strength(m int) uint64 {
	switch {
	case m < f.from || m > f.to+f.clear:
		return 0
	case m < f.to:
		return uint64(f.clear + 1)
	}
	return uint64(f.to + f.clear - m)
}

// attempt adds one attempt, start after the full minute.
func (d *draft) attempt(c *check, v *vantage, attempt int, start time.Duration, timeout, refuse uint64) *faultline.Measurement {
	m := d.begin(c, v, attempt, start)
	d.step(&m, faultline.OpResolve, around(d.rng, v.resolve))
	if happens(d.rng, timeout) {
		d.fails(&m, faultline.OpConnect, checkTimeout-time.Duration(m.Runtime), faultline.GenericTimeout)
	} else {
		d.answer(&m, v, happens(d.rng, refuse))
	}
	return d.end(m, start)
}

// begin is an attempt that has done nothing yet.
func (d *draft) begin(c *check, v *vantage, attempt int, start time.Duration) faultline.Measurement {
	m := faultline.Measurement{
		Service: c.service, Target: c.target, Probe: "http", Vantage: v.Vantage, Attempt: attempt,
		Due: d.start.Add(v.slot), Start: d.start.Add(start), Interval: faultline.Seconds(time.Minute),
	}
	if attempt == 2 {
		m.Due = m.Start // a second attempt has no slot
	}
	return m
}

// end keeps an attempt that is over.
func (d *draft) end(m faultline.Measurement, start time.Duration) *faultline.Measurement {
	d.receive(start+time.Duration(m.Runtime), isCheck, len(d.checks))
	d.checks = append(d.checks, m)
	return &d.checks[len(d.checks)-1]
}

// answer adds the phases of a check that gets one.
func (d *draft) answer(m *faultline.Measurement, v *vantage, refused bool) {
	d.step(m, faultline.OpConnect, around(d.rng, v.connect))
	d.step(m, faultline.OpTLS, around(d.rng, v.tls))
	d.step(m, faultline.OpSend, 40*time.Microsecond)
	d.step(m, faultline.OpWait, around(d.rng, v.wait))
	d.step(m, faultline.OpBody, around(d.rng, v.body))
	m.Status, m.Bytes = 200, int64(between(d.rng, 60_000, 72_000))
	if refused { // what people saw in the place of the service: 520, 503, 504
		m.Status, m.Bytes = []int{520, 503, 504}[choice{6, 8, 10}.pick(d.rng)], int64(between(d.rng, 400, 7_000))
		m.Failure = faultline.HTTPServerError
	}
}

func (d *draft) step(m *faultline.Measurement, op faultline.Op, took time.Duration) {
	m.Steps = append(m.Steps, faultline.Step{Op: op, T0: m.Runtime, Runtime: faultline.Seconds(took)})
	m.Runtime += faultline.Seconds(took)
}

// around draws a duration from 0.8 to 1.6 times the usual one, in whole
// microseconds.
func around(p *rand.PCG, usual time.Duration) time.Duration {
	us := uint64(usual / time.Microsecond)
	return time.Duration(between(p, us*8/10, us*16/10)) * time.Microsecond
}
