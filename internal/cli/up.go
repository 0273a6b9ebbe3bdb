package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"faultline/internal/app"
	"faultline/internal/intake/scenario"
	"faultline/internal/telemetry"
)

// upFlags are the flags of up and demo.
type upFlags struct {
	*common
	watch                []string
	listen, journal, geo string
	demo                 bool
	speed, from          string
}

func (u *upFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&u.watch, "watch", nil, "`URL` to check from here (repeatable); typing it is permission for that host alone")
	f.StringVar(&u.listen, "listen", "", "`address` to serve on (default 127.0.0.1:8080)")
	f.StringVar(&u.journal, "journal", "", "`nats://…` of a NATS cluster instead of the embedded journal")
	f.StringVar(&u.geo, "geo", "", "`file` (MaxMind DB or CSV) that replaces the shipped tables of countries and networks")
	f.StringVar(&u.speed, "speed", "60x", "how much faster the replayed day runs")
	f.StringVar(&u.from, "from", "", "`HH:MM` (UTC) at which the replayed clock starts (default: shortly before the first event)")
}

func newUp(c *common) *cobra.Command {
	u := &upFlags{common: c}
	cmd := &cobra.Command{
		Use: "up", Short: "Run the whole observatory on this machine",
		Example: "  faultline up\n  faultline up --watch https://example.org --watch tcp://192.0.2.7:5432\n  faultline up --demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			demo := ""
			if u.demo {
				demo = app.ReferenceDay
			}
			return u.run(cmd.Context(), demo)
		},
	}
	u.add(cmd)
	cmd.Flags().BoolVar(&u.demo, "demo", false, "replay the reference day, 10 March 2025, beside live input")
	return cmd
}

func newDemo(c *common) *cobra.Command {
	u := &upFlags{common: c}
	cmd := &cobra.Command{
		Use: "demo [CASE]", Short: "Run the observatory with a recorded day replayed beside live input",
		Example: "  faultline demo\n  faultline demo 2025-03-10-x --speed 120x --from 13:30",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := app.ReferenceDay
			if len(args) > 0 {
				name = args[0]
			}
			return u.run(cmd.Context(), name)
		},
	}
	u.add(cmd)
	return cmd
}

// options turns flags into what the program is made of.
func (u *upFlags) options() (app.Options, error) {
	o, err := u.common.options()
	if err != nil {
		return o, err
	}
	o.Watch = u.watch
	if err := u.check(); err != nil {
		return o, err
	}
	for flag, into := range map[*string]*string{&u.listen: &o.Config.Listen, &u.journal: &o.Config.Journal.URL, &u.geo: &o.Config.Geo.File} {
		if *flag != "" {
			*into = *flag
		}
	}
	return o, nil
}

// check looks at the addresses that replace those of the file.
func (u *upFlags) check() error {
	for _, f := range []struct {
		name, value string
		check       func(string) error
	}{{"listen", u.listen, app.CheckListen}, {"journal", u.journal, app.CheckJournal}} {
		if f.value == "" {
			continue
		}
		if err := f.check(f.value); err != nil {
			return fmt.Errorf("--%s: %w", f.name, err)
		}
	}
	return nil
}

func (u *upFlags) run(ctx context.Context, demo string) error {
	o, err := u.options()
	if err != nil {
		return err
	}
	for _, flag := range []string{"speed", "from"} {
		if demo == "" && u.typed[flag] {
			return fmt.Errorf("--%s is for a replay: add --demo, or leave it out", flag)
		}
	}
	if demo != "" {
		speed, err := scenario.ParseSpeed(u.speed)
		if err != nil {
			return fmt.Errorf("--speed: %w", err)
		}
		o.Demo = &app.Demo{Case: demo, Speed: speed, From: u.from}
	}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	for _, w := range o.Config.Warnings() {
		o.Log.Warn("configuration", slog.String("warning", w))
	}
	a.OnListen = func(url string) { fmt.Fprintln(u.env.Stdout, url) }
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	a.Reload = hup
	a.ReadConfig = func() (app.Config, error) { return app.LoadConfig(u.config) }
	return a.Run(ctx)
}

// options are what every command that opens a data folder needs.
func (c *common) options() (app.Options, error) {
	cfg, err := app.LoadConfig(c.config)
	if err != nil {
		return app.Options{}, err
	}
	dir := c.data
	if dir == "" {
		if dir, err = app.DefaultDir(c.env.Getenv); err != nil {
			return app.Options{}, err
		}
	}
	log, err := c.logger()
	if err != nil {
		return app.Options{}, err
	}
	return app.Options{
		Config: cfg, Dir: dir, Version: version, Log: log, Now: c.env.Now,
		ConsoleToken: c.env.Getenv("FAULTLINE_CONSOLE_TOKEN"),
	}, nil
}

func (c *common) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %q: choose debug, info, warn or error", c.logLevel)
	}
	return telemetry.NewLogger(c.env.Stderr, level, c.logJSON), nil
}
