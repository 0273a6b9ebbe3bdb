package jetstream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"faultline"
	"faultline/internal/journal/jetstream"
	"faultline/internal/journal/journaltest"
)

// childDir names the environment variable that turns the test binary into a
// program that appends until it is killed.
const childDir, childFirst = "FAULTLINE_TEST_JOURNAL_DIR", "FAULTLINE_TEST_JOURNAL_FIRST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, appendForEver(dir, os.Stdout))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// appendForEver appends from many callers and prints a record's key when it
// was acknowledged.
func appendForEver(dir string, out io.Writer) error {
	j, err := jetstream.Open(context.Background(), jetstream.Options{
		Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Registry: prometheus.NewRegistry(), MinFree: 1 << 20,
	})
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(os.Getenv(childFirst))
	if err != nil {
		return err
	}
	var next atomic.Int64
	next.Store(int64(first))
	failed := make(chan error)
	for range 64 {
		go func() {
			for {
				o := journaltest.Report(int(next.Add(1)))
				if err := j.Append(context.Background(), o); err != nil {
					failed <- err
					return
				}
				fmt.Fprintf(out, "%d\n", o.Payload.(*faultline.Report).Key) // one write, so lines do not mix
			}
		}()
	}
	return <-failed
}

// startChild runs the test binary as such a program.
func startChild(t *testing.T, dir string, first int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFirst+"="+strconv.Itoa(first))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the child said: %s", errs.String())
		}
	})
	return cmd, bufio.NewScanner(out)
}

// collect reads keys until there are n more, calls then, and reads on to the
// end of the output: what the child printed before it died was acknowledged.
func collect(t *testing.T, lines *bufio.Scanner, acked map[uint64]bool, n int, then func()) {
	t.Helper()
	for lines.Scan() {
		key, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Fatalf("the child printed %q", lines.Text())
		}
		acked[key] = true
		if n--; n == 0 {
			then()
		}
	}
	if n > 0 {
		t.Fatalf("the child ended by itself, %d acknowledgements early", n)
	}
}

func rounds() int {
	if os.Getenv("FAULTLINE_LONG") != "" {
		return 20
	}
	return 3
}

func TestAKilledJournalLosesAndDoublesNothing(t *testing.T) {
	dir, acked := t.TempDir(), map[uint64]bool{}
	for round := range rounds() {
		cmd, lines := startChild(t, dir, round*10_000_000)
		collect(t, lines, acked, 1500+700*round, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed
		j := mustOpen(t, options(dir))
		journaltest.Once(t, j, acked)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged in %d rounds", len(acked), rounds())
}
