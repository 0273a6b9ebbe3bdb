package scenario

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"faultline"
)

func TestPaceLoadsTheHistoryAtOnceAndThenKeepsTime(t *testing.T) {
	s := open(t, "one-probe")
	synctest.Test(t, func(t *testing.T) {
		p := &Pace{Clock: WallClock{}, Speed: 60}
		begin, n := time.Now(), 0
		err := p.Play(t.Context(), s, func(o *faultline.Observation) error {
			n++
			wall := time.Since(begin)
			want := max(o.Received.Sub(s.Start), 0) / 60
			if wall > want || want-wall > tick {
				t.Fatalf("%v was handed on after %v, want %v", o.Received, wall, want)
			}
			if now, ok := p.Now(); ok != !o.Received.Before(s.Start) || ok && o.Received.Sub(now).Abs() > 60*tick {
				t.Fatalf("at %v the replay says it is %v, %v", o.Received, now, ok)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, all := digestOf(s); n != all {
			t.Errorf("%d of %d observations", n, all)
		}
		if got := time.Since(begin).Round(time.Second); got != 610*time.Second {
			t.Errorf("ten hours and ten minutes at 60x took %v", got)
		}
	})
}

func TestPaceStopsWithItsContext(t *testing.T) {
	s := open(t, "one-probe")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		last := time.Time{}
		p := &Pace{Clock: WallClock{}, Speed: 60, Start: at(t, "2025-06-16T14:00:00Z")}
		err := p.Play(ctx, s, func(o *faultline.Observation) error { last = o.Received; return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if want := at(t, "2025-06-16T14:30:00Z"); last.After(want) || want.Sub(last) > time.Minute {
			t.Errorf("stopped at %v, want %v", last, want)
		}
	})
	done, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	err := (&Pace{Clock: WallClock{}, Speed: 60}).Play(done, s, func(*faultline.Observation) error { n++; return nil })
	if !errors.Is(err, context.Canceled) || n != 0 {
		t.Errorf("loading the history goes on after the context: %d, %v", n, err)
	}
}

func TestPaceLosesNothingWhenItsConsumerIsSlow(t *testing.T) {
	s := open(t, "one-probe")
	synctest.Test(t, func(t *testing.T) {
		p := &Pace{Clock: WallClock{}, Speed: 3600}
		begin, n := time.Now(), 0
		err := p.Play(t.Context(), s, func(o *faultline.Observation) error {
			if n++; o.Received.After(s.Start) {
				return WallClock{}.Sleep(t.Context(), 30*time.Millisecond)
			}
			return nil
		})
		if _, all := digestOf(s); err != nil || n != all {
			t.Errorf("%d of %d observations, %v", n, all, err)
		}
		if got := time.Since(begin); got < 60*time.Second {
			t.Errorf("the consumer cannot have been done in %v", got)
		}
	})
}

func TestPaceGivesBackTheConsumersError(t *testing.T) {
	full := errors.New("journal is full")
	err := (&Pace{Clock: WallClock{}, Speed: 60}).Play(t.Context(), open(t, "one-probe"), func(*faultline.Observation) error { return full })
	if !errors.Is(err, full) {
		t.Error(err)
	}
	for _, p := range []*Pace{{Clock: WallClock{}}, {Speed: 60}, {Clock: WallClock{}, Speed: -1}} {
		if err := p.Play(t.Context(), open(t, "one-probe"), nil); err == nil {
			t.Errorf("%+v plays", p)
		}
	}
	if _, ok := (&Pace{}).Now(); ok {
		t.Error("a replay that has not begun has a time")
	}
}

func TestSpeedsAndStartsAreRead(t *testing.T) {
	for text, want := range map[string]float64{"60x": 60, "60": 60, " 1.5x ": 1.5, "0.1x": 0.1, "0": 0, "x": 0, "-3x": 0, "1e9": 0, "NaN": 0, "sixty": 0} {
		if got, err := ParseSpeed(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	s := open(t, "one-probe")
	if got, err := s.StartAt("13:50"); err != nil || !got.Equal(at(t, "2025-06-16T13:50:00Z")) {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{"24:00": "HH:MM", "noon": "HH:MM", "21:00": "2025-06-16T20:00:00Z"} {
		if _, err := s.StartAt(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
