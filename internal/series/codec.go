package series

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"faultline"
)

// errTruncated is what a snapshot gives that ends early or counts wrongly.
var errTruncated = errors.New("series snapshot is damaged: it ends early; delete it, the journal rebuilds it")

// writer appends a snapshot: varints, and floats by their bits, so that what
// is read back is what was.
type writer struct{ b []byte }

func (w *writer) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) hash(v uint64)   { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *writer) float(v float64) { w.hash(math.Float64bits(v)) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) time(t time.Time) {
	w.bool(!t.IsZero())
	if !t.IsZero() {
		w.int(t.Unix())
		w.int(int64(t.Nanosecond()))
	}
}

func (w *writer) position(p faultline.Position) {
	w.uint(uint64(p.Partition))
	w.uint(p.Frame)
	w.uint(uint64(p.Index))
}

// reader reads what writer wrote. After the first mistake it gives zeros and
// remembers it, and counts are never larger than the bytes that are left.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errTruncated
	}
	r.b = nil
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) hash() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) float() float64 { return math.Float64frombits(r.hash()) }

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// count reads the length of a list whose items take at least one byte each.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) time() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	sec := r.int()
	return time.Unix(sec, r.int()).UTC()
}

func (r *reader) position() faultline.Position {
	return faultline.Position{Partition: uint16(r.uint()), Frame: r.uint(), Index: uint16(r.uint())}
}
