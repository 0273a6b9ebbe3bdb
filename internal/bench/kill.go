package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// kills counts acknowledged reports that kill -9 under load loses or doubles.
// (The power-cut test is in internal/journal/jetstream and needs root.)
func kills(ctx context.Context, b *tools) ([]measurement, error) {
	data, conf := b.dir+"/kill", b.dir+"/kill.yaml"
	if err := os.WriteFile(conf, []byte("services: [{id: x, name: X}]\nintake:\n  report:\n    trusted_proxies: [\"127.0.0.0/8\"]\n"), 0o600); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	acked := map[string]bool{}
	for round := range b.rounds {
		if err := b.killRound(ctx, round, data, conf, func(id string) { mu.Lock(); acked[id] = true; mu.Unlock() }); err != nil {
			return nil, err
		}
	}
	out, err := exec.CommandContext(ctx, b.binary, "export", "--config", conf, "--data", data, "--kind", "reports").Output()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	stored, doubled := map[string]bool{}, 0
	for line := range bytes.Lines(out) {
		var r struct{ ID string }
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		if stored[r.ID] {
			doubled++
		}
		stored[r.ID] = true
	}
	lost := 0
	for id := range acked {
		if !stored[id] {
			lost++
		}
	}
	return []measurement{{
		fmt.Sprintf("acknowledged reports lost or doubled in %d rounds of kill -9 under load", b.rounds), "0",
		fmt.Sprintf("%d lost, %d doubled, of %d", lost, doubled, len(acked)), lost == 0 && doubled == 0 && len(acked) > 0,
	}}, nil
}

func (b *tools) killRound(ctx context.Context, round int, data, conf string, ack func(string)) error {
	p, err := startProcess(ctx, b.binary, "up", "--config", conf, "--data", data, "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l := &load{
		addr: strings.TrimPrefix(p.url, "http://"), connections: 32, total: 1 << 30, want: 202,
		make: func(n int) []byte { return reportRequest(n + round*10_000_000) },
		body: func(_ int, body []byte) {
			var r struct{ ID string }
			if json.Unmarshal(body, &r) == nil {
				ack(r.ID)
			}
		},
	}
	timer := time.AfterFunc(700*time.Millisecond+time.Duration(round%7)*100*time.Millisecond, p.kill)
	defer timer.Stop()
	_, _ = l.run(ctx) // ends with an error: the server was killed
	return ctx.Err()
}
