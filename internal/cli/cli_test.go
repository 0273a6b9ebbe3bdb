package cli_test

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"faultline/internal/cli"
)

// The scripts run this test binary as the faultline command, in processes of
// its own.
func TestMain(m *testing.M) {
	programs := maps.Clone(helpers)
	programs["faultline"] = func() {
		ctx, stop := cli.Interruptible()
		defer stop()
		os.Exit(cli.Run(ctx, cli.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Environ: os.Environ(), Now: time.Now}, os.Args[1:]))
	}
	testscript.Main(m, programs)
}

func TestScripts(t *testing.T) { testscript.Run(t, params("testdata/script")) }

// params are what the scripts of a folder are run with.
func params(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"up": up, "term": term, "kill9": kill9, "exits": exits, "waitfor": waitfor, "interrupttwice": interrupttwice,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("FAULTLINE_LISTEN", "127.0.0.1:0")
			e.Setenv("FAULTLINE_DATA", e.WorkDir+"/data")
			e.Setenv("HOME", e.WorkDir)
			e.Values["running"] = &running{}
			return nil
		},
	}
}

// running is the server of a script.
type running struct {
	cmd       *exec.Cmd
	url       string
	elsewhere *exec.Cmd // a server on another machine
}

// program is a command of this test binary, with the script's surroundings.
func program(ts *testscript.TestScript, name string, args ...string) *exec.Cmd {
	first, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator))
	cmd := exec.Command(ts.MkAbs(first)+"/"+name, args...)
	cmd.Args[0] = name // by this name the test binary is the command
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "FAULTLINE_LISTEN="+ts.Getenv("FAULTLINE_LISTEN"), "FAULTLINE_DATA="+ts.Getenv("FAULTLINE_DATA"), "HOME="+ts.Getenv("HOME"))
	cmd.Stderr = os.Stderr
	return cmd
}

// up ARGS: starts `faultline up ARGS`, waits until it is ready, and sets URL.
func up(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: up [ARGS]")
	}
	r := ts.Value("running").(*running)
	r.cmd = program(ts, "faultline", append([]string{"up"}, args...)...)
	out, err := r.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	ts.Defer(func() { r.cmd.Process.Kill(); r.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		ts.Fatalf("up printed no address: %v", err)
	}
	r.url = strings.TrimSpace(line)
	ts.Setenv("URL", r.url)
	await(ts, "the server is ready", func() error { return get(r.url + "/readyz") })
}

// term: sends SIGTERM and wants exit code 0.
func term(ts *testscript.TestScript, _ bool, _ []string) {
	r := ts.Value("running").(*running)
	ts.Check(r.cmd.Process.Signal(syscall.SIGTERM))
	if err := r.cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v", err)
	}
}

// interrupttwice: presses Ctrl-C while a client is in the middle of a request,
// which is waited for, and once more, which ends the server at once.
func interrupttwice(ts *testscript.TestScript, _ bool, _ []string) {
	r := ts.Value("running").(*running)
	address := strings.TrimPrefix(r.url, "http://")
	c, err := net.Dial("tcp", address)
	ts.Check(err)
	defer c.Close()
	fmt.Fprintf(c, "POST /api/v1/reports HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n", address)
	_, err = bufio.NewReader(c).ReadString('\n') // the server waits for the body
	ts.Check(err)
	ts.Check(r.cmd.Process.Signal(os.Interrupt))
	await(ts, "the server takes nobody in any more", func() error {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return fmt.Errorf("it still listens")
		}
		return nil
	})
	ts.Check(r.cmd.Process.Signal(os.Interrupt))
	r.cmd.Wait()
	if s, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGINT {
		ts.Fatalf("the server ended with %v, want SIGINT", r.cmd.ProcessState)
	}
}

// kill9: kill -9.
func kill9(ts *testscript.TestScript, _ bool, _ []string) {
	r := ts.Value("running").(*running)
	ts.Check(r.cmd.Process.Kill())
	r.cmd.Wait()
}

// exits CODE COMMAND ARGS: runs a command that must end with this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if e := (*exec.ExitError)(nil); err != nil {
		if !asExit(err, &e) {
			ts.Fatalf("%v", err)
		}
		code = e.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func asExit(err error, into **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*into = e
	return ok
}

// waitfor TEXT COMMAND ARGS: runs a command until its output has the text.
func waitfor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor TEXT COMMAND ARGS")
	}
	await(ts, args[0], func() error {
		_ = ts.Exec(args[1], args[2:]...)
		if !strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return fmt.Errorf("no %q in %q", args[0], ts.ReadFile("stdout"))
		}
		return nil
	})
}

func get(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// await tries until it works, for a minute.
func await(ts *testscript.TestScript, what string, try func() error) {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("%s: not within a minute: %v", what, err)
		}
	}
}
