package gauge

import "math"

// extremes tells a value outside all that the series has shown, by how far
// outside it is against the range so far. A record alone says little: noise
// makes records too, but narrow ones.
type extremes struct{ *extremesState }

type extremesState struct{ Low, High float64 }

const (
	perRange = 5.0  // a record by a fifth of the range has p = 1/bins
	grain    = 1e-3 // of the value is the least range, for series that never changed
)

func (v *extremes) see(b *bin) float64 {
	if b.known == 0 {
		v.Low, v.High = b.x, b.x
		return 0
	}
	beyond := max(b.x-v.High, v.Low-b.x, 0)
	within := max(v.High-v.Low, grain*max(math.Abs(v.High), math.Abs(v.Low)))
	v.Low, v.High = min(v.Low, b.x), max(v.High, b.x)
	switch {
	case beyond == 0:
		return 0
	case within == 0: // zeros so far
		return believed[ofRange]
	}
	return perRange * beyond / within * math.Log10(float64(b.known))
}

func (v *extremes) rest() {}
