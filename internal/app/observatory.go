package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/incident"
	"faultline/internal/journal"
	"faultline/internal/store"
	"faultline/internal/telemetry"
)

// observatory is one chain of rooms over one journal and one store: the live
// one, or a replay beside it. One goroutine owns it; what others may see of it
// is given to the sink.
type observatory struct {
	journal journal.Journal
	store   store.Store
	chain   *Chain
	config  ChainConfig
	sink    sink
	each    func(*faultline.Observation) // sees every observation, if set
	log     *slog.Logger
	m       *chainMetrics

	known     map[string]int // newest revision of each control record
	batch     store.Batch
	applied   uint64 // last frame in the store
	snapshot  uint64 // frame of the newest snapshot
	sinceSnap int    // observations since then
	flushed   time.Time
	told      time.Time // data time that the sink knows
	torn      bool      // a frame was taken in part: the rooms are good for nothing more
	ready     atomic.Bool
	wanted    atomic.Pointer[[]faultline.ServiceID] // see watch
	catalogue atomic.Pointer[[]faultline.Service]   // see know
	lastFrame atomic.Uint64
}

// sink sees what the chain makes, in order, from the chain's goroutine.
type sink interface {
	Apply(Output)
}

// partition is the only one that this version runs; the journal and the store
// know of more.
const partition = 0

// Batches are written when a heartbeat comes (ten seconds at most), but not more
// than once a second while the chain catches up, or when they hold so many
// rows. A snapshot of the rooms goes with a batch when so many observations or
// frames came since the last one.
const (
	batchRows      = 50_000
	snapshotRows   = 200_000
	snapshotFrames = 360 // about half an hour of heartbeats
)

// rows is how much waits to be written.
func (o *observatory) rows() int {
	b := &o.batch
	return len(b.Observations) + len(b.Samples) + len(b.Readings) + len(b.Cells)
}

// know replaces what the chain knows of who carries whom, before its next frame.
// It may be called from any goroutine.
func (o *observatory) know(catalogue []faultline.Service) { o.catalogue.Store(&catalogue) }

func newObservatory(j journal.Journal, s store.Store, c ChainConfig, k sink, log *slog.Logger, m *chainMetrics) *observatory {
	return &observatory{journal: j, store: s, chain: NewChain(c), config: c, sink: k, log: log, m: m, known: map[string]int{}}
}

// watch gives services a status although nothing was heard of them yet. It may
// be called from any goroutine; the chain does it before its next frame.
func (o *observatory) watch(services []faultline.ServiceID) { o.wanted.Store(&services) }

// open continues where the store's snapshot left off, and takes the journal's
// frames up to its end.
func (o *observatory) open(ctx context.Context) error {
	if err := o.journal.ReadRecords(ctx, func(r faultline.Record) error {
		o.known[recordKey(r.Kind, r.ID)] = r.Revision
		return nil
	}); err != nil {
		return fmt.Errorf("read control records: %w", err)
	}
	var err error
	if o.applied, err = o.store.Position(ctx, partition); err != nil {
		return err
	}
	from, err := o.restore(ctx)
	if err != nil {
		return err
	}
	o.batch = store.Batch{Partition: partition, First: o.applied + 1}
	o.lastFrame.Store(from)
	if err := o.journal.Read(ctx, partition, from+1, o.frame(ctx)); err != nil {
		return err
	}
	return o.flush(ctx, false)
}

// restore brings the rooms back from the newest snapshot. One that cannot be
// read (rules changed) is not an error: the journal has what they need.
func (o *observatory) restore(ctx context.Context) (uint64, error) {
	frame, state, err := o.store.State(ctx, partition)
	if err != nil || state == nil {
		return 0, err
	}
	if err := o.chain.UnmarshalBinary(state); err != nil {
		o.log.Warn("snapshot of the rooms is not used, reading the journal again", slog.Any("error", err))
		o.chain = NewChain(o.config)
		return 0, nil
	}
	o.snapshot = frame
	present := o.chain.Present()
	o.m.quality.set(present.Quality)
	o.sink.Apply(present)
	return frame, nil
}

// follow takes frames as they come, until ctx ends; then it writes what is
// left, with a snapshot, so that the next start is short.
func (o *observatory) follow(ctx context.Context) error {
	o.ready.Store(true)
	err := o.journal.Follow(ctx, partition, o.lastFrame.Load()+1, o.frame(ctx))
	if ctx.Err() == nil {
		return err
	}
	if o.torn { // the journal has all of it: the next start takes the frame again
		return nil
	}
	// The program stops: read what was acknowledged meanwhile, write it, end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := o.journal.Read(last, partition, o.lastFrame.Load()+1, o.frame(last)); err != nil {
		return err
	}
	return o.flush(last, true)
}

