package offline_test

import (
	"slices"
	"testing"

	"faultline/internal/detect/offline"
)

// weeks are rows of weekly counts.
func weeks(values ...float64) []offline.Row {
	rows := make([]offline.Row, len(values))
	for i, v := range values {
		rows[i] = offline.Row{At: monday.AddDate(0, 0, 7*i), Value: v, Known: true}
	}
	return rows
}

func TestAYearOfZerosMakesAFewCasesAnOutbreak(t *testing.T) {
	rows := weeks(append(make([]float64, 52), 1, 0, 1, 2, 1, 3)...)
	if got := offline.Detect("f", rows, offline.Count, nil); len(got.Events) != 1 {
		t.Errorf("%+v; want one surge", got.Events)
	}
}

// A series that has an outbreak each winter is not surprised by the seventh one;
// by one of ten times the size it is.
func TestWhatComesEachWinterIsUsual(t *testing.T) {
	var counts []float64
	winter := func(size float64) {
		for i := range 48 {
			counts = append(counts, float64(i*7%3))
		}
		counts = append(counts, size/2, size, size/2, 0)
	}
	for range 7 {
		winter(30)
	}
	winter(300)
	scores := offline.Detect("f", weeks(counts...), offline.Count, nil).Scores
	highest := func(year int) float64 { return slices.Max(scores[52*year+44 : 52*year+52]) }
	if first, last, huge := highest(0), highest(6), highest(7); first < offline.AlarmLevel || last >= offline.AlarmLevel || huge < offline.AlarmLevel {
		t.Errorf("scores of winters: first %.2f, seventh %.2f, of ten times the size %.2f", first, last, huge)
	}
}
