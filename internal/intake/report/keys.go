package report

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"faultline"
)

// LateData is how long after its day or week a key is kept, for reports that
// were under way at midnight. Then it is destroyed, and the hashes made with
// it can be linked to nothing any more.
const LateData = time.Hour

// Keys turns addresses into numbers that tell people and networks apart for a
// while, and that mean nothing once the keys are destroyed:
//
//	reporter = HMAC-SHA256(day's key; day, service, address)
//	network  = HMAC-SHA256(week's key; week, /24)   for IPv4
//	network  = HMAC-SHA256(day's key; day, /56)     for IPv6
//
// each cut to 64 bits. Days and weeks (from Monday) are UTC. An IPv6 /56 is
// often one household, so it is not followed for a week.
//
// Keys are random and live in a file of their own, mode 0600, outside journal,
// store and exports; they are in no log. The file makes a person the same
// reporter after a restart on the same day. Safe for concurrent use.
type Keys struct {
	mu      sync.RWMutex
	path    string // "": memory only
	secrets []*secret
	dirty   bool // the file does not hold what secrets does
}

// span says for how long a key is used.
type span string

const (
	day  span = "day"
	week span = "week"
)

// start is the beginning of the day or week that t lies in.
func (s span) start(t time.Time) time.Time {
	d := t.UTC().Truncate(24 * time.Hour)
	if s == week {
		d = d.AddDate(0, 0, -(int(d.Weekday())+6)%7)
	}
	return d
}

func (s span) end(start time.Time) time.Time {
	if s == week {
		return start.AddDate(0, 0, 7)
	}
	return start.AddDate(0, 0, 1)
}

// secret is one key. Its MACs are kept ready: setting one up costs as much as
// using it twice.
type secret struct {
	span  span
	start time.Time
	key   [32]byte
	macs  sync.Pool
}

func newSecret(s span, start time.Time) *secret {
	k := &secret{span: s, start: start}
	_, _ = rand.Read(k.key[:]) // never fails: crypto/rand ends the program instead
	return k
}

func (k *secret) expired(now time.Time) bool { return now.After(k.span.end(k.start).Add(LateData)) }

// sum is the MAC of a message, cut to 64 bits. 0 is left for "none".
func (k *secret) sum(message []byte) uint64 {
	m, ok := k.macs.Get().(hash.Hash)
	if !ok {
		m = hmac.New(sha256.New, k.key[:])
	}
	m.Reset()
	m.Write(message)
	var out [sha256.Size]byte
	n := binary.BigEndian.Uint64(m.Sum(out[:0]))
	k.macs.Put(m)
	return max(n, 1)
}

// OpenKeys reads the keys in a file, whose folder is made if it is not there.
// With an empty path the keys are kept in memory only. A file that others may
// read is closed to them; one that is damaged is replaced: both are logged.
func OpenKeys(path string, log *slog.Logger) (*Keys, error) {
	k := &Keys{path: path}
	if path == "" {
		return k, nil
	}
	secrets, err := loadKeys(path, log)
	if err != nil {
		return nil, fmt.Errorf("open the keys of reporters: %w", err)
	}
	k.secrets = secrets
	return k, nil
}

// Hash gives the numbers for a report of a service from an address.
func (k *Keys) Hash(at time.Time, service faultline.ServiceID, a netip.Addr) (reporter, network uint64) {
	d, w := k.at(at)
	return d.reporter(service, a), k.network(d, w, a)
}

func (k *secret) reporter(service faultline.ServiceID, a netip.Addr) uint64 {
	var buf [128]byte
	raw := a.As16()
	b := append(buf[:0], "reporter"...)
	b = binary.BigEndian.AppendUint64(b, uint64(k.start.Unix()))
	b = append(b, raw[:]...)
	return k.sum(append(b, service...))
}

func (k *Keys) network(d, w *secret, a netip.Addr) uint64 {
	s := d
	if a.Is4() {
		s = w
	}
	var buf [64]byte
	b := append(buf[:0], "network\x00"...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.start.Unix()))
	return s.sum(prefixBytes(b, network(a)))
}

// at gives the keys of a moment's day and week, and makes them if need be.
func (k *Keys) at(t time.Time) (d, w *secret) {
	k.mu.RLock()
	d, w = k.find(day, t), k.find(week, t)
	k.mu.RUnlock()
	if d != nil && w != nil {
		return d, w
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ensure(day, t), k.ensure(week, t)
}

func (k *Keys) find(s span, t time.Time) *secret {
	start := s.start(t)
	for _, x := range k.secrets {
		if x.span == s && x.start.Equal(start) {
			return x
		}
	}
	return nil
}

// ensure finds or makes a key. The file is written by the next Rotate, at the
// latest: a full disk must not stop reports.
func (k *Keys) ensure(s span, t time.Time) *secret {
	if x := k.find(s, t); x != nil {
		return x
	}
	x := newSecret(s, s.start(t))
	k.secrets = append(k.secrets, x)
	k.dirty = true
	return x
}

// Rotate makes the keys of the present day and week, destroys those whose time
// is over, and writes the file if anything changed. Call it at start and every
// minute, or let Run do it. On an error the keys in memory are right, and the
// next call tries again to write them.
func (k *Keys) Rotate(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ensure(day, now)
	k.ensure(week, now)
	kept := make([]*secret, 0, len(k.secrets))
	destroyed := false
	for _, x := range k.secrets {
		if x.expired(now) {
			destroyed = true
			continue
		}
		kept = append(kept, x)
	}
	k.secrets, k.dirty = kept, k.dirty || destroyed
	if !k.dirty || k.path == "" {
		return nil
	}
	if err := saveKeys(k.path, k.secrets, destroyed); err != nil {
		return fmt.Errorf("write the keys of reporters: %w", err)
	}
	k.dirty = false
	return nil
}

// Run rotates every minute until ctx ends.
func (k *Keys) Run(ctx context.Context, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := k.Rotate(now()); err != nil {
			log.LogAttrs(ctx, slog.LevelError, "keys of reporters not written; trying again in a minute", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