// frame takes one frame through the chain.
func (o *observatory) frame(ctx context.Context) func(*journal.Frame) error {
	return func(f *journal.Frame) error {
		if f.Number <= o.lastFrame.Load() {
			return nil
		}
		if services := o.wanted.Swap(nil); services != nil {
			o.chain.Watch(*services...)
		}
		if list := o.catalogue.Swap(nil); list != nil {
			o.chain.Know(*list)
			o.config.Incident.Catalogue = *list
		}
		for i := range f.Records {
			if err := o.step(ctx, &f.Records[i], f.Number > o.applied); err != nil {
				o.torn = true
				return err
			}
		}
		o.lastFrame.Store(f.Number)
		if f.Number <= o.applied {
			return nil
		}
		o.batch.Last = f.Number
		if f.Kind == faultline.KindHeartbeat && time.Since(o.flushed) >= time.Second || o.rows() >= batchRows {
			return o.flush(ctx, false)
		}
		return nil
	}
}

// step takes one observation through the chain. fresh says that the store does
// not have it yet.
func (o *observatory) step(ctx context.Context, obs *faultline.Observation, fresh bool) error {
	out := o.chain.Step(obs)
	o.m.observe(obs, &out)
	if o.each != nil {
		o.each(obs)
	}
	o.sinceSnap++
	records, err := o.records(ctx, obs, &out)
	if err != nil {
		return err
	}
	if fresh {
		o.batch.Observations = append(roomy(o.batch.Observations), *obs)
		o.batch.Samples = keepPlaces(o.batch.Samples, out.Samples, func(s *faultline.Sample) faultline.Level { return s.Series.Level })
		o.batch.Cells = append(o.batch.Cells, out.Cells...)
		o.batch.Readings = keepPlaces(o.batch.Readings, out.Readings, func(r *faultline.Reading) faultline.Level { return r.Series.Level })
		o.batch.Records = append(o.batch.Records, records...)
	}
	if out.tells() || out.At.After(o.told) { // nearly all reports of a crowd do neither
		o.told = out.At
		o.sink.Apply(out)
	}
	return nil
}

// keepPlaces adds rows to a batch, without those of single symptoms and surfaces:
// nine more of each service in every minute, which no page reads. Their events are
// kept as records, and what they count is in the cells.
func keepPlaces[T any](batch, rows []T, level func(*T) faultline.Level) []T {
	for i := range rows {
		if !level(&rows[i]).What() {
			batch = append(batch, rows[i])
		}
	}
	return batch
}

