package jetstream

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"faultline"
	"faultline/internal/journal"
)

// Bounds of what waits in a lane. At the rates measured it is about a tenth of
// a second of work.
const (
	maxWaiting      = 32 << 10
	maxWaitingBytes = 16 << 20
)

// lane writes one partition: callers queue, one goroutine packs what waits
// into a frame, publishes it, and starts again when it is durable.
type lane struct {
	j         *Journal
	partition uint16
	id        string          // of this lane's frames, so that none is taken twice
	ctx       context.Context //nolint:containedctx // ends when Close stops waiting
	cancel    context.CancelFunc
	wake      chan struct{} // holds one token when there may be work
	done      chan struct{}

	mu             sync.Mutex
	waiting        []*waiter
	records, bytes int
	closed         bool

	// Used by run only.
	frame  journal.Batch
	packed []byte
	sent   uint64
}

// waiter is one Append.
type waiter struct {
	batch *journal.Batch
	taken bool         // on its way; guarded by the lane's mu
	done  chan outcome // buffered, so that the lane never waits for a caller
}

type outcome struct {
	err   error
	frame uint64
	index int // of the first record
}

func startLane(j *Journal, partition uint16) *lane {
	l := &lane{j: j, partition: partition, id: rand.Text(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	j.m.capacity.Add(maxWaiting)
	go l.run()
	return l
}

// append waits until the batch is durable. The positions are set here, so that
// a caller who left early never sees its observations change.
func (l *lane) append(ctx context.Context, obs []*faultline.Observation, b *journal.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	w := &waiter{batch: b, done: make(chan outcome, 1)}
	if err := l.enqueue(w); err != nil {
		return err
	}
	var out outcome
	select {
	case out = <-w.done:
	case <-ctx.Done():
		if l.withdraw(w) {
			return fmt.Errorf("append: %w", ctx.Err())
		}
		return fmt.Errorf("append: %w: %w", journal.ErrUnknown, ctx.Err())
	}
	if out.err != nil {
		return out.err
	}
	for i, o := range obs {
		o.Position = faultline.Position{Partition: l.partition, Frame: out.frame, Index: uint16(out.index + i)}
	}
	return nil
}

func (l *lane) enqueue(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return journal.ErrClosed
	case l.records+w.batch.Count > maxWaiting, l.bytes+w.batch.Size() > maxWaitingBytes:
		return journal.ErrBusy
	}
	l.waiting = append(l.waiting, w)
	l.account(1, w)
	l.signal()
	return nil
}

// withdraw takes a waiter out of the queue; false if it is on its way already.
func (l *lane) withdraw(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.taken {
		return false
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
	l.account(-1, w)
	return true
}

func (l *lane) account(sign int, w *waiter) {
	l.records += sign * w.batch.Count
	l.bytes += sign * w.batch.Size()
	l.j.m.waiting.Add(float64(sign * w.batch.Count))
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run ends when the lane is closed and everything that waited was answered.
func (l *lane) run() {
	defer close(l.done)
	for range l.wake {
		for {
			ws, closed := l.take()
			if len(ws) == 0 {
				if closed {
					return
				}
				break
			}
			l.write(ws)
		}
	}
}

// take fills l.frame with the oldest waiter and those of its kind after it, as
// many as fit. Reports and measurements may pass each other on the way, for
// frames of two kinds in turn would be small; heartbeats and commands are not
// passed, because they speak about what stands before them.
func (l *lane) take() (ws []*waiter, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frame.Reset()
	if len(l.waiting) == 0 {
		return nil, l.closed
	}
	kind := l.waiting[0].batch.Kind
	var passed []*waiter
	end := 0
	for _, w := range l.waiting {
		if w.batch.Kind != kind {
			if barrier(w.batch.Kind) || barrier(kind) {
				break
			}
			passed = append(passed, w)
			end++
			continue
		}
		if !l.frame.Fits(w.batch.Count, w.batch.Size()) {
			break
		}
		w.taken = true
		l.account(-1, w)
		l.frame.Join(w.batch)
		ws = append(ws, w)
		end++
	}
	rest := l.waiting[end-len(passed):]
	copy(rest, passed)
	clear(l.waiting[:end-len(passed)])
	l.waiting = rest
	return ws, false
}

func barrier(k faultline.Kind) bool {
	return k == faultline.KindHeartbeat || k == faultline.KindCommand
}

// write makes l.frame durable and answers everybody in it.
func (l *lane) write(ws []*waiter) {
	number, err := l.publish()
	if err == nil {
		l.j.m.frames.Inc()
		l.j.m.records.Add(float64(l.frame.Count))
	}
	index := 0
	for _, w := range ws {
		w.done <- outcome{err, number, index}
		index += w.batch.Count
	}
}

func (l *lane) publish() (uint64, error) {
	if l.ctx.Err() != nil {
		return 0, journal.ErrClosed
	}
	if err := l.j.checkRoom(1); err != nil {
		return 0, err
	}
	l.packed = l.frame.AppendFrame(l.packed[:0], l.partition)
	l.sent++
	msg := &nats.Msg{Subject: subject(l.frame.Kind, l.partition), Data: l.packed, Header: nats.Header{}}
	msg.Header.Set(jetstream.MsgIDHeader, l.id+"-"+strconv.FormatUint(l.sent, 10))
	start := time.Now()
	number, err := l.j.put(l.ctx, msg)
	if err != nil {
		return 0, l.j.failure("append to journal", err)
	}
	l.j.high.set(l.partition, number)
	l.j.m.publish.Observe(time.Since(start).Seconds())
	return number, nil
}

// close refuses new callers.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.signal()
}

// wait returns when those that waited are answered; after the end of ctx that
// is at once.
func (l *lane) wait(ctx context.Context) {
	defer context.AfterFunc(ctx, l.cancel)()
	<-l.done
	l.cancel()
}
