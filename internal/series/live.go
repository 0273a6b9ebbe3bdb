package series

import (
	"slices"
	"time"
)

// live is a country, an ASN, a symptom or a surface that gets a sample every minute.
type live struct {
	key  uint64
	last int64 // minute of the newest report
	// activity is a count of reports that fades within a day; it decides who
	// stays when there are too many.
	activity float64
}

// activityMinutes is the time constant of activity.
const activityMinutes = 1440

func (l *live) at(minute int64) float64 {
	if minute <= l.last {
		return l.activity
	}
	return l.activity * decay(1.0/activityMinutes, minute-l.last)
}

// enlist makes what a bin's reports say and its places live, countries before
// ASNs, and counts the reports of those for which there is no room.
func (s *service) enlist(c *Config, b *bin, leaves []leaf, out *Output) {
	for i := 0; i < len(leaves); {
		key, n := countryKey(leaves[i].key), 0
		for ; i < len(leaves) && countryKey(leaves[i].key) == key; i++ {
			n += leaves[i].reports()
		}
		if !s.enter(c, &s.countries, key, b.minute, n) {
			out.Folded += n
		}
	}
	s.enlistWhat(c, b.minute, leaves, out)
	for i := range leaves {
		if n := leaves[i].reports(); !s.enter(c, &s.asns, leaves[i].key, b.minute, n) {
			out.Folded += n
		}
	}
}

// reports is all that came since the cells were last emitted.
func (l *leaf) reports() int {
	n := 0
	for _, k := range l.cells {
		n += int(k)
	}
	return n
}

// enter says whether the series is live now. When all room is taken it takes
// that of the least active ASN: an ASN only if it is more active by more than one
// report, so that room does not change hands every minute; the others in any case.
func (s *service) enter(c *Config, list *[]live, key uint64, minute int64, n int) bool {
	i, found := find(*list, key)
	if found {
		l := &(*list)[i]
		l.activity, l.last = l.at(minute)+float64(n), max(l.last, minute)
		return true
	}
	if len(s.countries)+len(s.asns)+len(s.what) >= c.MaxSeries {
		least := s.leastActive(minute)
		if least < 0 || list == &s.asns && s.asns[least].at(minute)+1 >= float64(n) {
			return false
		}
		s.asns = slices.Delete(s.asns, least, least+1)
		i, _ = find(*list, key)
	}
	*list = slices.Insert(*list, i, live{key: key, last: minute, activity: float64(n)})
	return true
}

// leastActive is the index of the ASN that fewest people spoke from; -1: none.
func (s *service) leastActive(minute int64) int {
	least := -1
	for i := range s.asns {
		if least < 0 || s.asns[i].at(minute) < s.asns[least].at(minute) {
			least = i
		}
	}
	return least
}

func find(list []live, key uint64) (int, bool) {
	return slices.BinarySearchFunc(list, key, func(l live, key uint64) int { return compareKeys(l.key, key) })
}

// retire drops the series to which nothing came for Config.Idle.
func (s *service) retire(c *Config, minute int64) {
	oldest := minute - int64(c.Idle/time.Minute)
	gone := func(l live) bool { return l.last < oldest }
	s.countries = slices.DeleteFunc(s.countries, gone)
	s.asns = slices.DeleteFunc(s.asns, gone)
	s.what = slices.DeleteFunc(s.what, gone)
}
