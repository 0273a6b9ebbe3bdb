package netinfo

import (
	"cmp"
	"fmt"
	"slices"

	"faultline"
)

// table maps keys to values: values[i] holds from starts[i] to the key before
// starts[i+1]. An empty table knows nothing; otherwise starts[0] is 0.
type table[K uint32 | uint64, V uint16 | uint32] struct {
	starts []K
	values []V
}

// at is the value of a key, 0 for unknown.
func (t table[K, V]) at(x K) V {
	lo, hi := 0, len(t.starts)
	if hi == 0 {
		return 0
	}
	for hi-lo > 1 {
		mid := int(uint(lo+hi) >> 1)
		if t.starts[mid] <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	return t.values[lo]
}

// span is a range of keys, both ends in it, and what it holds.
type span struct {
	from, to uint64
	value    uint32
	line     int // of a text file, for errors
}

// spans collects ranges, to become a table. top is the highest key.
type spans struct {
	all []span
	top uint64
}

func (s *spans) len() int { return len(s.all) }

func (s *spans) add(from, to uint64, value uint32, line int) {
	s.all = append(s.all, span{from, to, value, line})
}

// sort puts the ranges in order and says which of them overlap.
func (s *spans) sort() error {
	slices.SortStableFunc(s.all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(s.all); i++ {
		if a, b := s.all[i-1], s.all[i]; b.from <= a.to {
			return fmt.Errorf("line %d: range overlaps that of line %d", max(a.line, b.line), min(a.line, b.line))
		}
	}
	return nil
}

// cut ends each range where the next one begins: of two announcements, that
// with the later start is the more specific one.
func (s *spans) cut() {
	slices.SortStableFunc(s.all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(s.all); i++ {
		if a, b := &s.all[i-1], s.all[i]; b.from <= a.to && b.from > a.from {
			a.to = b.from - 1
		}
	}
}

// build makes a table of sorted spans: gaps become 0, equal neighbours one.
func build[K uint32 | uint64, V uint16 | uint32](s spans) table[K, V] {
	var t table[K, V]
	push := func(at uint64, v uint32) {
		if n := len(t.values); n > 0 && t.values[n-1] == V(v) {
			return
		}
		t.starts, t.values = append(t.starts, K(at)), append(t.values, V(v))
	}
	next := uint64(0)
	for _, r := range s.all {
		if r.from > next || len(t.starts) == 0 && r.from > 0 {
			push(next, 0)
		}
		push(r.from, r.value)
		if r.to >= s.top {
			return t
		}
		next = r.to + 1
	}
	if len(t.starts) > 0 {
		push(next, 0)
	}
	t.starts, t.values = slices.Clip(t.starts), slices.Clip(t.values)
	return t
}

// countryCode numbers the codes AA to ZZ from 1; 0 is no country, and so is ZZ.
func countryCode(c faultline.Country) uint32 {
	if !c.Valid() || c == faultline.UnknownCountry {
		return 0
	}
	return uint32(c[0]-'A')*26 + uint32(c[1]-'A') + 1
}

// countryCodes is the inverse of countryCode.
func countryCodes() []faultline.Country {
	codes := make([]faultline.Country, 26*26+1)
	codes[0] = faultline.UnknownCountry
	for i := range 26 * 26 {
		codes[i+1] = faultline.Country([]byte{'A' + byte(i/26), 'A' + byte(i%26)})
	}
	return codes
}
