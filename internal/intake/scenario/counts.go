package scenario

import (
	"math/rand/v2"
	"slices"
)

// waveCounts draws the reports per minute of one wave in one country: integers
// whose largest sum of 15 minutes is peak, at top, where the shape g has it.
//
// Bins of 15 minutes are laid outwards from that place. Each keeps the sum
// that the shape gives it; inside a bin the sum is shared out in proportion to
// negative-binomial draws, by largest remainder. What makes a window across
// two bins larger than the peak is moved outwards.
func waveCounts(p *rand.PCG, g []float64, top, peak, noise int) []int {
	rate := make([]float64, len(g))
	for t := range g {
		rate[t] = float64(g[t] * float64(peak))
	}
	counts := make([]int, len(g))
	for _, b := range binsAround(top, len(g)) {
		want := peak
		if b.from != top {
			want = int(sum(rate[b.from:b.to]) + 0.5)
		}
		draws := make([]int, b.to-b.from)
		for i := range draws {
			draws[i] = negativeBinomial(p, rate[b.from+i], noise)
		}
		copy(counts[b.from:b.to], shareOut(min(want, peak), draws))
	}
	capOutwards(counts, top, peak)
	return counts
}

type stretch struct{ from, to int }

// binsAround lays bins over n minutes so that one begins at top; the first and
// the last may be shorter.
func binsAround(top, n int) []stretch {
	var bins []stretch
	for from := top % bin; from < n; from += bin {
		bins = append(bins, stretch{from, min(from+bin, n)})
	}
	if top%bin > 0 {
		bins = slices.Insert(bins, 0, stretch{0, top % bin})
	}
	return bins
}

// shareOut divides total in proportion to weights, by largest remainder; of
// equal remainders the earlier one wins. Without weights all share alike.
func shareOut(total int, weights []int) []int {
	out, all := make([]int, len(weights)), sum(weights)
	if all == 0 {
		weights, all = slices.Repeat([]int{1}, len(weights)), len(weights)
	}
	order, left := make([]int, len(weights)), total
	for i, w := range weights {
		out[i], order[i] = total*w/all, i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return total*weights[b]%all - total*weights[a]%all })
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

// capOutwards moves counts away from the peak window until no window of 15
// minutes holds more than peak. The total stays, but for what would have to
// leave the series at an end.
func capOutwards(counts []int, top, peak int) {
	carry := 0
	for t := top + bin; t < len(counts); t++ {
		carry = capAt(counts, t, peak-sum(counts[t-bin+1:t]), carry)
	}
	carry = 0
	for t := top - 1; t >= 0; t-- {
		carry = capAt(counts, t, peak-sum(counts[t+1:min(t+bin, len(counts))]), carry)
	}
}

// capAt keeps counts[t] plus carry within room and returns what is left over.
func capAt(counts []int, t, room, carry int) int {
	have := counts[t] + carry
	counts[t] = min(have, max(room, 0))
	return have - counts[t]
}
