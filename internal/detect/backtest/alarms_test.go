package backtest_test

import (
	"math"
	"testing"
	"time"

	"faultline/internal/detect/backtest"
)

func TestAlarms(t *testing.T) {
	windows := []backtest.Window{{row(10), row(20)}, {row(100), row(120)}, {row(200), row(220)}}
	for _, c := range []struct {
		name                          string
		scores                        map[int]float64
		learn                         float64
		windows, found, alarms, fakes int
		delay                         float64
	}{
		{name: "nothing said", windows: 3, delay: -1},
		{name: "two rows of one window are one alarm", scores: map[int]float64{102: 0.9, 104: 0.9}, windows: 3, found: 1, alarms: 1, delay: 10},
		{name: "an hour and more apart are two", scores: map[int]float64{100: 0.9, 114: 0.9}, windows: 3, found: 1, alarms: 2},
		{name: "outside of windows", scores: map[int]float64{50: 0.9, 150: 0.9, 151: 0.9}, windows: 3, alarms: 2, fakes: 2, delay: -1},
		{name: "an alarm that reaches into a window is not false", scores: map[int]float64{97: 0.9, 100: 0.9}, windows: 3, found: 1, alarms: 1},
		{name: "below the rule's score", scores: map[int]float64{105: 0.49}, windows: 3, delay: -1},
		{name: "not a number is no alarm", scores: map[int]float64{105: math.NaN()}, windows: 3, delay: -1},
		{name: "what is for learning does not count", scores: map[int]float64{15: 0.9, 30: 0.9, 210: 0.9}, learn: 0.05, windows: 2, found: 1, alarms: 1, delay: 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := series(c.scores)
			s[0].Windows = windows
			got := backtest.Alarms(s, backtest.Rule{Name: "alarm", Score: 0.5}, backtest.Options{Learn: c.learn, Merge: time.Hour})
			if got.Windows != c.windows || got.Found != c.found || got.Alarms != c.alarms || got.False != c.fakes || got.Delay50 != c.delay {
				t.Errorf("%+v; want %d windows, %d found, %d alarms, %d false, delay %v", got, c.windows, c.found, c.alarms, c.fakes, c.delay)
			}
			if math.IsNaN(got.Recall + got.Precision + got.FalsePer + got.Outside) {
				t.Errorf("not a number in %+v", got)
			}
		})
	}
}

func TestRowsOfAWeekAreMergedByRows(t *testing.T) {
	s := backtest.Series{Name: "weekly"}
	for i := range 20 {
		s.Times, s.Scores = append(s.Times, begin.AddDate(0, 0, 7*i)), append(s.Scores, 0)
	}
	s.Scores[4], s.Scores[7], s.Scores[11] = 0.9, 0.9, 0.9
	if got := backtest.Alarms([]backtest.Series{s}, backtest.Rule{Score: 0.5}, backtest.Options{}); got.Alarms != 2 {
		t.Errorf("%d alarms, want two: three weeks apart, and four", got.Alarms)
	}
}

func TestAnEmptySeriesIsNoSeries(t *testing.T) {
	got := backtest.Alarms([]backtest.Series{{Name: "empty"}}, backtest.Rule{Score: 0.5}, backtest.Options{Learn: 1})
	if got.SeriesWeeks != 0 || got.Windows != 0 || got.Alarms != 0 {
		t.Errorf("%+v", got)
	}
}

func TestHalved(t *testing.T) {
	times := []time.Time{row(0), row(1), row(2), row(3), row(4)}
	for _, c := range []struct {
		values []float64
		calm   time.Time
		want   time.Time
	}{
		{[]float64{10, 1, 10, 6, 5}, row(3), row(4)},
		{[]float64{10, 10, 10, 6, 6}, row(3), time.Time{}},
		{[]float64{10, 1, 1, 1, 1}, row(0), time.Time{}},
	} {
		if got := backtest.Halved(times, c.values, c.calm); !got.Equal(c.want) {
			t.Errorf("%v from %v on: %v, want %v", c.values, c.calm, got, c.want)
		}
	}
}
