package probe

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"faultline"
)

// slot is one target's place in the schedule.
type slot struct {
	key     string // service, target and permission: a slot never changes these
	hash    uint64 // orders the targets, the same on every start
	service faultline.ServiceID
	target  Target
	share   float64 // its place in the interval, 0 to 1

	due     time.Time // when its next slot begins
	last    time.Time // when its last slot began
	started time.Time // of the check whose result was not handed over yet
	failing bool
	running bool
	gone    bool // no longer listed
	place   int  // in the queue; −1: not in it
}

func slotKey(service faultline.ServiceID, t Target) string {
	key := string(service) + " " + t.Name
	if t.Permit.Typed {
		key += " typed"
	}
	return key
}

// readServices turns services into slots in their order, evenly spread.
// A target that a service lists twice is checked once.
func readServices(services []faultline.Service) ([]*slot, error) {
	var slots []*slot
	var errs []error
	seen := map[string]bool{}
	for _, s := range services {
		for _, t := range s.Targets {
			parsed, err := ParseTarget(t)
			key := slotKey(s.ID, parsed)
			if err != nil {
				errs = append(errs, fmt.Errorf("service %s: %w", s.ID, err))
			} else if !seen[key] {
				seen[key] = true
				slots = append(slots, &slot{key: key, hash: hashOf(key), service: s.ID, target: parsed, place: -1})
			}
		}
	}
	slices.SortFunc(slots, func(a, b *slot) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.key, b.key)) })
	for i, s := range slots {
		s.share = float64(i) / float64(len(slots))
	}
	return slots, errors.Join(errs...)
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	x := h.Sum64()
	x ^= x >> 33
	return x * 0xff51afd7ed558ccd // FNV alone leaves similar names side by side
}

// gridAfter is the first moment after t that is the slot's own: its share of
// the interval, counted from the Unix epoch, so that a restart changes nothing.
func gridAfter(t time.Time, interval time.Duration, share float64) time.Time {
	phase := time.Duration(share * float64(interval))
	since := time.Duration(t.UnixNano()) - phase
	n := since / interval
	if since < 0 && since%interval != 0 {
		n--
	}
	return t.Add((n+1)*interval - since)
}

// skip moves a slot that should have begun at due to the newest one that began
// no later than now, and counts those that it left out.
func skip(due, now time.Time, interval time.Duration) (time.Time, int) {
	late := now.Sub(due)
	if late < interval {
		return due, 0
	}
	n := late / interval
	return due.Add(n * interval), int(n)
}

// after is the first slot of a series of slots that begins after now; due is
// the first of the series. Those before it were missed.
func after(due, now time.Time, interval time.Duration) (time.Time, int) {
	if due.After(now) {
		return due, 0
	}
	last, missed := skip(due, now, interval)
	return last.Add(interval), missed + 1
}

// queue is a heap of slots by due time; ties go by hash.
type queue []*slot

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if c := q[i].due.Compare(q[j].due); c != 0 {
		return c < 0
	}
	return q[i].hash < q[j].hash
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push and Pop are for package heap.
func (q *queue) Push(x any) {
	s := x.(*slot)
	s.place = len(*q)
	*q = append(*q, s)
}

// Pop takes the last slot.
func (q *queue) Pop() any {
	s := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	s.place = -1
	return s
}

// set moves a slot to another time, or puts it into the queue.
func (q *queue) set(s *slot, due time.Time) {
	s.due = due
	if s.place < 0 {
		heap.Push(q, s)
	} else {
		heap.Fix(q, s.place)
	}
}

func (q *queue) remove(s *slot) {
	if s.place >= 0 {
		heap.Remove(q, s.place)
	}
}
