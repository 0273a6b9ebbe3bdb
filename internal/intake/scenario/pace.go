package scenario

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"faultline"
)

// Clock is the time of the wall, as Pace needs it.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with the context's error before that.
	Sleep(ctx context.Context, d time.Duration) error
}

// WallClock is the machine's own clock.
type WallClock struct{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// Sleep waits for a timer or for the context.
func (WallClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Speeds that Pace and ParseSpeed take.
const (
	minSpeed = 0.1
	maxSpeed = 100_000
)

// tick is how much wall time observations may come too early: at high speeds
// a wait for each would cost more than it gives.
const tick = 2 * time.Millisecond

// Pace plays a scenario against a clock: what was received before Start is
// handed on at once, what comes later at its time, Speed times as fast as it
// was. It waits for its consumer: one that is too slow gets everything, late.
type Pace struct {
	Clock Clock
	Speed float64
	Start time.Time // data time at which the clock starts; zero: the scenario's own

	began atomic.Pointer[anchor]
}

// anchor ties a moment of the wall to one of the data.
type anchor struct{ wall, data time.Time }

// Play hands every observation to take, in order, and returns when the
// scenario is over, take fails, or the context is done.
func (p *Pace) Play(ctx context.Context, s *Scenario, take func(*faultline.Observation) error) error {
	if p.Clock == nil || !(p.Speed >= minSpeed && p.Speed <= maxSpeed) {
		return fmt.Errorf("play %s: want a clock and a speed from %v to %v", s.Name, minSpeed, maxSpeed)
	}
	start := p.Start
	if start.IsZero() {
		start = s.Start
	}
	for o := range s.All() {
		if err := p.until(ctx, start, o.Received); err != nil {
			return fmt.Errorf("play %s: %w", s.Name, err)
		}
		if err := take(o); err != nil {
			return fmt.Errorf("play %s: %w", s.Name, err)
		}
	}
	return nil
}

// until waits until data time t is there.
func (p *Pace) until(ctx context.Context, start, t time.Time) error {
	if t.Before(start) {
		return ctx.Err()
	}
	a := p.began.Load()
	if a == nil { // the history is loaded: the clock starts
		a = &anchor{p.Clock.Now(), start}
		p.began.Store(a)
	}
	due := a.wall.Add(time.Duration(float64(t.Sub(a.data)) / p.Speed))
	if wait := due.Sub(p.Clock.Now()); wait > tick {
		return p.Clock.Sleep(ctx, wait)
	}
	return ctx.Err()
}

// Now is the present data time of a running replay, also in minutes in which
// nothing is received; ok is false while the history is being loaded.
func (p *Pace) Now() (t time.Time, ok bool) {
	a := p.began.Load()
	if a == nil {
		return time.Time{}, false
	}
	return a.data.Add(time.Duration(float64(p.Clock.Now().Sub(a.wall)) * p.Speed)), true
}

// ParseSpeed reads "60x", "60" or "1.5x".
func ParseSpeed(text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "x"), 64)
	if err != nil || !(x >= minSpeed && x <= maxSpeed) {
		return 0, fmt.Errorf("speed %q: want a number from %v to %v, as in 60x", text, minSpeed, maxSpeed)
	}
	return x, nil
}

// StartAt is the data time of "HH:MM" on the scenario's day.
func (s *Scenario) StartAt(clock string) (time.Time, error) {
	t, err := onDay(s.Day, clock)
	if err != nil {
		return t, fmt.Errorf("start %w", err)
	}
	if t.Before(s.From) || !t.Before(s.To) {
		return time.Time{}, fmt.Errorf("start %q: %s has nothing then: it covers %s to %s", clock, s.Name, s.From.Format(time.RFC3339), s.To.Format(time.RFC3339))
	}
	return t, nil
}
