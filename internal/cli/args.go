package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"faultline/internal/settings"
)

// strictly makes every command refuse arguments that it has no use for, with
// the nearest word there is. What a command takes stands in its Use line:
// "report SERVICE", "status [SERVICE]".
func strictly(root *cobra.Command) {
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelp())
	each(root, func(c *cobra.Command) {
		switch {
		case c.Name() == "help":
		case c.HasSubCommands():
			c.Args, c.RunE, c.DisableFlagsInUseLine = subCommand, needsSubCommand, true
		default:
			c.Args = arguments
		}
	})
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

// arguments compares what was given with the Use line.
func arguments(c *cobra.Command, given []string) error {
	wanted := strings.Fields(c.Use)[1:]
	for i, g := range given {
		if i >= len(wanted) {
			return fmt.Errorf("unexpected argument %q: the form is %s (see: %s --help)", g, form(c), c.CommandPath())
		}
		if g == "" {
			return fmt.Errorf("%s is empty: the form is %s (see: %s --help)", strings.Trim(wanted[i], "[]"), form(c), c.CommandPath())
		}
	}
	if n := len(given); n < len(wanted) && !strings.HasPrefix(wanted[n], "[") {
		return fmt.Errorf("%s is missing: the form is %s (see: %s --help)", wanted[n], form(c), c.CommandPath())
	}
	return nil
}

// form is the Use line with the commands before it.
func form(c *cobra.Command) string {
	return strings.TrimSuffix(c.CommandPath()+" "+strings.Join(strings.Fields(c.Use)[1:], " "), " ")
}

// subCommand refuses what is none.
func subCommand(c *cobra.Command, given []string) error {
	if len(given) == 0 {
		return nil
	}
	names := subCommands(c)
	near := settings.Nearest(given[0], names)
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, given[0]) }); i >= 0 && near == "" {
		near = names[i]
	}
	text := fmt.Sprintf("unknown command %q for %q", given[0], c.CommandPath())
	if near != "" {
		return fmt.Errorf("%s: did you mean %q? (see: %s --help)", text, near, c.CommandPath())
	}
	return fmt.Errorf("%s: choose one of %s (see: %s --help)", text, strings.Join(names, ", "), c.CommandPath())
}

func needsSubCommand(c *cobra.Command, _ []string) error {
	return fmt.Errorf("%s what? choose one of %s (see: %s --help)", c.CommandPath(), strings.Join(subCommands(c), ", "), c.CommandPath())
}

func subCommands(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// newHelp is help as a command, which refuses what it knows no help about.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about a command",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 && about.HasSubCommands() {
				return subCommand(about, rest)
			}
			if len(rest) > 0 {
				return fmt.Errorf("unexpected argument %q behind %q (see: %s --help)", rest[0], about.CommandPath(), about.CommandPath())
			}
			about.InitDefaultHelpFlag() // so that it is listed
			return about.Help()
		},
	}
}

// flagError adds to a wrong flag the nearest one and where to read on.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := settings.Nearest(unknown.GetSpecifiedName(), names); near != "" && len(unknown.GetSpecifiedName()) > 1 {
			return fmt.Errorf("%w: did you mean --%s? (see: %s --help)", err, near, c.CommandPath())
		}
	}
	return fmt.Errorf("%w (see: %s --help)", err, c.CommandPath())
}
