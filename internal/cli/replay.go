package cli

import (
	"fmt"
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
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
			sum, err := app.Replay(args[0], app.ChainConfigOf(cfg), app.FilesIn(out))
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

func (c *common) printReplay(sum app.Replayed) error {
	w := c.env.Stdout
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
		printIncident(c, &sum.Incidents[i])
	}
	return nil
}

func printIncident(c *common, i *faultline.Incident) {
	fmt.Fprintf(c.env.Stdout, "%s  %s (worst: %s)  from %s  span %s  disrupted %s  revision %d\n", i.ID, i.State, i.Worst,
		i.Onset.Format(time.RFC3339), short(i.Span), short(i.Disrupted), i.Revision)
	for n, e := range i.Episodes {
		end := "still open"
		if !e.End.IsZero() {
			end = e.End.Format("15:04")
		}
		fmt.Fprintf(c.env.Stdout, "  episode %d  %s to %s  %s\n", n+1, e.Onset.Format("15:04"), end, peak(&e))
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
