package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	_ "net/http/pprof"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"faultline"
	"faultline/internal/app"
	"faultline/internal/journal"
)

// serveForBench runs the program's server: with its journal, or, with -null,
// with one that forgets. The handler parses, validates and answers alike.
func serveForBench(args []string) {
	f := flag.NewFlagSet("serve", flag.ExitOnError)
	dir := f.String("data", "", "data folder")
	null := f.Bool("null", false, "a journal that forgets")
	profile := f.String("profile", "", "address of net/http/pprof, to look into a load by hand")
	_ = f.Parse(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *profile != "" {
		runtime.SetBlockProfileRate(10_000)
		go func() { fmt.Fprintln(os.Stderr, "bench serve:", http.ListenAndServe(*profile, nil)) }()
	}
	c := app.DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Services = []faultline.Service{{ID: "x", Name: "X"}}
	c.Intake.Report.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	o := app.Options{Config: c, Dir: *dir, Version: "bench", Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if *null {
		o.Journal = &forgetful{}
	}
	a, err := app.New(o)
	if err == nil {
		a.OnListen = func(url string) { fmt.Fprintln(os.Stdout, url) }
		err = a.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench serve:", err)
		os.Exit(1)
	}
}

// forgetful is a journal that gives positions and keeps nothing.
type forgetful struct{ last atomic.Uint64 }

func (j *forgetful) Append(_ context.Context, obs ...*faultline.Observation) error {
	n := j.last.Add(1)
	for i, o := range obs {
		o.Position = faultline.Position{Frame: n, Index: uint16(i)}
	}
	return nil
}

func (j *forgetful) Read(context.Context, uint16, uint64, func(*journal.Frame) error) error {
	return nil
}

func (j *forgetful) Follow(ctx context.Context, _ uint16, _ uint64, _ func(*journal.Frame) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func (j *forgetful) AppendRecord(context.Context, faultline.Record) error { return nil }

func (j *forgetful) ReadRecords(context.Context, func(faultline.Record) error) error { return nil }

func (j *forgetful) Trim(context.Context, uint16, faultline.Kind, uint64) error { return nil }

func (j *forgetful) Info(context.Context, uint16) (journal.Info, error) { return journal.Info{}, nil }

func (j *forgetful) Close() error { return nil }
