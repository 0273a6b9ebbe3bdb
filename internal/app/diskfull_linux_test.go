package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// smallDisk is a folder on a disk of its own.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small disk")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("cannot mount a small disk here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fillUp writes a file until there is no room.
func fillUp(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// problemJSON is an answer to a report that was refused.
type problemJSON struct {
	Status               int
	Type, Detail, Reason string
}

// post files a report, and gives the problem if it was refused.
func (p *program) post(body string) (*http.Response, problemJSON) {
	p.t.Helper()
	resp, err := http.Post(p.url+"/api/v1/reports", "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var said problemJSON
	if resp.StatusCode != http.StatusAccepted {
		if err := json.Unmarshal(b, &said); err != nil {
			p.t.Fatalf("%s %s: %v", resp.Status, b, err)
		}
	}
	return resp, said
}

// The disk becomes full under the running program, while people report and a
// target is watched, and has room again later.
func TestAFullDiskRefusesLosesNothingAndRecovers(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 256<<20)
	target := newWatchedServer(t)
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Probe.Interval = time.Second
	p := runApp(t, Options{Config: c, Dir: filepath.Join(disk, "data"), Watch: []string{target.URL}})
	acknowledged, unsure := 0, 0
	report := func() (*http.Response, problemJSON) {
		t.Helper()
		resp, said := p.post(oneReport)
		switch {
		case resp.StatusCode == http.StatusAccepted:
			acknowledged++
		case said.Reason == "journal_unsure":
			unsure++
		}
		return resp, said
	}
	for range 50 {
		report()
	}
	if acknowledged != 50 || p.status("/readyz") != http.StatusOK {
		t.Fatalf("%d of 50 were taken, ready: %d", acknowledged, p.status("/readyz"))
	}

	fillUp(t, filepath.Join(disk, "filler"))
	for range 20 {
		resp, said := report()
		if resp.StatusCode != http.StatusServiceUnavailable || said.Reason != "journal_full" || resp.Header.Get("Retry-After") == "" ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("on a full disk: %s %v %+v", resp.Status, resp.Header, said)
		}
	}
	if n := p.counter(`faultline_intake_refused_total{reason="journal_full"}`); n != 20 {
		t.Errorf("counted %v refusals of 20", n)
	}
	waitFor(t, 20*time.Second, func() error {
		if n := p.counter("faultline_probe_unwritten_total"); n < 2 {
			return fmt.Errorf("%v checks were counted as not written", n)
		}
		return nil
	})
	if ready, healthy := p.status("/readyz"), p.status("/healthz"); ready != http.StatusServiceUnavailable || healthy != http.StatusOK {
		t.Errorf("on a full disk: ready %d, healthy %d", ready, healthy)
	}
	if s := p.status("/"); s != http.StatusOK {
		t.Errorf("pages on a full disk: %d", s)
	}

	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, func() error { // by itself, and without a report that asks
		if s := p.status("/readyz"); s != http.StatusOK {
			return fmt.Errorf("ready: %d", s)
		}
		return nil
	})
	for range 50 {
		report()
	}
	if acknowledged != 100 || unsure != 0 {
		t.Errorf("%d acknowledged, %d unsure; want 100 and none", acknowledged, unsure)
	}
	waitFor(t, 30*time.Second, func() error {
		if n := p.exported(); n != acknowledged {
			return fmt.Errorf("%d reports are kept, %d were acknowledged", n, acknowledged)
		}
		return nil
	})
}
