package live

import (
	"math"
	"time"

	"faultline"
)

func root(k float64) float64 { return math.Sqrt(k) }

// Reach is five minutes of checks.
type Reach struct {
	Start    time.Time
	OK       int // checks that reached the service
	N        int // checks that count
	Impaired int // checks that were made and must not count
}

// Known says whether any check counts.
func (r Reach) Known() bool { return r.N > 0 }

// Share is the part of the checks that reached the service, 0 to 1.
func (r Reach) Share() float64 {
	if r.N == 0 {
		return 0
	}
	return float64(r.OK) / float64(r.N)
}

// Vantage is a target as one vantage point sees it now.
type Vantage struct {
	Vantage  string
	Target   string
	Place    faultline.Place
	At       time.Time // start of the newest check
	Interval time.Duration
	Reached  bool
	Counts   bool // whether the newest check may be used to judge
	Failure  faultline.Failure
	Op       faultline.Op
	Impaired faultline.Impairment
	Origin   faultline.Origin
	Bins     []Reach // the last 24 hours, oldest first
}

// Fresh says whether the newest check is young enough to speak of "now":
// younger than three intervals, and three minutes at least.
func (v *Vantage) Fresh(now time.Time) bool {
	return now.Sub(v.At) <= max(3*v.Interval, 3*time.Minute)
}

type reachBin struct {
	at              int32
	ok, n, impaired uint16
}

// checks is a series of checks of one target from one vantage.
type checks struct {
	series faultline.Series
	bins   [Bins]reachBin
	last   faultline.Sample
}

// sample takes a check; a second attempt replaces the first in its bin.
func (c *checks) sample(s *faultline.Sample) {
	if c.last.Start.Equal(s.Start) && !c.last.Start.IsZero() {
		if s.Revision < c.last.Revision {
			return
		}
		c.count(&c.last, -1)
	} else if s.Start.Before(c.last.Start) {
		c.count(s, 1)
		return
	}
	c.count(s, 1)
	c.last = *s
}

func (c *checks) count(s *faultline.Sample, by int) {
	at := binOf(s.Start)
	b := &c.bins[at%int32(Bins)]
	if b.at > at {
		return
	}
	if b.at < at {
		*b = reachBin{at: at}
	}
	switch {
	case s.N == 0:
		b.impaired = plus(b.impaired, by)
	default:
		b.n = plus(b.n, by)
		if s.Value > 0 {
			b.ok = plus(b.ok, by)
		}
	}
}

// plus adds and stays inside the type's bounds.
func plus(v uint16, by int) uint16 { return uint16(min(max(int(v)+by, 0), math.MaxUint16)) }

func (c *checks) view(now time.Time) Vantage {
	s := &c.last
	v := Vantage{
		Vantage: c.series.Vantage, Target: c.series.Target, Place: faultline.Place{Country: c.series.Country, ASN: c.series.ASN},
		At: s.Start, Interval: time.Duration(s.Width), Reached: s.Value > 0, Counts: s.N > 0,
		Failure: s.Failure, Op: s.Op, Impaired: s.Impaired, Origin: s.Origin,
	}
	if now.Unix() < int64(dayLength/time.Second)*2 {
		return v
	}
	end := binOf(now.Add(-settle))
	for at := end - int32(Bins); at < end; at++ {
		r := Reach{Start: startOf(at)}
		if b := &c.bins[max(at, 0)%int32(Bins)]; b.at == at && at > 0 {
			r.OK, r.N, r.Impaired = int(b.ok), int(b.n), int(b.impaired)
		}
		v.Bins = append(v.Bins, r)
	}
	return v
}

// together adds up the vantage points' bins.
func together(vs []Vantage) []Reach {
	if len(vs) == 0 {
		return nil
	}
	out := make([]Reach, len(vs[0].Bins))
	for _, v := range vs {
		for i, b := range v.Bins {
			out[i].Start = b.Start
			out[i].OK += b.OK
			out[i].N += b.N
			out[i].Impaired += b.Impaired
		}
	}
	return out
}
