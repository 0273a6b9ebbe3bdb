package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"faultline/internal/detect/backtest"
	"faultline/internal/detect/offline"
)

// backtestFlags are the flags of backtest.
type backtestFlags struct {
	*common
	kind, labels string
	learn        float64
	merge        time.Duration
}

func newBacktest(c *common) *cobra.Command {
	b := &backtestFlags{common: c}
	cmd := &cobra.Command{
		Use: "backtest FILE|DIR", Short: "Score detect on recorded series with labelled windows",
		Long: `Runs detect over each series and compares its alarms with labelled windows. The labels are JSON, a list of pairs of times for each
series, by its path below DIR: {"shop/orders.csv": [["2025-03-10 13:40:00","2025-03-10 14:40:00"]]}; a series with [] only shows false
alarms. Printed are, for each rule (score from which a row is an alarm): windows found, alarms without one, minutes to detect, and the
share of rows outside of windows in alarm. Rows in alarm up to --merge apart are one alarm, by default
an hour or three rows.`,
		Example: "  faultline backtest series/ --labels windows.json\n  faultline backtest orders.csv --labels windows.json --learn 0.67 -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := b.check(); err != nil {
				return err
			}
			return b.run(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.labels, "labels", "", "JSON `file` with the labelled windows")
	f.StringVar(&b.kind, "kind", "auto", "auto, count, gauge or ratio")
	f.Float64Var(&b.learn, "learn", 0.15, "`share` of each series that is for learning and is not scored, 0 to 1")
	f.DurationVar(&b.merge, "merge", 0, "how far apart rows of one alarm may be (default: 1h, or three rows)")
	c.outputFlag(cmd, "text", "json")
	return cmd
}

func (b *backtestFlags) check() error {
	switch {
	case b.labels == "":
		return errors.New(`backtest needs labels: name a file with --labels (form: {"NAME.csv": [["from","to"], …]})`)
	case !(b.learn >= 0 && b.learn < 1):
		return fmt.Errorf("--learn %v: give a share from 0 to less than 1", b.learn)
	case b.merge < 0:
		return fmt.Errorf("--merge %v: give a duration of 0 or more, as 60m", b.merge)
	}
	if _, err := offline.ParseKind(b.kind); err != nil {
		return fmt.Errorf("--kind %q: choose one of %s%s", b.kind, strings.Join(offline.Kinds(), ", "), mean(b.kind, offline.Kinds()))
	}
	return nil
}

func (b *backtestFlags) run(ctx context.Context, path string) error {
	windows, err := b.windows()
	if err != nil {
		return err
	}
	files, err := seriesAt(path)
	if err != nil {
		return err
	}
	if files, err = b.labelled(path, files, windows); err != nil {
		return err
	}
	all := make([]backtest.Series, 0, len(files))
	for _, f := range files {
		if ctx.Err() != nil {
			return errInterrupted
		}
		s, err := b.score(f)
		if err != nil {
			return err
		}
		s.Windows = windows[f.name]
		all = append(all, s)
	}
	return b.print(all)
}

func (b *backtestFlags) windows() (map[string][]backtest.Window, error) {
	f, err := os.Open(b.labels)
	if err != nil {
		return nil, fmt.Errorf("--labels: %w", err)
	}
	defer f.Close()
	windows, err := backtest.ReadWindows(f, offline.ParseTime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.labels, err)
	}
	return windows, nil
}

// seriesAt lists one file, or all CSV files below a folder.
func seriesAt(path string) ([]series, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []series{{path, filepath.Base(path)}}, nil
	}
	all, errs := (&detectFlags{}).below(path)
	if len(all)+len(errs) == 0 {
		return nil, fmt.Errorf("%s holds no .csv file", path)
	}
	return all, errors.Join(errs...)
}

