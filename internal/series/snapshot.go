package series

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"faultline"
)

// snapshotVersion changes with the layout below.
const snapshotVersion = 3

// MarshalBinary writes the whole state. The same state gives the same bytes.
// Config is not part of it.
func (r *Room) MarshalBinary() ([]byte, error) {
	w := &writer{}
	w.uint(snapshotVersion)
	w.bool(r.began)
	w.bool(r.closed)
	w.int(r.next)
	w.time(r.newest)
	w.string(string(r.origin))
	w.time(r.awake)
	w.uint(uint64(len(r.coverage)))
	for _, m := range slices.Sorted(maps.Keys(r.coverage)) {
		w.int(m)
		w.int(int64(r.coverage[m]))
	}
	r.writeChecks(w)
	w.uint(uint64(len(r.order)))
	for _, s := range r.order {
		s.write(w)
	}
	return w.b, nil
}

// UnmarshalBinary replaces the state by that of a snapshot and adds the
// services of the configuration. After an error the room is empty.
func (r *Room) UnmarshalBinary(b []byte) error {
	fresh := New(Config{})
	rd := &reader{b: b}
	if v := rd.uint(); v != snapshotVersion {
		*r = *New(r.cfg)
		return fmt.Errorf("series snapshot has version %d, this program reads %d: delete it, the journal rebuilds it", v, snapshotVersion)
	}
	fresh.read(rd)
	if rd.err == nil && len(rd.b) > 0 {
		rd.err = errors.New("series snapshot is damaged: bytes after its end; delete it, the journal rebuilds it")
	}
	cfg := r.cfg
	if rd.err != nil {
		*r = *New(cfg)
		return rd.err
	}
	fresh.cfg, fresh.late = cfg, int64(cfg.Late/time.Minute)
	*r = *fresh
	r.Watch(cfg.Services...)
	return nil
}

func (r *Room) read(rd *reader) {
	r.began, r.closed, r.next = rd.bool(), rd.bool(), rd.int()
	r.newest, r.origin, r.awake = rd.time(), faultline.Origin(rd.string()), rd.time()
	for range rd.count() {
		m := rd.int()
		r.coverage[m] = time.Duration(rd.int())
	}
	for range rd.count() {
		id := check{faultline.ServiceID(rd.string()), rd.string(), rd.string()}
		r.checks[id] = attempt{rd.time()}
	}
	for range rd.count() {
		s := newService(faultline.ServiceID(rd.string()))
		s.read(rd)
		if rd.err != nil {
			return
		}
		r.services[s.id] = s
		r.order = append(r.order, s)
	}
}

func (r *Room) writeChecks(w *writer) {
	ids := slices.SortedFunc(maps.Keys(r.checks), func(a, b check) int {
		if c := compareIDs(a.service, b.service); c != 0 {
			return c
		}
		if c := compareIDs(faultline.ServiceID(a.vantage), faultline.ServiceID(b.vantage)); c != 0 {
			return c
		}
		return compareIDs(faultline.ServiceID(a.target), faultline.ServiceID(b.target))
	})
	w.uint(uint64(len(ids)))
	for _, id := range ids {
		w.string(string(id.service))
		w.string(id.vantage)
		w.string(id.target)
		w.time(r.checks[id].start)
	}
}

func (s *service) write(w *writer) {
	w.string(string(s.id))
	w.int(s.swept)
	w.int(s.sweptNetworks)
	w.uint(uint64(len(s.dirty)))
	for _, m := range s.dirty {
		w.int(m)
	}
	writeLive(w, s.countries)
	writeLive(w, s.asns)
	writeLive(w, s.what)
	w.uint(uint64(len(s.bins)))
	for _, m := range slices.Sorted(maps.Keys(s.bins)) {
		s.bins[m].write(w)
	}
	w.uint(uint64(len(s.windows)))
	for _, n := range slices.Sorted(maps.Keys(s.windows)) {
		w.int(n)
		s.windows[n].write(w)
	}
	w.uint(uint64(len(s.usual)))
	for _, h := range slices.Sorted(maps.Keys(s.usual)) {
		w.hash(h)
		w.float(s.usual[h].mean)
		w.int(s.usual[h].window)
	}
	s.shares.write(w)
}

func (s *service) read(r *reader) {
	s.swept, s.sweptNetworks = r.int(), r.int()
	for range r.count() {
		s.dirty = append(s.dirty, r.int())
	}
	s.countries, s.asns, s.what = readLive(r), readLive(r), readWhat(r)
	for range r.count() {
		b := readBin(r)
		s.bins[b.minute] = b
	}
	for range r.count() {
		n := r.int()
		s.windows[n] = readWindow(r)
	}
	for range r.count() {
		h := r.hash()
		s.usual[h] = usual{r.float(), r.int()}
	}
	s.shares.read(r)
}

func writeLive(w *writer, list []live) {
	w.uint(uint64(len(list)))
	for _, l := range list {
		w.uint(l.key)
		w.int(l.last)
		w.float(l.activity)
	}
}

func readLive(r *reader) []live {
	var list []live
	for range r.count() {
		list = append(list, live{r.uint(), r.int(), r.float()})
	}
	return list
}

