package gauge

import (
	"math"

	"faultline/internal/detect/calibrate"
)

// mixture compares how the last bins are spread over the values that the series
// takes with how they usually are: relative entropy (Wang and others,
// "Statistical techniques for online anomaly detection in data centers", IM
// 2011). It sees a service that hangs between two states that are usual each.
type mixture struct {
	*mixtureState
	bins int32
}

type mixtureState struct {
	Level, Deviation pace
	Recent           [longest]uint8 // the box of each of the last bins
	At, N            int32
	Now, Usual       [boxes]float64
	Total            float64
	Past             calibrate.Rank
}

const (
	boxes = 8
	weeks = 3000 // bins that make what is usual here
)

func (v *mixture) see(b *bin) float64 {
	box := v.box(b.x)
	if v.N >= v.bins {
		v.retire(v.Recent[v.At])
	}
	v.Now[box]++
	v.Recent[v.At] = box
	v.At = (v.At + 1) % v.bins
	v.N = min(v.N+1, v.bins)
	if v.N < v.bins || v.Total < float64(2*v.bins) {
		return 0
	}
	return v.Past.Judge(v.entropy())
}

// box is where a value lies by its distance from the level in usual deviations.
func (v *mixture) box(x float64) uint8 {
	z := 0.0
	if v.Deviation.Mean > 0 {
		z = (x - v.Level.Mean) / v.Deviation.Mean
	}
	v.Level.add(x, weeks)
	v.Deviation.add(math.Abs(x-v.Level.Mean), weeks)
	return uint8(min(max(boxes*(0.5+math.Atan(z)/math.Pi), 0), boxes-1))
}

// retire moves a bin from the last ones to the usual ones.
func (v *mixture) retire(box uint8) {
	v.Now[box]--
	v.Usual[box]++
	if v.Total++; v.Total > weeks {
		for i := range v.Usual {
			v.Usual[i] *= 1 - 1.0/weeks
		}
		v.Total *= 1 - 1.0/weeks
	}
}

func (v *mixture) entropy() float64 {
	sum := 0.0
	for i, n := range v.Now {
		if n > 0 {
			q := n / float64(v.bins)
			sum += q * math.Log(q*(v.Total+0.5*boxes)/(v.Usual[i]+0.5))
		}
	}
	return max(sum, 0)
}

func (v *mixture) rest() { v.At, v.N, v.Now = 0, 0, [boxes]float64{} }
