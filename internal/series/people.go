package series

import (
	"maps"
	"slices"

	"faultline"
)

// windowMinutes is the length of the windows in which people and networks
// count: ten minutes. Each hash has its own phase, so that the caps of many
// networks do not all open at the same moment and draw a saw into the counts.
const windowMinutes = 10

// window numbers the window that a minute falls into for one hash.
func windowOf(hash uint64, minute int64) int64 {
	return (minute + phase(hash)) / windowMinutes
}

func phase(hash uint64) int64 { return int64(hash % windowMinutes) }

// window remembers who reported. Reporters maps to saidProblem | saidWorks.
type window struct {
	reporters map[uint64]uint8
	networks  map[uint64]int32 // index into counts
	counts    []netCount
}

const (
	saidProblem uint8 = 1 << iota
	saidWorks
)

// netCount is one network in one window.
type netCount struct {
	hash  uint64
	raw   int32  // problem reports, double ones included
	kept  int32  // of them, what counted
	limit int32  // at most so many may count
	bits  uint16 // minutes of the window in which one counted
}

// usual is what a network brings in ten minutes on an ordinary day: an
// exponentially weighted mean over windows, brought up to date when touched.
type usual struct {
	mean   float64
	window int64
}

// verdict is what one problem report counts for.
type verdict uint8

const (
	double     verdict = iota // the same person again
	discounted                // a person beyond the network's cap
	kept
	keptFirst // kept, and the first of its network in this minute
	full      // the tables are full: only the raw count grows
)

func (s *service) window(n int64) *window {
	w := s.windows[n]
	if w == nil {
		w = &window{reporters: map[uint64]uint8{}, networks: map[uint64]int32{}}
		s.windows[n] = w
	}
	return w
}

// first says whether the person has not said this in the present window. A
// report without a hash (0) is a person of its own.
func (s *service) first(c *Config, reporter uint64, minute int64, said uint8) (isFirst, ok bool) {
	if reporter == 0 {
		return true, true
	}
	w := s.window(windowOf(reporter, minute))
	before, seen := w.reporters[reporter]
	if !seen && len(w.reporters) >= c.MaxReporters {
		return false, false
	}
	if before&said != 0 {
		return false, true
	}
	w.reporters[reporter] = before | said
	return true, true
}

// admit decides what a problem report counts for. The same person counts once
// in ten minutes, unless the network is known to put many people behind one
// address: then its usual count is the better judge. A network counts up to
// its limit; a report whose network is not known (0) has none.
func (s *service) admit(c *Config, p *faultline.Report, minute int64) verdict {
	isFirst, ok := s.first(c, p.Reporter, minute, saidProblem)
	if !ok {
		return full
	}
	if p.Network == 0 {
		return noNetwork(isFirst)
	}
	n := s.network(c, p.Network, minute)
	if n == nil {
		return full
	}
	n.raw++
	switch shared := n.limit > int32(c.NetworkFloor); {
	case !isFirst && !shared:
		return double
	case n.kept >= n.limit:
		return discounted
	}
	n.kept++
	bit := uint16(1) << ((minute + phase(p.Network)) % windowMinutes)
	if n.bits&bit != 0 {
		return kept
	}
	n.bits |= bit
	return keptFirst
}

func noNetwork(isFirst bool) verdict {
	if isFirst {
		return kept
	}
	return double
}

// network finds or makes the count of a network; nil when the table is full.
func (s *service) network(c *Config, hash uint64, minute int64) *netCount {
	number := windowOf(hash, minute)
	w := s.window(number)
	i, ok := w.networks[hash]
	if !ok {
		if len(w.counts) >= c.MaxReporters {
			return nil
		}
		i = int32(len(w.counts))
		w.networks[hash] = i
		w.counts = append(w.counts, netCount{hash: hash, limit: s.limit(c, hash, number)})
	}
	return &w.counts[i]
}

// limit is max(floor, times × usual), rounded down.
func (s *service) limit(c *Config, hash uint64, number int64) int32 {
	mean := s.usual[hash].at(c, number)
	return int32(max(float64(c.NetworkFloor), min(1e9, c.NetworkTimes*mean)))
}

// at is the mean decayed to the window's number.
func (u usual) at(c *Config, number int64) float64 {
	if u.mean == 0 || number <= u.window {
		return u.mean
	}
	return u.mean * decay(c.networkRate(), number-u.window)
}

// networkRate is the weight of the newest window.
func (c *Config) networkRate() float64 {
	return min(1, windowMinutes/c.NetworkMemory.Minutes())
}

// learn folds a finished window into the usual counts. What is learnt is cut
// at what could count, so that an outage or a flood cannot raise its own cap
// by more than a few per cent a window.
func (s *service) learn(c *Config, number int64, w *window) {
	rate := c.networkRate()
	for i := range w.counts {
		n := &w.counts[i]
		u, known := s.usual[n.hash]
		if !known && len(s.usual) >= c.MaxNetworks {
			continue
		}
		mean := u.at(c, number)
		seen := min(float64(n.raw), float64(n.limit))
		s.usual[n.hash] = usual{mean + float64(rate*(seen-mean)), number}
	}
}

// negligible is a usual count that no cap would feel for a long time.
const negligible = 0.004

// forgetPeople drops windows that nothing can change any more, learning from
// them first, and now and then the networks that are hardly seen.
func (s *service) forgetPeople(c *Config, oldest int64) {
	present := oldest / windowMinutes
	if present == s.swept {
		return
	}
	s.swept = present
	for _, number := range slices.Sorted(maps.Keys(s.windows)) {
		if number >= present {
			break
		}
		s.learn(c, number, s.windows[number])
		delete(s.windows, number)
	}
	if present-s.sweptNetworks >= 6 {
		s.sweptNetworks = present
		s.forgetNetworks(c, present)
	}
}

func (s *service) forgetNetworks(c *Config, number int64) {
	for hash, u := range s.usual {
		if u.at(c, number) < negligible {
			delete(s.usual, hash)
		}
	}
}

// decay is (1−rate)^n by repeated squaring: the same bits on every machine.
func decay(rate float64, n int64) float64 {
	result, base := 1.0, 1-rate
	for ; n > 0 && result > 0; n >>= 1 {
		if n&1 == 1 {
			result *= base
		}
		base *= base
	}
	return result
}
