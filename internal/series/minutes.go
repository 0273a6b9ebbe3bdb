package series

import (
	"slices"
	"time"

	"faultline"
)

// beat advances data time and closes the minutes that are due.
func (r *Room) beat(o *faultline.Observation, h *faultline.Heartbeat, out *Output) {
	from := r.believed(h.From, o.At)
	r.origin = o.Origin
	r.begin(minuteOf(from))
	if !r.newest.IsZero() && from.Sub(r.newest) > r.cfg.Silence {
		r.skip(minuteOf(from), out)
	}
	if h.Collector == faultline.CollectorReports {
		r.cover(from, o.At)
	}
	if o.At.After(r.newest) {
		r.newest = o.At
	}
	for limit := minuteOf(r.newest.Add(-r.cfg.Watermark)); r.next < limit; {
		r.closeMinute(r.next, out)
		r.next++
	}
	r.revise(out)
}

// believed is the start of the stretch that a heartbeat vouches for: never
// after its end, and at most Silence before it.
func (r *Room) believed(from, at time.Time) time.Time {
	if from.After(at) {
		return at
	}
	if earliest := at.Add(-r.cfg.Silence); from.Before(earliest) {
		return earliest
	}
	return from
}

// begin sets the first minute. Until one is closed, an earlier report or
// heartbeat may still move it back.
func (r *Room) begin(minute int64) {
	switch {
	case !r.began:
		r.began, r.next = true, minute
	case !r.closed && minute < r.next && minute >= r.next-r.late:
		r.next = minute
	}
}

// skip ends a total silence: the minutes in which somebody was awake are
// closed, then those that hold reports; the others before to are missing.
func (r *Room) skip(to int64, out *Output) {
	for last := minuteOf(r.newest); r.next <= last && r.next < to; r.next++ {
		r.closeMinute(r.next, out)
	}
	for _, m := range r.pending(to) {
		r.next = m + 1
		r.closeMinute(m, out)
	}
	r.next = max(r.next, to)
	r.forgetMinutes()
}

// pending lists the minutes before to that hold reports and are not closed.
func (r *Room) pending(to int64) []int64 {
	var minutes []int64
	for _, s := range r.order {
		for m := range s.bins {
			if m >= r.next && m < to {
				minutes = append(minutes, m)
			}
		}
	}
	slices.Sort(minutes)
	return slices.Compact(minutes)
}

// cover adds the stretch to the minutes it lies in, without counting any
// moment twice. Closed minutes that can still be revised are noted.
func (r *Room) cover(from, to time.Time) {
	if from.Before(r.awake) {
		from = r.awake
	}
	if oldest := timeOf(r.next - r.late); from.Before(oldest) {
		from = oldest
	}
	if !to.After(from) {
		return
	}
	r.awake = to
	for m := minuteOf(from); m <= minuteOf(to); m++ {
		start, end := timeOf(m), timeOf(m+1)
		part := minTime(end, to).Sub(maxTime(start, from))
		if part <= 0 {
			continue
		}
		r.coverage[m] += part
		if m < r.next {
			r.recheck = append(r.recheck, m)
		}
	}
}

// complete is the share of the minute that the collector of reports covered.
func (r *Room) complete(minute int64) float64 {
	return faultline.Round(min(1, r.coverage[minute].Seconds()/60), 3)
}

// closeMinute emits every live series and the cells of one minute.
func (r *Room) closeMinute(m int64, out *Output) {
	r.closed = true
	for _, s := range r.order {
		r.closeService(s, m, out)
	}
	delete(r.coverage, m-r.late-1)
}

// revise emits what changed in closed minutes: late reports touch their own
// series, late coverage all of them.
func (r *Room) revise(out *Output) {
	if len(r.recheck) == 0 && !r.anyDirty() {
		return
	}
	minutes := slices.Clone(r.recheck)
	for _, s := range r.order {
		minutes = append(minutes, s.dirty...)
	}
	slices.Sort(minutes)
	first := len(out.Samples)
	for _, m := range slices.Compact(minutes) {
		for _, s := range r.order {
			r.reviseService(s, m, out)
		}
	}
	r.recheck = r.recheck[:0]
	for _, s := range r.order {
		s.dirty = s.dirty[:0]
	}
	r.revisionsFirst(out, first)
}

// revisionsFirst keeps the promised order: revisions are of earlier minutes.
func (r *Room) revisionsFirst(out *Output, first int) {
	if first == 0 {
		return
	}
	revised := slices.Clone(out.Samples[first:])
	out.Samples = append(revised, out.Samples[:first]...)
	slices.SortStableFunc(out.Samples, func(a, b faultline.Sample) int { return a.Start.Compare(b.Start) })
}

func (r *Room) anyDirty() bool {
	return slices.ContainsFunc(r.order, func(s *service) bool { return len(s.dirty) > 0 })
}

// forgetMinutes drops coverage and bins that nothing can change any more,
// after a jump; step by step closeMinute and closeService do it.
func (r *Room) forgetMinutes() {
	for m := range r.coverage {
		if m < r.next-r.late {
			delete(r.coverage, m)
		}
	}
	for _, s := range r.order {
		for m := range s.bins {
			if m < r.next-r.late-max(windowMinutes, mixMinutes) {
				delete(s.bins, m)
			}
		}
		s.lastBin = nil
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
