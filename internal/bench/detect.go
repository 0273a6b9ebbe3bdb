package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"faultline/internal/detect/backtest"
	"faultline/internal/detect/offline"
)

// detection scores `faultline detect` on made-up series with known surges.
func detection(ctx context.Context, b *tools) ([]measurement, error) {
	const what, bar = "recall of `faultline detect` on surges (240 series) at ≤ 0.02 false alarms a series-week", "≥ 0.75 (aim 0.84)"
	if b.shared == "" {
		return []measurement{{what, bar, "left out: FAULTLINE_SHARED is not set", true}}, nil
	}
	scorer := filepath.Join(b.shared, "bench", "detect")
	set, scores := b.dir+"/surges", b.dir+"/scores"
	if err := goRun(ctx, scorer, "./surges", "-out", set, "-series", "240", "-seed", "1"); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, b.binary, "detect", set+"/data", "--out", scores).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("detect: %w: %s", err, out)
	}
	cmd := exec.CommandContext(ctx, "go", "run", ".", "-mode", "events", "-labels", set+"/windows.json", "-results", scores,
		"-false-alarms", "0.02", "-merge", "60m", "-probation", "0.67", "-probation-cap", "1000000", "-json")
	cmd.Dir = scorer
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("score: %w: %s", err, out)
	}
	recall, err := find(out, "recall")
	if err != nil {
		return nil, err
	}
	return []measurement{{what, bar, fmt.Sprintf("%.3f", recall), recall >= 0.75}}, nil
}

// hardSeries scores `faultline detect` on series that do not follow the
// detector's model, beside an oracle that knows their true mean: at the alarm
// level, and at a lower one for who can bear more false alarms.
func hardSeries(ctx context.Context, b *tools) ([]measurement, error) {
	set, scores := b.dir+"/hard", b.dir+"/hard-scores"
	if err := goRun(ctx, ".", "./internal/bench/hard", "-out", set, "-series", "240", "-seed", "1", "-oracle"); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, b.binary, "detect", set+"/data", "--out", scores).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("detect: %w: %s", err, out)
	}
	ours, err := scored(set+"/windows.json", scores)
	if err != nil {
		return nil, err
	}
	oracle, err := scored(set+"/windows.json", set+"/oracle")
	if err != nil {
		return nil, err
	}
	var lines []measurement
	for _, x := range []struct{ score, budget, recall float64 }{{offline.AlarmLevel, 0.02, 0.6}, {0.4, 0.1, 0.68}} {
		t, best := backtest.Alarms(ours, backtest.Rule{Score: x.score}, hardOptions), within(oracle, x.budget)
		lines = append(lines, measurement{
			what: fmt.Sprintf("recall at score %v on 240 series that break the model, at ≤ %v false alarms a series-week", x.score, x.budget),
			bar:  fmt.Sprintf("≥ %v", x.recall), ok: t.Recall >= x.recall && t.FalsePer <= x.budget,
			got: fmt.Sprintf("%.3f at %.3f, p50 %.0f min (oracle %.3f)", t.Recall, t.FalsePer, t.Delay50, best.Recall),
		})
	}
	return lines, nil
}

var hardOptions = backtest.Options{Learn: 0.67, Merge: time.Hour}

// within is the best recall of any threshold with so few false alarms.
func within(all []backtest.Series, budget float64) (best backtest.Tally) {
	for score := 0.30; score < 0.9; score += 0.005 {
		t := backtest.Alarms(all, backtest.Rule{Score: score}, hardOptions)
		if t.FalsePer <= budget && t.Recall > best.Recall {
			best = t
		}
	}
	return best
}

// find reads a number out of a scorer's JSON, wherever it stands.
func find(out []byte, key string) (float64, error) {
	m := regexp.MustCompile(`(?i)"` + key + `"\s*:\s*([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("the scorer's answer has no %q: %s", key, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

func goRun(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go run %v: %w: %s", args, err, out)
	}
	return nil
}

// abuse posts forged reports and true surges as they come, in the pure rooms
// with data time (bench/detect/abuse says why), and looks at the states.
func abuse(ctx context.Context, b *tools) ([]measurement, error) {
	const bar = "forged: never confirmed; true: possible"
	if b.shared == "" {
		return []measurement{{"forged reports and true surges like them", bar, "left out: FAULTLINE_SHARED is not set", true}}, nil
	}
	dir := b.dir + "/abuse"
	if err := goRun(ctx, filepath.Join(b.shared, "bench", "detect"), "./abuse", "-out", dir, "-draws", "5", "-quiet", "72h"); err != nil {
		return nil, err
	}
	index, err := os.ReadFile(dir + "/abuse.json")
	if err != nil {
		return nil, err
	}
	var draws []draw
	if err := json.Unmarshal(index, &draws); err != nil {
		return nil, err
	}
	sums := map[string]*verdicts{}
	var order []string
	for _, d := range draws {
		if sums[d.Scenario] == nil {
			sums[d.Scenario] = &verdicts{forged: d.Forged}
			order = append(order, d.Scenario)
		}
		if err := sums[d.Scenario].add(filepath.Join(dir, d.File)); err != nil {
			return nil, fmt.Errorf("%s: %w", d.File, err)
		}
	}
	var lines []measurement
	for _, name := range order {
		v := sums[name]
		lines = append(lines, measurement{name, bar, v.String(), v.ok()})
	}
	return lines, nil
}
