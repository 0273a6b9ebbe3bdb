package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// pattern compares the last blocks of bins with the stretches that it
// remembers: the distance to the nearest is how strange they are. It sees what
// never came in this order, wherever in the day it comes, and an expected rise
// that did not come. Nearest-neighbour distance ranked by the past is the idea
// of conformal anomaly detection (Laxhammar and Falkman, 2011); few remembered
// stretches that follow the series and the oldest making room for a new one are
// what keeps it small.
type pattern struct {
	*patternState
	blocks, size int
}

type patternState struct {
	Memory  [stretches][8]float64
	Used    [stretches]int64 // when each was last near
	N       int32
	Clock   int64 // blocks seen
	Jump    pace  // mean difference of neighbouring blocks
	Near    pace  // mean distance of the nearest
	Strange float64
	Past    calibrate.Rank
}

const (
	stretches = 64
	novel     = 2.0 // mean distances at which a stretch is remembered as a new one
	follow    = 0.1 // how far a stretch that is near moves to what was seen
)

func (v *pattern) see(b *bin) float64 {
	if int(b.last.N) >= v.blocks*v.size && b.known%int64(v.size) == 0 {
		v.Strange = v.compare(b.last)
	}
	if v.N == 0 {
		return 0
	}
	return v.Past.Judge(v.Strange)
}

func (v *pattern) compare(last *stretch) float64 {
	var now [8]float64
	for i := range v.blocks {
		now[i] = last.block(i, v.size)
	}
	v.Clock++
	v.Jump.add(math.Abs(now[0]-now[1]), 2*memory)
	if v.N == 0 {
		v.keep(0, &now)
		return 0
	}
	near, dist := v.nearest(&now)
	if dist > novel*v.Near.Mean {
		v.keep(v.place(), &now)
	} else {
		v.approach(near, &now)
	}
	v.Near.add(dist, 2*memory)
	return v.Jump.times(dist)
}

// nearest is the remembered stretch next to now, and its mean absolute distance.
func (v *pattern) nearest(now *[8]float64) (at int32, dist float64) {
	dist = math.Inf(1)
	for j := range v.N {
		sum, m := 0.0, &v.Memory[j]
		for i := range v.blocks {
			sum += math.Abs(m[i] - now[i])
		}
		if sum < dist {
			at, dist = j, sum
		}
	}
	return at, dist / float64(v.blocks)
}

// place is where a new stretch goes: the first free one, or that which was near
// the longest time ago.
func (v *pattern) place() int32 {
	if v.N < stretches {
		return v.N
	}
	old := int32(0)
	for j := range v.N {
		if v.Used[j] < v.Used[old] {
			old = j
		}
	}
	return old
}

func (v *pattern) keep(at int32, now *[8]float64) {
	v.Memory[at], v.Used[at] = *now, v.Clock
	v.N = max(v.N, at+1)
}

func (v *pattern) approach(at int32, now *[8]float64) {
	v.Used[at] = v.Clock
	for i := range v.blocks {
		v.Memory[at][i] += follow * (now[i] - v.Memory[at][i])
	}
}

func (v *pattern) rest() { v.Strange = 0 }
