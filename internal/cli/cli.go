// Package cli is the command line: argv in, an exit code out. Everything a
// command touches of its surroundings (streams, environment, clock) comes in
// through Env, so that a test can call it.
//
// Exit codes are a contract for scripts: 0 fine, 1 disrupted or finding, 2
// cannot tell, 3 usage or input error. Errors go to stderr as one sentence that
// says what, why and what to do; there are no stack traces.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	ExitFine       = 0
	ExitDisrupted  = 1
	ExitCannotTell = 2
	ExitUsage      = 3
)

// version is set by the linker (see the Makefile).
var version = "unknown"

// Env is what a command sees of its surroundings.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Environ        []string // "NAME=value", to find misspelt names in
	Now            func() time.Time
}

// exit is an outcome that is not an error: a code without a message.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Interruptible is a context that the first SIGINT or SIGTERM ends, so that what
// was accepted is written. The second one ends the process, as if the program
// did not listen: what waits too long can be left at once, and loses nothing
// that was acknowledged.
func Interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Run runs one command and returns its exit code.
func Run(ctx context.Context, env Env, args []string) int {
	root := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return ExitFine
	case errors.As(err, &code):
		return int(code)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errInterrupted
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(env.Stderr, "faultline: %s\n", line)
	}
	return ExitUsage
}

var errInterrupted = errors.New("interrupted")

// common are the flags that every command has.
type common struct {
	env                       Env
	config, data, url, output string
	logLevel                  string
	logJSON                   bool
	timeout                   time.Duration
	typed                     map[string]bool // flags of the command line, not of the environment
}

func newRoot(env Env) *cobra.Command {
	c := &common{env: env}
	root := &cobra.Command{
		Use:           "faultline",
		Short:         "Is it down, for whom, since when, and how sure is that?",
		Long:          "Faultline is an outage observatory: people's reports and active checks become incidents with scope and duration.\nStart with: faultline up --demo",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return c.look(cmd) },
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	f := root.PersistentFlags()
	f.StringVar(&c.config, "config", "", "configuration `file` (YAML); works without one")
	f.StringVar(&c.data, "data", "", "data `folder` (default: the user's state folder)")
	f.StringVar(&c.url, "url", "", "`address` of a running faultline to ask instead of opening a folder")
	f.DurationVar(&c.timeout, "timeout", 30*time.Second, "how long a running faultline that is asked may be silent")
	f.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVar(&c.logJSON, "log-json", false, "log JSON lines")
	root.AddCommand(newUp(c), newDemo(c), newStatus(c), newReport(c), newReplay(c), newDetect(c), newBacktest(c), newRebuild(c),
		newCheck(c), newConfig(c), newExport(c), newExplain(c), newVersion(c))
	root.InitDefaultCompletionCmd()
	strictly(root)
	return root
}

// look looks at what a command was given before it runs.
func (c *common) look(cmd *cobra.Command) error {
	if err := checkEnvironment(cmd.Root(), c.env.Environ, c.env.Stderr); err != nil {
		return err
	}
	for _, name := range []string{"config", "data", "url"} {
		if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
			return fmt.Errorf("--%s is empty: give a value, or leave the flag out", name)
		}
	}
	c.typed = map[string]bool{}
	cmd.Flags().Visit(func(f *pflag.Flag) { c.typed[f.Name] = true })
	return fromEnvironment(cmd.Flags(), c.env.Getenv)
}

// outputFlag adds -o with the forms that a command can print; the first is the
// default.
func (c *common) outputFlag(cmd *cobra.Command, forms ...string) {
	chosen := cmd.Flags().StringP("output", "o", forms[0], "output: "+strings.Join(forms, ", "))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(forms, *chosen) {
			return fmt.Errorf("unknown output %q: choose one of %s", *chosen, strings.Join(forms, ", "))
		}
		c.output = *chosen
		return nil
	}
}

func newVersion(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.env.Stdout, "faultline", version)
			return err
		},
	}
}
