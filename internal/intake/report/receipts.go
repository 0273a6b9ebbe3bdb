package report

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"faultline"
)

// How long a retry is recognised, and how long an append without an answer
// blocks its key if the journal never shows what became of it.
const (
	receiptAge = 24 * time.Hour
	unsureAge  = time.Minute
)

var (
	errReused = errors.New("idempotency key was used for another report")
	errUnsure = errors.New("outcome of the first attempt is not known yet")
)

// hashKey makes the number that the journal keeps of an idempotency key.
func hashKey(key string) uint64 {
	h := sha256.Sum256([]byte("faultline idempotency key\x00" + key))
	return max(binary.BigEndian.Uint64(h[:8]), 1) // 0 is none
}

// receipt is what was answered for a key: n ids from a first one on, all in
// one frame. sum is over what was reported.
type receipt struct {
	frame            uint64
	sum              uint32
	at               uint32 // Unix seconds
	partition, index uint16
	n                uint16
}

func (r *receipt) first() faultline.Position {
	return faultline.Position{Partition: r.partition, Frame: r.frame, Index: r.index}
}

// holds says whether a position is one of the receipt's.
func (r *receipt) holds(p faultline.Position) bool {
	return p.Partition == r.partition && p.Frame == r.frame && p.Index >= r.index && p.Index-r.index < r.n
}

// receipts recognises retries. A request with a key begins a flight; others
// with the same key wait for it. Bounded: the oldest keys go first.
type receipts struct {
	mu      sync.Mutex
	most    int
	seed    maphash.Seed
	known   map[uint64]receipt
	order   []uint64 // keys of known, oldest first, from head on
	head    int
	spread  map[uint64][]faultline.Position // ids after the first, where they are not in a row
	flights map[uint64]*flight
}

// flight is a request under way. If it ended without an answer, until is when
// its key may be used again. seen is what the journal has shown of it already.
type flight struct {
	done  chan struct{}
	until time.Time
	seen  []seen
}

// seen is a report in the journal.
type seen struct {
	report   *faultline.Report
	at       faultline.Position
	received time.Time
}

func newReceipts(most int) *receipts {
	return &receipts{
		most: most, seed: maphash.MakeSeed(), known: map[uint64]receipt{},
		spread: map[uint64][]faultline.Position{}, flights: map[uint64]*flight{},
	}
}

func (x *receipts) len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.known)
}

// sum adds a report to a digest. It covers what the person said, as the
// journal keeps it; not where they are, since a phone may change networks
// between two attempts.
func (x *receipts) sum(before uint32, r *faultline.Report) uint32 {
	return uint32(maphash.Comparable(x.seed, struct {
		before  uint32
		works   bool
		since   int64
		service faultline.ServiceID
		symptom faultline.Symptom
		surface faultline.Surface
	}{before, r.Works, r.Since.Unix(), r.Service, r.Symptom, r.Surface}))
}

func (x *receipts) sumAll(obs []*faultline.Observation) (sum uint32) {
	for _, o := range obs {
		sum = x.sum(sum, o.Payload.(*faultline.Report))
	}
	return sum
}

// begin gives the ids of an earlier request with this key, or makes the caller
// the first: it must call land.
func (x *receipts) begin(ctx context.Context, key uint64, sum uint32, n int, now time.Time) ([]faultline.Position, error) {
	for {
		wait, ids, err := x.try(key, sum, n, now)
		if wait == nil {
			return ids, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try is one attempt to begin; a channel means: wait for it, then try again.
func (x *receipts) try(key uint64, sum uint32, n int, now time.Time) (<-chan struct{}, []faultline.Position, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r, ok := x.known[key]; ok {
		if int(r.n)+len(x.spread[key]) != n || r.sum != sum {
			return nil, nil, errReused
		}
		return nil, x.ids(key, r), nil
	}
	f, ok := x.flights[key]
	switch {
	case ok && f.until.IsZero():
		return f.done, nil, nil
	case ok && now.Before(f.until):
		return nil, nil, errUnsure
	}
	x.flights[key] = &flight{done: make(chan struct{})}
	return nil, nil, nil
}

func (x *receipts) ids(key uint64, r receipt) []faultline.Position {
	ids := make([]faultline.Position, r.n, int(r.n)+len(x.spread[key]))
	for i := range ids {
		ids[i] = r.first()
		ids[i].Index += uint16(i)
	}
	return append(ids, x.spread[key]...)
}

// land ends a flight: with its ids, with nothing (it may be tried again), or
// unsure.
func (x *receipts) land(key uint64, sum uint32, ids []faultline.Position, unsure bool, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.flights[key]
	if f == nil {
		return
	}
	defer close(f.done)
	if unsure && len(f.seen) == 0 {
		x.sweep(now)
		f.until = now.Add(unsureAge)
		return
	}
	delete(x.flights, key)
	for _, s := range f.seen {
		if unsure { // the journal knew better
			x.learn(s)
		}
	}
	for _, id := range ids {
		x.add(key, sum, id, now)
	}
}

// sweep drops flights that nobody asked for again and whose time is over.
func (x *receipts) sweep(now time.Time) {
	for key, f := range x.flights {
		if !f.until.IsZero() && now.After(f.until) {
			delete(x.flights, key)
		}
	}
}

// remember learns a report from the journal.
func (x *receipts) remember(r *faultline.Report, at faultline.Position, received time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, ok := x.known[r.Key]; ok && old.holds(at) {
		return // answered by this program: nearly all are
	}
	s := seen{r, at, received}
	if f, ok := x.flights[r.Key]; ok {
		if f.until.IsZero() { // its own request will say, if it can
			if len(f.seen) < maxBatch {
				f.seen = append(f.seen, s)
			}
			return
		}
		delete(x.flights, r.Key)
	}
	x.learn(s)
}

func (x *receipts) learn(s seen) {
	key := s.report.Key
	old, ok := x.known[key]
	if ok && (old.holds(s.at) || !s.at.After(x.last(key, old))) {
		return
	}
	x.add(key, x.sum(old.sum, s.report), s.at, s.received)
}

// last is the newest id of a receipt.
func (x *receipts) last(key uint64, r receipt) faultline.Position {
	ids := x.ids(key, r)
	return ids[len(ids)-1]
}

// add puts one more id under a key.
func (x *receipts) add(key uint64, sum uint32, id faultline.Position, at time.Time) {
	r, ok := x.known[key]
	switch {
	case !ok:
		x.makeRoom(at)
		r = receipt{frame: id.Frame, partition: id.Partition, index: id.Index, n: 1, at: uint32(at.Unix())}
		x.order = append(x.order, key)
	case len(x.spread[key]) == 0 && id.Frame == r.frame && id.Partition == r.partition && id.Index == r.index+r.n:
		r.n++
	case int(r.n)+len(x.spread[key]) < maxBatch:
		x.spread[key] = append(x.spread[key], id)
	}
	r.sum = sum
	x.known[key] = r
}

// makeRoom forgets what is too old, and the oldest if there are too many.
func (x *receipts) makeRoom(now time.Time) {
	for x.head < len(x.order) {
		key := x.order[x.head]
		old := now.Unix()-int64(x.known[key].at) > int64(receiptAge/time.Second)
		if !old && len(x.known) < max(x.most, 1) {
			break
		}
		delete(x.known, key)
		delete(x.spread, key)
		x.head++
	}
	if x.head > 1024 && x.head > len(x.order)/2 {
		x.order = append(x.order[:0:0], x.order[x.head:]...)
		x.head = 0
	}
}
