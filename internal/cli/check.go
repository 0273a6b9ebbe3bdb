package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"faultline/internal/app"
)

func newCheck(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE]", Short: "Check a configuration file: keys, values, services, addresses, and the files it names",
		Long: "Says everything that is wrong, each with file, line, key and what is allowed, and ends with exit code 3.\nWhat works and is most likely not meant is a warning, and does not change the exit code.\nWithout FILE, --config or FAULTLINE_CONFIG it checks the defaults.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.config = args[0]
			}
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
			if err := app.CheckOptions(app.Options{Config: cfg, ConsoleToken: c.env.Getenv("FAULTLINE_CONSOLE_TOKEN")}); err != nil {
				return err
			}
			for _, w := range cfg.Warnings() {
				fmt.Fprintln(c.env.Stderr, "faultline: warning:", w)
			}
			name := c.config
			if name == "" {
				name = "defaults"
			}
			_, err = fmt.Fprintf(c.env.Stdout, "%s: fine; %s to watch, %s\n", name, number(len(cfg.Services), "service"), number(cfg.Targets(), "target"))
			return err
		},
	}
}

// number writes a number with what it counts.
func number(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func newConfig(c *common) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	cmd.AddCommand(&cobra.Command{
		Use: "show", Short: "Print the configuration in effect, defaults included",
		Long: "Prints YAML that is a configuration file itself. A password in the address of a journal is printed as xxxxx.",
		RunE: func(*cobra.Command, []string) error {
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
			cfg.Journal.URL = withoutPasswords(cfg.Journal.URL)
			b, err := yaml.Marshal(cfg)
			if err != nil {
				return fmt.Errorf("write configuration: %w", err)
			}
			_, err = c.env.Stdout.Write(b)
			return err
		},
	})
	return cmd
}

// withoutPasswords hides the passwords in a list of addresses.
func withoutPasswords(addresses string) string {
	list := strings.Split(addresses, ",")
	for i, a := range list {
		if u, err := url.Parse(strings.TrimSpace(a)); err == nil && u.User != nil {
			list[i] = u.Redacted()
		}
	}
	return strings.Join(list, ",")
}