// records makes control records of what is new, and writes those that the
// control log does not have yet.
func (o *observatory) records(ctx context.Context, obs *faultline.Observation, out *Output) ([]faultline.Record, error) {
	if out.Command == nil && len(out.Events)+len(out.Incidents) == 0 {
		return nil, nil
	}
	var all []faultline.Record
	add := func(kind faultline.RecordKind, id string, revision int, service faultline.ServiceID, at time.Time, by string, origin faultline.Origin, body any) error {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("control record %s: %w", id, err)
		}
		r := faultline.Record{Kind: kind, ID: id, Revision: revision, Service: service, At: at, By: by, Origin: origin, Body: b}
		all = append(all, r)
		key := recordKey(kind, id)
		if revision <= o.known[key] {
			return nil
		}
		o.known[key] = revision
		return o.keep(ctx, r)
	}
	if c := out.Command; c != nil {
		if err := add(faultline.RecordCommand, obs.Position.String(), 1, c.Service, obs.At, c.Operator, obs.Origin, commandBody{c, out.Refused}); err != nil {
			return nil, err
		}
	}
	for i := range out.Events {
		e := &out.Events[i]
		if err := add(faultline.RecordEvent, e.ID, e.Revision, e.Series.Service, e.At, e.By, e.Origin, e); err != nil {
			return nil, err
		}
	}
	for i := range out.Incidents {
		n := &out.Incidents[i]
		if err := add(faultline.RecordIncident, n.ID, n.Revision, n.Service, n.At, n.By, n.Origin, n); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keep writes a control record. What the rooms decided is not to be lost, nor is
// the program to end over a full disk, so it is tried until there is room. A
// revision that turns out to be written is not written again.
func (o *observatory) keep(ctx context.Context, r faultline.Record) error {
	for tries := 0; ; tries++ {
		// Not cut short by a stop: half a frame cannot be taken back.
		err := o.journal.AppendRecord(context.WithoutCancel(ctx), r)
		if err == nil || errors.Is(err, journal.ErrInvalid) || errors.Is(err, journal.ErrClosed) {
			return err
		}
		o.m.waited.Inc()
		if tries%10 == 0 {
			o.log.Error("control record not written, trying until it is", slog.String("id", r.ID), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// commandBody is a command as the control log keeps it: with what became of it.
type commandBody struct {
	*faultline.Command
	Refused string `json:"refused,omitempty"` // why it was not carried out
}

func recordKey(kind faultline.RecordKind, id string) string { return string(kind) + "/" + id }

// sinceFrames says whether the newest snapshot is far behind, in frames that
// came at their own pace.
func (o *observatory) sinceFrames() bool {
	return o.batch.Last-o.snapshot >= snapshotFrames && o.rows() < batchRows
}

// flush writes the batch, if it reaches further than the store does.
func (o *observatory) flush(ctx context.Context, final bool) error {
	if o.batch.Last < o.batch.First {
		return nil
	}
	if final || o.sinceSnap >= snapshotRows || o.sinceFrames() {
		state, err := o.chain.MarshalBinary()
		if err != nil {
			return err
		}
		o.batch.State = state
	}
	if err := o.store.Apply(ctx, &o.batch); err != nil {
		o.m.storeFailed.Inc()
		if o.rows() < 10*batchRows && ctx.Err() == nil && !errors.Is(err, store.ErrGap) {
			// The journal holds it all. Pages go on from memory; the next
			// flush tries again with everything that came meanwhile.
			o.log.Error("cannot write to the store, will try again", slog.Any("error", err))
			o.batch.State = nil
			return nil
		}
		return fmt.Errorf("write to store: %w", err)
	}
	if o.batch.State != nil {
		o.snapshot, o.sinceSnap = o.batch.Last, 0
	}
	o.applied, o.flushed = o.batch.Last, time.Now()
	o.m.applied.Set(float64(o.applied))
	o.batch = store.Batch{Partition: partition, First: o.applied + 1, Observations: emptied(o.batch.Observations)}
	return nil
}

// roomy doubles the memory of a batch that is full; append would add a quarter.
func roomy(obs []faultline.Observation) []faultline.Observation {
	if len(obs) == cap(obs) {
		return slices.Grow(obs, max(len(obs), 64))
	}
	return obs
}

// emptied gives the memory of a batch to the next one: growing it anew costs a
// crowd's reports as much as the rooms do.
func emptied(obs []faultline.Observation) []faultline.Observation {
	if cap(obs) > 2*batchRows {
		return nil // a store that failed for long
	}
	clear(obs)
	return obs[:0]
}

// chainMetrics counts what goes through the chain.
type chainMetrics struct {
	observations map[faultline.Kind]prometheus.Counter
	uncounted    *telemetry.Refusals
	refused      *telemetry.Refusals
	waited       prometheus.Counter
	storeFailed  prometheus.Counter
	applied      prometheus.Gauge
	newest       prometheus.Gauge
	quality      *qualityMetrics
}

func newChainMetrics(r prometheus.Registerer) *chainMetrics {
	m := &chainMetrics{
		observations: map[faultline.Kind]prometheus.Counter{},
		uncounted:    telemetry.NewRefusals(r, "series", "Reports that changed no sample (late, full) or only wider ones (folded).", "late", "folded", "full"),
		refused:      telemetry.NewRefusals(r, "chain", "Operators' commands that could not be carried out, by reason.", incident.Refusals()...),
		waited:       telemetry.Counter(r, "chain", "record_retries_total", "Times that the journal did not take a control record; it is tried until it does."),
		storeFailed:  telemetry.Counter(r, "store", "failed_writes_total", "Batches that the store could not take; they are tried again."),
		applied:      telemetry.Gauge(r, "store", "position_frame", "Last journal frame in the store."),
		newest:       telemetry.Gauge(r, "chain", "newest_seconds", "Data time reached by the rooms, in seconds since 1970."),
		quality:      newQualityMetrics(r),
	}
	kinds := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "faultline", Subsystem: "chain", Name: "observations_total", Help: "Observations taken through the rooms, by kind.",
	}, []string{"kind"})
	r.MustRegister(kinds)
	for _, k := range []faultline.Kind{faultline.KindReport, faultline.KindMeasurement, faultline.KindHeartbeat, faultline.KindCommand} {
		m.observations[k] = kinds.WithLabelValues(string(k)) // looked up once, not for each report of a crowd
	}
	return m
}

func (m *chainMetrics) observe(o *faultline.Observation, out *Output) {
	m.observations[o.Payload.Kind()].Inc()
	m.uncounted.Add("late", out.Late)
	m.uncounted.Add("folded", out.Folded)
	m.uncounted.Add("full", out.Full)
	if out.Refused != "" {
		m.refused.Inc(out.Refused)
	}
	m.quality.set(out.Quality)
	if !out.At.IsZero() {
		m.newest.Set(float64(out.At.Unix()))
	}
}
