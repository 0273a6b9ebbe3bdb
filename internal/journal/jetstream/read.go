package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"faultline/internal/journal"
)

// Read implements journal.Journal.
func (j *Journal) Read(ctx context.Context, partition uint16, from uint64, fn func(*journal.Frame) error) error {
	return j.readFrames(ctx, partition, from, false, fn)
}

// Follow implements journal.Journal.
func (j *Journal) Follow(ctx context.Context, partition uint16, from uint64, fn func(*journal.Frame) error) error {
	return j.readFrames(ctx, partition, from, true, fn)
}

func (j *Journal) readFrames(ctx context.Context, partition uint16, from uint64, follow bool, fn func(*journal.Frame) error) error {
	if err := j.checkPartition(partition); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	bad := func(number, n uint64, why error) error {
		j.corrupt(streamName(partition), number, n, why)
		return fn(&journal.Frame{Partition: partition, Number: number, Corrupt: true, Lost: n})
	}
	r := &reader{j: j, stream: streamName(partition), next: max(from, 1), follow: follow, trimmed: j.trims[partition].bound}
	r.lost = func(first, n uint64) error { return bad(first, n, errMissing) }
	r.each = func(number uint64, data []byte) error {
		f, err := journal.DecodeFrame(number, data)
		if err == nil && f.Partition != partition {
			err = fmt.Errorf("%w: of partition %d", journal.ErrCorrupt, f.Partition)
		}
		if err != nil {
			return bad(number, 1, err)
		}
		return fn(f)
	}
	return r.run(ctx)
}

var errMissing = errors.New("missing, and not trimmed")

// corrupt counts and says what cannot be read.
func (j *Journal) corrupt(stream string, first, n uint64, why error) {
	j.m.corrupt.Add(float64(n))
	j.opts.Logger.Error("journal frames cannot be read and are skipped", slog.String("stream", stream),
		slog.Uint64("first", first), slog.Uint64("count", n), slog.Any("error", why))
}

// reader reads one stream in order, and goes on where it was when the server
// was started again in between.
type reader struct {
	j       *Journal
	stream  string
	next    uint64 // sequence
	last    uint64 // where a Read ends; 0 until known
	follow  bool
	trimmed func() uint64 // sequences before this may be missing
	each    func(sequence uint64, data []byte) error
	lost    func(first, n uint64) error
	stopped bool // the caller's function returned an error
}

func (r *reader) run(ctx context.Context) error {
	for {
		e, err := r.j.engine()
		if err == nil {
			err = r.pass(ctx, e)
		}
		switch {
		case err == nil || r.stopped:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("read journal: %w", ctx.Err())
		case errors.Is(err, errDown):
			pause(ctx, retryAfter)
		case e == nil || e.ctx.Err() == nil:
			return fmt.Errorf("read %s: %w", r.stream, err)
		}
	}
}

// pass reads from one engine.
func (r *reader) pass(ctx context.Context, e *engine) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	s, err := e.js.Stream(ctx, r.stream)
	if err != nil {
		return err
	}
	if r.last == 0 {
		r.last = s.CachedInfo().State.LastSeq
	}
	if !r.follow && r.next > r.last {
		return nil
	}
	cons, err := e.js.OrderedConsumer(ctx, r.stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
	})
	if err != nil {
		return err
	}
	defer forget(e, r.stream, cons)
	if !r.follow && cons.CachedInfo().NumPending == 0 {
		return r.skip(r.last + 1)
	}
	it, err := cons.Messages(jetstream.PullMaxMessages(prefetch))
	if err != nil {
		return err
	}
	defer it.Stop()
	if err := r.drain(ctx, it); !errors.Is(err, errIdle) {
		return err
	}
	return r.oneByOne(ctx, s)
}

// errIdle says that nothing came for so long although more is there: a server
// waits at a message that it cannot read.
var errIdle = errors.New("nothing comes")

const idleAfter = 2 * time.Second

// prefetch is how many frames are on their way to a reader: 32 MiB at most.
const prefetch = 64

// forget deletes the consumer at the server, which would keep it for minutes.
func forget(e *engine, stream string, cons jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(e.ctx, time.Second)
	defer cancel()
	_ = e.js.DeleteConsumer(ctx, stream, cons.CachedInfo().Name) // it goes by itself if this fails
}

func (r *reader) drain(ctx context.Context, it jetstream.MessagesContext) error {
	for {
		msg, err := r.message(ctx, it)
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		number := meta.Sequence.Stream
		if err := r.skip(min(number, r.end())); err != nil {
			return err
		}
		if number >= r.end() {
			return nil
		}
		r.next = number + 1
		if err := r.each(number, msg.Data()); err != nil {
			r.stopped = true
			return err
		}
		if !r.follow && (number == r.last || meta.NumPending == 0) {
			return r.skip(r.end())
		}
	}
}

func (r *reader) message(ctx context.Context, it jetstream.MessagesContext) (jetstream.Msg, error) {
	if r.follow {
		return it.Next(jetstream.NextContext(ctx))
	}
	short, cancel := context.WithTimeout(ctx, idleAfter)
	defer cancel()
	msg, err := it.Next(jetstream.NextContext(short))
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return nil, errIdle
	}
	return msg, err
}

// oneByOne asks for each of the remaining messages of a Read. What the server
// cannot give is lost.
func (r *reader) oneByOne(ctx context.Context, s jetstream.Stream) error {
	for number := max(r.next, r.trimmed()); number <= r.last; number++ {
		msg, err := s.GetMsg(ctx, number)
		var api *jetstream.APIError
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound) || errors.As(err, &api):
			continue
		case err != nil:
			return err
		}
		if err := r.skip(number); err != nil {
			return err
		}
		r.next = number + 1
		if err := r.each(number, msg.Data); err != nil {
			r.stopped = true
			return err
		}
	}
	return r.skip(r.end())
}

// end is the first sequence that is not read.
func (r *reader) end() uint64 {
	if r.follow {
		return 1<<64 - 1
	}
	return r.last + 1
}

// skip goes on to a sequence and says what is missing before it.
func (r *reader) skip(to uint64) error {
	first := max(r.next, r.trimmed())
	r.next = max(r.next, to)
	if first >= to {
		return nil
	}
	if err := r.lost(first, to-first); err != nil {
		r.stopped = true
		return err
	}
	return nil
}
