package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"faultline/internal/app"
)

func newExport(c *common) *cobra.Command {
	var kind, service, since string
	cmd := &cobra.Command{
		Use: "export", Short: "Write records as NDJSON or CSV, out of a data folder or a running server",
		Example: "  faultline export --kind reports -o ndjson\n  faultline export --kind incidents --service x --since 2025-03-10T00:00:00Z -o csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case kind == "":
				return fmt.Errorf("--kind is missing: choose one of %s", strings.Join(app.ExportKinds(), ", "))
			case !slices.Contains(app.ExportKinds(), kind):
				return fmt.Errorf("--kind %q: choose one of %s%s", kind, strings.Join(app.ExportKinds(), ", "), mean(kind, app.ExportKinds()))
			}
			k, err := c.connect(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer k.close() //nolint:errcheck // only read
			q := url.Values{"kind": {kind}, "service": {service}, "since": {since}, "format": {c.output}}
			resp, err := k.do(cmd.Context(), http.MethodGet, "/console/export?"+q.Encode(), nil, "")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return failure(resp)
			}
			if _, err = io.Copy(c.env.Stdout, resp.Body); err != nil {
				return fmt.Errorf("export broke off: %w", err)
			}
			if t := resp.Trailer.Get("X-Faultline-Error"); t != "" {
				return fmt.Errorf("export broke off: %s", t)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", strings.Join(app.ExportKinds(), ", "))
	f.StringVar(&service, "service", "", "only this `service`")
	f.StringVar(&since, "since", "", "only from this `time` on, RFC 3339")
	c.outputFlag(cmd, "ndjson", "csv")
	return cmd
}
