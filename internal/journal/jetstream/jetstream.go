// Package jetstream keeps the journal in NATS JetStream: by default in a
// server inside this process that listens on no port, or in a NATS cluster
// through the same code.
//
// Each partition is one stream with all kinds of observations in it, one
// message a frame; the message's sequence is the frame's number. JetStream
// syncs each message to disk before it acknowledges (sync_interval: always),
// so packing many callers into one frame is what makes it fast: the
// acknowledgement of one frame sends the next, as soon as most of its callers
// are back or they have stopped coming. The disk is the only clock.
//
// What a server that fails did with a message is found out, not guessed: each
// frame carries an id that JetStream recognises, so it is sent again until an
// answer comes. An embedded server that failed (a full disk stops JetStream
// for good) is started again. Frames that are missing from a stream, and were
// not trimmed, are delivered as corrupt.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
)

// Options say where the journal is.
type Options struct {
	Dir        string // folder of the embedded server; used when URL is empty
	URL        string // nats://… of a cluster
	Replicas   int    // in a cluster; 1 when embedded
	Partitions int    // default 1
	MaxBytes   int64  // of observations, for each partition; 0: only the disk bounds it
	// MinFree is the room on the disk, in bytes, that is left to others: with
	// less, appends are refused as full. Default 64 MiB; only when embedded. The
	// last quarter of it is also closed to control records.
	MinFree  uint64
	Logger   *slog.Logger          // default: none
	Registry prometheus.Registerer // default: one of its own; a registry takes one journal
}

const (
	callTimeout  = 10 * time.Second
	drainTimeout = 20 * time.Second // of Close, for those that still wait
	// dedupWindow is how long JetStream remembers the ids of frames; longer
	// than the lane tries to learn what became of one.
	dedupWindow    = 90 * time.Second
	defaultMinFree = 64 << 20
)

func (o Options) withDefaults() Options {
	o.Partitions = max(o.Partitions, 1)
	o.Replicas = max(o.Replicas, 1)
	if o.MinFree == 0 {
		o.MinFree = defaultMinFree
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

// Journal is a journal in JetStream.
type Journal struct {
	opts    Options
	m       *metrics
	lanes   []*lane
	trims   []trims
	control control
	high    *highWater

	mu      sync.Mutex
	current *engine
	closed  bool
	lastTry time.Time
	closing sync.Once
}

var _ journal.Journal = (*Journal)(nil)

// Open starts or reaches the server and makes the streams that are missing.
func Open(ctx context.Context, o Options) (*Journal, error) {
	o = o.withDefaults()
	if o.Partitions > maxPartitions {
		return nil, fmt.Errorf("open journal: %d partitions, at most %d", o.Partitions, maxPartitions)
	}
	j := &Journal{opts: o, trims: make([]trims, o.Partitions)}
	j.control = control{j: j, newest: map[string]revision{}}
	var err error
	if j.current, err = startEngine(ctx, o); err != nil {
		return nil, err
	}
	if j.high, err = openHighWater(o); err == nil {
		err = j.openStreams(ctx)
	}
	if err != nil {
		j.current.stop()
		j.high.close()
		return nil, err
	}
	j.m = newMetrics(o.Registry)
	for p := range o.Partitions {
		j.lanes = append(j.lanes, startLane(j, uint16(p)))
	}
	j.m.watch(o.Registry, j.lanes)
	return j, nil
}

const maxPartitions = 64

func streamName(partition uint16) string { return fmt.Sprintf("FLT_%02d", partition) }

func subject(kind faultline.Kind, partition uint16) string {
	return fmt.Sprintf("flt.%s.%02d", kind, partition)
}

func (j *Journal) openStreams(ctx context.Context) error {
	for p := range uint16(j.opts.Partitions) {
		if err := j.openStream(ctx, p); err != nil {
			return fmt.Errorf("open stream %s: %w", streamName(p), err)
		}
	}
	_, err := j.current.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: controlStream, Subjects: []string{controlSubject + "*.*"},
		Storage: jetstream.FileStorage, Replicas: j.opts.Replicas, MaxBytes: -1,
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
	})
	if err != nil {
		return fmt.Errorf("open control log: %w", err)
	}
	return nil
}

