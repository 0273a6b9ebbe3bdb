package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"faultline/internal/detect/backtest"
	"faultline/internal/detect/offline"
)

// gauges scores `faultline detect` on recorded gauges: the Numenta Anomaly
// Benchmark, and provinces that went dark.
func gauges(ctx context.Context, b *tools) ([]measurement, error) {
	if b.shared == "" {
		return []measurement{{"recorded gauges (anomaly benchmark, blackout of 2019)", "", "left out: FAULTLINE_SHARED is not set", true}}, nil
	}
	lines, err := anomalies(ctx, b)
	if err != nil {
		return nil, err
	}
	dark, err := blackout(ctx, b)
	if err != nil {
		return nil, err
	}
	return append(lines, dark), nil
}

// anomalies runs one configuration over all series of the benchmark. The best
// threshold is what others publish; the alarm level is what a user gets.
func anomalies(ctx context.Context, b *tools) ([]measurement, error) {
	set, scores := filepath.Join(b.shared, "data", "nab"), filepath.Join(b.dir, "nab")
	cmd := exec.CommandContext(ctx, b.binary, "detect", filepath.Join(set, "data"), "--kind", "gauge", "--out", scores)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("detect: %w: %s", err, out)
	}
	all, err := scored(filepath.Join(set, "labels", "windows.json"), scores)
	if err != nil {
		return nil, err
	}
	var lines []measurement
	for _, p := range backtest.Profiles() {
		best, at := backtest.Best(all, p), backtest.At(all, p, offline.AlarmLevel)
		l := measurement{what: "anomaly benchmark, profile " + p.Name + ", `detect --kind gauge`: best threshold / alarm level", ok: true}
		l.got = fmt.Sprintf("%.1f / %.1f (%d and %d of %d windows, %d and %d false rows)", best.Score, at.Score, best.Found, at.Found, best.Windows, best.Fakes, at.Fakes)
		if p.Name == "standard" {
			l.bar, l.ok = "≥ 58 (aim 70.1)", best.Score >= 58 && at.Score >= 58
		}
		lines = append(lines, l)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return append(lines, measurement{"processor time of that run", "≤ 15 s", used.Round(10 * time.Millisecond).String(), used <= 15*time.Second}), nil
}

// scored reads labels, and the scores of each series that they name.
func scored(labels, dir string) ([]backtest.Series, error) {
	f, err := os.Open(labels)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	windows, err := backtest.ReadWindows(f, offline.ParseTime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labels, err)
	}
	var all []backtest.Series
	for name, w := range windows {
		s := backtest.Series{Name: name, Windows: w}
		if s.Times, s.Scores, err = readScores(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// readScores reads what detect wrote: timestamp, value, anomaly_score.
func readScores(path string) (times []time.Time, scores []float64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, row := range rows[1:] {
		at, err := offline.ParseTime(row[0])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		score, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		times, scores = append(times, at), append(scores, score)
	}
	return times, scores, nil
}

// blackout counts the provinces in which a drop began within three hours of the
// first hour with at most half of the usual connectivity, and the events of the
// first four days, in which nothing happened.
func blackout(ctx context.Context, b *tools) (measurement, error) {
	m := measurement{what: "provinces of a blackout flagged within 3 hourly bins, events in the 4 days before, `detect`", bar: "≥ 28 of 30 (aim 30), 0"}
	dir := filepath.Join(b.shared, "data", "connectivity", "iran-2019-11")
	out, err := exec.CommandContext(ctx, b.binary, "detect", dir, "--events").Output()
	if err != nil {
		return m, fmt.Errorf("detect: %w", err)
	}
	events := map[string][]offline.Event{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var e offline.Event
		if err := dec.Decode(&e); err != nil {
			return m, fmt.Errorf("events of detect: %w", err)
		}
		events[e.Series] = append(events[e.Series], e)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return m, err
	}
	flagged, early := 0, 0
	for _, path := range files {
		calm, half, err := ownDrop(path)
		if err != nil {
			return m, err
		}
		f, e := near(events[filepath.Base(path)], calm, half)
		flagged, early = flagged+f, early+e
	}
	m.got, m.ok = fmt.Sprintf("%d of %d, %d", flagged, len(files), early), flagged >= 28 && early == 0
	return m, nil
}

// near says whether (0 or 1) a drop began within three hours of half, and how
// many events began before calm was over.
func near(events []offline.Event, calm, half time.Time) (flagged, early int) {
	for _, e := range events {
		onset, err := offline.ParseTime(e.Onset)
		if err != nil || onset.Before(calm) {
			early++
		} else if e.Kind == "drop" && onset.Sub(half).Abs() <= 3*time.Hour {
			flagged = 1
		}
	}
	return flagged, early
}

// ownDrop is the end of a series' first four days, and when after that it first
// falls to half of their median.
func ownDrop(path string) (calm, half time.Time, err error) {
	f, err := os.Open(path)
	if err != nil {
		return calm, half, err
	}
	defer f.Close()
	rows, err := offline.ReadCSV(path, f)
	if err != nil || len(rows) == 0 {
		return calm, half, err
	}
	calm = rows[0].At.Add(96 * time.Hour)
	times, values := offline.Columns(rows)
	return calm, backtest.Halved(times, values, calm), nil
}
