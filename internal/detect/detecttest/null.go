package detecttest

import (
	"math"
	"slices"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
)

// Decades are how many powers of ten a Tally counts.
const Decades = 8

// Tally is what detectors made of series in which nothing happened.
type Tally struct {
	Bins   int
	Beyond [Decades]int // bins with −log10 p ≥ 0 … 7
	Opened []float64    // the largest −log10 p of each surge that opened, smallest first
}

// Times is how many times as often a bin had p ≤ 10^-k as it should.
func (t *Tally) Times(k int) float64 {
	return float64(t.Beyond[k]) / float64(t.Bins) * math.Pow(10, float64(k))
}

// Reached is how many surges opened that reached a −log10 p.
func (t *Tally) Reached(logP float64) int {
	i, _ := slices.BinarySearch(t.Opened, logP)
	return len(t.Opened) - i
}

// Add takes another tally.
func (t *Tally) Add(o Tally) {
	t.Bins += o.Bins
	for k := range t.Beyond {
		t.Beyond[k] += o.Beyond[k]
	}
	t.Opened = append(t.Opened, o.Opened...)
	slices.Sort(t.Opened)
}

// bases of quiet series: counts per five minutes.
var bases = [...]float64{0.02, 0.1, 0.5, 2, 10, 100}

// Quiet is the series of a number, of a set without any surge: bins of five minutes
// over five weeks, each with its own level, day, weekend, noise and drift.
func Quiet(seed, n uint64) Counts {
	r := &random{state: seed}
	r = &random{state: r.next() + n}
	r = &random{state: r.next()}
	return Counts{
		Seed: r.next(), Start: time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC), Width: 5 * time.Minute, Bins: 5 * 7 * 288,
		Base: bases[n%uint64(len(bases))] * math.Exp(0.3*r.normal()), Season: 0.5 + 0.4*r.float(), Weekend: 0.6 + 0.6*r.float(),
		Size: 4 + 30*r.float(), Drift: 0.06,
	}
}

// PlaySet plays the series of a set from one number up to another.
func PlaySet(seed uint64, from, to int, open func() detector.Detector) Tally {
	var all Tally
	for i := from; i < to; i++ {
		all.Add(PlayQuiet(open(), Quiet(seed, uint64(i)), faultline.Series{Metric: faultline.MetricReports, Service: "quiet"}))
	}
	return all
}

// PlayQuiet plays such a series; the first four weeks are for learning.
func PlayQuiet(d detector.Detector, c Counts, s faultline.Series) Tally {
	var t Tally
	from := c.Start.AddDate(0, 0, 28)
	largest := map[string]float64{}
	for _, x := range c.Samples(s) {
		r, events := d.Step(&x)
		if x.Start.Before(from) {
			continue
		}
		t.Bins++
		for k := range t.Beyond {
			if r.LogP >= float64(k) {
				t.Beyond[k]++
			}
		}
		for _, e := range events {
			if e.Kind == faultline.Surge && !e.Opened.Before(from) {
				largest[e.ID] = e.LogP
			}
		}
	}
	for _, p := range largest {
		t.Opened = append(t.Opened, p)
	}
	slices.Sort(t.Opened)
	return t
}
