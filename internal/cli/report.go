package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// reportBody is the body of POST /api/v1/reports.
type reportBody struct {
	Service string `json:"service"`
	Symptom string `json:"symptom,omitempty"`
	Surface string `json:"surface"`
	Since   string `json:"since,omitempty"`
	Works   bool   `json:"works,omitempty"`
	Country string `json:"country,omitempty"`
}

func newReport(c *common) *cobra.Command {
	var b reportBody
	cmd := &cobra.Command{
		Use: "report SERVICE", Short: "Report a problem, or that it works, through the same intake as the page",
		Example: "  faultline report x --symptom cannot_load\n  faultline report x --works",
		RunE: func(cmd *cobra.Command, args []string) error {
			b.Service = args[0]
			if b.Works == (b.Symptom != "") {
				return fmt.Errorf("give either --symptom or --works")
			}
			k, err := c.connect(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer k.close() //nolint:errcheck // the answer says whether it was written
			body, err := json.Marshal(b)
			if err != nil {
				return err
			}
			resp, err := k.do(cmd.Context(), http.MethodPost, "/api/v1/reports", body, "application/json")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				return failure(resp)
			}
			return c.printReceipt(resp.Body)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.Symptom, "symptom", "", "cannot_load, feed_not_refreshing, cannot_log_in, cannot_post, slow or other")
	f.StringVar(&b.Surface, "surface", "web", "app, web or api")
	f.StringVar(&b.Since, "since", "", "since when, RFC 3339")
	f.BoolVar(&b.Works, "works", false, "it works for me")
	f.StringVar(&b.Country, "country", "", "where you are; a looked-up country wins")
	c.outputFlag(cmd, "table", "json")
	return cmd
}

func (c *common) printReceipt(body io.Reader) error {
	var receipt struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(body).Decode(&receipt); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if receipt.ID == "" {
		return errForeign
	}
	if c.output == "json" {
		return indented(c.env.Stdout, receipt)
	}
	_, err := fmt.Fprintf(c.env.Stdout, "counted as %s\n", receipt.ID)
	return err
}
