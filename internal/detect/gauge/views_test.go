package gauge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"faultline"
)

const binsADay = 288

// ear listens to a view: the most it said in bins from to to.
type ear struct {
	view
	from, to int64
	most     float64
}

func (e *ear) see(b *bin) float64 {
	s := e.view.see(b)
	if b.known >= e.from && b.known < e.to {
		e.most = max(e.most, s)
	}
	return s
}

// play steps five-minute bins of f and returns where events were opened, as
// bins, and what each view said most in bins from to to.
func play(bins, from, to int, f func(i int) float64) (opened []int, said map[string]float64) {
	begin := time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
	d := New(faultline.Series{Metric: "latency"}, Defaults())
	ears := make([]*ear, len(d.table))
	for i := range d.table {
		ears[i] = &ear{view: d.table[i].view, from: int64(from), to: int64(to)}
		d.table[i].view = ears[i]
	}
	for i := range bins {
		_, events := d.Step(&faultline.Sample{Start: begin.Add(time.Duration(i) * 5 * time.Minute), Width: faultline.Seconds(5 * time.Minute), Value: f(i), Complete: 1})
		for _, e := range events {
			if e.Revision == 1 {
				opened = append(opened, i)
			}
		}
	}
	said = map[string]float64{}
	for _, e := range ears {
		name := fmt.Sprintf("%T", e.view)
		said[name] = max(said[name], e.most)
	}
	return opened, said
}

// Each disturbance begins at bin 3456, the thirteenth day's midnight, and is
// seen within some bins by some view, and by the detector as a whole.
func TestWhatEachViewSees(t *testing.T) {
	const from = 12 * binsADay
	r := rand.New(rand.NewPCG(3, 4))
	noise := func(sd float64) float64 { return sd * r.NormFloat64() }
	rush := func(i int) float64 { // a rush hour of four hours in the morning
		if h := i % binsADay; h >= 96 && h < 144 {
			return 60
		}
		return 20
	}
	wave := func(i int) float64 { return 100 + 20*math.Sin(float64(i)/binsADay*2*math.Pi) }
	for _, c := range []struct {
		name   string
		view   string
		within int // bins
		usual  func(i int) float64
		then   func(i int) float64 // from bin 0 of the disturbance
	}{
		{"a spike of one bin", "*gauge.extremes", 1, func(i int) float64 { return wave(i) + noise(3) }, func(i int) float64 {
			if i == 0 {
				return 250
			}
			return wave(i) + noise(3)
		}},
		{"a level that lies inside of the range", "*gauge.level", 24, func(i int) float64 {
			if i%100 == 7 { // lone spikes, so that the range is wide
				return 160
			}
			return 100 + noise(3)
		}, func(int) float64 { return 125 + noise(3) }},
		{"a step", "*gauge.change", 24, func(int) float64 { return 100 + noise(3) }, func(int) float64 { return 118 + noise(3) }},
		{"more scatter", "*gauge.spread", 36, func(int) float64 { return 100 + noise(3) }, func(int) float64 { return 100 + noise(9) }},
		{"less scatter", "*gauge.spread", 96, func(int) float64 { return 100 + noise(3) }, func(int) float64 { return 100 + noise(0.3) }},
		{"a rush hour that does not come", "*gauge.shape", 160, func(i int) float64 { return rush(i) + noise(1) }, func(int) float64 { return 20 + noise(1) }},
		{"a rush hour at night", "*gauge.shape", 48, func(i int) float64 { return rush(i) + noise(1) }, func(i int) float64 { return rush(i+96) + noise(1) }},
		{"a value that stands still", "*gauge.flat", 96, func(int) float64 { return 100 + noise(3) }, func(int) float64 { return 100 }},
		{"one of two states", "*gauge.mixture", 144, func(int) float64 { return 20 + 40*float64(r.IntN(2)) + noise(1) }, func(int) float64 { return 20 + noise(1) }},
		{"a sequence that never came", "*gauge.pattern", 24, func(i int) float64 { return 100 + 30*math.Sin(float64(i)/31) + noise(0.5) }, func(i int) float64 { return 100 + 25*float64(1-i/2%2*2) + noise(0.5) }},
		{"a slow ramp", "*gauge.level", 200, func(int) float64 { return 100 + noise(3) }, func(i int) float64 { return 100 + 0.2*float64(i) + noise(3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			opened, said := play(from+c.within, from, from+c.within, func(i int) float64 {
				if i < from {
					return c.usual(i)
				}
				return c.then(i - from)
			})
			if said[c.view] < 2 {
				t.Errorf("%s said %.2f at most, want 2; all: %v", c.view, said[c.view], said)
			}
			if n := len(opened); n == 0 || opened[n-1] < from {
				t.Errorf("no event from bin %d within %d bins; opened at %v", from, c.within, opened)
			}
		})
	}
}

func TestAFirstMorningIsNoNews(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	opened, _ := play(2*binsADay, 0, 0, func(i int) float64 {
		if h := i % binsADay; h >= 108 && h < 216 {
			return 80 + 3*r.NormFloat64()
		}
		return 20 + 3*r.NormFloat64()
	})
	if len(opened) > 0 {
		t.Errorf("events at bins %v of the first two days", opened)
	}
}

// quietSeries are a fortnight of nothing: noise of several kinds, with and
// without a day's rhythm.
func quietSeries(kind int, seed uint64) func(i int) float64 {
	r := rand.New(rand.NewPCG(seed, 77))
	red := 0.0
	day := func(i int) float64 { return math.Sin(float64(i) / binsADay * 2 * math.Pi) }
	return func(i int) float64 {
		g := r.NormFloat64()
		switch kind {
		case 0:
			return 100 + 3*g
		case 1:
			return 100 + 20*day(i) + 3*g
		case 2: // red noise
			red = 0.9*red + g
			return 50 + red
		case 3:
			red = 0.8*red + g
			return 50 + 5*day(i) + red
		case 4: // log-normal, as latencies are
			return 20 * math.Exp(0.5*g)
		}
		return 30 + 10*r.ExpFloat64() + 5*day(i)
	}
}

// What a bin's evidence is called is how often usual bins reach it, or rarer:
// measured, half a decade rarer. Heavy tails show what is not usual now and then.
func TestQuietSeriesOpenHardlyEver(t *testing.T) {
	const kinds, seeds, bins = 6, 4, 14 * binsADay
	n := 0
	for kind := range kinds {
		for seed := range seeds {
			opened, _ := play(bins, 0, 0, quietSeries(kind, uint64(seed)))
			n += len(opened)
		}
	}
	rate, nominal := float64(n)/(kinds*seeds*(bins-young)), math.Pow(10, -Defaults().Open)
	t.Logf("%d events in %d quiet series of a fortnight: 10^%.2f a bin, nominal 10^%.2f", n, kinds*seeds, math.Log10(rate), math.Log10(nominal))
	if rate > nominal {
		t.Errorf("a quiet bin opens an event with p = %.2g, and is said to with %.2g", rate, nominal)
	}
}
