package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started here and is ended here.
type process struct {
	cmd *exec.Cmd
	url string
}

// startProcess starts a command whose first line on stdout is its address, and
// waits until it is ready.
func startProcess(ctx context.Context, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s printed no address: %w", name, err)
	}
	p.url = strings.TrimSpace(line)
	return p, await(ctx, p.url+"/readyz")
}

// await asks until the answer is 200, for a minute.
func await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready: %w", url, ctx.Err())
		case <-tick.C:
		}
	}
}

// end asks the process to stop and waits.
func (p *process) end() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// cpu is the processor time that a process has used (proc(5), stat).
func cpu(pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat: %w %w", pid, err1, err2)
	}
	return time.Duration(user+system) * (time.Second / 100), nil // USER_HZ is 100
}

// resident is the memory that a process has in use, in bytes.
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// memory is the resident memory of an idle observatory.
func memory(ctx context.Context, b *tools) ([]measurement, error) {
	p, err := startProcess(ctx, b.binary, "up", "--data", b.dir+"/idle", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	select { // idle: a few heartbeats, a few rendered pages
	case <-time.After(25 * time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	rss, err := resident(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	mb := float64(rss) / 1e6
	return []measurement{{"resident memory of `up`, idle", "≤ 150 MB (aim 110)", fmt.Sprintf("%.0f MB", mb), mb <= 150}}, nil
}
