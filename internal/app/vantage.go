package app

import (
	"context"
	"log/slog"
	"time"

	"faultline"
	"faultline/internal/probe"
	"faultline/internal/telemetry"
)

// startEngine starts the local vantage and its heartbeat.
func (a *App) startEngine(run func(string, func(context.Context) error)) error {
	refused := probe.Refused(a.registry)
	deps := probe.NewDeps(a.opts.Config.Probe, a.opts.Version, nil, refused)
	opened, err := probe.Open(probers(), deps, nil)
	if err != nil {
		return err
	}
	a.lost = telemetry.Counter(a.registry, "probe", "unwritten_total", "Measurements that the journal did not take.")
	a.engine, err = probe.New(a.opts.Config.Probe, probe.Parts{
		Probers: opened, Emit: a.emit, Log: telemetry.Room(a.log, "probe"), Metrics: a.registry,
	})
	if err != nil {
		return err
	}
	if err := a.engine.Set(a.opts.Config.Services); err != nil {
		return err
	}
	a.urgent.start(a.engine)
	run("vantage", a.engine.Run)
	run("heartbeat of the vantage", a.beatVantage)
	return nil
}

// emit makes a measurement durable. One that cannot be written is lost, and
// counted as such: the target is checked again within the interval.
func (a *App) emit(ctx context.Context, m faultline.Measurement) {
	if err := a.append(ctx, faultline.Observation{At: m.Start, Payload: &m}); err != nil && ctx.Err() == nil {
		a.lost.Inc()
		a.log.Error("measurement not written", slog.String("target", m.Target), slog.Any("error", err))
	}
}

// beatVantage appends a heartbeat of the vantage every ten seconds.
func (a *App) beatVantage(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	collector := faultline.CollectorProbe(a.opts.Config.Probe.Vantage.ID)
	var told time.Time // up to here a heartbeat has vouched already
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		from, to := a.engine.Alive()
		if from.Before(told) {
			from = told
		}
		if !to.After(from) {
			continue
		}
		told = to
		if err := a.append(ctx, faultline.Observation{At: to, Payload: &faultline.Heartbeat{Collector: collector, From: from}}); err != nil && ctx.Err() == nil {
			a.log.Error("heartbeat of the vantage not written", slog.Any("error", err))
		}
	}
}