func (j *Journal) openStream(ctx context.Context, p uint16) error {
	old, err := j.current.js.Stream(ctx, streamName(p))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	if old != nil {
		j.trims[p].load(old.CachedInfo().Config.Metadata)
	}
	s, err := j.current.js.CreateOrUpdateStream(ctx, j.streamConfig(p))
	if err != nil {
		return err
	}
	return j.refill(ctx, p, s.CachedInfo().State.LastSeq)
}

func (j *Journal) streamConfig(p uint16) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: streamName(p), Subjects: []string{subject("*", p)},
		Storage: jetstream.FileStorage, Replicas: j.opts.Replicas,
		MaxBytes: j.opts.MaxBytes, Discard: jetstream.DiscardNew, AllowDirect: true,
		Duplicates: dedupWindow, Metadata: j.trims[p].metadata(),
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = -1
	}
	return c
}

func (j *Journal) checkPartition(p uint16) error {
	if int(p) >= j.opts.Partitions {
		return fmt.Errorf("%w: partition %d of %d", journal.ErrInvalid, p, j.opts.Partitions)
	}
	return nil
}

// Append implements journal.Journal.
func (j *Journal) Append(ctx context.Context, obs ...*faultline.Observation) error {
	if len(obs) == 0 {
		return nil
	}
	err := j.append(ctx, obs)
	if err != nil {
		j.m.refused.Inc(reason(err))
	}
	return err
}

func (j *Journal) append(ctx context.Context, obs []*faultline.Observation) error {
	w := waiters.Get().(*waiter)
	if err := w.batch.Fill(obs); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	p := obs[0].Position.Partition
	if err := j.checkPartition(p); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	for _, o := range obs {
		if o.Position.Partition != p {
			return fmt.Errorf("append: %w: partitions %d and %d at once", journal.ErrInvalid, p, o.Position.Partition)
		}
	}
	return j.lanes[p].append(ctx, obs, w)
}

// Info implements journal.Journal.
func (j *Journal) Info(ctx context.Context, partition uint16) (journal.Info, error) {
	s, err := j.stream(ctx, partition)
	if err != nil {
		return journal.Info{}, fmt.Errorf("ask journal: %w", err)
	}
	st, limit := s.CachedInfo().State, s.CachedInfo().Config.MaxBytes
	out := journal.Info{Bytes: st.Bytes, Last: st.LastSeq, Frames: st.Msgs, MaxBytes: uint64(max(limit, 0))}
	if st.Msgs > 0 {
		out.First = st.FirstSeq
	}
	return out, nil
}

// stream asks the server about a partition's stream.
func (j *Journal) stream(ctx context.Context, partition uint16) (jetstream.Stream, error) {
	if err := j.checkPartition(partition); err != nil {
		return nil, err
	}
	e, err := j.engine()
	if err != nil {
		return nil, err
	}
	return e.js.Stream(ctx, streamName(partition))
}

// AppendRecord implements journal.Journal.
func (j *Journal) AppendRecord(ctx context.Context, r faultline.Record) error {
	return j.control.append(ctx, r)
}

// ReadRecords implements journal.Journal.
func (j *Journal) ReadRecords(ctx context.Context, fn func(faultline.Record) error) error {
	return j.control.read(ctx, fn)
}

// Close implements journal.Journal. Those that still wait after 20 s are
// refused.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		for _, l := range j.lanes {
			l.close()
		}
		for _, l := range j.lanes {
			l.wait(ctx)
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.closed = true
		j.current.stop()
		j.high.close()
	})
	return nil
}
