package cli

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"faultline/internal/app"
)

func newCheck(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE]", Short: "Check a configuration file: keys, values, services, addresses", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.config = args[0]
			}
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
			name := c.config
			if name == "" {
				name = "defaults"
			}
			_, err = fmt.Fprintf(c.env.Stdout, "%s: fine; %d services to watch, %d targets\n", name, len(cfg.Services), cfg.Targets())
			return err
		},
	}
}

func newConfig(c *common) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration", Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{
		Use: "show", Short: "Print the configuration in effect, defaults included", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := app.LoadConfig(c.config)
			if err != nil {
				return err
			}
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
