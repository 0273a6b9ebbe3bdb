// Package jetstream keeps the journal in NATS JetStream: by default in a
// server inside this process that listens on no port, or in a NATS cluster
// through the same code.
//
// Each partition is one stream with all kinds of observations in it, one
// message a frame; the message's sequence is the frame's number. JetStream
// syncs each message to disk before it acknowledges (sync_interval: always),
// so packing many callers into one frame is what makes it fast: the
// acknowledgement of one frame sends the next, and the disk is the only clock.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/telemetry"
)

// Options say where the journal is.
type Options struct {
	Dir        string // folder of the embedded server; used when URL is empty
	URL        string // nats://… of a cluster
	Replicas   int    // in a cluster; 1 when embedded
	Partitions int    // default 1
	MaxBytes   int64  // of observations, for each partition; 0: only the disk bounds it
	Logger     *slog.Logger
	Registry   prometheus.Registerer
}

// Journal is a journal in JetStream.
type Journal struct {
	opts    Options
	server  *server.Server // nil when the server is elsewhere
	conn    *nats.Conn
	js      jetstream.JetStream
	streams []jetstream.Stream
	lanes   []*lane
	control *control
	m       *metrics
	closing sync.Once
}

var _ journal.Journal = (*Journal)(nil)

const callTimeout = 10 * time.Second

// Open starts or reaches the server and makes the streams that are missing.
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Partitions == 0 {
		o.Partitions = 1
	}
	o.Replicas = max(o.Replicas, 1)
	j := &Journal{opts: o, m: newMetrics(o.Registry)}
	if err := j.connect(); err != nil {
		return nil, err
	}
	if err := j.openStreams(ctx); err != nil {
		return nil, errors.Join(err, j.disconnect())
	}
	for p := range j.streams {
		j.lanes = append(j.lanes, startLane(j, uint16(p)))
	}
	return j, nil
}

// connect starts the embedded server, if it is to be, and connects.
func (j *Journal) connect() (err error) {
	opts := []nats.Option{nats.Name("faultline"), nats.MaxReconnects(-1), nats.ErrorHandler(j.asyncError)}
	url := j.opts.URL
	if url == "" {
		if j.server, err = startServer(j.opts.Dir); err != nil {
			return err
		}
		opts = append(opts, nats.InProcessServer(j.server))
	}
	if j.conn, err = nats.Connect(url, opts...); err != nil {
		return errors.Join(fmt.Errorf("connect to journal %s: %w", url, err), j.disconnect())
	}
	if j.js, err = jetstream.New(j.conn, jetstream.WithDefaultTimeout(callTimeout)); err != nil {
		return errors.Join(fmt.Errorf("open JetStream: %w", err), j.disconnect())
	}
	return nil
}

func (j *Journal) asyncError(_ *nats.Conn, _ *nats.Subscription, err error) {
	j.opts.Logger.Warn("journal connection", slog.Any("error", err))
}

// startServer runs NATS in this process, without a port. What it logs goes
// nowhere: what matters of it comes back as errors.
func startServer(dir string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "faultline", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, SyncAlways: true,
		JetStreamMaxMemory: 16 << 20, MaxPayload: 2 << 20, MaxConn: 64,
		DisableShortFirstPing: true, NoSystemAccount: false,
	})
	if err != nil {
		return nil, fmt.Errorf("configure embedded journal: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("embedded journal in %s did not start: is the folder writable, and is there room on the disk?", dir)
	}
	return s, nil
}

func (j *Journal) disconnect() error {
	if j.conn != nil {
		j.conn.Close()
	}
	if j.server != nil {
		j.server.Shutdown()
		j.server.WaitForShutdown()
	}
	return nil
}

func streamName(partition uint16) string { return fmt.Sprintf("FLT_%02d", partition) }

func subject(kind faultline.Kind, partition uint16) string {
	return fmt.Sprintf("flt.obs.%s.%02d", kind, partition)
}

func (j *Journal) openStreams(ctx context.Context) error {
	for p := range uint16(j.opts.Partitions) {
		s, err := j.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: streamName(p), Subjects: []string{subject("*", p)},
			Storage: jetstream.FileStorage, Replicas: j.opts.Replicas,
			MaxBytes: maxBytes(j.opts.MaxBytes), Discard: jetstream.DiscardNew, AllowDirect: true,
			Duplicates: 2 * time.Minute,
		})
		if err != nil {
			return fmt.Errorf("open stream %s: %w", streamName(p), err)
		}
		j.streams = append(j.streams, s)
	}
	var err error
	j.control, err = openControl(ctx, j.js, j.opts.Replicas)
	return err
}

func maxBytes(n int64) int64 {
	if n <= 0 {
		return -1
	}
	return n
}

// Append implements journal.Journal.
func (j *Journal) Append(ctx context.Context, obs ...*faultline.Observation) error {
	if len(obs) == 0 {
		return nil
	}
	p := obs[0].Position.Partition
	if int(p) >= len(j.lanes) {
		return fmt.Errorf("append: partition %d of %d", p, len(j.lanes))
	}
	return j.lanes[p].append(ctx, obs)
}

// Info implements journal.Journal.
func (j *Journal) Info(ctx context.Context, partition uint16) (journal.Info, error) {
	info, err := j.streams[partition].Info(ctx)
	if err != nil {
		return journal.Info{}, fmt.Errorf("ask journal: %w", err)
	}
	st := info.State
	out := journal.Info{Bytes: st.Bytes, First: st.FirstSeq, Last: st.LastSeq, Frames: st.Msgs}
	if info.Config.MaxBytes > 0 {
		out.MaxBytes = uint64(info.Config.MaxBytes)
	}
	return out, nil
}

// Trim implements journal.Journal.
func (j *Journal) Trim(ctx context.Context, partition uint16, kind faultline.Kind, before uint64) error {
	err := j.streams[partition].Purge(ctx, jetstream.WithPurgeSubject(subject(kind, partition)), jetstream.WithPurgeSequence(before))
	if err != nil {
		return fmt.Errorf("trim %s before frame %d: %w", kind, before, err)
	}
	return nil
}

// AppendRecord implements journal.Journal.
func (j *Journal) AppendRecord(ctx context.Context, r faultline.Record) error {
	return j.control.append(ctx, r)
}

// ReadRecords implements journal.Journal.
func (j *Journal) ReadRecords(ctx context.Context, fn func(faultline.Record) error) error {
	return j.control.read(ctx, fn)
}

// Close implements journal.Journal.
func (j *Journal) Close() (err error) {
	j.closing.Do(func() {
		for _, l := range j.lanes {
			l.close()
		}
		err = j.disconnect()
	})
	return err
}

type metrics struct {
	records, frames, corrupt prometheus.Counter
	waiting                  prometheus.Gauge
	publish                  prometheus.Histogram
	refused                  *telemetry.Refusals
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		records: telemetry.Counter(r, "journal", "records_total", "Observations made durable."),
		frames:  telemetry.Counter(r, "journal", "frames_total", "Frames made durable."),
		corrupt: telemetry.Counter(r, "journal", "corrupt_frames_total", "Frames that could not be read and were skipped."),
		waiting: telemetry.Gauge(r, "journal", "waiting_records", "Observations that wait to be made durable."),
		publish: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "faultline", Subsystem: "journal", Name: "publish_seconds", Help: "Time until a frame was durable.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 14),
		}),
		refused: telemetry.NewRefusals(r, "journal", "Appends refused, by reason.", "full", "busy", "closed", "failed"),
	}
	r.MustRegister(m.publish)
	return m
}
