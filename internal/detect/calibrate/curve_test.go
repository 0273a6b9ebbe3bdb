package calibrate_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"faultline/internal/detect/calibrate"
)

var march = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix()

const quarter = 900

// ticks plays a reading a quarter of an hour.
func ticks(r *calibrate.Record, s *calibrate.Stretch, from int64, logPs ...float64) int64 {
	for _, p := range logPs {
		from += quarter
		r.Tick(s, from, 3, p, true, false)
	}
	return from
}

func TestHitsAreCountedByDecade(t *testing.T) {
	var r calibrate.Record
	var s calibrate.Stretch
	at := ticks(&r, &s, march, 0, 0.99, 1, 2.5, 0, 2, 0, 6.3) // two hours
	ticks(&r, &s, at, 1, 0, 0, 0, 0, 0, 0, 0, 0)              // two more, and a beginning
	got, since := r.Sum(3)
	want := calibrate.Tally{N: 16, Hits: [6]uint32{5, 3, 1, 1, 1, 1}, Squares: [6]uint32{17, 9, 1, 1, 1, 1}}
	if got != want || since.Unix() != march {
		t.Errorf("%+v since %v, want %+v", got, since, want)
	}
	if other, _ := r.Sum(2); other != (calibrate.Tally{}) {
		t.Errorf("another class has %+v", other)
	}
}

func TestAMomentIsCountedOnce(t *testing.T) {
	var r calibrate.Record
	var s calibrate.Stretch
	for range 3 { // late data make a reading of the same moment again
		r.Tick(&s, march+quarter, 3, 3, true, false)
	}
	r.Tick(&s, march+quarter+60, 3, 3, true, false) // and not every minute is taken
	ticks(&r, &s, march+7200, 0)
	if got, _ := r.Sum(3); got.N != 1 || got.Hits[0] != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAStretchWithAnOpenEventIsLeftOut(t *testing.T) {
	var r calibrate.Record
	var s calibrate.Stretch
	at := ticks(&r, &s, march, 1, 1, 4, 5)
	r.Tick(&s, at+60, 3, 9, true, true) // between two quarters
	at = ticks(&r, &s, at, 0, 0, 0, 0)
	ticks(&r, &s, at, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	if got, _ := r.Sum(3); got.N != 8 || got.Hits[0] != 1 || got.Hits[3] != 0 {
		t.Errorf("%+v", got)
	}
	if days := r.Watched(at); days[0] != 17 {
		t.Errorf("%d quarters were watched, want 17: an event is watched too", days[0])
	}
}

func TestWhatCannotTellIsNotWatched(t *testing.T) {
	var r calibrate.Record
	var s calibrate.Stretch
	for k := range int64(20) {
		r.Tick(&s, march+(k+1)*quarter, 3, 5, false, false)
	}
	if got, _ := r.Sum(3); got.N != 0 || len(r.Watched(march)) != 0 && r.Watched(march)[0] != 0 {
		t.Errorf("%+v, %v", got, r.Watched(march))
	}
}

// A year later nothing is left of a month, and a day of silence is a day of none.
func TestThePastIsForgotten(t *testing.T) {
	var r calibrate.Record
	var s calibrate.Stretch
	ticks(&r, &s, march, 1, 1, 1)
	next := march + 2*86400
	ticks(&r, &s, next, 1, 1, 1)
	if days := r.Watched(next + quarter); days[0] != 3 || days[1] != 0 || days[2] != 3 {
		t.Errorf("days %v", days[:3])
	}
	later := time.Unix(march, 0).UTC().AddDate(0, 11, 0).Unix()
	ticks(&r, &s, later, 0, 0)
	ticks(&r, &s, later+7200, 0)
	if got, since := r.Sum(3); got.N != 8 || since.Unix() != march {
		t.Errorf("after eleven months %+v since %v", got, since)
	}
	later = time.Unix(march, 0).UTC().AddDate(1, 0, 0).Unix()
	ticks(&r, &s, later, 0, 0)
	ticks(&r, &s, later+7200, 0)
	if got, since := r.Sum(3); got.N != 5 || got.Hits[0] != 0 || since.Unix() <= march {
		t.Errorf("after a year %+v since %v", got, since)
	}
	if days := r.Watched(later + 300*86400); len(days) != calibrate.Days || days[0] != 0 || days[300] != 3 {
		t.Errorf("%d days, %v 300 days ago", len(days), days[min(300, len(days)-1)])
	}
}

// A stream of uniform p is counted as often as it says.
func TestUniformPIsCountedAsOftenAsItSays(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 7))
	var r calibrate.Record
	for range 20 {
		var s calibrate.Stretch
		for k := range int64(300 * 96) {
			r.Tick(&s, march+(k+1)*quarter, 3, rnd.ExpFloat64()/math.Ln10, true, false)
		}
	}
	sum, _ := r.Sum(3)
	for k, should := 0, 0.1; k < 3; k, should = k+1, should/10 {
		if got := float64(sum.Hits[k]) / float64(sum.N) / should; math.Abs(got-1) > 0.15 || sum.Squares[k] < sum.Hits[k] {
			t.Errorf("p ≤ %v: %.2f times as often as it should, %d squares", should, got, sum.Squares[k])
		}
	}
}
