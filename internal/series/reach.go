package series

import (
	"maps"
	"slices"
	"time"

	"faultline"
)

// check names what is checked from where.
type check struct {
	service         faultline.ServiceID
	vantage, target string
}

// attempt remembers a first attempt, so that the second one can revise its
// sample: the one that follows it within a check's interval, or half a minute.
type attempt struct {
	start time.Time
}

// repeats says whether m is the second opinion on a. Its Due is its own: when
// it was to begin, not when the slot began.
func (a attempt) repeats(m *faultline.Measurement) bool {
	apart := m.Start.Sub(a.start)
	return apart >= 0 && apart <= max(time.Duration(m.Interval), 30*time.Second)
}

// measure turns one check into one sample. The second attempt is revision 2 of
// the first one's sample.
func (r *Room) measure(o *faultline.Observation, m *faultline.Measurement) faultline.Sample {
	x := faultline.Sample{
		Series: faultline.Series{
			Metric: faultline.MetricReach, Service: m.Service, Level: faultline.AtVantage,
			Country: m.Vantage.Country, ASN: m.Vantage.ASN, Vantage: m.Vantage.ID, Target: m.Target,
		},
		Start: m.Start.UTC(), Width: m.Interval, Complete: 1, Taken: m.Start.Add(time.Duration(m.Runtime)).UTC(),
		Failure: m.Failure, Op: failedOp(m), Impaired: m.Impaired,
		Origin: o.Origin, Last: o.Position, Revision: 1,
	}
	if m.Counts() {
		x.N = 1
		if m.Reached() {
			x.Value = 1
		}
	}
	r.number(m, &x)
	return x
}

// number gives the sample its place among the attempts of its slot.
func (r *Room) number(m *faultline.Measurement, x *faultline.Sample) {
	id := check{m.Service, m.Vantage.ID, m.Target}
	if m.Attempt < 2 {
		r.remember(id, attempt{x.Start})
		return
	}
	x.Revision = m.Attempt
	x.Confirmed = m.Counts() && !m.Reached()
	if first, ok := r.checks[id]; ok && first.repeats(m) {
		x.Start = first.start
	}
}

// remember keeps the newest first attempt of each check. When there are too
// many, those that were not repeated for longest go.
func (r *Room) remember(id check, a attempt) {
	if _, ok := r.checks[id]; !ok && len(r.checks) >= r.cfg.MaxTargets {
		r.forgetChecks()
	}
	r.checks[id] = a
}

// forgetChecks drops the older half.
func (r *Room) forgetChecks() {
	starts := slices.SortedFunc(maps.Values(r.checks), func(a, b attempt) int { return a.start.Compare(b.start) })
	middle := starts[len(starts)/2].start
	maps.DeleteFunc(r.checks, func(_ check, a attempt) bool { return !a.start.After(middle) })
}

// failedOp is the step that failed; the last one, since a redirect may have
// had failures of its own before.
func failedOp(m *faultline.Measurement) faultline.Op {
	if m.Failure == "" {
		return ""
	}
	for i := len(m.Steps) - 1; i >= 0; i-- {
		if m.Steps[i].Failure != "" {
			return m.Steps[i].Op
		}
	}
	return ""
}
