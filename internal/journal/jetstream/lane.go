package jetstream

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
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

// A lane that has just answered many callers lets them come back before it
// writes the next frame: a frame of a few costs as much processor time as one of
// hundreds. It waits as long as they keep coming: until nearly all are back, none
// came for gatherTimes what the last frame took (between gatherQuiet and
// gatherQuietMost: a busy machine needs a moment to let the first one speak), or
// gatherMost is over. A single caller is never waited for, and one in gatherSpare
// may stay away.
const (
	gatherTimes     = 2
	gatherSpare     = 8
	gatherQuiet     = 4 * time.Millisecond
	gatherQuietMost = 20 * time.Millisecond
	gatherMost      = 50 * time.Millisecond
)

// lane writes one partition: callers queue, one goroutine packs what waits
// into a frame, publishes it, and starts again when it is durable.
type lane struct {
	j         *Journal
	partition uint16
	id        string          // of this lane's frames, so that none is taken twice
	ctx       context.Context //nolint:containedctx // ends when Close stops waiting
	cancel    context.CancelFunc
	wake      chan struct{} // holds one token when run need not wait any longer
	done      chan struct{}

	mu             sync.Mutex
	waiting        []*waiter
	records, bytes int
	want           int // callers that end run's wait; nobody while it does not wait
	closed         bool

	// Used by run only.
	frame    journal.Batch
	packed   []byte
	taken    []*waiter
	sent     uint64
	expected int           // callers when the last frame was answered: of it, and waiting
	took     time.Duration // the last frame, until it was durable
	timer    *time.Timer
}

const nobody = math.MaxInt

// waiter is one Append. It is used again after its outcome was received, and
// only then: the lane may still hold one whose caller left.
type waiter struct {
	batch journal.Batch
	taken bool         // on its way; guarded by the lane's mu
	done  chan outcome // buffered, so that the lane never waits for a caller
}

var waiters = sync.Pool{New: func() any { return &waiter{done: make(chan outcome, 1)} }}

// keepBytes bounds the memory that a waiter keeps for its next use.
const keepBytes = 16 << 10

func (w *waiter) free() {
	if w.batch.Size() <= keepBytes {
		w.taken = false
		waiters.Put(w)
	}
}

type outcome struct {
	err   error
	frame uint64
	index int // of the first record
}

func startLane(j *Journal, partition uint16) *lane {
	l := &lane{j: j, partition: partition, id: rand.Text(), wake: make(chan struct{}, 1), done: make(chan struct{}), want: nobody}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.timer = time.NewTimer(time.Hour)
	l.timer.Stop()
	j.m.capacity.Add(maxWaiting)
	go l.run()
	return l
}

// append waits until the waiter's batch is durable. The positions are set
// here, so that a caller who left early never sees its observations change.
func (l *lane) append(ctx context.Context, obs []*faultline.Observation, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if err := l.enqueue(w); err != nil {
		return err
	}
	var out outcome
	select {
	case out = <-w.done:
		w.free()
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
	if l.enough(l.want) {
		l.signal()
	}
	return nil
}

// enough says whether a frame should go: so many callers wait, or it is full.
func (l *lane) enough(callers int) bool {
	return len(l.waiting) >= callers || callers != nobody && (l.records >= journal.MaxRecords || l.bytes >= journal.MaxBytes)
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
}

func (l *lane) callers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// backlog is how many records wait.
func (l *lane) backlog() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records
}

func (l *lane) signal() {
	l.want = nobody
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run ends when the lane is closed and everything that waited was answered.
func (l *lane) run() {
	defer close(l.done)
	for {
		l.gather()
		closed := l.take()
		switch {
		case len(l.taken) > 0:
			l.write(l.taken)
		case closed:
			return
		default:
			l.await(1, 0)
		}
	}
}

// gather waits for the callers of the last frame, if there were several, until
// nearly all are back or none came for a while.
func (l *lane) gather() {
	if l.expected <= 1 {
		return
	}
	enough := l.expected - l.expected/gatherSpare
	quiet := min(max(gatherTimes*l.took, gatherQuiet), gatherQuietMost)
	end := time.Now().Add(gatherMost)
	for before := -1; ; {
		now, left := l.callers(), time.Until(end)
		if now == before || now >= enough || left <= 0 {
			return
		}
		before = now
		if l.await(enough, min(quiet, left)) {
			return
		}
	}
}

// await returns true when so many callers wait, a frame is full or the lane is
// closed, and false when the time is over (0: none is set).
func (l *lane) await(callers int, atMost time.Duration) bool {
	l.mu.Lock()
	if l.closed || l.enough(callers) {
		l.mu.Unlock()
		return true
	}
	l.want = callers
	l.mu.Unlock()
	var over <-chan time.Time
	if atMost > 0 {
		l.timer.Reset(atMost)
		defer l.timer.Stop()
		over = l.timer.C
	}
	select {
	case <-l.wake: // perhaps of an earlier wait: then this one is short
		return true
	case <-over:
		return false
	}
}

// take fills l.frame with the oldest waiter and those of its kind after it, as
// many as fit. Reports and measurements may pass each other on the way, for
// frames of two kinds in turn would be small; heartbeats and commands are not
// passed, because they speak about what stands before them.
func (l *lane) take() (closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want = nobody
	l.frame.Reset()
	clear(l.taken)
	l.taken = l.taken[:0]
	if len(l.waiting) == 0 {
		l.expected = 0
		return l.closed
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
		l.frame.Join(&w.batch)
		l.taken = append(l.taken, w)
		end++
	}
	rest := l.waiting[end-len(passed):]
	copy(rest, passed)
	clear(l.waiting[:end-len(passed)])
	l.waiting = rest
	return false
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
	l.expected = len(ws) + l.callers() // before they are answered, or some would count twice
	index := 0
	for _, w := range ws {
		n := w.batch.Count // the waiter is another's once it has its outcome
		w.done <- outcome{err, number, index}
		index += n
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
	l.took = time.Since(start)
	if err != nil {
		return 0, l.j.failure("append to journal", err)
	}
	l.j.high.set(l.partition, number)
	l.j.m.publish.Observe(l.took.Seconds())
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
