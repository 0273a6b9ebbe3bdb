package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"faultline"
)

// A real nginx is watched, stopped, and started again, while people report.
func TestAServerThatStopsAndComesBack(t *testing.T) {
	web := newNginx(t)
	web.start()
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Probe.Interval, c.Probe.Urgent = 2*time.Second, time.Second
	c.Incident.RecoverReports, c.Incident.Resolve = 30*time.Second, 20*time.Second
	c.Intake.Report.TrustedProxies = append(c.Intake.Report.TrustedProxies, netip.MustParsePrefix("127.0.0.0/8"))
	p := runApp(t, Options{Config: c, Watch: []string{web.url}})
	id := slug(web.host)

	p.waitState(id, "fine")
	web.stop()
	p.waitState(id, "possible")
	incident := p.service(id).Incident
	if incident == "" {
		t.Fatal("possible, but there is no incident")
	}
	if body := p.get("/i/" + incident); !bytes.Contains(body, []byte("Possible")) {
		t.Errorf("the incident's page does not say Possible:\n%s", body)
	}
	web.start()
	p.waitState(id, "recovering")
	p.waitState(id, "resolved", "fine")

	// Again, and now people say so too: the same incident, confirmed.
	web.stop()
	p.waitState(id, "possible")
	p.crowd(id, 60)
	p.waitState(id, "confirmed")
	web.start()
	p.waitState(id, "recovering")
	var page struct{ Incident faultline.Incident }
	p.json("/i/"+incident+".json", &page)
	got := page.Incident
	if got.Worst != faultline.Confirmed || len(got.Episodes) != 1 && len(got.Episodes) != 2 || len(got.Changes) < 6 {
		t.Errorf("at worst %s, %d episodes, changes %+v", got.Worst, len(got.Episodes), got.Changes)
	}
}

// program is a whole program in this process.
type program struct {
	t    *testing.T
	url  string
	dir  string
	stop func() // and wait; at the end of the test at the latest
}

// runApp runs a program until the test ends. What the options leave open is
// filled in; each of tune may change the program before it runs.
func runApp(t *testing.T, o Options, tune ...func(*App)) *program {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "data")
	}
	if o.Log == nil {
		o.Log = quiet()
	}
	o.Version, o.Now = "test", time.Now
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tune {
		f(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listening, done := make(chan string, 1), make(chan error, 1)
	a.OnListen = func(url string) { listening <- url }
	go func() { done <- a.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case url := <-listening:
		return &program{t, url, o.Dir, stop}
	case err := <-done:
		done <- nil
		t.Fatalf("run: %v", err)
		return nil
	}
}

func (p *program) get(path string) []byte {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s %v", path, resp.Status, err)
	}
	return b
}

func (p *program) json(path string, into any) {
	p.t.Helper()
	if err := json.Unmarshal(p.get(path), into); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
}

// exported counts the reports that the data folder's owner can get.
func (p *program) exported() int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/console/export?kind=reports", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+LocalToken(p.dir))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("export: %s %v", resp.Status, err)
	}
	return bytes.Count(b, []byte("\n"))
}

type serviceJSON struct{ State, Incident, Reason string }

func (p *program) service(id faultline.ServiceID) (s serviceJSON) {
	p.t.Helper()
	p.json("/s/"+string(id)+".json", &s)
	return s
}

// waitState waits until the service has one of the states, for three minutes.
func (p *program) waitState(id faultline.ServiceID, states ...string) {
	p.t.Helper()
	waitFor(p.t, 3*time.Minute, func() error {
		got := p.service(id)
		for _, s := range states {
			if got.State == s {
				return nil
			}
		}
		return fmt.Errorf("state %s (%s), want %v", got.State, got.Reason, states)
	})
}

// crowd posts reports of so many people in as many networks.
func (p *program) crowd(id faultline.ServiceID, people int) {
	p.t.Helper()
	for n := range people {
		body := fmt.Sprintf(`{"service":%q,"symptom":"cannot_load","surface":"web"}`, id)
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/api/v1/reports", bytes.NewBufferString(body))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("%d.%d.7.1", 80+n%10, n))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			p.t.Fatalf("report %d: %s", n, resp.Status)
		}
	}
}

func waitFor(t *testing.T, limit time.Duration, try func() error) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %v", limit, err)
		}
	}
}

// nginx is a real web server on a port of its own.
type nginx struct {
	t               *testing.T
	path, dir       string
	url, host, conf string
	cmd             *exec.Cmd
}

func newNginx(t *testing.T) *nginx {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			missingTool(t, "nginx is not installed")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	dir, err := os.MkdirTemp("", "faultline-nginx") // short and open: nginx's worker may be another user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	n := &nginx{t: t, path: path, dir: dir, host: host, url: "http://" + host + "/", conf: filepath.Join(dir, "nginx.conf")}
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; location / { return 200 "hello"; } } }
`, dir, host)
	if err := os.WriteFile(n.conf, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *nginx) start() {
	n.t.Helper()
	n.cmd = exec.Command(n.path, "-c", n.conf, "-e", filepath.Join(n.dir, "start.log"))
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	cmd := n.cmd
	n.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	waitFor(n.t, 10*time.Second, func() error {
		c, err := net.Dial("tcp", n.host)
		if err == nil {
			c.Close()
		}
		return err
	})
}

func (n *nginx) stop() {
	n.t.Helper()
	if err := n.cmd.Process.Signal(os.Interrupt); err != nil {
		n.t.Fatal(err)
	}
	n.cmd.Wait()
}

// missingTool skips visibly; with CI=true a missing tool is a failure.
func missingTool(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI needs it", what)
	}
	t.Skip(what)
}
