package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// page compares the incident page of the running program with nginx serving
// the same bytes, gzip-encoded both.
func page(ctx context.Context, b *tools) ([]measurement, error) {
	const what, bar = "incident page against nginx serving the same bytes", "≥ 0.3 × (aim 0.7)"
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return []measurement{{what, bar, "left out: nginx is not installed", true}}, nil
		}
	}
	p, err := startProcess(ctx, b.binary, "demo", "one-probe", "--speed", "100000x", "--data", b.dir+"/page", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	path, body, err := firstIncident(ctx, p.url, "/replay/one-probe")
	if err != nil {
		return nil, err
	}
	peer, err := startNginx(ctx, nginx, b.dir+"/nginx", body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = peer.Process.Kill(); _ = peer.Wait() }()
	var ratios []float64
	ours, theirs := 0.0, 0.0
	for range 3 {
		if ours, err = pageRate(ctx, strings.TrimPrefix(p.url, "http://"), path); err != nil {
			return nil, err
		}
		if theirs, err = pageRate(ctx, "127.0.0.1:18933", "/page"); err != nil {
			return nil, err
		}
		ratios = append(ratios, ours/theirs)
	}
	r := median(ratios)
	return []measurement{{what, bar, fmt.Sprintf("%.2f × (%d bytes gzipped)", r, len(body)), r >= 0.3}}, nil
}

// firstIncident waits for the replay's first incident and fetches its page
// gzipped. path is below the host, body what nginx is to serve.
func firstIncident(ctx context.Context, host, base string) (path string, body []byte, err error) {
	id := ""
	for id == "" {
		if err := ctx.Err(); err != nil {
			return "", nil, err
		}
		if err := await(ctx, host+base+"/incidents.json"); err != nil {
			return "", nil, err
		}
		if id, err = firstID(ctx, host+base+"/incidents.json"); err != nil {
			return "", nil, err
		}
	}
	path = base + "/i/" + id
	body, err = fetchGzip(ctx, host+path)
	return path, body, err
}

// firstID is the id of the first incident of a list; "" while there is none.
func firstID(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var list struct{ Incidents []struct{ ID string } }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Incidents) == 0 {
		return "", err
	}
	return list.Incidents[0].ID, nil
}

func fetchGzip(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" {
		return nil, fmt.Errorf("%s: %s, encoding %q", url, resp.Status, resp.Header.Get("Content-Encoding"))
	}
	return io.ReadAll(resp.Body)
}

const nginxConf = `daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen 127.0.0.1:18933 backlog=4096; root %[1]s; default_type text/html; add_header Content-Encoding gzip; open_file_cache max=10; location / {} } }
`

func startNginx(ctx context.Context, nginx, dir string, body []byte) (*exec.Cmd, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for p := filepath.Dir(dir); strings.HasPrefix(p, os.TempDir()) && p != os.TempDir(); p = filepath.Dir(p) {
		_ = os.Chmod(p, 0o755) // nginx's workers may be another user
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "page"), body, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, nginx, "-c", conf, "-e", filepath.Join(dir, "start.log"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, await(ctx, "http://127.0.0.1:18933/page")
}

func pageRate(ctx context.Context, addr, path string) (float64, error) {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
	l := &load{addr: addr, connections: 64, total: 30_000, make: func(int) []byte { return request }, want: http.StatusOK}
	res, err := l.run(ctx)
	if err != nil {
		return 0, err
	}
	if res.refused > 0 {
		return 0, fmt.Errorf("%s%s: %d of %d answers were not 200", addr, path, res.refused, l.total)
	}
	return float64(res.answered) / res.took.Seconds(), nil
}
