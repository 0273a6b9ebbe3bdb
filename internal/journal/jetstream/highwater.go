package jetstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// highWater is the number of the last acknowledged frame of each partition, in
// a file beside the embedded server's. A damaged block can make JetStream cut
// its stream short and give the same numbers again; who wrote down a position
// would then read another frame there. The file is not synced: after a power
// cut it may be behind, and then notices less, never too much.
type highWater struct{ f *os.File }

const (
	highWaterFile = "last-frames"
	highWaterSize = 16 // of a partition: the number and its complement
	maxRefill     = 1_000_000
)

// openHighWater gives nil for a journal that is elsewhere: a cluster has its
// replicas.
func openHighWater(o Options) (*highWater, error) {
	if o.URL != "" {
		return nil, nil //nolint:nilnil // a nil *highWater knows nothing, and is used as such
	}
	f, err := os.OpenFile(filepath.Join(o.Dir, highWaterFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return &highWater{f}, nil
}

// get is 0 when nothing that can be trusted was written.
func (h *highWater) get(p uint16) uint64 {
	var b [highWaterSize]byte
	if h == nil {
		return 0
	}
	if _, err := h.f.ReadAt(b[:], int64(p)*highWaterSize); err != nil {
		return 0
	}
	n := binary.BigEndian.Uint64(b[:])
	if binary.BigEndian.Uint64(b[8:]) != ^n {
		return 0
	}
	return n
}

// set does not report errors: without the number less is noticed later, and
// what it is about is durable already.
func (h *highWater) set(p uint16, n uint64) {
	if h == nil {
		return
	}
	var b [highWaterSize]byte
	binary.BigEndian.PutUint64(b[:], n)
	binary.BigEndian.PutUint64(b[8:], ^n)
	_, _ = h.f.WriteAt(b[:], int64(p)*highWaterSize)
}

func (h *highWater) close() {
	if h != nil {
		h.f.Close()
	}
}

// refill puts an empty message where each frame was that the stream had and
// has no more, so that readers learn of it and no number is given twice.
func (j *Journal) refill(ctx context.Context, p uint16, last uint64) error {
	want := j.high.get(p)
	if want <= last {
		return nil
	}
	j.opts.Logger.Error("journal lost frames at its end, its files are damaged",
		slog.String("stream", streamName(p)), slog.Uint64("first", last+1), slog.Uint64("count", want-last))
	if want-last > maxRefill {
		return fmt.Errorf("the files are damaged: frames %d to %d are gone; restore the folder %s from a backup", last+1, want, j.opts.Dir)
	}
	acks := make([]jetstream.PubAckFuture, 0, want-last)
	for range want - last {
		ack, err := j.current.js.PublishMsgAsync(&nats.Msg{Subject: subject("lost", p)})
		if err != nil {
			return fmt.Errorf("mark lost frames: %w", err)
		}
		acks = append(acks, ack)
	}
	for ack := range slices.Values(acks) {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return fmt.Errorf("mark lost frames: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("mark lost frames: %w", ctx.Err())
		}
	}
	return nil
}
