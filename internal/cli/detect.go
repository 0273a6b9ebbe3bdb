package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"faultline/internal/calendar"
	"faultline/internal/detect/offline"
	"faultline/internal/netinfo"
	"faultline/internal/settings"
)

// detectFlags are the flags of detect.
type detectFlags struct {
	*common
	kind, out     string
	country, zone string
	place         *calendar.Place // nil: nothing is known
	events        bool
}

func newDetect(c *common) *cobra.Command {
	d := &detectFlags{common: c}
	cmd := &cobra.Command{
		Use: "detect FILE|DIR", Short: "Find surges and drops in recorded series (CSV with timestamp, value and maybe n)",
		Long: `Each series is a CSV with the columns timestamp and value; "-" is standard input. With --out, a CSV timestamp,value,anomaly_score
is written for each, under its relative path; a score of 0.5 or more is an alarm. Rows that are missing are unknown, not zero; a long
row of zeros where counts were usual is unknown too: without heartbeats nobody can tell it from a silent collector. With --events, found events go to stdout as NDJSON.
A column n makes value the successes of n tries (requests, checks): whole numbers, 0 to n. Such a file is a ratio; a row that
does not fit is an error, and one with n 0 or empty is unknown. (--kind auto takes it for one if nine of ten rows fit.) Without n a
ratio is one number from 0 to 1.
Times without an offset are UTC. With --country or --zone, counts are compared by the hours of that wall clock, so that a clock change surprises
nobody, and with --country on a public holiday with Sundays too. Of some countries no holidays are known; that is said.
A file that cannot be read is named with its line, and writes nothing; the others are gone through, and the exit code is 3.`,
		Example: "  faultline detect reports.csv\n  faultline detect checks.csv --kind ratio --events\n  faultline detect series/ --out scores --events",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := offline.ParseKind(d.kind); err != nil {
				return fmt.Errorf("--kind %q: choose one of %s%s", d.kind, strings.Join(offline.Kinds(), ", "), mean(d.kind, offline.Kinds()))
			}
			if err := d.locate(); err != nil {
				return err
			}
			return d.run(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.kind, "kind", "auto", "auto, count, gauge or ratio")
	f.StringVar(&d.out, "out", "", "`folder` for the scores")
	f.StringVar(&d.country, "country", "", "`country` whose people are counted: two letters (ISO 3166)")
	f.StringVar(&d.zone, "zone", "", "time `zone` of the people who are counted, as Europe/Berlin")
	f.BoolVar(&d.events, "events", false, "print events as NDJSON")
	return cmd
}

// locate finds the place that was named, if any.
func (d *detectFlags) locate() (err error) {
	switch {
	case d.country != "" && d.zone != "":
		return errors.New("--country and --zone: give one of them; a country has a zone")
	case d.zone != "":
		if d.place, err = calendar.In(d.zone); err != nil {
			return fmt.Errorf("--zone: %w", err)
		}
	case d.country != "":
		c, ok := netinfo.Country(d.country)
		if d.place = calendar.Of(c); !ok || d.place == nil {
			return fmt.Errorf("--country %q: nobody's clock is known there: write two letters of ISO 3166, as GB%s", d.country, meantCountry(d.country))
		}
		if !d.place.KnowsHolidays() {
			fmt.Fprintf(d.env.Stderr, "faultline: no public holiday of %s is known: only its clock is used\n", c)
		}
	}
	return nil
}

// meantCountry asks whether a code was meant that people write for another one.
func meantCountry(typed string) string {
	if c := netinfo.MeantCountry(typed); c != "" {
		return fmt.Sprintf(" (did you mean %s?)", c)
	}
	return ""
}

// mean asks whether the nearest word was meant.
func mean(word string, words []string) string {
	if near := settings.Nearest(word, words); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// series is a file to go through; name is its path below the folder that was
// given, with slashes.
type series struct{ path, name string }

// run goes through one file or all CSV files below a folder, in their order. A
// file that cannot be read does not keep the others from being gone through.
func (d *detectFlags) run(ctx context.Context, path string) error {
	if path == "-" {
		return d.read("standard input", "stdin.csv", d.env.Stdin)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist", path)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return d.file(series{path, filepath.Base(path)})
	}
	all, errs := d.below(path)
	switch {
	case len(all)+len(errs) == 0:
		return fmt.Errorf("%s holds no .csv file", path)
	case len(all) > 1 && d.out == "" && !d.events:
		return fmt.Errorf("%s holds %d series: name a folder for their scores with --out, or print events with --events", path, len(all))
	}
	return errors.Join(append(errs, d.each(ctx, all))...)
}

// each goes through the series. Where scores cannot be written, none can be.
func (d *detectFlags) each(ctx context.Context, all []series) error {
	var errs []error
	for _, s := range all {
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err := d.file(s); err != nil {
			errs = append(errs, err)
			if errors.As(err, new(*placeError)) {
				return errors.Join(errs...)
			}
		}
	}
	if len(errs) > 0 && len(all) > 1 {
		errs = append(errs, fmt.Errorf("%d of %d series failed; the others are done", len(errs), len(all)))
	}
	return errors.Join(errs...)
}

// placeError says that scores cannot be written where they were to be.
type placeError struct{ err error }

func (e *placeError) Error() string { return fmt.Sprintf("--out: %v", e.err) }
func (e *placeError) Unwrap() error { return e.err }

// below lists the series in a folder, without those that were written by an
// earlier run with the same --out.
func (d *detectFlags) below(dir string) (all []series, errs []error) {
	written, _ := os.Stat(d.out) // nothing is there yet, or was named
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		if e.IsDir() {
			if info, err := e.Info(); err == nil && p != dir && written != nil && os.SameFile(info, written) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.EqualFold(filepath.Ext(p), ".csv") {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		all = append(all, series{p, filepath.ToSlash(rel)})
		return err
	})
	if err != nil {
		errs = append(errs, err)
	}
	return all, errs
}

func (d *detectFlags) file(s series) error {
	in, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer in.Close()
	return d.read(s.path, s.name, in)
}

// read runs the detector on one series. Without --out the scores go to stdout,
// or nowhere when events are asked for. Errors name the file as the user did.
func (d *detectFlags) read(path, name string, in io.Reader) (err error) {
	stdout := bufio.NewWriter(d.env.Stdout)
	var scores, events io.Writer
	if d.events {
		events = stdout
	} else {
		scores = stdout
	}
	if d.out != "" {
		out, e := createFile(filepath.Join(d.out, filepath.FromSlash(name)), in)
		if e != nil {
			return &placeError{e}
		}
		defer func() { err = out.finish(err) }()
		scores = out
	}
	_, err = offline.File(name, in, offline.Kind(d.kind), d.place, scores, events)
	var format *offline.FormatError
	if errors.As(err, &format) {
		format.File = path
	}
	return errors.Join(err, stdout.Flush())
}

// wholeFile is a file that appears when it is whole, in place of an older one,
// or not at all.
type wholeFile struct {
	*bufio.Writer
	file *os.File
	to   string
}

// createFile makes a file and the folders above it. It refuses to replace what
// is being read.
func createFile(to string, in io.Reader) (*wholeFile, error) {
	if f, ok := in.(*os.File); ok && isSame(f, to) {
		return nil, fmt.Errorf("%s is the series itself: name another folder", to)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(to + ".partial")
	if err != nil {
		return nil, err
	}
	return &wholeFile{bufio.NewWriter(f), f, to}, nil
}

func isSame(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// finish puts the file in its place, or removes it if something failed.
func (w *wholeFile) finish(err error) error {
	written := errors.Join(w.Flush(), w.file.Close())
	if err == nil && written == nil {
		written = os.Rename(w.file.Name(), w.to)
	}
	if written != nil {
		err = errors.Join(err, &placeError{written})
	}
	if err != nil {
		_ = os.Remove(w.file.Name()) // the error says enough
	}
	return err
}
