// Command faultline is the whole observatory in one program.
package main

import (
	"os"
	"time"

	"faultline/internal/cli"
)

func main() {
	ctx, stop := cli.Interruptible()
	code := cli.Run(ctx, cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Environ: os.Environ(), Now: time.Now,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}
