package backtest_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline/internal/detect/backtest"
	"faultline/internal/detect/offline"
)

var begin = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

func row(i int) time.Time { return begin.Add(time.Duration(i) * 5 * time.Minute) }

// series is 1000 rows with windows at rows 400 to 499 and 700 to 799, and the
// scores that are given.
func series(scores map[int]float64) []backtest.Series {
	s := backtest.Series{Name: "s", Windows: []backtest.Window{{From: row(400), To: row(499)}, {From: row(700), To: row(799)}}}
	for i := range 1000 {
		s.Times = append(s.Times, row(i))
		s.Scores = append(s.Scores, scores[i])
	}
	return []backtest.Series{s}
}

func TestWhatADetectionIsWorth(t *testing.T) {
	sigma := func(y float64) float64 { return 2/(1+math.Exp(5*y)) - 1 }
	for _, c := range []struct {
		name   string
		scores map[int]float64
		raw    float64 // in hits; −2 is nothing found, 2 all at once
	}{
		{"nothing", nil, -2},
		{"the first row of both windows", map[int]float64{400: 1, 700: 1}, 2},
		{"one window", map[int]float64{400: 1}, 0},
		{"more in the same window bring nothing", map[int]float64{400: 1, 450: 1, 499: 1}, 0},
		{"the last row of a window", map[int]float64{499: 1}, -1 + sigma(-0.01)/sigma(-1)},
		{"before any window", map[int]float64{200: 1}, -2 - 0.11},
		{"long after a window", map[int]float64{999: 1}, -2 + 0.11*sigma(200.0/99)},
		{"soon after a window", map[int]float64{509: 1}, -2 + 0.11*sigma(10.0/99)},
		{"while learning", map[int]float64{149: 1}, -2},
		{"below the threshold", map[int]float64{400: 0.4}, -2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := backtest.At(series(c.scores), backtest.Profiles()[0], 0.5)
			if want := 100 * (c.raw + 2) / 4; math.Abs(got.Score-want) > 1e-9 {
				t.Errorf("%.4f, want %.4f", got.Score, want)
			}
		})
	}
}

func TestTheBestThresholdIsNotWorseThanAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := map[int]float64{}
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			scores[rapid.IntRange(0, 999).Draw(t, "row")] = float64(rapid.IntRange(0, 10).Draw(t, "score")) / 10
		}
		all := series(scores)
		for _, p := range backtest.Profiles() {
			best := backtest.Best(all, p)
			for k := range 12 {
				if at := backtest.At(all, p, float64(k)/10); k > 0 && at.Score > best.Score+1e-9 {
					t.Fatalf("%s: %.2f at %v, and the best is %.2f at %v", p.Name, at.Score, at.Threshold, best.Score, best.Threshold)
				}
			}
			if at := backtest.At(all, p, best.Threshold); math.Abs(at.Score-best.Score) > 1e-9 {
				t.Fatalf("%s: the best, %.4f at %v, is %.4f when scored there", p.Name, best.Score, best.Threshold, at.Score)
			}
		}
	})
}

func TestReadWindows(t *testing.T) {
	got, err := backtest.ReadWindows(strings.NewReader(`{"a/b.csv": [["2025-03-04 00:00:00", "2025-03-05 00:00:00"], ["2025-03-03 00:00:00.5", "2025-03-03 12:00:00"]], "c": []}`), offline.ParseTime)
	if err != nil || len(got["a/b.csv"]) != 2 || got["a/b.csv"][0].From.Day() != 3 || got["c"] == nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, c := range []struct{ text, want string }{
		{`[]`, "read labels: line 1: found array"},
		{"{\"a\":\n [[\"2025-03-04\", \"2025-03-05\"]]", "read labels: line 2: unexpected end of JSON input"},
		{"{\n\n\"a\": 7}", "read labels: line 3: found number"},
		{`{"a": [["2025-03-04"]]}`, "read labels of a"},
		{`{"a": [["noon", "2025-03-05"]]}`, `read labels of a: cannot read the time "noon"`},
		{`{"a": [["2025-03-05", "2025-03-04"]]}`, "ends before it begins"},
	} {
		if _, err := backtest.ReadWindows(strings.NewReader(c.text), offline.ParseTime); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
