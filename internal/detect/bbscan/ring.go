package bbscan

import (
	"math"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/windows"
)

// A slot is one bin of the ring.
type slot struct {
	K, F        float64 // succeeded and failed
	Share, Rest float64 // usual shares of successes and of failures, which add up to 1
	Revision    uint16
	Flags       uint8
}

// Flags of a slot.
const (
	unknown  = 1 << iota // not known: never zero of zero
	spent                // belongs to an event that is over
	abnormal             // not to be learnt from
)

func (s *slot) n() float64    { return s.K + s.F }
func (s *slot) over() float64 { return s.K - s.n()*s.Share }

// counts says whether the bin is looked at by windows.
func (s *slot) counts() bool { return s.Flags&(unknown|spent) == 0 }

// slotOf makes a slot of a sample.
func (d *Detector) slotOf(s *faultline.Sample) slot {
	logit, doubt := d.st.Usual.at(d.middle(0), d.wide())
	d.st.Doubt = doubt
	p, q := shares(logit)
	o := slot{Share: p, Rest: q, Revision: uint16(min(max(s.Revision, 0), math.MaxUint16))}
	if unheard(s) != "" {
		o.Flags = unknown
		return o
	}
	o.K, o.F = s.Value, s.N-s.Value
	return o
}

// unheard says why a sample does not count; "" if it does.
func unheard(s *faultline.Sample) string {
	if why := detector.Unheard(s); why != "" {
		return why
	}
	if !(s.Value >= 0 && s.Value <= s.N) || math.IsInf(s.N, 1) {
		return "collector_silent"
	}
	return ""
}

func (d *Detector) push(s slot) {
	d.st.Head++
	if int(d.st.Head) >= len(d.ring) {
		d.st.Head = 0
	}
	d.ring[d.st.Head] = s
}

// at is the bin that is back bins old.
func (d *Detector) at(back int) *slot {
	i := int(d.st.Head) - back
	if i < 0 {
		i += len(d.ring)
	}
	return &d.ring[i]
}

// A total is what a window holds: successes, failures, and those that are usual of
// as many tries.
type total struct {
	K, F, Mu, Nu float64
	Unknown      int // bins
}

func (t *total) n() float64    { return t.K + t.F }
func (t *total) over() float64 { return t.K - t.Mu }

// add takes a bin that has none of the flags but.
func (t *total) add(s *slot, but uint8) {
	switch {
	case s.Flags&unknown != 0:
		t.Unknown++
	case s.Flags&but == 0:
		n := s.K + s.F
		t.K += s.K
		t.F += s.F
		t.Mu += n * s.Share
		t.Nu += n * s.Rest
	}
}

// look adds up the windows that end with the newest bin.
func look(l *windows.Layout, ring []slot, head int, out *[windows.Most]total) {
	var t total
	w := 0
	i := head
	for k := 1; w < l.N; k++ {
		t.add(&ring[i], spent)
		if k == l.Bins[w] {
			out[w] = t
			w++
		}
		if i--; i < 0 {
			i = len(ring) - 1
		}
	}
}

// sum adds up bins from the age of from to the older one of to, without to, that
// belong to no event that is over; all does so with those.
func (d *Detector) sum(from, to int) total { return d.add(from, to, spent) }
func (d *Detector) all(from, to int) total { return d.add(from, to, 0) }

func (d *Detector) add(from, to int, but uint8) (t total) {
	for k := from; k < min(to, len(d.ring)); k++ {
		t.add(d.at(k), but)
	}
	return t
}
