package nbscan

import (
	"math"

	"faultline"
	"faultline/internal/detect/windows"
)

// A slot is one bin of the ring.
type slot struct {
	X, Mu     float32 // seen, and the most that is usual
	People    faultline.Bits
	Nets      faultline.Bits
	Reporters uint16
	Networks  uint16
	Revision  uint16
	Flags     uint8
	Less      uint8 // by how much less than Mu may be usual too, in parts of lessUnit
}

// lessUnit is a whole of Less: fine enough for a test that allows for much more.
const lessUnit = 256

// under is how much less than Mu may be usual too.
func (s *slot) under() float64 { return float64(s.Mu) * float64(s.Less) / lessUnit }

// least makes the least that may be usual the usual.
func (s *slot) least() {
	s.Mu -= float32(s.under())
	s.Less = 0
}

// Flags of a slot.
const (
	unknown  = 1 << iota // nobody was listening
	spent                // belongs to an event that is over
	abnormal             // the baseline must not learn from it
	special              // nor from this: a holiday, or the day on which a clock changes
)

// A total is what a window holds. Cut is Sum with the window's largest bin (of long
// windows: the two largest) cut to the next largest, or to two standard deviations
// above what is usual for it, so that a lone bin cannot fire a wide window.
type total struct {
	Sum, Cut, Mu float64
	Less         float64 // by how much less than Mu may be usual too
	Bins         int     // counted
	Unknown      int
	Special      int
	Reporters    int // sums over bins: upper bounds
	Networks     int
	People, Nets faultline.Bits // lower bounds
}

// layout is how windows fall on bins of one width.
type layout struct {
	windows.Layout
	wide bool // a bin lasts for more than an hour: it is no lone moment
}

func layoutOf(width int64) layout { return layout{windows.Of(width), width > 3600} }

// look adds up the windows that end with the newest bin.
func look(l *layout, ring []slot, head int, out *[windows.Most]total) {
	var t total
	var first, second, third, usual float64
	w := 0
	i := head
	for k := 1; w < l.N; k++ {
		s := &ring[i]
		switch {
		case s.Flags&unknown != 0:
			t.Unknown++
		case s.Flags&spent != 0:
		default:
			x := float64(s.X)
			t.Bins++
			t.Sum += x
			t.Mu += float64(s.Mu)
			t.Reporters += int(s.Reporters)
			t.Networks += int(s.Networks)
			t.People |= s.People
			t.Nets |= s.Nets
			if s.Flags&special != 0 {
				t.Special++
				t.Less += s.under()
			}
			switch {
			case x > first:
				first, second, third, usual = x, first, second, float64(s.Mu)
			case x > second:
				second, third = x, second
			case x > third:
				third = x
			}
		}
		if k == l.Bins[w] {
			out[w] = t
			out[w].Cut = t.Sum
			if !l.wide {
				out[w].Cut -= lone(k, first, second, third, usual)
			}
			w++
		}
		if i--; i < 0 {
			i = len(ring) - 1
		}
	}
}

// loneCount is how many counts of a lone bin are believed without a second bin. In
// windows of more than fewBins, two bins are lone: a batch that was tried again.
const (
	loneCount = 2
	fewBins   = 6
)

// lone is what a window's largest bins hold too much to be more than lone moments.
func lone(bins int, first, second, third, usual float64) float64 {
	room := usual + 2*math.Sqrt(usual) + loneCount
	if bins <= fewBins {
		return max(0, first-max(second, room))
	}
	room = max(third, room)
	return max(0, first-room) + max(0, second-room)
}

// dispersion learns, for each window, by how much its count varies more than
// a Poisson count: variance = m + φ m².
type dispersion [windows.Most]cell

// Dispersions: what is assumed at first, for a window of one tick; the weight
// of that assumption and of the memory, in ticks; the floor.
const (
	phiPrior  = 1.0 / 12
	phiWeight = 500
	phiMemory = 14 * 86400 / tick
	phiFloor  = 0.02
	phiYoung  = 0.5
)

// of is φ of window w, which is bins·n ticks long.
func (d *dispersion) of(w int, ticks float64) float64 {
	prior := phiPrior / math.Sqrt(ticks)
	return max(d[w].toward(prior, phiWeight), phiFloor/max(1, ticks))
}

// learn takes a usual window. Windows with small means say little about φ.
func (d *dispersion) learn(w int, t *total, n float64) {
	if t.Mu <= 0 {
		return
	}
	dev := t.Sum - t.Mu
	y := min(max((dev*dev-t.Mu)/(t.Mu*t.Mu), -2), 2)
	weight := n * t.Mu * t.Mu / (t.Mu*t.Mu + 1)
	d[w].add(y*weight, weight, phiMemory)
}
