// Command bench measures Faultline against a peer or a limit in the same run
// and prints one table: what, the bar, and what was measured. The machine may
// be noisy, so everything is a ratio or a count, never a time by itself.
//
// It drives the real binary (bin/faultline, or -binary) and starts what else it
// needs (nginx, if it is installed) on the loopback address. Load is bounded in
// count. What needs FAULTLINE_SHARED (scorers and generators of others) is left
// out when that is not set, and said to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// measurement is one line of the table.
type measurement struct {
	what, bar, got string
	ok             bool
}

// bench is one measurement of several lines.
type bench struct {
	name string
	run  func(ctx context.Context, b *tools) ([]measurement, error)
}

// tools are what the benches share.
type tools struct {
	binary string
	shared string // FAULTLINE_SHARED, or ""
	dir    string // a temporary folder
	rounds int
}

var benches = []bench{
	{"memory", memory},
	{"reports", reports},
	{"page", page},
	{"kill", kills},
	{"detect", detection},
	{"hard", hardSeries},
	{"quiet", quiet},
	{"gauges", gauges},
	{"abuse", abuse},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serveForBench(os.Args[2:])
		return
	}
	b := &tools{shared: os.Getenv("FAULTLINE_SHARED")}
	only := flag.String("only", "", "run only these, separated by commas")
	flag.StringVar(&b.binary, "binary", "bin/faultline", "the program")
	flag.IntVar(&b.rounds, "rounds", 20, "rounds of kill -9")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, b, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run runs the benches; a bar that is missed is an error at the end.
func run(ctx context.Context, b *tools, only string) error {
	dir, err := os.MkdirTemp("", "faultline-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	missed := 0
	fmt.Fprintf(os.Stdout, "| what | bar | measured | |\n|---|---|---|---|\n")
	for _, x := range benches {
		if only != "" && !strings.Contains(","+only+",", ","+x.name+",") {
			continue
		}
		lines, err := x.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		for _, m := range lines {
			mark := "met"
			if !m.ok {
				mark = "MISSED"
				missed++
			}
			fmt.Fprintf(os.Stdout, "| %s | %s | %s | %s |\n", m.what, m.bar, m.got, mark)
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d bars were missed", missed)
	}
	return nil
}
