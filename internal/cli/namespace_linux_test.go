package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// inside is set for the copy of the test that runs in a namespace of its own.
const inside = "FAULTLINE_TEST_NAMESPACE"

// The scripts of the second folder need a machine whose network they may take
// away.
func TestScriptsInANamespace(t *testing.T) {
	if os.Getenv(inside) != "" {
		t.Skip("this is the copy")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the command ip (package iproute2)")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInsideTheNamespace$", "-test.v", "-test.timeout=4m")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(err.Error(), "operation not permitted") {
		t.Skipf("this machine makes no network namespace: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestInsideTheNamespace/") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInsideTheNamespace runs in the copy.
func TestInsideTheNamespace(t *testing.T) {
	if os.Getenv(inside) == "" {
		t.Skip("runs in a namespace of its own")
	}
	p := params("testdata/namespace")
	for name, command := range map[string]func(*testscript.TestScript, bool, []string){
		"elsewhere": elsewhere, "stops": stops, "counted": counted, "says": says,
	} {
		p.Cmds[name] = command
	}
	testscript.Run(t, p)
}

// elsewhere ADDRESS: starts a web server on a machine of its own, with a cable
// to this one: up0 here, up1 there.
func elsewhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: elsewhere ADDRESS")
	}
	cmd := program(ts, "other-machine", args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { cmd.Process.Kill(); cmd.Wait() })
	ts.Value("running").(*running).elsewhere = cmd
	own := net.ParseIP(args[0]).To4()
	own[3]++
	for _, step := range []string{
		"link add up0 type veth peer name up1 netns " + strconv.Itoa(cmd.Process.Pid),
		"addr add " + own.String() + "/24 dev up0", "link set up0 up",
	} {
		if err := ip(step); err != nil {
			ts.Fatalf("%v", err)
		}
	}
	_, err = io.WriteString(in, "the cable is there\n")
	ts.Check(err)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		ts.Fatalf("elsewhere: %q %v", line, err)
	}
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %v: %s", args, err, out)
	}
	return nil
}

// helpers are further programs that scripts may start.
var helpers = map[string]func(){"other-machine": otherMachine}

// otherMachine serves there until the first SIGHUP.
func otherMachine() {
	err := func() error {
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		for _, step := range []string{"link set lo up", "addr add " + os.Args[1] + "/24 dev up1", "link set up1 up"} {
			if err := ip(step); err != nil {
				return err
			}
		}
		l, err := net.Listen("tcp", net.JoinHostPort(os.Args[1], "80"))
		if err != nil {
			return err
		}
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		fmt.Println("ready")
		go func() {
			_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
		}()
		<-hup
		l.Close()
		<-hup // the machine stays, and answers that nothing listens
		return nil
	}()
	fmt.Fprintln(os.Stderr, "other-machine:", err)
	os.Exit(1)
}

// stops: the server elsewhere stops; its machine answers that nothing listens.
func stops(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(ts.Value("running").(*running).elsewhere.Process.Signal(syscall.SIGHUP))
}

// counted NAME N: waits until a counter has reached a number.
func counted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: counted NAME N")
	}
	want, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	await(ts, args[0], func() error {
		metrics, err := fetch(ts, "/metrics")
		if err != nil {
			return err
		}
		for line := range strings.Lines(metrics) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), args[0]+" "); ok {
				if n, err := strconv.ParseFloat(value, 64); err != nil || n >= want {
					return err
				}
				return fmt.Errorf("%s, want %s", line, args[1])
			}
		}
		return fmt.Errorf("no such counter")
	})
}

// says TEXT PATH: the page has the text, or with ! it has not.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] says TEXT PATH")
	}
	page, err := fetch(ts, args[1])
	ts.Check(err)
	if strings.Contains(page, args[0]) == neg {
		ts.Fatalf("%s, %q: want %v\n%s", args[1], args[0], !neg, page)
	}
}

func fetch(ts *testscript.TestScript, path string) (string, error) {
	resp, err := http.Get(ts.Value("running").(*running).url + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return string(b), err
}
