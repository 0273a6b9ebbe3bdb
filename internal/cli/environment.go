package cli

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"faultline/internal/settings"
)

// prefix begins every variable that is ours.
const prefix = "FAULTLINE_"

// Variables that are no flag's: the console's token, and what the project's own
// tests are told; those that begin with forTests are theirs too.
var otherVariables = []string{"CONSOLE_TOKEN", "SHARED"}

const forTests = "TEST_"

// ofKubernetes are the variables that a cluster sets in every container beside
// a service whose name begins with faultline. They are nobody's mistake.
var ofKubernetes = regexp.MustCompile(`^([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)?)$`)

func isKubernetes(rest, value string) bool {
	return ofKubernetes.MatchString(rest) && (rest != "PORT" || strings.Contains(value, "://"))
}

// fromEnvironment sets each flag that was not given from FAULTLINE_NAME.
func fromEnvironment(flags *pflag.FlagSet, getenv func(string) string) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		name := prefix + variable(f)
		if v := getenv(name); v != "" && !f.Changed && err == nil {
			if e := flags.Set(f.Name, v); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	})
	return err
}

// variable is the part of a flag's variable that follows the prefix.
func variable(f *pflag.Flag) string { return strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) }

// knownVariables are those of the flags of all commands: one environment may
// serve several.
func knownVariables(root *cobra.Command) []string {
	all := slices.Clone(otherVariables)
	each(root, func(c *cobra.Command) {
		for _, flags := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) { all = append(all, variable(f)) })
		}
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// checkEnvironment refuses a variable that is almost one of ours: it was meant,
// and would be ignored. One that is nothing like ours is told and let be, since
// others may set variables too, and a program that does not start because of
// theirs helps nobody.
func checkEnvironment(root *cobra.Command, environ []string, warn io.Writer) error {
	known := knownVariables(root)
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		rest, ours := strings.CutPrefix(name, prefix)
		if !ours || value == "" || slices.Contains(known, rest) || strings.HasPrefix(rest, forTests) || isKubernetes(rest, value) {
			continue
		}
		if near := settings.Nearest(rest, known); near != "" {
			return fmt.Errorf("unknown variable %s in the environment: did you mean %s%s?", name, prefix, near)
		}
		fmt.Fprintf(warn, "faultline: warning: nothing reads %s: flags can be set in the environment (--log-level is %sLOG_LEVEL), keys of the configuration cannot\n", name, prefix)
	}
	return nil
}
