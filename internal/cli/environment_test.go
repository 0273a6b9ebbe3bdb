package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestVariablesThatAreNotOurs(t *testing.T) {
	for name, c := range map[string]struct{ pair, refuses, warns string }{
		"a flag's own":                    {"FAULTLINE_LOG_LEVEL=warn", "", ""},
		"a flag's of another command":     {"FAULTLINE_LISTEN=127.0.0.1:0", "", ""},
		"the console's token":             {"FAULTLINE_CONSOLE_TOKEN=0123456789abcdef", "", ""},
		"that of the tests":               {"FAULTLINE_SHARED=/nowhere", "", ""},
		"a misspelt flag":                 {"FAULTLINE_LOGLEVEL=warn", "unknown variable FAULTLINE_LOGLEVEL in the environment: did you mean FAULTLINE_LOG_LEVEL?", ""},
		"a misspelt token":                {"FAULTLINE_CONSOL_TOKEN=hunter2hunter2hunter2", "did you mean FAULTLINE_CONSOLE_TOKEN?", ""},
		"one that is set to nothing":      {"FAULTLINE_LISTN=", "", ""},
		"a key of the configuration":      {"FAULTLINE_PROBE_INTERVAL=30s", "", "nothing reads FAULTLINE_PROBE_INTERVAL"},
		"a number that is no cluster's":   {"FAULTLINE_PORT=8080", "", "nothing reads FAULTLINE_PORT"},
		"a cluster's port":                {"FAULTLINE_PORT=tcp://10.0.0.1:80", "", ""},
		"a cluster's port of a protocol":  {"FAULTLINE_PORT_80_TCP_ADDR=10.0.0.1", "", ""},
		"a cluster's host":                {"FAULTLINE_SERVICE_HOST=10.0.0.1", "", ""},
		"a cluster's port of a name":      {"FAULTLINE_WEB_SERVICE_PORT_HTTP=80", "", ""},
		"another program's":               {"FAULT_LINE=1", "", ""},
		"another program's that is alike": {"FAULTLINES_LISTN=1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			code := Run(t.Context(), Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Getenv: func(string) string { return "" }, Environ: []string{"PATH=/bin", c.pair}, Now: time.Now}, []string{"version"})
			if c.refuses != "" {
				if code != ExitUsage || !strings.Contains(err.String(), c.refuses) || out.Len() > 0 {
					t.Errorf("code %d, %q, %q", code, out.String(), err.String())
				}
			} else if code != ExitFine || !strings.Contains(err.String(), c.warns) || c.warns == "" && err.Len() > 0 {
				t.Errorf("code %d, %q, want %q", code, err.String(), c.warns)
			}
			if strings.Contains(err.String(), "hunter2") {
				t.Error("the value of a variable is printed")
			}
		})
	}
}

// Every command, also one that is new, refuses an argument too many, an empty
// one, and a flag that it does not know.
func TestEveryCommandRefusesWhatItHasNoUseFor(t *testing.T) {
	run := func(args ...string) (int, string) {
		var out, err bytes.Buffer
		code := Run(t.Context(), Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Getenv: func(string) string { return "" }, Now: time.Now}, args)
		return code, err.String()
	}
	n := 0
	each(newRoot(Env{Stdout: io.Discard, Stderr: io.Discard}), func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		full := path
		for range strings.Fields(c.Use)[1:] {
			full = append(full[:len(full):len(full)], "x")
		}
		n++
		cases := [][]string{append(full[:len(full):len(full)], "superfluous"), append(path[:len(path):len(path)], ""), append(path[:len(path):len(path)], "--no-such-flag")}
		for _, args := range cases {
			if code, err := run(args...); code != ExitUsage || !strings.Contains(err, "--help)") || strings.Count(err, "\n") != 1 {
				t.Errorf("faultline %q: code %d, %q", args, code, err)
			}
		}
	})
	if n < 17 {
		t.Errorf("only %d commands are walked", n)
	}
}
