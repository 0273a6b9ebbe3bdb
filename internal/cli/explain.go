package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"faultline"
	"faultline/internal/app"
	"faultline/internal/publish/words"
)

func newExplain(c *common) *cobra.Command {
	of := ""
	cmd := &cobra.Command{
		Use: "explain INCIDENT|EVENT", Short: "The whole working behind an incident or an event: what was compared, p, and why",
		Long: "INCIDENT is an id as x-2025-03-10, or a revision as x-2025-03-10@7; EVENT one as faultline export --kind events lists them.\n" +
			"With --scenario the recorded day is played first, which can take a minute, and what came out of it is explained.\n" +
			"Of an incident, the events of the world, of vantage points and those that changed its state are told in full, the others in a line each; -o json has all.",
		Example: "  faultline explain x-2025-03-10\n  faultline explain --scenario one-probe agreed-2025-06-16 -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := c.explanation(cmd, of, args[0])
			if err != nil {
				return err
			}
			if c.output == "json" {
				return indented(c.env.Stdout, x)
			}
			w := bufio.NewWriter(c.env.Stdout)
			printExplanation(w, x)
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&of, "scenario", "", "explain what came out of a recorded `day`: the name of a shipped scenario or a folder")
	c.outputFlag(cmd, "table", "json")
	return cmd
}

