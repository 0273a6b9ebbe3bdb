package nbscan

// In the first three days nothing is known of nights and weekends, and in the
// first hour nothing at all. A young series opens a surge when many more people
// speak than did so far. In the first minutes it cannot know how many did, and
// must not be silent either: whoever starts an observatory because a service
// fails begins in the middle. So it speaks, and takes it back if an hour later
// all is still as it was when listening began.
const (
	unfoundedAfter = 3600 // seconds
	youngLogP      = 3    // −log10 p with the dispersion of a young baseline
	flatShare      = 0.5  // of the event's mean, that the last half hour holds if nothing fell
)

// opensYoung says whether so many people of several networks speak that what was
// heard so far does not explain it. What they said within one minute counts in
// full: so many are no retried batch.
func (d *Detector) opensYoung() bool {
	t := d.sum(d.lay.Rate)
	if !t.enough(d.cfg.YoungReporters, d.cfg.Networks) {
		return false
	}
	return upperLogP(t.Sum, t.Mu, 1/phiYoung) >= youngLogP
}

// founded says whether somebody listened for long enough before the bin that is
// so many bins old to know that it began something.
func (d *Detector) founded(first int) bool {
	n := 0
	for k := first + 1; k < len(d.ring); k++ {
		if d.at(k).Flags&unknown == 0 {
			n++
		}
	}
	return n >= d.lay.Rate
}

// unfounded says whether an open event is only the level since listening began.
func (d *Detector) unfounded() bool {
	e := &d.st.Ev
	if !e.Young || e.Founded || d.st.Last-e.Opened < unfoundedAfter {
		return false
	}
	half, whole := d.sum(d.lay.Slow), d.sum(len(d.ring))
	return half.Bins > 0 && half.Sum*float64(whole.Bins) >= flatShare*whole.Sum*float64(half.Bins)
}

// fell says whether a young event fell to a tenth of its peak for half an
// hour. What is left is what is usual: nothing better is known.
func (d *Detector) fell() bool {
	e := &d.st.Ev
	if !e.Young || e.Kind < 0 || d.st.Last-e.Opened < unfoundedAfter {
		return false
	}
	half := d.sum(d.lay.Slow)
	return half.Bins > 0 && half.Sum/float64(half.Bins) <= fellShare*e.PeakExcess/float64(d.lay.Rate)
}
