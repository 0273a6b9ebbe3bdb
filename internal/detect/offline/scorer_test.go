package offline_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"faultline/internal/detect/offline"
)

// bench is the folder of scorers and generators that others can run.
func bench(t *testing.T) string {
	t.Helper()
	return filepath.Join(filepath.Dir(shared(t, "")), "bench", "detect")
}

func goRun(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"run"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go run %v: %v", args, err)
	}
	return out
}

// detectAll writes the scores of all series in a set, and their events.
func detectAll(t *testing.T, set, scores, events string) {
	t.Helper()
	lines, err := os.Create(events)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	files, _ := filepath.Glob(filepath.Join(set, "data", "*", "*.csv"))
	for _, path := range files {
		name, _ := filepath.Rel(filepath.Join(set, "data"), path)
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(scores, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(filepath.Join(scores, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := offline.File(filepath.ToSlash(name), in, offline.Auto, nil, out, lines); err != nil {
			t.Fatal(err)
		}
		in.Close()
		out.Close()
	}
}

// The scorers that others run, on a seed that nothing was chosen by. The bounds lie
// just below what is reached.
func TestScorersOfOthers(t *testing.T) {
	scorer, dir := bench(t), t.TempDir()
	set, scores, events := filepath.Join(dir, "set"), filepath.Join(dir, "scores"), filepath.Join(dir, "events.ndjson")
	goRun(t, scorer, "./surges", "-out", set, "-series", "120", "-seed", "77")
	detectAll(t, set, scores, events)
	var found struct {
		Scores struct {
			Recall  float64
			False   float64            `json:"false_alarms_a_series_week"`
			Minutes map[string]float64 `json:"minutes_to_detect"`
		}
	}
	score(t, &found, scorer, "-mode", "events", "-labels", set+"/windows.json", "-results", scores, "-false-alarms", "0.02", "-merge", "60m", "-probation", "0.67", "-probation-cap", "1000000")
	if f := found.Scores; f.Recall < 0.78 || f.False > 0.02 || f.Minutes["p50"] > 15 || f.Minutes["p90"] > 90 {
		t.Errorf("%+v; want a recall of 0.78, in 15 and 90 minutes", f)
	}
	var dated struct {
		Onset map[string]float64 `json:"onset_error_min"`
		End   map[string]float64 `json:"end_error_min"`
		Apart float64            `json:"pairs_apart_share"`
		Split float64            `json:"singles_split_share"`
		Out   float64            `json:"event_share_outside"`
	}
	score(t, &dated, scorer, "-mode", "segments", "-truth", set+"/events.json", "-events", events, "-data", set+"/data", "-probation", "0.67")
	if d := dated; d.Onset["p50"] > 5 || d.Onset["p90"] > 20 || d.End["p50"] > 15 || d.End["p90"] > 45 || d.Apart < 0.95 || d.Split > 0.03 || d.Out > 0.003 {
		t.Errorf("%+v; want onsets within 5 and 20 minutes, ends within 15 and 45, pairs told apart, singles whole", d)
	}
}

// score runs the scorer and reads its answer.
func score(t *testing.T, into any, dir string, args ...string) {
	t.Helper()
	raw := goRun(t, dir, append(append([]string{"."}, args...), "-json")...)
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	t.Logf("%+v", into)
}
