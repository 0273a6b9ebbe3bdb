package probe_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/probe/http"
	"faultline/internal/probe/probetest"
)

// inside names the case that a copy of the test runs in a namespace of its own.
const inside = "FAULTLINE_TEST_NAMESPACE"

// On a machine that has nothing but a loopback interface, and on one whose
// uplink leads nowhere or was pulled, a public target must not be called down; a server on
// the machine itself must.
func TestInANetworkNamespace(t *testing.T) {
	if os.Getenv(inside) != "" {
		t.Skip("this is the copy")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	for _, name := range []string{"loopback", "uplink", "unplugged"} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("ip"); err != nil && name != "loopback" {
				t.Skip("needs the command ip (package iproute2)")
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInsideTheNamespace$", "-test.v", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), inside+"="+name)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
			out, err := cmd.CombinedOutput()
			if err != nil && strings.Contains(err.Error(), "operation not permitted") {
				t.Skipf("this machine makes no network namespace: %v", err)
			}
			if err != nil || !strings.Contains(string(out), "--- PASS: TestInsideTheNamespace") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestInsideTheNamespace runs in the copy.
func TestInsideTheNamespace(t *testing.T) {
	const literal, name = "http://93.184.215.14/", "https://www.example.org/"
	want := map[string]faultline.Impairment{literal: faultline.NoRoute, name: faultline.NoRoute}
	switch os.Getenv(inside) {
	case "":
		t.Skip("runs in a namespace of its own")
	case "uplink":
		want[literal], want[name] = faultline.AllFail, faultline.NoResolver
		uplink(t)
	case "unplugged": // the routes stay
		uplink(t, "link set up1 down")
	}
	raiseLoopback(t)
	local, stopped := "http://"+probetest.Answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")+"/", "http://"+probetest.Refusing(t)+"/"
	results := watch(t, local, stopped, literal, name)
	want[local], want[stopped] = "", ""
	for url, impairment := range want {
		m := results[url]
		if m.Impaired != impairment || (m.Failure == "") != (url == local) {
			t.Errorf("%s: failure %q, impaired %q, want %q", url, m.Failure, m.Impaired, impairment)
		}
	}
	if f := results[stopped].Failure; f != faultline.ConnectionRefused {
		t.Errorf("the server that was stopped: %q", f)
	}
}

// uplink makes a cable to nowhere, and does what else is to be done to it.
func uplink(t *testing.T, more ...string) {
	t.Helper()
	steps := []string{"link add up0 type veth peer name up1", "link set up0 up", "link set up1 up", "addr add 10.9.9.2/24 dev up0", "route add default via 10.9.9.1"}
	for _, args := range append(steps, more...) {
		if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
}

func raiseLoopback(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// watch runs the real engine until each target was checked twice, and gives the
// second results.
func watch(t *testing.T, urls ...string) map[string]faultline.Measurement {
	t.Helper()
	cfg := probe.Defaults()
	cfg.Interval, cfg.Timeout = 2*time.Second, time.Second
	metrics := prometheus.NewRegistry()
	probers, err := probe.Open(probe.Table{http.Kind}, probe.NewDeps(cfg, "test", nil, probe.Refused(metrics)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithTimeout(t.Context(), 40*time.Second)
	defer done()
	var mu sync.Mutex
	n, second := map[string]int{}, map[string]faultline.Measurement{}
	e, err := probe.New(cfg, probe.Parts{Probers: probers, Log: slog.New(slog.DiscardHandler), Metrics: metrics, Emit: func(_ context.Context, m faultline.Measurement) {
		mu.Lock()
		defer mu.Unlock()
		t.Logf("%s attempt %d: failure %q, impaired %q, steps %+v", m.Target, m.Attempt, m.Failure, m.Impaired, m.Steps)
		if n[m.Target]++; n[m.Target] == 2 {
			second[m.Target] = m
		}
		if len(second) == len(urls) {
			done()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var services []faultline.Service
	for _, url := range urls {
		services = append(services, faultline.Service{ID: faultline.ServiceID("s" + string(rune('0'+len(services)))), Targets: []faultline.Target{{URL: url, Typed: true}}})
	}
	if err := e.Set(services); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return second
}
