package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/intake/scenario"
	"faultline/internal/journal"
	"faultline/internal/journal/jetstream"
	"faultline/internal/publish/live"
	"faultline/internal/store/duckdb"
	"faultline/scenarios"
)

// ReferenceDay is the scenario that is replayed when nobody names another.
const ReferenceDay = "2025-03-10-x"

// Demo asks for a recorded day to be replayed beside live input.
type Demo struct {
	Case  string  // name of a shipped scenario, or a folder
	Speed float64 // times faster than it happened
	From  string  // HH:MM (UTC) at which the clock starts; "": where the scenario says
}

// replayed is a recorded day on its way through a journal and a store of its
// own, under its own clock. Nothing of it reaches the live observatory, its
// metrics or its lists.
type replayed struct {
	scenario *scenario.Scenario
	start    time.Time // of the clock; everything before it is history
	speed    float64
	obs      *observatory
	model    *live.Model
	primed   chan struct{} // closed when the rooms have learnt from the early history
	log      *slog.Logger
}

// openReplay opens a scenario on an empty folder of its own.
func (a *App) openReplay(ctx context.Context, d Demo, stop *stops) (*replayed, error) {
	s, err := scenario.Find(d.Case, scenarios.Files)
	if err != nil {
		return nil, err
	}
	start := s.Start
	if d.From != "" {
		if start, err = s.StartAt(d.From); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	}
	dir := a.folder.Path("replay", s.Name)
	if err := os.RemoveAll(dir); err != nil { // a replay begins anew
		return nil, fmt.Errorf("clear the last replay: %w", err)
	}
	registry := prometheus.NewRegistry() // of nobody: a replay is in no metrics
	j, err := jetstream.Open(ctx, jetstream.Options{Dir: dir + "/journal", Logger: a.log, Registry: registry})
	if err != nil {
		return nil, fmt.Errorf("journal of the replay: %w", err)
	}
	stop.add("journal of the replay", func(context.Context) error { return j.Close() })
	st, err := duckdb.Open(ctx, duckdb.Options{Path: dir + "/store.duckdb", MemoryMB: 256})
	if err != nil {
		return nil, fmt.Errorf("store of the replay: %w", err)
	}
	stop.add("store of the replay", func(context.Context) error { return st.Close() })
	r := &replayed{scenario: s, start: start, speed: d.Speed, model: live.New(live.Limits{}), primed: make(chan struct{}), log: a.log}
	r.model.SetServices(s.Services)
	chain := a.opts.chainConfig()
	chain.Series.Services, chain.Incident.Services, chain.Incident.Catalogue = ids(s.Services), ids(s.Services), s.Services
	r.obs = newObservatory(j, st, chain, modelSink{r.model}, a.log.With(slog.String("replay", s.Name)), newChainMetrics(registry))
	return r, r.obs.open(ctx)
}

// journaled is how much of the history before the clock's start goes through
// journal and store, so that pages can show it. What is older is only there to
// be learnt from.
const journaled = 24 * time.Hour

// follow lets the rooms learn from the early history, and then follows the
// journal as every chain does.
func (r *replayed) follow(ctx context.Context) error {
	for o := range r.scenario.Between(r.scenario.From, r.start.Add(-journaled)) {
		if ctx.Err() != nil {
			return nil
		}
		r.obs.chain.Step(o)
	}
	close(r.primed)
	return r.obs.follow(ctx)
}

// feed appends the last day of the history at once and the rest at its pace,
// minute by minute.
func (r *replayed) feed(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.primed:
	}
	if err := appendAll(ctx, r.obs.journal, r.scenario, r.start.Add(-journaled), r.start); err != nil {
		return err
	}
	r.log.Info("replay: history is in, the clock starts", slog.String("scenario", r.scenario.Name), slog.Time("clock", r.start), slog.Float64("speed", r.speed))
	step := time.Duration(float64(time.Minute) / r.speed)
	tick := time.NewTicker(step)
	defer tick.Stop()
	for minute := r.start; minute.Before(r.scenario.To); minute = minute.Add(time.Minute) {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := appendAll(ctx, r.obs.journal, r.scenario, minute, minute.Add(time.Minute)); err != nil {
			return err
		}
	}
	r.log.Info("replay: the recorded day is over", slog.String("scenario", r.scenario.Name))
	<-ctx.Done()
	return nil
}

// appendAll appends the observations of a span in their order, in runs of one
// kind. Runs wait for each other, so that the order is kept.
func appendAll(ctx context.Context, j journal.Journal, s *scenario.Scenario, from, to time.Time) error {
	var run []*faultline.Observation
	flush := func() error {
		err := j.Append(ctx, run...)
		run = run[:0]
		return err
	}
	for o := range s.Between(from, to) {
		if len(run) == journal.MaxRecords || len(run) > 0 && run[0].Payload.Kind() != o.Payload.Kind() {
			if err := flush(); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
		o.Position = faultline.Position{Partition: partition}
		run = append(run, o)
	}
	if err := flush(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}
