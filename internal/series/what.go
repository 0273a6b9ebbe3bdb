package series

import (
	"math"
	"slices"

	"faultline"
)

// What fails is counted in the world alone: a series for each symptom and one for
// each surface. Like a place, it is live from its first report on, so that what
// went before was zero. A person counts once in ten minutes whatever they say, so
// the symptoms add up to the world's value, unless a cap cuts one of them.

// whats is how many such series a service may have: the symptoms, then the
// surfaces, each in the order of the cells.
const (
	whatSurface = cellWorks
	whats       = whatSurface + 3
)

// whatsOf gives a report's series; −1 for a symptom or surface that is not said.
func whatsOf(p *faultline.Report) [2]int {
	of := [2]int{symptomIndex(p), whatSurface + surfaceIndex(p.Surface)}
	if of[0] >= cellWorks {
		of[0] = -1
	}
	if of[1] >= whats {
		of[1] = -1
	}
	return of
}

// whatSeries is the series of an index.
func whatSeries(k int) faultline.Series {
	if k >= whatSurface {
		_, surface, _ := cell((k - whatSurface) * symptomKinds)
		return faultline.Series{Level: faultline.BySurface, Surface: surface}
	}
	symptom, _, _ := cell(k)
	return faultline.Series{Level: faultline.BySymptom, Symptom: symptom}
}

// rawOf sums the problem reports of a series among the cells.
func rawOf(kinds *[cellKinds]uint32, k int) (n int) {
	for i, c := range kinds {
		symptom, surface := i%symptomKinds, whatSurface+i/symptomKinds
		if k < whatSurface && symptom == k || surface == k && symptom != cellWorks {
			n += int(c)
		}
	}
	return n
}

// told is what one minute's reports say of a symptom or a surface, in the world.
type told struct {
	people  int32 // that are not double
	persons faultline.Bits
	nets    faultline.Bits
	last    faultline.Position
}

// tell counts a report that is not double in the series of what it says.
func (b *bin) tell(l *leaf, p *faultline.Report, at faultline.Position, counts bool) {
	for _, k := range whatsOf(p) {
		if k < 0 {
			continue
		}
		t := &b.what[k]
		t.people++
		if !counts {
			continue
		}
		l.what[k]++
		t.persons.Add(p.Reporter)
		t.nets.Add(p.Network)
		if at.After(t.last) || t.last.IsZero() {
			t.last = at
		}
	}
}

// enlistWhat makes what a bin's reports say live, and counts the reports of that
// for which there is no room.
func (s *service) enlistWhat(c *Config, minute int64, leaves []leaf, out *Output) {
	var kinds [cellKinds]uint32
	for i := range leaves {
		for k, n := range leaves[i].cells {
			kinds[k] += n
		}
	}
	for k := range whats {
		if n := rawOf(&kinds, k); n > 0 && !s.enter(c, &s.what, uint64(k), minute, n) {
			out.Folded += n
		}
	}
}

// what writes the samples of the symptoms and surfaces that are live.
func (e *emitter) what(b *bin) {
	if len(e.s.what) == 0 {
		return
	}
	values := e.s.effectiveWhat(&e.r.cfg, e.minute, e.asns)
	for _, l := range e.s.what {
		var t sum
		if k := int(l.key); b != nil {
			w := &b.what[k]
			t = sum{
				raw: rawOf(&b.mix.kinds, k), people: int(w.people), persons: w.persons, nets: w.nets, last: w.last,
				networks: min(w.nets.Least(), int(math.Ceil(values[k]))), origin: e.origin,
			}
		}
		e.out.Samples = append(e.out.Samples, e.sample(whatSeries(int(l.key)), &t, values[l.key]))
	}
}

// effectiveWhat caps the ASNs of a minute once more, in each series by what the
// others bring there: an ASN whose part of the whole is small could else make all
// of one symptom. All is what the world counts of each ASN, sorted.
func (s *service) effectiveWhat(c *Config, minute int64, all []asnCount) (values [whats]float64) {
	if len(all) == 0 {
		return values
	}
	now, ten, total := s.whatByASN(minute, all)
	for i, a := range all {
		if a.now == 0 {
			continue
		}
		for k, n := range now[i] {
			if n == 0 {
				continue
			}
			part := asnCount{asn: a.asn, ten: ten[i][k]}
			limit := s.asnLimit(c, &part, total[k], minute)
			values[k] += n * min(a.effective/a.now, limit/part.ten)
		}
	}
	return values
}

// whatByASN sums what each ASN kept in each series, in this minute and in the ten
// up to it, and the ten minutes of all.
func (s *service) whatByASN(minute int64, all []asnCount) (now, ten [][whats]float64, total [whats]float64) {
	now, ten = make([][whats]float64, len(all)), make([][whats]float64, len(all))
	for m := minute - windowMinutes + 1; m <= minute; m++ {
		b := s.bins[m]
		if b == nil {
			continue
		}
		for i := range b.leaves {
			at, _ := slices.BinarySearchFunc(all, asnOf(b.leaves[i].key), func(a asnCount, asn faultline.ASN) int {
				return compareKeys(uint64(a.asn), uint64(asn))
			})
			for k, n := range b.leaves[i].what {
				ten[at][k] += float64(n)
				total[k] += float64(n)
				if m == minute {
					now[at][k] += float64(n)
				}
			}
		}
	}
	return now, ten, total
}
