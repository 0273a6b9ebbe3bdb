package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Speeds that ParseSpeed takes, in times as fast as it happened.
const (
	minSpeed = 0.1
	maxSpeed = 100_000
)

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
