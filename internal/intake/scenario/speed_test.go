package scenario

import (
	"strings"
	"testing"
)

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
