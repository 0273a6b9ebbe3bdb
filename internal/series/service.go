package series

import (
	"slices"
	"strings"

	"faultline"
)

// service is what is known about the reports of one service.
type service struct {
	id        faultline.ServiceID
	bins      map[int64]*bin // by minute; only minutes with reports
	lastBin   *bin           // the one used last, or nil
	dirty     []int64        // closed minutes that late reports touched
	countries []live         // sorted by key
	asns      []live         // sorted by key: country, then ASN
	what      []live         // sorted by key: symptoms, then surfaces

	windows       map[int64]*window
	usual         map[uint64]usual
	swept         int64 // in windows
	sweptNetworks int64

	shares shares
}

// service finds or makes a service; nil when there are too many.
func (r *Room) service(id faultline.ServiceID) *service {
	if r.hot != nil && r.hot.id == id {
		return r.hot
	}
	s := r.services[id]
	if s == nil {
		if len(r.services) >= r.cfg.MaxServices {
			return nil
		}
		s = newService(faultline.ServiceID(strings.Clone(string(id))))
		r.services[id] = s
		i, _ := slices.BinarySearchFunc(r.order, id, func(s *service, id faultline.ServiceID) int {
			return compareIDs(s.id, id)
		})
		r.order = slices.Insert(r.order, i, s)
	}
	r.hot = s
	return s
}

func newService(id faultline.ServiceID) *service {
	return &service{
		id: id, bins: map[int64]*bin{}, windows: map[int64]*window{}, usual: map[uint64]usual{},
		shares: newShares(),
	}
}

func compareIDs(a, b faultline.ServiceID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// report counts one report in the bin of its minute.
func (r *Room) report(o *faultline.Observation, p *faultline.Report, out *Output) {
	m := minuteOf(o.At)
	r.begin(m)
	if m < r.next-r.late {
		out.Late++
		return
	}
	s := r.service(p.Service)
	if s == nil {
		out.Full++
		return
	}
	b := s.bin(m, r.cfg.MaxPending)
	if b == nil {
		out.Full++
		return
	}
	l := b.leaf(keyOf(p.Place))
	l.add(o, p)
	b.mix.add(p)
	s.weigh(&r.cfg, o, p, b, l, out)
	if m < r.next {
		l.touched = true
		s.touch(m)
	}
}

// weigh decides what the report counts for beyond its raw count.
func (s *service) weigh(c *Config, o *faultline.Observation, p *faultline.Report, b *bin, l *leaf, out *Output) {
	if p.Works {
		if isFirst, ok := s.first(c, p.Reporter, b.minute, saidWorks); !ok {
			out.Full++
		} else if isFirst {
			l.works++
		}
		return
	}
	l.raw++
	switch s.admit(c, p, b.minute) {
	case full:
		out.Full++
	case keptFirst:
		l.networks++
		fallthrough
	case kept:
		l.kept++
		l.people++
		l.persons.Add(p.Reporter)
		l.nets.Add(p.Network)
		b.tell(l, p, o.Position, true)
	case discounted:
		l.people++
		b.tell(l, p, o.Position, false)
	case double:
	}
}

// touch notes a closed minute whose samples need another revision.
func (s *service) touch(minute int64) {
	if !slices.Contains(s.dirty, minute) {
		s.dirty = append(s.dirty, minute)
	}
}

// bin finds or makes the bin of a minute; nil when too many wait.
func (s *service) bin(minute int64, limit int) *bin {
	if s.lastBin != nil && s.lastBin.minute == minute {
		return s.lastBin
	}
	b := s.bins[minute]
	if b == nil {
		if len(s.bins) >= limit {
			return nil
		}
		b = &bin{minute: minute}
		s.bins[minute] = b
	}
	s.lastBin = b
	return b
}

// bin holds one minute's reports of a service by place.
type bin struct {
	minute   int64
	revision int // of its samples; 0 until it is closed
	leaves   []leaf
	index    map[uint64]int32 // into leaves, once there are many
	mix      mix
	what     [whats]told
}

// fewLeaves are found by looking at each.
const fewLeaves = 12

// leaf is one ASN in one country in one minute.
type leaf struct {
	key      uint64
	raw      int32          // problem reports
	works    int32          // people for whom it works
	people   int32          // problem reports that are not double
	kept     int32          // of them, those within their network's cap
	networks int32          // with a report in kept
	persons  faultline.Bits // behind kept
	nets     faultline.Bits
	touched  bool // by a late report, since the last revision
	last     faultline.Position
	origin   faultline.Origin
	cells    [cellKinds]uint32 // not yet emitted
	what     [whats]int32      // of kept, by what they say
}

func (b *bin) leaf(key uint64) *leaf {
	if b.index == nil {
		for i := range b.leaves {
			if b.leaves[i].key == key {
				return &b.leaves[i]
			}
		}
	} else if i, ok := b.index[key]; ok {
		return &b.leaves[i]
	}
	b.leaves = append(b.leaves, leaf{key: key})
	b.reindex()
	return &b.leaves[len(b.leaves)-1]
}

// reindex keeps the index in step with leaves after one was appended.
func (b *bin) reindex() {
	switch {
	case b.index != nil:
		b.index[b.leaves[len(b.leaves)-1].key] = int32(len(b.leaves) - 1)
	case len(b.leaves) > fewLeaves:
		b.index = make(map[uint64]int32, 4*fewLeaves)
		for i := range b.leaves {
			b.index[b.leaves[i].key] = int32(i)
		}
	}
}

// sorted puts the leaves in the order of country and ASN.
func (b *bin) sorted() []leaf {
	byKey := func(a, c leaf) int { return compareKeys(a.key, c.key) }
	if !slices.IsSortedFunc(b.leaves, byKey) {
		slices.SortFunc(b.leaves, byKey)
		if b.index != nil {
			for i := range b.leaves {
				b.index[b.leaves[i].key] = int32(i)
			}
		}
	}
	return b.leaves
}

// add counts what needs no judgement.
func (l *leaf) add(o *faultline.Observation, p *faultline.Report) {
	l.cells[cellOf(p)]++
	if o.Position.After(l.last) || l.last.IsZero() {
		l.last = o.Position
	}
	l.origin = lesser(l.origin, o.Origin)
}

// lesser is the origin that promises less.
func lesser(a, b faultline.Origin) faultline.Origin {
	if trust(a) < trust(b) {
		return a
	}
	return b
}

func trust(o faultline.Origin) int {
	switch o {
	case faultline.Reconstructed:
		return 0
	case faultline.Simulated:
		return 1
	case faultline.Measured:
		return 2
	}
	return 3 // not set
}

// A key is a country and an ASN in one number that sorts like both.
func keyOf(p faultline.Place) uint64 {
	c := p.Country
	if !c.Valid() {
		c = faultline.UnknownCountry
	}
	return uint64(c[0])<<40 | uint64(c[1])<<32 | uint64(p.ASN)
}

func countryOf(key uint64) faultline.Country {
	return faultline.Country([]byte{byte(key >> 40), byte(key >> 32)})
}

func asnOf(key uint64) faultline.ASN { return faultline.ASN(uint32(key)) }

// countryKey is the key of a country's own series.
func countryKey(key uint64) uint64 { return key >> 32 << 32 }

func compareKeys(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
