package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"faultline"
	"faultline/internal/journal"
)

// maxWaiting bounds the records that wait in a lane. At the rates measured it
// is under a tenth of a second of work.
const maxWaiting = 32 << 10

// lane writes one partition: callers queue, one goroutine packs what waits
// into a frame, publishes it, and starts again when it is durable.
type lane struct {
	j         *Journal
	partition uint16
	mu        sync.Mutex
	waiting   []*waiter
	records   int
	closed    bool
	wake      chan struct{} // holds one token when there may be work
	done      chan struct{}
}

// waiter is one Append.
type waiter struct {
	obs  []*faultline.Observation
	kind faultline.Kind
	done chan error // buffered, so that the lane never waits for a caller
}

func startLane(j *Journal, partition uint16) *lane {
	l := &lane{j: j, partition: partition, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *lane) append(ctx context.Context, obs []*faultline.Observation) error {
	w := &waiter{obs: obs, kind: obs[0].Payload.Kind(), done: make(chan error, 1)}
	if len(obs) > journal.MaxRecords {
		return fmt.Errorf("append: %d records at once, at most %d", len(obs), journal.MaxRecords)
	}
	for _, o := range obs {
		if o.Payload.Kind() != w.kind || o.Position.Partition != l.partition {
			return errors.New("append: records of several kinds or partitions at once")
		}
	}
	if err := l.enqueue(w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("append, outcome unknown: %w", ctx.Err())
	}
}

func (l *lane) enqueue(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		l.j.m.refused.Inc("closed")
		return journal.ErrClosed
	case l.records+len(w.obs) > maxWaiting:
		l.j.m.refused.Inc("busy")
		return journal.ErrBusy
	}
	l.waiting = append(l.waiting, w)
	l.records += len(w.obs)
	l.j.m.waiting.Set(float64(l.records))
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// run ends when the lane is closed and everything that waited was written.
func (l *lane) run() {
	defer close(l.done)
	for range l.wake {
		for {
			batch, closed := l.take()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			l.write(batch)
		}
	}
}

// take gives the oldest waiters of one kind, as many as fit into a frame. The
// others keep their places.
func (l *lane) take() (batch []*waiter, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return nil, l.closed
	}
	kind, n, rest := l.waiting[0].kind, 0, l.waiting[:0:0]
	for i, w := range l.waiting {
		if w.kind != kind || n+len(w.obs) > journal.MaxRecords {
			rest = append(rest, l.waiting[i:]...)
			break
		}
		batch = append(batch, w)
		n += len(w.obs)
	}
	l.waiting = rest
	l.records -= n
	l.j.m.waiting.Set(float64(l.records))
	return batch, false
}

// write makes one frame durable and answers everybody in it.
func (l *lane) write(batch []*waiter) {
	var records []*faultline.Observation
	for _, w := range batch {
		records = append(records, w.obs...)
	}
	number, err := l.publish(batch[0].kind, records)
	if err == nil {
		for i, o := range records {
			o.Position = faultline.Position{Partition: l.partition, Frame: number, Index: uint16(i)}
		}
		l.j.m.frames.Inc()
		l.j.m.records.Add(float64(len(records)))
	}
	for _, w := range batch {
		w.done <- err
	}
}

func (l *lane) publish(kind faultline.Kind, records []*faultline.Observation) (uint64, error) {
	b, err := journal.EncodeFrame(l.partition, kind, records)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	msg := &nats.Msg{Subject: subject(kind, l.partition), Data: b}
	ack, err := l.j.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(streamName(l.partition)))
	if err != nil {
		return 0, l.refuse(err)
	}
	l.j.m.publish.Observe(time.Since(start).Seconds())
	return ack.Sequence, nil
}

// refuse turns JetStream's refusal into ours.
func (l *lane) refuse(err error) error {
	if isFull(err) {
		l.j.m.refused.Inc("full")
		return fmt.Errorf("%w: %w", journal.ErrFull, err)
	}
	l.j.m.refused.Inc("failed")
	l.j.opts.Logger.Error("cannot append to the journal", slog.Any("error", err))
	return fmt.Errorf("append to journal: %w", err)
}

// isFull tells "no room" from other failures: the stream's own bound, the
// account's, or the disk's.
func isFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) {
		return true
	}
	text := err.Error()
	for _, s := range []string{"maximum bytes exceeded", "insufficient storage resources", "no space left", "resource limits exceeded"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// close refuses new callers and waits until those that wait are answered.
func (l *lane) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	l.mu.Unlock()
	<-l.done
}
