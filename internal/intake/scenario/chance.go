package scenario

import (
	"math/bits"
	"math/rand/v2"
)

// choice is a discrete distribution: the running sums of whole weights.
type choice []uint64

func (c choice) total() uint64 {
	if len(c) == 0 {
		return 0
	}
	return c[len(c)-1]
}

// with has one more weight at the end.
func (c choice) with(weight uint64) choice { return append(c, c.total()+weight) }

// plus has weight added to place i of n.
func (c choice) plus(n, i int, weight uint64) choice {
	if c == nil {
		c = make(choice, n)
	}
	for ; i < n; i++ {
		c[i] += weight
	}
	return c
}

// weight is the weight of place i.
func (c choice) weight(i int) uint64 {
	if i == 0 {
		return c[0]
	}
	return c[i] - c[i-1]
}

// pick draws a place.
func (c choice) pick(p *rand.PCG) int {
	x, i := below(p, c.total()), 0
	for c[i] <= x {
		i++
	}
	return i
}

// below draws a whole number in [0, n); the bias of at most n/2⁶⁴ is no matter.
func below(p *rand.PCG, n uint64) uint64 {
	hi, _ := bits.Mul64(p.Uint64(), n)
	return hi
}

// happens draws whether something of so many basis points happens.
func happens(p *rand.PCG, points uint64) bool { return below(p, 10_000) < points }

// between draws a whole number from low to high.
func between(p *rand.PCG, low, high uint64) uint64 { return low + below(p, high-low+1) }

// squared draws from [0, n) with more weight on small numbers (the density
// falls as 1/√x), as reports gather in the large networks of a provider.
func squared(p *rand.PCG, n uint64) uint64 {
	u := p.Uint64() >> 32
	return (u * u >> 32) * n >> 32
}

// scramble is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): a
// bijection that leaves no trace of its input's order.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// blend folds numbers into one.
func blend(xs ...uint64) uint64 {
	h := uint64(0)
	for _, x := range xs {
		h = scramble(h ^ x)
	}
	return h
}

// named turns words into a number (FNV-1a, 64 bits, a zero byte between them).
func named(words ...string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * 0x100000001b3
		}
		h *= 0x100000001b3
	}
	return h
}

// negativeBinomial draws with the given mean and variance mean + mean²/r, by
// inversion. As r is whole the distribution is a sum of r geometric ones, and
// is drawn in parts small enough that no probability underflows.
func negativeBinomial(p *rand.PCG, mean float64, r int) int {
	if mean <= 0 {
		return 0
	}
	stay := mean / (mean + float64(r)) // each geometric part goes on with this chance
	sum, parts, none := 0, 0, 1.0
	for i := range r {
		none = float64(none * (1 - stay))
		if parts++; none < 1e-200 || i == r-1 {
			sum += invert(p, none, stay, parts)
			parts, none = 0, 1
		}
	}
	return sum
}

// invert draws the sum of so many geometric parts; none is the chance of 0.
func invert(p *rand.PCG, none, stay float64, parts int) int {
	u := float64(p.Uint64()>>11) / (1 << 53)
	limit := int(50*float64(parts)/(1-stay)) + 1000
	k, pk, cdf := 0, none, none
	for u >= cdf && k < limit {
		pk = float64(pk*stay) * float64(k+parts) / float64(k+1)
		cdf += pk
		k++
	}
	return k
}
