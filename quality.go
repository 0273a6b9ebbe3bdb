package faultline

import (
	"math"
	"time"
)

// Quality is what the detectors of reports counted about themselves: how often
// their readings were as surprising as they say, and for how long they watched.
type Quality struct {
	At    time.Time `json:"at"`             // data time
	Since time.Time `json:"since,omitzero"` // first of the months that are counted; zero: nothing was
	// Curves are one a class, always all of them and in one order: the world's
	// series, countries', networks', each by the usual number.
	Curves []Curve `json:"curves"`
	// Days is for how long series were watched well enough to tell, in quarters of
	// an hour of one series; the first is the day of At, each next one a day before.
	Days []int `json:"days"`
}

// Decades is how far a curve is counted: p ≤ 10⁻¹ to 10⁻⁶.
const Decades = 6

// Curve is how often readings of one class had a calibrated p of 10⁻¹, 10⁻² … or
// less. One reading a quarter of an hour is counted, in stretches of two hours in
// which the series had no open event.
type Curve struct {
	Level Level `json:"level"`
	Usual Class `json:"usual"`
	N     int   `json:"n"` // readings
	Hits  []int `json:"hits"`
	// Squares are the hits of each stretch of two hours, squared and added up: hits
	// of one stretch share their reports, and count for less than as many of their own.
	Squares []int `json:"squares"`
}

// Class is a range of the usual number of reports in a quarter of an hour.
type Class string

// Classes, from small to large.
const (
	BelowTenth Class = "<0.1"
	BelowOne   Class = "0.1-1"
	BelowTen   Class = "1-10"
	AboveTen   Class = ">10"
)

// Classes lists them.
func Classes() []Class { return []Class{BelowTenth, BelowOne, BelowTen, AboveTen} }

// Often is how often readings had a calibrated p of 10^−k or less, k from 1, with
// the range that holds the true share with 95 %; all are shares, 0 to 1. Hits come
// in clumps, so they are taken as a compound Poisson number: as many of one size
// as have its variance.
func (c *Curve) Often(k int) (share, low, high float64) {
	if c.N == 0 || k < 1 || k > len(c.Hits) {
		return 0, 0, 1
	}
	hits, size := float64(c.Hits[k-1]), c.clump(k)
	low, high = poisson(hits / size)
	n := float64(c.N) / size
	return hits / float64(c.N), low / n, min(1, high/n)
}

// clump is the size of such a number; where nothing was hit yet, that of the
// decade before.
func (c *Curve) clump(k int) float64 {
	for ; k >= 1; k-- {
		if c.Hits[k-1] > 0 {
			return float64(c.Squares[k-1]) / float64(c.Hits[k-1])
		}
	}
	return 1
}

// poisson is the range of the mean, with 95 %, of something that happened n times
// (Byar's approximation: Breslow and Day, "Statistical methods in cancer research"
// II, 1987, §2.3).
func poisson(n float64) (low, high float64) {
	const z = 1.96
	bound := func(n, z float64) float64 {
		x := 1 - 1/(9*n) + z/(3*math.Sqrt(n))
		return n * x * x * x
	}
	if n > 0 {
		low = max(0, bound(n, -z))
	}
	return low, bound(n+1, z)
}

// Rate is how often something happened that was seen n times while series were
// watched for so many weeks, a series-week, with its range of 95 %.
func Rate(n int, weeks float64) (rate, low, high float64) {
	if weeks <= 0 {
		return 0, 0, 0
	}
	low, high = poisson(float64(n))
	return float64(n) / weeks, low / weeks, high / weeks
}

// Weeks is for how many series-weeks was watched on the newest so many days.
func (q *Quality) Weeks(days int) float64 {
	quarters := 0
	for _, n := range q.Days[:min(days, len(q.Days))] {
		quarters += n
	}
	return float64(quarters) / (7 * 24 * 4)
}

// Together is the sum of curves, as one of no class.
func Together(curves []Curve) Curve {
	sum := Curve{Hits: make([]int, Decades), Squares: make([]int, Decades)}
	for _, c := range curves {
		sum.N += c.N
		for k := range c.Hits {
			sum.Hits[k] += c.Hits[k]
			sum.Squares[k] += c.Squares[k]
		}
	}
	return sum
}
