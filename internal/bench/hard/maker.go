package main

import (
	"math"
	"math/rand/v2"
)

var bases = []float64{0.02, 0.1, 0.5, 2, 10, 100} // mean reports a bin

// maker makes one series.
type maker struct {
	r    *rand.Rand
	base float64
	mean []float64 // usual, without surges, bursts and spikes
	more []float64 // surges and ordinary bursts
	x    []int     // −1: no row
	mute []bool    // the collector was silent
	put  []surge
}

func newMaker(r *rand.Rand, k, bins int) *maker {
	m := &maker{r: r, base: bases[k%len(bases)] * math.Exp(0.3*r.NormFloat64()), mean: make([]float64, bins), more: make([]float64, bins), x: make([]int, bins), mute: make([]bool, bins)}
	m.usual()
	m.bursts()
	return m
}

// usual is the mean: two humps a day that differ from day to day, weekends,
// special days, and a level that drifts and may step once.
func (m *maker) usual() {
	r := m.r
	phase, depth := 24*r.Float64(), 0.3+0.6*r.Float64()
	second, gap := 0.8*r.Float64(), 5+5*r.Float64()
	weekend, late := 0.5+0.8*r.Float64(), 2*r.Float64()
	jitter, sway := 0.05+0.12*r.Float64(), 0.5*r.Float64()
	level, drift := 0.0, 0.02+0.06*r.Float64()
	stepDay, stepBy := -1, 0.0
	if r.IntN(8) == 0 {
		stepDay, stepBy = 3+r.IntN(len(m.mean)/day-4), 0.8*r.NormFloat64()
	}
	var high, shift float64
	for i := range m.mean {
		d := i / day
		if i%day == 0 {
			level = 0.98*level + drift*r.NormFloat64()
			high, shift = jitter*r.NormFloat64(), sway*r.NormFloat64()
			if d == stepDay {
				level += stepBy
			}
			if r.IntN(25) == 0 { // a holiday, a match
				high += 0.35 * r.NormFloat64()
			}
		}
		h := float64(i%day)/12 + phase + shift
		if d%7 >= 5 {
			h -= late
		}
		y := math.Sin((h - 9) / 24 * 2 * math.Pi)
		y += second * math.Cos((h-9-gap)/12*2*math.Pi) / 2
		mu := m.base * math.Exp(level+high+1.3*depth*y)
		if d%7 >= 5 {
			mu *= weekend
		}
		m.mean[i] = mu
	}
}

// noiseSD is the standard deviation of an hour's count, roughly.
func (m *maker) noiseSD() float64 {
	b := 12 * m.base
	return math.Sqrt(b+0.04*b*b) + 0.5
}

// surges puts in what must be found, from a bin on.
func (m *maker) surges(from int) {
	kinds := []string{"spike", "plateau", "ramp", "pair"}
	for i := from + m.r.IntN(day); i < len(m.mean)-2*day; i += 500 + m.r.IntN(900) {
		peak := math.Max(3, m.noiseSD()*math.Exp(0.7+3.2*m.r.Float64())) / 12
		switch kind := kinds[m.r.IntN(4)]; kind {
		case "spike":
			i = m.surge(kind, i, 2*peak, 10+20*m.r.Float64(), 4, 15)
		case "plateau":
			i = m.surge(kind, i, peak, 100+200*m.r.Float64(), 8, 25)
		case "ramp":
			i = m.surge(kind, i, peak, 100+120*m.r.Float64(), 50, 40)
		case "pair":
			i = m.surge("pair-first", i, 1.5*peak, 15+10*m.r.Float64(), 4, 8)
			i = m.surge("pair-main", i+18+m.r.IntN(24), 3*peak, 90+120*m.r.Float64(), 6, 20)
		}
	}
}

// surge adds one: it rises and falls exponentially, in minutes, and its end is
// where a tenth of its peak is left.
func (m *maker) surge(kind string, at int, peak, length, rise, fall float64) (last int) {
	s, top, end := surge{Kind: kind, Onset: stamp(at)}, 0.0, 0
	full := 1 - math.Exp(-length/rise)
	for i := at; i < len(m.more); i++ {
		u := float64(i-at)*5 + 2.5
		g := 1 - math.Exp(-u/rise)
		if u > length {
			if g = full * math.Exp(-(u-length)/fall); g < 0.1 {
				break
			}
		}
		m.more[i] += peak * g
		s.Excess += peak * g
		if g > top {
			top, s.Peak = g, stamp(i)
		}
		end = i
	}
	s.End = stamp(end)
	m.put = append(m.put, s)
	return end
}

// bursts are ordinary: people talk for a quarter of an hour or three about
// something else. They are not to be found.
func (m *maker) bursts() {
	for n := poisson(m.r, float64(len(m.mean))/day/7*0.7); n > 0; n-- {
		at, length := m.r.IntN(len(m.mean)-20), 3+m.r.IntN(7)
		for i := at; i < at+length; i++ {
			m.more[i] += m.mean[i] * (0.3 + 0.9*m.r.Float64())
		}
	}
}

// count draws the reports.
func (m *maker) count() {
	r := m.r
	lasting, pace := 0.08+0.22*r.Float64(), 4+20*r.Float64() // of log noise; its memory in bins
	size := 6 + 30*r.Float64()
	echo, fade := 0.1+0.35*r.Float64(), math.Exp(-0.5) // of each report; memory 10 minutes
	spikes := []float64{0, 0.5, 1, 2}[r.IntN(4)] / (7 * day)
	noise, excited := 0.0, 0.0
	for i, mu := range m.mean {
		noise += -noise/pace + lasting*math.Sqrt(2/pace)*r.NormFloat64()
		lambda := mu*(1-echo)*math.Exp(noise-lasting*lasting/2) + m.more[i] + excited
		x := poisson(r, lambda*gamma(r, size)/size)
		excited = fade * (excited + echo*(1-fade)/fade*float64(x)*damp(float64(x), mu))
		if r.Float64() < spikes {
			x += poisson(r, math.Max(8, mu*10*r.Float64()+30*r.Float64()))
		}
		m.x[i] = x
	}
	m.silences()
}

// damp keeps a surge from feeding itself: people do not say it again and again.
func damp(x, mu float64) float64 { return math.Min(1, 2*(mu+1)/(x+1)) }

// silences are stretches in which the collector was down: it wrote zeros or
// nothing. No surge lies in them.
func (m *maker) silences() {
	for n := poisson(m.r, float64(len(m.mean))/day/7*0.25); n > 0; n-- {
		at, length, zero := m.r.IntN(len(m.mean)-200), 6+m.r.IntN(60), m.r.IntN(2) == 0
		for i := at; i < at+length; i++ {
			if m.more[i] > 0.02*m.mean[i] {
				break
			}
			m.mute[i] = true
			if m.x[i] = 0; !zero {
				m.x[i] = -1
			}
		}
	}
}

// gamma is a gamma variate of mean k (Marsaglia and Tsang, ACM TOMS 26, 2000).
func gamma(r *rand.Rand, k float64) float64 {
	if k < 1 {
		return gamma(r, k+1) * math.Pow(r.Float64(), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v = v * v * v; v > 0 && math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func poisson(r *rand.Rand, mean float64) int {
	if mean > 500 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, p := 0, r.Float64()
	for term, sum := math.Exp(-mean), math.Exp(-mean); p > sum && n < 5000; sum += term {
		n++
		term *= mean / float64(n)
	}
	return n
}