// readWhat refuses a series that there is not: its key is an index.
func readWhat(r *reader) []live {
	list := readLive(r)
	if slices.ContainsFunc(list, func(l live) bool { return l.key >= whats }) {
		r.fail()
	}
	return list
}

func (b *bin) write(w *writer) {
	w.int(b.minute)
	w.int(int64(b.revision))
	w.uint(uint64(len(b.leaves)))
	for i := range b.leaves {
		b.leaves[i].write(w)
	}
	writeKinds(w, &b.mix.kinds)
	w.uint(uint64(b.mix.problems))
	w.uint(uint64(b.mix.works))
	w.uint(uint64(b.mix.since))
	for i := range b.what {
		b.what[i].write(w)
	}
}

func readBin(r *reader) *bin {
	b := &bin{minute: r.int(), revision: int(r.int())}
	for range r.count() {
		b.leaves = append(b.leaves, readLeaf(r))
		b.reindex()
	}
	readKinds(r, &b.mix.kinds)
	b.mix.problems, b.mix.works, b.mix.since = uint32(r.uint()), uint32(r.uint()), uint32(r.uint())
	for i := range b.what {
		b.what[i] = readTold(r)
	}
	return b
}

func (t *told) write(w *writer) {
	w.int(int64(t.people))
	if t.people > 0 {
		w.hash(uint64(t.persons))
		w.hash(uint64(t.nets))
		w.position(t.last)
	}
}

func readTold(r *reader) told {
	t := told{people: int32(r.int())}
	if t.people > 0 {
		t.persons, t.nets, t.last = faultline.Bits(r.hash()), faultline.Bits(r.hash()), r.position()
	}
	return t
}

func (l *leaf) write(w *writer) {
	w.uint(l.key)
	for _, n := range []int32{l.raw, l.works, l.people, l.kept, l.networks} {
		w.int(int64(n))
	}
	w.hash(uint64(l.persons))
	w.hash(uint64(l.nets))
	w.bool(l.touched)
	w.position(l.last)
	w.string(string(l.origin))
	writeKinds(w, &l.cells)
	for _, n := range l.what {
		w.int(int64(n))
	}
}

func readLeaf(r *reader) leaf {
	l := leaf{key: r.uint()}
	for _, n := range []*int32{&l.raw, &l.works, &l.people, &l.kept, &l.networks} {
		*n = int32(r.int())
	}
	l.persons, l.nets = faultline.Bits(r.hash()), faultline.Bits(r.hash())
	l.touched, l.last, l.origin = r.bool(), r.position(), faultline.Origin(r.string())
	readKinds(r, &l.cells)
	for k := range l.what {
		l.what[k] = int32(r.int())
	}
	return l
}

// Most of the kinds are zero: a mask says which are not.
func writeKinds(w *writer, kinds *[cellKinds]uint32) {
	mask := uint64(0)
	for i, n := range kinds {
		if n != 0 {
			mask |= 1 << i
		}
	}
	w.uint(mask)
	for _, n := range kinds {
		if n != 0 {
			w.uint(uint64(n))
		}
	}
}

func readKinds(r *reader, kinds *[cellKinds]uint32) {
	mask := r.uint()
	for i := range kinds {
		if mask&(1<<i) != 0 {
			kinds[i] = uint32(r.uint())
		}
	}
}

func (x *window) write(w *writer) {
	w.uint(uint64(len(x.reporters)))
	for _, h := range slices.Sorted(maps.Keys(x.reporters)) {
		w.hash(h)
		w.uint(uint64(x.reporters[h]))
	}
	w.uint(uint64(len(x.counts)))
	for _, n := range x.counts {
		w.hash(n.hash)
		w.int(int64(n.raw))
		w.int(int64(n.kept))
		w.int(int64(n.limit))
		w.uint(uint64(n.bits))
	}
}

func readWindow(r *reader) *window {
	x := &window{reporters: map[uint64]uint8{}, networks: map[uint64]int32{}}
	for range r.count() {
		h := r.hash()
		x.reporters[h] = uint8(r.uint())
	}
	for i := range r.count() {
		n := netCount{hash: r.hash(), raw: int32(r.int()), kept: int32(r.int()), limit: int32(r.int()), bits: uint16(r.uint())}
		x.networks[n.hash] = int32(i)
		x.counts = append(x.counts, n)
	}
	return x
}

func (h *shares) write(w *writer) {
	w.float(h.hours.votes)
	w.int(h.hours.hour)
	w.int(h.hour)
	w.uint(uint64(len(h.asns)))
	for _, a := range slices.Sorted(maps.Keys(h.asns)) {
		w.uint(uint64(a))
		w.float(h.asns[a].votes)
		w.int(h.asns[a].hour)
	}
	w.uint(uint64(len(h.now)))
	for _, a := range slices.Sorted(maps.Keys(h.now)) {
		w.uint(uint64(a))
		w.float(h.now[a])
	}
}

func (h *shares) read(r *reader) {
	h.hours, h.hour = share{r.float(), r.int()}, r.int()
	for range r.count() {
		a := faultline.ASN(r.uint())
		h.asns[a] = share{r.float(), r.int()}
	}
	for range r.count() {
		a := faultline.ASN(r.uint())
		h.now[a] = r.float()
	}
}
