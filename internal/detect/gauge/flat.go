package gauge

import "math"

// flat tells a value that stands still: a stuck sensor, a cache that answers
// for a dead source. How often this series repeats a value says how probable
// the run is; and it must be much longer than any before it.
type flat struct{ *flatState }

type flatState struct {
	Before       float64
	Run, Longest float64 // repeats
	Repeats      pace    // share of bins that repeat the one before
}

const (
	atLeast = 24   // repeats that are a run
	fading  = 2e-4 // the longest run fades by this share a run
)

func (v *flat) see(b *bin) float64 {
	same := 0.0
	if b.known > 0 && b.x == v.Before {
		same = 1
	}
	v.Before = b.x
	v.Repeats.add(same, memory)
	if same == 0 {
		v.Longest, v.Run = max(v.Longest*(1-fading), v.Run), 0
		return 0
	}
	v.Run++
	usual := v.Longest*2 + atLeast
	if v.Run <= usual {
		return 0
	}
	byChance := -v.Run * math.Log10(max(v.Repeats.Mean, 1e-3))
	return max(0, min(byChance, 3*math.Log2(v.Run/usual)))
}

func (v *flat) rest() { v.Run = 0 }
