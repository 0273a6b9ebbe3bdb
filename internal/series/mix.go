package series

import "faultline"

// mixMinutes is the window of a Mix.
const mixMinutes = 30

// mixLeast is how many problem reports a Mix needs to mean something.
const mixLeast = 50

// mix counts what a minute's reports say, whoever sent them: a script that
// counts for little still looks like a script.
type mix struct {
	kinds    [cellKinds]uint32
	problems uint32
	works    uint32
	since    uint32
}

func (m *mix) add(p *faultline.Report) {
	if p.Works {
		m.works++
		return
	}
	m.kinds[cellOf(p)]++
	m.problems++
	if !p.Since.IsZero() {
		m.since++
	}
}

func (m *mix) plus(o *mix) {
	for i := range m.kinds {
		m.kinds[i] += o.kinds[i]
	}
	m.problems += o.problems
	m.works += o.works
	m.since += o.since
}

// mixAt describes the half hour that ends with the minute; zero when too few
// people spoke.
func (s *service) mixAt(minute int64) faultline.Mix {
	var sum mix
	var rates [mixMinutes]float64
	for i := range rates {
		if b := s.bins[minute-mixMinutes+1+int64(i)]; b != nil {
			sum.plus(&b.mix)
			rates[i] = float64(b.mix.problems)
		}
	}
	if sum.problems < mixLeast {
		return faultline.Mix{}
	}
	even, edge := shape(rates[:])
	return faultline.Mix{
		N: int(sum.problems), Top: share3(sum.top(), sum.problems), Works: share3(sum.works, sum.works+sum.problems),
		Since: share3(sum.since, sum.problems), Even: even, Edge: edge,
	}
}

func (m *mix) top() uint32 {
	var top uint32
	for _, n := range m.kinds {
		top = max(top, n)
	}
	return top
}

func share3(part, of uint32) float64 { return faultline.Round(float64(part)/float64(of), 3) }

// shapeLeast is how many minutes after the rise a shape needs.
const shapeLeast = 8

// shape looks at the minutes after the first that reaches a quarter of the
// highest: their variance over their mean (an even rate has about 1), and the
// rate of the first two over that of the others. A rise within the first two
// minutes of the window may have begun before it: then there is no edge.
func shape(rates []float64) (even, edge float64) {
	rise := rise(rates)
	body := rates[min(rise+1, len(rates)):]
	if len(body) < shapeLeast {
		return 0, 0
	}
	mean, variance := moments(body)
	if mean == 0 {
		return 0, 0
	}
	first, _ := moments(body[:2])
	rest, _ := moments(body[2:])
	if rise >= 2 && rest > 0 {
		edge = faultline.Round(first/rest, 2)
	}
	return faultline.Round(variance/mean, 2), edge
}

// rise is the first minute that reaches a quarter of the highest.
func rise(rates []float64) int {
	top := 0.0
	for _, x := range rates {
		top = max(top, x)
	}
	for i, x := range rates {
		if x > 0 && x >= top/4 {
			return i
		}
	}
	return 0
}

// moments are the mean and the unbiased variance.
func moments(xs []float64) (mean, variance float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		variance += float64((x - mean) * (x - mean))
	}
	if len(xs) > 1 {
		variance /= float64(len(xs) - 1)
	}
	return mean, variance
}