// explanation asks a server or a folder, or plays a day.
func (c *common) explanation(cmd *cobra.Command, scenario, id string) (x app.Explanation, err error) {
	switch {
	case scenario != "" && c.typed["url"]:
		return x, errors.New("--scenario plays a recorded day here and --url asks a server: give one of them")
	case scenario != "":
		cfg, err := app.LoadConfig(c.config)
		if err != nil {
			return x, err
		}
		return app.ExplainScenario(cmd.Context(), scenario, cfg, id)
	case cmd.Flags().Changed("scenario"):
		return x, errors.New("--scenario is empty: give a value, or leave the flag out")
	}
	k, err := c.connect(cmd.Context(), false)
	if err != nil {
		return x, err
	}
	defer k.close() //nolint:errcheck // only read
	resp, err := k.do(cmd.Context(), http.MethodGet, "/console/explain?id="+url.QueryEscape(id), nil, "")
	if err != nil {
		return x, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return x, failure(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(&x); err != nil {
		return x, fmt.Errorf("read the answer: %w", err)
	}
	if x.ID == "" {
		return x, errForeign
	}
	return x, nil
}

// printExplanation writes an explanation for people; whoever calls it flushes
// w, which keeps the first error.
func printExplanation(w io.Writer, x app.Explanation) {
	if x.Notice != "" {
		fmt.Fprintf(w, "Replay: %s\n\n", x.Notice)
	}
	if i := x.Incident; i != nil {
		explainIncident(w, i)
		explainBlame(w, i.Blame)
		fmt.Fprintln(w, "\nRules in effect now")
		for _, r := range x.Rules {
			fmt.Fprintf(w, "  %s\n", r)
		}
		explainEvents(w, &x)
		return
	}
	for k := range x.Events {
		explainEvent(w, &x.Events[k])
	}
}

// explainEvents tells those in full that the incident rests on.
func explainEvents(w io.Writer, x *app.Explanation) {
	fmt.Fprintf(w, "\n%s behind it\n", words.Plural(float64(len(x.Events)), "event", "events"))
	decided := map[string]bool{}
	for _, c := range x.Incident.Changes {
		for _, id := range c.Because {
			decided[id] = true
		}
	}
	var others []*app.Explained
	for k := range x.Events {
		e := &x.Events[k]
		if level := e.Series.Level; !decided[e.ID] && level != faultline.World && level != faultline.AtVantage {
			others = append(others, e)
			continue
		}
		fmt.Fprintln(w)
		explainEvent(w, e)
	}
	if len(others) == 0 {
		return
	}
	fmt.Fprintln(w, "\nThe others: faultline explain EVENT tells each in full")
	for _, e := range others {
		fmt.Fprintf(w, "  %s  %s; calibrated −log10 p %s\n", e.ID, words.Event(&e.Event), digits(e.LogP))
	}
}

func explainIncident(w io.Writer, i *faultline.Incident) {
	printIncident(w, i)
	fmt.Fprintf(w, "  found by %s, as of %s; instruments: %s\n", i.By, i.At.Format(time.RFC3339), strings.Join(i.Instruments, ", "))
	if i.MergedInto != "" {
		fmt.Fprintf(w, "  part of %s\n", i.MergedInto)
	}
	if i.Reason != "" {
		fmt.Fprintf(w, "  retracted: %s\n", i.Reason)
	}
	for _, f := range i.Flags {
		fmt.Fprintf(w, "  flag: %s\n", f)
	}
	fmt.Fprintln(w, "\nHow its state changed, and why")
	for _, c := range i.Changes {
		fmt.Fprintf(w, "  %s  %s: %s (by %s%s)\n", c.At.Format(time.RFC3339), c.To, words.Reason(c.Why), c.By, because(c.Because))
	}
	for _, n := range i.Notes {
		fmt.Fprintf(w, "  %s  note by %s: %s\n", n.At.Format(time.RFC3339), n.By, n.Text)
	}
}

func because(ids []string) string {
	switch {
	case len(ids) == 0:
		return ""
	case len(ids) > 3:
		return fmt.Sprintf("; because of %s and %d more", strings.Join(ids[:3], ", "), len(ids)-3)
	}
	return "; because of " + strings.Join(ids, ", ")
}

func explainBlame(w io.Writer, b *faultline.Blame) {
	if b == nil {
		return
	}
	fmt.Fprintf(w, "\nWhom it points to\n  %s\n  role %s, basis %s, weight %.2f\n", b.Text, b.Role, b.Basis, b.P)
	for _, s := range b.For {
		fmt.Fprintf(w, "  for: %s\n", s)
	}
	for _, s := range b.Against {
		fmt.Fprintf(w, "  against: %s\n", s)
	}
}

func explainEvent(w io.Writer, x *app.Explained) {
	e := &x.Event
	fmt.Fprintf(w, "%s  %s, %s, revision %d, by %s\n  %s\n", e.ID, e.Series, cmp.Or(e.Reason, string(e.State)), e.Revision, e.By, words.Event(e))
	fmt.Fprintf(w, "  began %s (between %s and %s), told %s\n", e.Onset.Format(time.RFC3339), e.OnsetLow.Format("15:04:05"), e.OnsetHigh.Format("15:04:05"), e.Opened.Format(time.RFC3339))
	if !e.End.IsZero() {
		fmt.Fprintf(w, "  ended %s\n", e.End.Format(time.RFC3339))
	}
	if e.Working == nil {
		fmt.Fprintln(w, "  Its working was not kept: it was found by an older version.")
		return
	}
	if x.Opening != nil {
		fmt.Fprintln(w, "  When it was opened:")
		explainWorking(w, e, x.Opening)
		fmt.Fprintln(w, "  When the evidence was largest:")
	}
	explainWorking(w, e, e.Working)
}

func explainWorking(w io.Writer, e *faultline.Event, k *faultline.Working) {
	then := *e
	then.Working = k
	for _, s := range words.How(&then) {
		fmt.Fprintf(w, "    %s\n", s)
	}
	if len(k.Windows) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "     \twindow\tseen\tcounted\tusual\tagainst\tdispersion\t−log10 p\tcalibrated\t")
	for n, x := range k.Windows {
		mark := ""
		if n == k.Best {
			mark = "decided"
		}
		fmt.Fprintf(t, "     \t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t %s\n", words.Duration(time.Duration(x.Width)), digits(x.Seen), digits(x.Counted), digits(x.Usual),
			digits(x.Against), digits(x.Phi), digits(x.LogP), digits(x.Calibrated), mark)
	}
	t.Flush() // the writer below keeps its first error
}

// digits writes a number of a table as the record has it.
func digits(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
