package report

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// network is the unit that limits and hashes count by: an IPv4 /24, an IPv6
// /56 (what one household or one customer gets).
func network(a netip.Addr) netip.Prefix {
	bits := 56
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: one network of its own
	}
	return p
}

// ways is how many buckets a network may lie in.
const ways = 4

// bucket is the allowance of one network (a token bucket). tag 0 is empty.
type bucket struct {
	tag    uint32
	at     uint32 // of the last change, milliseconds since the limiter's start; wraps
	tokens float32
}

// limiter keeps token buckets in a table of fixed size. It holds a keyed hash
// of each network, never an address. When a network finds its places taken,
// the bucket that is nearest to full goes: a full one says the same as none.
type limiter struct {
	mu    sync.Mutex
	sets  [][ways]bucket
	perMS float32
	burst float32
	seed  maphash.Seed
	start time.Time
}

func newLimiter(c Config) *limiter {
	if c.RatePerMinute == 0 {
		return nil
	}
	return &limiter{
		sets:  make([][ways]bucket, max(1, c.RateNetworks/ways)),
		perMS: float32(c.RatePerMinute / 60_000), burst: float32(c.Burst), seed: maphash.MakeSeed(),
	}
}

// take takes n tokens of a network, or says how long until there are enough.
// More than a burst can hold costs a burst.
func (l *limiter) take(p netip.Prefix, n int, now time.Time) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	set, tag := l.place(p)
	cost := min(float32(n), l.burst)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start.IsZero() {
		l.start = now
	}
	at := uint32(now.Sub(l.start).Milliseconds())
	b := l.find(set, tag, at)
	b.tokens, b.at = l.level(b, at), at
	if b.tokens < cost {
		return time.Duration((cost-b.tokens)/l.perMS) * time.Millisecond, false
	}
	b.tokens -= cost
	return 0, true
}

func (l *limiter) place(p netip.Prefix) (set *[ways]bucket, tag uint32) {
	raw := p.Addr().As16()
	h := maphash.Bytes(l.seed, raw[:])
	return &l.sets[h%uint64(len(l.sets))], uint32(h>>32) | 1
}

// find gives the network's bucket, an empty one, or the fullest one anew.
func (l *limiter) find(set *[ways]bucket, tag, at uint32) *bucket {
	spare := &set[0]
	for i := range set {
		b := &set[i]
		if b.tag == tag {
			return b
		}
		if spare.tag != 0 && (b.tag == 0 || l.level(b, at) > l.level(spare, at)) {
			spare = b
		}
	}
	*spare = bucket{tag: tag, at: at, tokens: l.burst}
	return spare
}

// level is what a bucket holds at a moment. A clock that went back adds nothing.
func (l *limiter) level(b *bucket, at uint32) float32 {
	passed := int32(at - b.at)
	if passed <= 0 {
		return b.tokens
	}
	return min(l.burst, b.tokens+float32(passed)*l.perMS)
}

// prefixBytes appends a prefix for hashing.
func prefixBytes(b []byte, p netip.Prefix) []byte {
	raw := p.Addr().As16()
	b = append(b, raw[:]...)
	return binary.BigEndian.AppendUint16(b, uint16(p.Bits()))
}
