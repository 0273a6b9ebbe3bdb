package series

import (
	"math"
	"time"

	"faultline"
)

// sum is what the leaves of a series hold together.
type sum struct {
	raw, works, people, kept, networks int
	persons, nets                      faultline.Bits
	touched                            bool
	last                               faultline.Position
	origin                             faultline.Origin
}

func (t *sum) add(l *leaf) {
	t.raw += int(l.raw)
	t.works += int(l.works)
	t.people += int(l.people)
	t.kept += int(l.kept)
	t.networks += int(l.networks)
	t.persons |= l.persons
	t.nets |= l.nets
	t.touched = t.touched || l.touched
	if l.last.After(t.last) || t.last.IsZero() {
		t.last = l.last
	}
	t.origin = lesser(t.origin, l.origin)
}

// closeService emits one service's minute for the first time, and forgets what
// no later observation can change.
func (r *Room) closeService(s *service, m int64, out *Output) {
	b := s.bins[m]
	var leaves []leaf
	if b != nil {
		b.revision = 1
		leaves = b.sorted()
		s.enlist(&r.cfg, b, leaves, out)
	}
	r.emit(s, m, b, leaves, 1, false, out)
	if b != nil {
		s.cells(b, leaves, out)
	}
	r.forget(s, m)
}

func (r *Room) forget(s *service, m int64) {
	oldest := m - r.late - max(windowMinutes, mixMinutes)
	if b := s.bins[oldest-1]; b != nil {
		if s.lastBin == b {
			s.lastBin = nil
		}
		delete(s.bins, oldest-1)
	}
	s.forgetPeople(&r.cfg, m-r.late)
	if m%60 == 0 {
		s.retire(&r.cfg, m)
		s.shares.forget(&r.cfg, m)
	}
}

// reviseService emits the next revision of a closed minute: of all its series
// when coverage grew, else of those that late reports touched.
func (r *Room) reviseService(s *service, m int64, out *Output) {
	if m >= r.next || m < r.next-r.late-1 {
		return
	}
	b := s.bins[m]
	all := containsMinute(r.recheck, m)
	if b == nil && !all {
		return
	}
	b = s.bin(m, math.MaxInt)
	b.revision = max(b.revision, 1) + 1
	leaves := b.sorted()
	s.enlist(&r.cfg, b, leaves, out)
	r.emit(s, m, b, leaves, b.revision, !all, out)
	s.cells(b, leaves, out)
	for i := range leaves {
		leaves[i].touched = false
	}
}

func containsMinute(minutes []int64, m int64) bool {
	for _, x := range minutes {
		if x == m {
			return true
		}
	}
	return false
}

// emit writes the world, the live countries, ASNs, symptoms and surfaces. With
// touched only the places that a late report changed.
func (r *Room) emit(s *service, m int64, b *bin, leaves []leaf, revision int, touched bool, out *Output) {
	e := emitter{r: r, s: s, minute: m, revision: revision, touched: touched, complete: r.complete(m), out: out}
	e.world(b, leaves)
	e.places(s.countries, leaves, faultline.InCountry)
	e.places(s.asns, leaves, faultline.InASN)
	e.what(b)
}

// emitter writes the samples of one service and minute.
type emitter struct {
	r        *Room
	s        *service
	minute   int64
	revision int
	touched  bool
	complete float64
	out      *Output
	// Of the world, for what is cut from it:
	asns   []asnCount
	origin faultline.Origin
}

// world caps by ASN and, the first time, learns from the result.
func (e *emitter) world(b *bin, leaves []leaf) {
	var t sum
	for i := range leaves {
		t.add(&leaves[i])
	}
	value := 0.0
	if t.kept > 0 {
		value, t.networks = e.effective()
	}
	e.origin = t.origin
	x := e.sample(faultline.Series{Level: faultline.World}, &t, value)
	if b != nil {
		x.Mix = e.s.mixAt(e.minute)
	}
	e.out.Samples = append(e.out.Samples, x)
}

// effective is the world's value, and the networks behind it.
func (e *emitter) effective() (value float64, networks int) {
	e.asns = e.s.wide(&e.r.cfg, e.minute)
	for _, a := range e.asns {
		if a.now == 0 {
			continue
		}
		value += a.effective
		networks += min(int(a.nets), int(math.Ceil(a.effective)))
		if e.revision == 1 {
			e.s.shares.learn(&e.r.cfg, a.asn, e.minute, a.effective)
		}
	}
	return value, networks
}

// places walks the live series and the leaves together; both are sorted.
func (e *emitter) places(list []live, leaves []leaf, level faultline.Level) {
	i := 0
	for _, l := range list {
		var t sum
		for ; i < len(leaves) && e.key(leaves[i].key, level) < l.key; i++ {
		}
		for ; i < len(leaves) && e.key(leaves[i].key, level) == l.key; i++ {
			t.add(&leaves[i])
		}
		if e.touched && !t.touched {
			continue
		}
		id := faultline.Series{Level: level, Country: countryOf(l.key)}
		if level == faultline.InASN {
			id.ASN = asnOf(l.key)
		}
		e.out.Samples = append(e.out.Samples, e.sample(id, &t, float64(t.kept)))
	}
}

func (e *emitter) key(key uint64, level faultline.Level) uint64 {
	if level == faultline.InCountry {
		return countryKey(key)
	}
	return key
}

// sample fills in what all levels share.
func (e *emitter) sample(id faultline.Series, t *sum, value float64) faultline.Sample {
	id.Metric, id.Service = faultline.MetricReports, e.s.id
	value = faultline.Round(value, 2)
	origin := t.origin
	if origin == "" {
		origin = e.r.origin
	}
	return faultline.Sample{
		Series: id, Start: timeOf(e.minute), Width: faultline.Seconds(time.Minute),
		Value: value, N: float64(t.people), Raw: t.raw, Discounted: t.people - int(math.Round(value)), Works: t.works,
		Reporters: int(math.Round(value)), Networks: t.networks, ReporterBits: t.persons, NetworkBits: t.nets,
		Complete: e.complete, Origin: origin, Last: t.last, Revision: e.revision,
	}
}
