package calibrate

import (
	"time"

	"faultline"
)

// Counting how often calibrated values come, against how often they should: the
// detector's own error rate. Readings of neighbouring minutes look at the same
// reports, so one a quarter of an hour is taken; and since the longest window is
// two hours, quarters of one such stretch still share reports, so the squares of
// the hits of a stretch are added up too. A stretch in which an event was open is left out:
// what a real surge does says nothing about quiet time.

// Decades is how far is counted: p ≤ 10⁻¹ to 10⁻⁶.
const Decades = faultline.Decades

const (
	quarter = 900  // seconds
	stretch = 7200 // seconds
)

// Stretch is what a series showed in the current stretch. It is of fixed size.
type Stretch struct {
	Number int32 // stretches since 1970
	Last   int32 // newest quarter of an hour that was looked at, since 1970
	N      uint8
	Class  uint8 // of the first reading
	Hits   [Decades]uint8
	Spoilt bool // an event was open
}

// Tally is what was counted of one class in one month. A whole month of a hundred
// thousand series fits.
type Tally struct {
	N             uint32
	Hits, Squares [Decades]uint32 // Squares: of the hits of each stretch
}

func (t *Tally) add(s *Stretch) {
	t.N += uint32(s.N)
	for k, hits := range s.Hits {
		t.Hits[k] += uint32(hits)
		t.Squares[k] += uint32(hits) * uint32(hits)
	}
}

// Months and Days are how much of the past a Record keeps.
const (
	Months  = 12
	Days    = 366
	Classes = 12
)

// Record is what was counted of all series: by class and month, and how much was
// watched a day. It is of fixed size.
type Record struct {
	Month  int32 // the newest: years × 12 + month
	Counts [Months][Classes]Tally
	Day    int32 // the newest, since 1970
	Quiet  [Days]uint32
}

// Tick takes a reading that ended at a Unix second into the record: class is its
// class, logP calibrated. open says that the series has an open event, told that
// the reading can tell anything.
func (r *Record) Tick(s *Stretch, at int64, class int, logP float64, told, open bool) {
	r.roll(s, at)
	s.Spoilt = s.Spoilt || open
	if at%quarter != 0 || int32(at/quarter) <= s.Last {
		return
	}
	s.Last = int32(at / quarter)
	if !told {
		return
	}
	r.watched(at)
	if open {
		return
	}
	if s.N == 0 {
		s.Class = uint8(class)
	}
	s.N++
	for k := range s.Hits {
		if logP >= float64(k+1) {
			s.Hits[k]++
		}
	}
}

// roll closes the stretch before the one that the moment lies in. A reading
// belongs to the bin before its moment.
func (r *Record) roll(s *Stretch, at int64) {
	number := int32((at - 1) / stretch)
	if number <= s.Number {
		return
	}
	if s.N > 0 && !s.Spoilt {
		r.count(int64(s.Number)*stretch, s)
	}
	*s = Stretch{Number: number, Last: s.Last}
}

func (r *Record) count(at int64, s *Stretch) {
	t := time.Unix(at, 0).UTC()
	month := int32(t.Year()*12) + int32(t.Month()) - 1
	for r.Month < month { // one step a month that passed; a year of them clears all
		r.Month = max(r.Month+1, month-Months)
		r.Counts[r.Month%Months] = [Classes]Tally{}
	}
	if month > r.Month-Months {
		r.Counts[month%Months][s.Class].add(s)
	}
}

// watched counts a quarter of an hour in which a series could tell.
func (r *Record) watched(at int64) {
	day := int32((at - 1) / 86400)
	for r.Day < day {
		r.Day = max(r.Day+1, day-Days)
		r.Quiet[r.Day%Days] = 0
	}
	if day > r.Day-Days {
		r.Quiet[day%Days]++
	}
}

// Sum is what was counted of a class in all months, and the first month of which
// anything was; the zero time if nothing was.
func (r *Record) Sum(class int) (sum Tally, since time.Time) {
	for m := r.Month - Months + 1; m <= r.Month; m++ {
		if m < 0 {
			continue
		}
		t := &r.Counts[m%Months][class]
		if t.N > 0 && since.IsZero() {
			since = time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC)
		}
		sum.N += t.N
		for k := range t.Hits {
			sum.Hits[k] += t.Hits[k]
			sum.Squares[k] += t.Squares[k]
		}
	}
	return sum, since
}

// Watched is what was watched on the day of a Unix second and on those before it,
// in quarters of an hour.
func (r *Record) Watched(at int64) []int {
	out := make([]int, 0, Days)
	for day := int32(at / 86400); day > r.Day-Days && day >= 0 && len(out) < Days; day-- {
		n := 0
		if day <= r.Day {
			n = int(r.Quiet[day%Days])
		}
		out = append(out, n)
	}
	return out
}
