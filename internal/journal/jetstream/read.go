package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"faultline/internal/journal"
)

// Read implements journal.Journal.
func (j *Journal) Read(ctx context.Context, partition uint16, from uint64, fn func(*journal.Frame) error) error {
	return j.consume(ctx, partition, from, false, fn)
}

// Follow implements journal.Journal.
func (j *Journal) Follow(ctx context.Context, partition uint16, from uint64, fn func(*journal.Frame) error) error {
	return j.consume(ctx, partition, from, true, fn)
}

// consume reads with a consumer that keeps order and starts again by itself
// where it lost its place.
func (j *Journal) consume(ctx context.Context, partition uint16, from uint64, follow bool, fn func(*journal.Frame) error) error {
	return each(ctx, j.js, streamName(partition), from, follow, func(number uint64, data []byte) error {
		f, err := journal.DecodeFrame(number, data)
		if err != nil {
			j.m.corrupt.Inc()
			j.opts.Logger.Error("frame cannot be read and is skipped", slog.Uint64("frame", number), slog.Any("error", err))
			f = &journal.Frame{Partition: partition, Number: number, Corrupt: true}
		}
		return fn(f)
	})
}

// each calls fn for the messages of a stream from a sequence on, up to the
// present end or, with follow, until ctx ends.
func each(ctx context.Context, js jetstream.JetStream, stream string, from uint64, follow bool, fn func(uint64, []byte) error) error {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	state := s.CachedInfo().State
	if !follow && (state.Msgs == 0 || state.LastSeq < from) {
		return nil
	}
	cons, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	if !follow && cons.CachedInfo() != nil && cons.CachedInfo().NumPending == 0 {
		return nil // everything from there on was trimmed
	}
	it, err := cons.Messages(jetstream.PullMaxMessages(64))
	if err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	defer it.Stop()
	return drain(ctx, it, state.LastSeq, follow, fn)
}

func drain(ctx context.Context, it jetstream.MessagesContext, last uint64, follow bool, fn func(uint64, []byte) error) error {
	for {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read journal: %w", errors.Join(err, ctx.Err()))
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		if err := fn(meta.Sequence.Stream, msg.Data()); err != nil {
			return err
		}
		if !follow && (meta.NumPending == 0 || meta.Sequence.Stream >= last) {
			return nil
		}
	}
}
