package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"faultline/internal/detect/offline"
)

// detectFlags are the flags of detect.
type detectFlags struct {
	*common
	kind, out string
	events    bool
}

func newDetect(c *common) *cobra.Command {
	d := &detectFlags{common: c}
	cmd := &cobra.Command{
		Use: "detect FILE|DIR", Short: "Find surges and drops in recorded series (CSV with timestamp and value)",
		Long: `Each series is a CSV with the columns timestamp and value. With --out, a CSV timestamp,value,anomaly_score is written for
each, under its relative path; a score of 0.5 or more is an alarm. With --events, found events go to stdout as NDJSON.`,
		Example: "  faultline detect reports.csv\n  faultline detect series/ --out scores --events",
		RunE: func(_ *cobra.Command, args []string) error {
			kinds := []string{string(offline.Auto), string(offline.Count), string(offline.Gauge), string(offline.Ratio)}
			if !slices.Contains(kinds, d.kind) {
				return fmt.Errorf("--kind %q: choose one of auto, count, gauge, ratio", d.kind)
			}
			return d.run(args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.kind, "kind", "auto", "auto, count, gauge or ratio")
	f.StringVar(&d.out, "out", "", "`folder` for the scores")
	f.BoolVar(&d.events, "events", false, "print events as NDJSON")
	return cmd
}

// run goes through one file or all CSV files below a folder, in their order.
func (d *detectFlags) run(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist", path)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return d.file(path, filepath.Base(path))
	}
	n := 0
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(p) != ".csv" {
			return err
		}
		rel, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		n++
		return d.file(p, filepath.ToSlash(rel))
	})
	if err == nil && n == 0 {
		return fmt.Errorf("%s holds no .csv file", path)
	}
	return err
}

// file runs the detector on one series. Without --out the scores go to stdout,
// or nowhere when events are asked for.
func (d *detectFlags) file(path, name string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	var scores, events io.Writer
	if d.events {
		events = d.env.Stdout
	} else {
		scores = d.env.Stdout
	}
	if d.out != "" {
		out, e := d.create(name)
		if e != nil {
			return e
		}
		w := bufio.NewWriter(out)
		defer func() { err = errors.Join(err, w.Flush(), out.Close()) }()
		scores = w
	}
	_, err = offline.File(name, in, offline.Kind(d.kind), scores, events)
	return err
}

func (d *detectFlags) create(name string) (*os.File, error) {
	to := filepath.Join(d.out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	f, err := os.Create(to)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	return f, nil
}
