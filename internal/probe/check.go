package probe

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"faultline"
)

// check does what is to be done in one slot: an attempt, and a second one when
// the first failed. Then the target goes back into the queue.
func (e *Engine) check(ctx context.Context, s *slot) {
	defer e.end(s)
	first := e.attempt(ctx, s, 1, s.last)
	ended := time.Now()
	e.settle(s, first.Failure)
	e.hand(ctx, s, first)
	if due := time.Now().Add(e.cfg.Second); s.failing && pause(ctx, e.cfg.Second) {
		e.hand(ctx, s, e.attempt(ctx, s, 2, due))
	}
	e.reschedule(s, ended)
}

// attempt does one check and says whether this vantage can be trusted with it.
func (e *Engine) attempt(ctx context.Context, s *slot, n int, due time.Time) faultline.Measurement {
	start := time.Now()
	e.pending(s, start)
	m := e.probe(ctx, Job{Service: s.service, Target: s.target, Attempt: n, Due: due, Timeout: e.cfg.Timeout})
	if ctx.Err() == nil {
		m.Impaired = e.health.judge(ctx, s, &m, start)
	}
	return m
}

// probe calls the prober. A panic in one is our mistake, is said so, and does
// not end the program: what a prober reads was written by strangers.
func (e *Engine) probe(ctx context.Context, job Job) (m faultline.Measurement) {
	name := KindOf(job.Target.URL.Scheme)
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			e.parts.Log.Error("prober panicked", slog.String("probe", name), slog.String("panic", fmt.Sprint(r)), slog.String("stack", string(debug.Stack())))
			m = faultline.Measurement{
				Service: job.Service, Target: job.Target.Name, Probe: name, Attempt: job.Attempt, Due: job.Due.UTC(),
				Start: start.UTC(), Runtime: faultline.Seconds(time.Since(start)), Failure: faultline.ProbeFault,
			}
		}
		m.Vantage = e.cfg.Vantage
	}()
	return e.parts.Probers[name].Probe(ctx, job)
}

// settle notes how the first attempt went. Who refuses us is not asked more
// often for it, and an address that we must not contact gets no better.
func (e *Engine) settle(s *slot, f faultline.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.failing = f != "" && f != faultline.RefusedToUs && f != faultline.AddressForbidden
}

// handOver is how long a result may take to be taken over once the engine has
// been told to stop.
const handOver = 5 * time.Second

// hand hands a result over, unless the check was cut short by the end of Run.
func (e *Engine) hand(ctx context.Context, s *slot, m faultline.Measurement) {
	defer e.pending(s, time.Time{})
	if ctx.Err() != nil {
		return
	}
	e.mu.Lock()
	m.Interval = faultline.Seconds(e.interval(s))
	e.mu.Unlock()
	e.metrics.count(&m)
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(handOver, cancel) })()
	e.parts.Emit(out, m)
}

// pending notes that a check has begun whose result is still to come.
func (e *Engine) pending(s *slot, start time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.started = start
}

// reschedule gives the target its next slot. After a failure that is Urgent
// after the failure was known, and not before the second attempt is over.
func (e *Engine) reschedule(s *slot, ended time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.running = false
	if s.gone {
		return
	}
	now, missed := time.Now(), 0
	var next time.Time
	switch interval := e.interval(s); {
	case s.failing:
		next = ended.Add(interval)
		if soonest := now.Add(e.cfg.Second); next.Before(soonest) {
			next = soonest
		}
	case e.urgent[s.service]:
		next, missed = after(s.last.Add(interval), now, interval)
	default:
		next, missed = after(gridAfter(s.last, interval, s.share), now, interval)
	}
	e.metrics.missed.Add(float64(missed))
	e.queue.set(s, next)
}

// end frees the place of a check, whatever became of it.
func (e *Engine) end(s *slot) {
	e.mu.Lock()
	s.running, s.started = false, time.Time{}
	e.inFlight--
	e.metrics.inFlight.Set(float64(e.inFlight))
	e.mu.Unlock()
	e.wake()
}

// pause waits, and says whether it was left to.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// control checks a target only to learn whether this vantage has a network.
// The result is counted and remembered as evidence; it is no measurement of the
// service, because it may give up earlier than one.
func (e *Engine) control(ctx context.Context, s *slot) faultline.Measurement {
	m := e.probe(ctx, Job{Service: s.service, Target: s.target, Attempt: 1, Due: time.Now(), Timeout: min(e.cfg.Timeout, controlTimeout)})
	e.metrics.control(m.Failure == "")
	return m
}
