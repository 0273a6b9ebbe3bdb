package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"faultline"
)

// What the detectors counted about themselves survives a restart, and a store
// that is made anew counts the same.
func TestTheRecordOfErrorsSurvives(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.step = 15 * time.Minute
	s.pass(100 * time.Hour)
	before := s.app.model.View().Quality
	counted := faultline.Together(before.Curves)
	if counted.N < 2*24*96/24 || before.Weeks(30) <= 0 || before.Since.IsZero() {
		t.Fatalf("%d readings of two services in 28 hours, %v series-weeks", counted.N, before.Weeks(30))
	}
	check := func(when string) {
		t.Helper()
		if diff := cmp.Diff(before, s.app.model.View().Quality); diff != "" {
			t.Errorf("%s:\n%s", when, diff)
		}
		if got := s.counter(`faultline_detect_calibration_readings{level="world",usual="<0.1"}`); got != float64(counted.N) {
			t.Errorf("%s the metric says %v of %d readings", when, got, counted.N)
		}
	}
	check("before")
	s.restart()
	check("after a restart")
	s.close()
	if err := os.RemoveAll(filepath.Join(s.opts.Dir, "store")); err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(t.Context(), s.opts); err != nil {
		t.Fatal(err)
	}
	s.open()
	check("after a rebuild")
}
