package cli

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"faultline"
)

// serviceStatus is the part of a service's JSON page that status prints.
type serviceStatus struct {
	Service  string   `json:"id"`
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Since    string   `json:"since,omitempty"`
	Incident string   `json:"incident,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Awake    []string `json:"awake"`
	Verdict  string   `json:"verdict"`
	Detail   string   `json:"detail"`
	Country  string   `json:"country,omitempty"`
	Origin   string   `json:"origin,omitempty"`
	// Incidents are read for what is said of the open one.
	Incidents []struct {
		ID string `json:"id"`
		openIncident
	} `json:"incidents,omitempty"`
	openIncident
}

// openIncident is what status prints of an incident that goes on. Missing shares
// and severity cannot be told, which is not zero.
type openIncident struct {
	Flags       []string            `json:"flags,omitempty"`
	What        []faultline.Aspect  `json:"what,omitempty"`     // what fails, as people put it
	Affected    *faultline.Affected `json:"affected,omitempty"` // at the worst
	AffectedNow *faultline.Affected `json:"affected_now,omitempty"`
	Severity    *faultline.Severity `json:"severity,omitempty"`
}

// code is the exit code of a state. Possible is a finding too: a script that
// wants only confirmed ones reads -o json.
func (s *serviceStatus) code() int {
	switch s.State {
	case "fine", "resolved", "odd", "retracted":
		return ExitFine
	case "possible", "confirmed", "recovering":
		return ExitDisrupted
	}
	return ExitCannotTell
}

// sentence is the verdict, and why nobody can tell: what is to be done depends
// on that.
func (s *serviceStatus) sentence() string {
	if s.code() != ExitCannotTell || s.Detail == "" {
		return s.Verdict
	}
	return s.Verdict + ": " + strings.ToLower(s.Detail[:1]) + s.Detail[1:]
}

func newStatus(c *common) *cobra.Command {
	country := ""
	cmd := &cobra.Command{
		Use: "status [SERVICE]", Short: "One line a service, and an exit code: 0 fine, 1 disrupted, 2 cannot tell",
		Example: "  faultline status x\n  faultline status x --country GB -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			of := cmd.Flags().Changed("country") // an empty one is not the world
			if of && len(args) == 0 {
				return errors.New("--country says where to look at one service: name it, as in faultline status x --country GB")
			}
			k, err := c.connect(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer k.close() //nolint:errcheck // only read
			path := "/services.json"
			if len(args) == 1 {
				path = "/s/" + url.PathEscape(args[0]) + ".json"
			}
			if of {
				path += "?country=" + url.QueryEscape(country)
			}
			resp, err := k.do(cmd.Context(), http.MethodGet, path, nil, "")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			switch {
			case resp.StatusCode == http.StatusNotFound && len(args) == 1:
				return fmt.Errorf("service %q is not known here: faultline status lists those that are watched or reported, the page /services all", args[0])
			case resp.StatusCode != http.StatusOK:
				return failure(resp)
			}
			all, err := readStatus(resp.Body, len(args) == 1)
			if err != nil {
				return err
			}
			return c.printStatus(all, len(args) == 1)
		},
	}
	cmd.Flags().StringVar(&country, "country", "", "only this `country` (two letters)")
	c.outputFlag(cmd, "table", "json", "ndjson", "csv")
	return cmd
}

// readStatus reads one service's page, or the list of services. Of the list,
// those that nobody ever said anything of are left out: there are hundreds in
// the catalogue, and "cannot tell" about each would drown the rest.
func readStatus(body io.Reader, one bool) ([]serviceStatus, error) {
	if !one {
		var list struct{ Services []serviceStatus }
		if err := json.NewDecoder(body).Decode(&list); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if list.Services == nil {
			return nil, errForeign
		}
		return slices.DeleteFunc(list.Services, func(s serviceStatus) bool { return s.State == "cannot_tell" && len(s.Awake) == 0 && s.Since == "" }), nil
	}
	var s serviceStatus
	if err := json.NewDecoder(body).Decode(&s); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if s.State == "" {
		return nil, errForeign
	}
	for _, i := range s.Incidents {
		if i.ID == s.Incident {
			s.openIncident = i.openIncident
		}
	}
	s.Incidents = nil
	return []serviceStatus{s}, nil
}

var errForeign = errors.New("the answer is JSON, but not a faultline's: another program listens there; check --url")

// printStatus prints and ends with the worst code: disrupted before cannot
// tell before fine.
func (c *common) printStatus(all []serviceStatus, one bool) error {
	if err := c.writeStatus(all, one); err != nil {
		return err
	}
	if len(all) == 0 { // nothing at all is known, which is not the same as fine
		fmt.Fprintln(c.env.Stderr, "faultline: of no service can anything be told yet: watch some, or wait for reports; faultline status SERVICE says more of one")
		return exit(ExitCannotTell)
	}
	codes := []int{ExitFine}
	for i := range all {
		codes = append(codes, all[i].code())
	}
	for _, worst := range []int{ExitDisrupted, ExitCannotTell} {
		if slices.Contains(codes, worst) {
			return exit(worst)
		}
	}
	return nil
}

// writeStatus writes one service as an object, and a list as a list, however
// short it is.
func (c *common) writeStatus(all []serviceStatus, one bool) error {
	w := c.env.Stdout
	switch c.output {
	case "json":
		if one {
			return indented(w, all[0])
		}
		return indented(w, all)
	case "ndjson":
		enc := json.NewEncoder(w)
		for i := range all {
			if err := enc.Encode(all[i]); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		return statusCSV(w, all)
	}
	for i := range all {
		if _, err := fmt.Fprintf(w, "%s: %s. %s\n", all[i].Service, all[i].State, all[i].sentence()); err != nil {
			return err
		}
	}
	return nil
}

func statusCSV(w io.Writer, all []serviceStatus) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"service", "state", "since", "incident", "reason", "verdict"}}
	for i := range all {
		s := &all[i]
		rows = append(rows, []string{s.Service, s.State, s.Since, s.Incident, s.Reason, s.Verdict})
	}
	return out.WriteAll(rows)
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// line writes one NDJSON line.
func line(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }
