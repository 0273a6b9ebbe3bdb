package report

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func nets(s string) netip.Prefix { return network(netip.MustParseAddr(s)) }

func TestALimitIsPerNetwork(t *testing.T) {
	l := newLimiter(Config{RatePerMinute: 60, Burst: 3, RateNetworks: 64})
	take := func(a string, n int, at time.Time) bool {
		_, ok := l.take(nets(a), n, at)
		return ok
	}
	for i := range 3 {
		if !take(fmt.Sprintf("81.2.3.%d", i), 1, t0) {
			t.Errorf("refused after %d", i)
		}
	}
	if take("81.2.3.200", 1, t0) {
		t.Error("a fourth from the /24 passed")
	}
	if !take("81.2.4.1", 1, t0) || !take("2a00:1:2:3400::1", 3, t0) {
		t.Error("another network was refused")
	}
	if take("2a00:1:2:34ff::1", 1, t0) || !take("2a00:1:2:3500::1", 1, t0) {
		t.Error("IPv6 is not limited per /56")
	}
	if !take("81.2.3.1", 1, t0.Add(time.Second)) || take("81.2.3.1", 1, t0.Add(time.Second)) {
		t.Error("a second does not give one more")
	}
	if !take("81.2.3.1", 3, t0.Add(time.Hour)) || take("81.2.3.1", 1, t0.Add(time.Hour)) {
		t.Error("an hour gives more than a burst")
	}
	if take("81.2.3.1", 1, t0) {
		t.Error("a clock that goes back gives tokens")
	}
	if !take("9.9.9.9", 100, t0) || take("9.9.9.9", 1, t0) {
		t.Error("more than a burst does not cost a burst")
	}
}

func TestTheWaitIsLongEnough(t *testing.T) {
	l := newLimiter(Config{RatePerMinute: 6, Burst: 2, RateNetworks: 4})
	l.take(nets("81.2.3.4"), 2, t0)
	wait, ok := l.take(nets("81.2.3.4"), 2, t0)
	if ok || wait < 19*time.Second || wait > 21*time.Second {
		t.Errorf("wait %v, %v; want 20 s", wait, ok)
	}
	if _, ok := l.take(nets("81.2.3.4"), 2, t0.Add(wait+time.Second)); !ok {
		t.Error("who waited is refused")
	}
}

func TestNoLimit(t *testing.T) {
	l := newLimiter(Config{})
	for range 1000 {
		if _, ok := l.take(nets("81.2.3.4"), 100, t0); !ok {
			t.Fatal("refused")
		}
	}
}

// A flood from very many networks must not free the one that used its
// allowance up: full buckets go first.
func TestManyNetworksDoNotFreeAFlooder(t *testing.T) {
	l := newLimiter(Config{RatePerMinute: 1, Burst: 100, RateNetworks: 256})
	l.take(nets("81.2.3.4"), 100, t0)
	for i := range 50_000 {
		l.take(netip.PrefixFrom(netip.AddrFrom4([4]byte{9, byte(i >> 8), byte(i), 0}), 24), 1, t0)
	}
	if _, ok := l.take(nets("81.2.3.4"), 1, t0); ok {
		t.Error("the flooder was forgotten")
	}
}

// No network ever gets more than a burst and what its time gives.
func TestNobodyGetsMoreThanTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLimiter(Config{RatePerMinute: 60, Burst: 5, RateNetworks: 1024})
		got, now := 0, t0
		for range rapid.IntRange(1, 100).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2500).Draw(t, "ms")) * time.Millisecond)
			n := rapid.IntRange(1, 5).Draw(t, "take")
			if _, ok := l.take(nets("81.2.3.4"), n, now); ok {
				got += n
			}
		}
		if most := 5 + now.Sub(t0).Seconds() + 0.01; float64(got) > most {
			t.Fatalf("%d in %v", got, now.Sub(t0))
		}
	})
}

func BenchmarkLimit(b *testing.B) {
	l := newLimiter(DefaultConfig())
	for i := 0; b.Loop(); i++ {
		l.take(netip.PrefixFrom(netip.AddrFrom4([4]byte{9, byte(i >> 8), byte(i), 0}), 24), 1, t0)
	}
}
