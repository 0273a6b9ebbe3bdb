package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// shape compares the last stretch of the day with the same stretch of each of
// the last days, also a slot earlier or later, and takes the nearest: strange is
// what is like none of them. It sees the rush hour that did not come.
//
// Slots are in UTC. Series with bins longer than three hours have no shape.
type shape struct{ *shapeState }

type shapeState struct {
	Slots       [days * 96]slot // a ring: slot k of since 1970 is at k modulo days × slots a day
	Now         int64           // number of the slot that is filling, since 1970
	Sum         float64
	N           int64 // bins in it
	Began       bool
	Brief, Long kinship
}

// slot is a mean value; it belongs to the day that its stamp says, or is empty.
type slot struct {
	Mean  float64
	Stamp int64 // its number plus epoch; 0: nothing yet
}

// kinship is how far the last stretch of slots was from its like.
type kinship struct {
	Usual   pace
	Strange float64
	Known   bool
	Past    calibrate.Rank
}

const (
	days  = 8
	epoch = 1 << 40 // makes every number of a slot positive
)

// slots is how many a day has for a width of bins.
func slots(width int64) int64 {
	for _, n := range [...]int64{96, 48, 24, 12, 8} {
		if width <= 86400/n {
			return n
		}
	}
	return 0
}

func (v *shape) see(b *bin) float64 {
	n := slots(b.width)
	if n == 0 {
		return 0
	}
	now := floorDiv(b.at, 86400/n)
	if now != v.Now || !v.Began {
		if v.Began {
			v.close(n)
		}
		v.Now, v.Sum, v.N, v.Began = now, 0, 0, true
	}
	v.Sum += b.x
	v.N++
	return max(v.Brief.rank(), v.Long.rank())
}

// close ends the slot that was filling and compares the stretches that end with it.
func (v *shape) close(n int64) {
	v.Slots[at(v.Now, n)] = slot{v.Sum / float64(v.N), v.Now + epoch}
	v.Brief.learn(v.apart(n, max(2, n/24)))
	v.Long.learn(v.apart(n, n/8))
}

// at is where a slot lies in the ring.
func at(number, n int64) int64 { return number - floorDiv(number, days*n)*days*n }

// apart is the mean absolute distance of the last span slots to those of the
// most similar earlier day; −1 if fewer than two days are known.
func (v *shape) apart(n, span int64) float64 {
	nearest, known := math.Inf(1), 0
	for day := int64(1); day < days-1; day++ {
		found := false
		for shift := int64(-1); shift <= 1; shift++ {
			if d, ok := v.distance(n, span, day*n-shift); ok {
				nearest, found = min(nearest, d), true
			}
		}
		if found {
			known++
		}
	}
	if known < 2 {
		return -1
	}
	return nearest
}

// distance compares the last span slots with those so many slots back.
func (v *shape) distance(n, span, back int64) (float64, bool) {
	sum, found := 0.0, int64(0)
	i, j := at(v.Now, n), at(v.Now-back, n)
	for k := v.Now + epoch; k > v.Now+epoch-span; k-- {
		a, b := &v.Slots[i], &v.Slots[j]
		if a.Stamp == k && b.Stamp == k-back {
			sum += math.Abs(a.Mean - b.Mean)
			found++
		}
		i, j = before(i, n), before(j, n)
	}
	return sum / float64(max(found, 1)), found > 0 && 10*found >= 7*span
}

// before is the place in the ring before i.
func before(i, n int64) int64 {
	if i == 0 {
		return days*n - 1
	}
	return i - 1
}

func (k *kinship) learn(dist float64) {
	if dist < 0 {
		k.Known = false
		return
	}
	k.Strange, k.Known = k.Usual.times(dist), true
	k.Usual.add(dist, memory)
}

func (k *kinship) rank() float64 {
	if !k.Known {
		return 0
	}
	return k.Past.Judge(k.Strange)
}

func (v *shape) rest() { v.Brief.Known, v.Long.Known = false, false }

// floorDiv is a/b towards minus infinity, for times before 1970.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
