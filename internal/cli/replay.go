package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"faultline"
	"faultline/internal/app"
)

func newReplay(c *common) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use: "replay SCENARIO", Short: "Take a recorded day through all rooms, without a server",
		Long:    "SCENARIO is the name of a shipped scenario or a folder with a scenario.yaml.\nWith --out, one NDJSON file a room is written: samples, readings, events, incidents, statuses; the same input gives the same bytes.",
		Example: "  faultline replay 2025-03-10-x --out /tmp/x",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
			sum, err := app.Replay(args[0], app.ChainConfigOf(cfg), until(cmd.Context(), app.FilesIn(out)))
			if err != nil {
				return err
			}
			return c.printReplay(sum)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`folder` for the rooms' files")
	c.outputFlag(cmd, "table", "json", "ndjson")
	return cmd
}

// until gives files that take nothing more once ctx has ended: a replay has no
// other place at which it could be interrupted.
func until(ctx context.Context, open func(string) (io.WriteCloser, error)) func(string) (io.WriteCloser, error) {
	return func(room string) (io.WriteCloser, error) {
		f, err := open(room)
		return interruptible{f, ctx}, err
	}
}

type interruptible struct {
	io.WriteCloser
	ctx context.Context
}

func (w interruptible) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.WriteCloser.Write(b)
}

func (c *common) printReplay(sum app.Replayed) error {
	w := bufio.NewWriter(c.env.Stdout)
	if err := c.writeReplay(w, sum); err != nil {
		return err
	}
	return w.Flush()
}

func (c *common) writeReplay(w io.Writer, sum app.Replayed) error {
	switch c.output {
	case "json":
		return indented(w, sum)
	case "ndjson":
		for i := range sum.Incidents {
			if err := line(w, sum.Incidents[i]); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(w, "%s: %s\n%d observations; %d incidents\n", sum.Scenario, sum.Notice, sum.Observations, len(sum.Incidents))
	for i := range sum.Incidents {
		printIncident(w, &sum.Incidents[i])
	}
	return nil
}

func printIncident(w io.Writer, i *faultline.Incident) {
	fmt.Fprintf(w, "%s  %s (worst: %s)  from %s  span %s  disrupted %s  revision %d\n", i.ID, i.State, i.Worst,
		i.Onset.Format(time.RFC3339), short(i.Span), short(i.Disrupted), i.Revision)
	for n, e := range i.Episodes {
		end := "still open"
		if !e.End.IsZero() {
			end = e.End.Format("15:04")
		}
		fmt.Fprintf(w, "  episode %d  %s to %s  %s\n", n+1, e.Onset.Format("15:04"), end, peak(&e))
	}
}

// peak says how many reports an episode had at most; one that only probes saw
// has no such number, which is not the same as none.
func peak(e *faultline.Episode) string {
	if e.PeakWidth == 0 {
		return "no surge of reports"
	}
	return fmt.Sprintf("peak %s, %.0f reports in %s, usual %.1f", e.Peak.Format("15:04"), e.PeakValue, short(e.PeakWidth), e.PeakUsual)
}

// short writes a duration in whole minutes.
func short(s faultline.Seconds) string {
	d := time.Duration(s).Round(time.Minute)
	return fmt.Sprintf("%d:%02d h", int(d.Hours()), int(d.Minutes())%60)
}
