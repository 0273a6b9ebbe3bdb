package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// reports compares durable reports over HTTP with the same server whose
// handler parses, validates and answers without the journal.
func reports(ctx context.Context, b *tools) ([]measurement, error) {
	const rounds, total = 5, 60_000
	var cpuRatio, rateRatio []float64
	var durable, forgetting []float64
	for r := range rounds {
		with, err := b.oneLoad(ctx, fmt.Sprintf("durable-%d", r), false, total)
		if err != nil {
			return nil, err
		}
		without, err := b.oneLoad(ctx, fmt.Sprintf("null-%d", r), true, total)
		if err != nil {
			return nil, err
		}
		cpuRatio = append(cpuRatio, with.cpu/without.cpu)
		rateRatio = append(rateRatio, with.rate/without.rate)
		durable, forgetting = append(durable, with.rate), append(forgetting, without.rate)
	}
	c, r := median(cpuRatio), median(rateRatio)
	return []measurement{
		{"durable reports over HTTP, 256 connections: server CPU per report against the same without a journal", "≤ 2 × (aim 1.3)", fmt.Sprintf("%.2f × (%s)", c, spread(cpuRatio)), c <= 2},
		{"… and rate against the same", "≥ 0.5 × (aim 0.8)", fmt.Sprintf("%.2f × (%s; medians %.0f and %.0f a second)", r, spread(rateRatio), median(durable), median(forgetting)), r >= 0.5},
	}, nil
}

type loaded struct{ cpu, rate float64 }

func (b *tools) oneLoad(ctx context.Context, name string, null bool, total int) (loaded, error) {
	self, err := os.Executable()
	if err != nil {
		return loaded{}, err
	}
	args := []string{"serve", "-data", b.dir + "/" + name}
	if null {
		args = append(args, "-null")
	}
	p, err := startProcess(ctx, self, args...)
	if err != nil {
		return loaded{}, err
	}
	defer p.kill()
	l := &load{addr: strings.TrimPrefix(p.url, "http://"), connections: 256, total: total / 10, make: reportRequest, want: 202}
	if _, err := l.run(ctx); err != nil { // warm
		return loaded{}, err
	}
	before, err := cpu(p.cmd.Process.Pid)
	if err != nil {
		return loaded{}, err
	}
	l.total, l.make = total, func(n int) []byte { return reportRequest(n + total) }
	res, err := l.run(ctx)
	if err != nil {
		return loaded{}, err
	}
	after, err := cpu(p.cmd.Process.Pid)
	if err != nil {
		return loaded{}, err
	}
	if res.answered < total*95/100 {
		return loaded{}, fmt.Errorf("%d of %d reports answered, %d refused", res.answered, total, res.refused)
	}
	return loaded{float64(after-before) / float64(res.answered), float64(res.answered) / res.took.Seconds()}, nil
}

// spread is the least and the greatest of several runs.
func spread(x []float64) string { return fmt.Sprintf("%.2f to %.2f", slices.Min(x), slices.Max(x)) }

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[len(s)/2]
}