// labelled leaves out the series without labels, which would be called false, and
// says how many those are, and how many labels have no series. The labels may lie
// in any folder above the given one.
func (b *backtestFlags) labelled(path string, files []series, windows map[string][]backtest.Window) ([]series, error) {
	var kept []series
	for _, f := range files {
		if name := labelOf(f.name, windows); name != "" {
			kept = append(kept, series{f.path, name})
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s has no labels for %s: give a list of windows for each series, or [] if nothing happened in it", b.labels, files[0].name)
	}
	if n := len(files) - len(kept); n > 0 {
		fmt.Fprintf(b.env.Stderr, "faultline: %s has no labels for %s below %s: left out\n", b.labels, fmt.Sprint(n, " series"), path)
	}
	if n := len(windows) - len(kept); n > 0 {
		fmt.Fprintf(b.env.Stderr, "faultline: %s labelled in %s not below %s: left out\n", fmt.Sprint(n, " series"), b.labels, path)
	}
	return kept, nil
}

// labelOf is the name under which a series is labelled, or "".
func labelOf(name string, windows map[string][]backtest.Window) string {
	if _, ok := windows[name]; ok {
		return name
	}
	var like []string
	for l := range windows {
		if strings.HasSuffix(l, "/"+name) {
			like = append(like, l)
		}
	}
	if len(like) != 1 {
		return ""
	}
	return like[0]
}

// score runs detect over one series. Rows come back in the order of time.
func (b *backtestFlags) score(f series) (backtest.Series, error) {
	s := backtest.Series{Name: f.name}
	in, err := os.Open(f.path)
	if err != nil {
		return s, err
	}
	defer in.Close()
	rows, err := offline.Read(f.path, in, offline.Kind(b.kind))
	if err != nil {
		return s, err
	}
	slices.SortStableFunc(rows, func(x, y offline.Row) int { return x.At.Compare(y.At) })
	s.Scores = offline.Detect(f.name, rows, offline.Kind(b.kind), nil).Scores
	s.Times, _ = offline.Columns(rows)
	return s, nil
}

// rules are the levels at which a reader may look at scores. The scores belong
// to p = 1e-4, 1e-6 and 1e-10 of counts.
func rules() []backtest.Rule {
	return []backtest.Rule{{Name: "odd", Score: 0.37}, {Name: "alarm", Score: offline.AlarmLevel}, {Name: "strong", Score: 0.685}}
}

func (b *backtestFlags) print(all []backtest.Series) error {
	var tallies []backtest.Tally
	for _, r := range rules() {
		tallies = append(tallies, backtest.Alarms(all, r, backtest.Options{Learn: b.learn, Merge: b.merge}))
	}
	if b.output == "json" {
		enc := json.NewEncoder(b.env.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"series": len(all), "learn": b.learn, "merge_s": b.merge.Seconds(), "rules": tallies})
	}
	w := tabwriter.NewWriter(b.env.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "rule\tscore\trecall\tprecision\tfound\talarms\tfalse\tfalse a series-week\tminutes to detect p50 / p90\trows outside in alarm\n")
	for _, t := range tallies {
		fmt.Fprintf(w, "%s\t%v\t%s\t%s\t%d of %d\t%d\t%d\t%.4f\t%s / %s\t%.3f %%\n", t.Name, t.Score, figure(t.Recall, 3), figure(t.Precision, 3),
			t.Found, t.Windows, t.Alarms, t.False, t.FalsePer, figure(t.Delay50, 0), figure(t.Delay90, 0), 100*t.Outside)
	}
	return cmp.Or(w.Flush(), b.counted(all, tallies[0].SeriesWeeks))
}

// counted says of how much the table speaks.
func (b *backtestFlags) counted(all []backtest.Series, weeks float64) error {
	_, err := fmt.Fprintf(b.env.Stdout, "%d series, %.1f series-weeks scored; the first %.0f %% of each is for learning\n", len(all), weeks, 100*b.learn)
	return err
}

// figure is a dash where there is none.
func figure(x float64, digits int) string {
	if x < 0 || math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, x)
}
