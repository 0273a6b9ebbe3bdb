package offline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/internal/detect/backtest"
	"faultline/internal/detect/offline"
)

// shared is a folder of the data that larger checks read, named by
// FAULTLINE_SHARED.
func shared(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("FAULTLINE_SHARED")
	if root == "" {
		t.Skip("FAULTLINE_SHARED is not set")
	}
	return filepath.Join(root, "data", folder)
}

func readRows(t *testing.T, path string) []offline.Row {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := offline.ReadCSV(filepath.Base(path), f)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// labelled runs the detector over all series that have labels.
func labelled(t *testing.T, labels, data string, kind offline.Kind) []backtest.Series {
	t.Helper()
	f, err := os.Open(labels)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	windows, err := backtest.ReadWindows(f, offline.ParseTime)
	if err != nil {
		t.Fatal(err)
	}
	var all []backtest.Series
	for name, w := range windows {
		rows := readRows(t, filepath.Join(data, filepath.FromSlash(name)))
		s := backtest.Series{Name: name, Scores: offline.Detect(name, rows, kind, nil).Scores, Windows: w}
		s.Times, _ = offline.Columns(rows)
		all = append(all, s)
	}
	return all
}

// Recorded outbreaks in weekly counts. Two of the ten windows end while nothing
// can be known yet.
func TestOutbreaks(t *testing.T) {
	dir := shared(t, "outbreaks")
	all := labelled(t, filepath.Join(dir, "windows.json"), dir, offline.Auto)
	got := backtest.Alarms(all, backtest.Rule{Score: offline.AlarmLevel}, backtest.Options{Learn: 0.15})
	t.Logf("%+v", got)
	if got.Windows != 8 || got.Found < 7 || got.Precision < 0.65 || got.FalsePer > 0.02 {
		t.Errorf("%d of %d outbreaks, precision %.2f, %.4f false alarms a week; want 7 of 8, 0.65 and 0.02", got.Found, got.Windows, got.Precision, got.FalsePer)
	}
}

// The Numenta Anomaly Benchmark, standard profile, one configuration for all.
// The bounds lie just below what is reached (70.5 and 68.4).
func TestAnomalyBenchmark(t *testing.T) {
	dir := shared(t, "nab")
	all := labelled(t, filepath.Join(dir, "labels", "windows.json"), filepath.Join(dir, "data"), offline.Gauge)
	p := backtest.Profiles()[0]
	best, fixed := backtest.Best(all, p), backtest.At(all, p, offline.AlarmLevel)
	t.Logf("%d series: best %+v, at the alarm level %+v", len(all), best, fixed)
	if best.Score < 69 || fixed.Score < 66 {
		t.Errorf("%.1f at the best threshold, %.1f at the alarm level; want 69 and 66", best.Score, fixed.Score)
	}
}

// The blackout of Iran in November 2019: each province's own drop is the first
// hour in which at most half of its usual connectivity is left.
func TestBlackoutOfProvinces(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "connectivity"), "iran-2019-11", "*.csv"))
	if err != nil || len(files) != 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	flagged, early := 0, 0
	for _, path := range files {
		rows := readRows(t, path)
		calm := rows[0].At.Add(4 * day)
		times, values := offline.Columns(rows)
		drop := backtest.Halved(times, values, calm)
		name := strings.TrimSuffix(filepath.Base(path), ".csv")
		found := false
		for _, e := range offline.Detect(name, rows, offline.Auto, nil).Events {
			onset, _ := offline.ParseTime(e.Onset)
			found = found || e.Kind == "drop" && onset.Sub(drop).Abs() <= 3*time.Hour
			if onset.Before(calm) {
				early++
			}
		}
		if found {
			flagged++
		} else {
			t.Logf("%s: no drop within three hours of %v", name, drop)
		}
	}
	t.Logf("%d of %d provinces, %d events in the first four days", flagged, len(files), early)
	if flagged < 28 || early > 0 {
		t.Errorf("%d provinces and %d early events; want 28 and none", flagged, early)
	}
}
