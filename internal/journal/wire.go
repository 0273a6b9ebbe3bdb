package journal

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// enc appends protobuf fields. Zero values are left out, as proto3 does.
type enc struct{ b []byte }

func (e *enc) str(field protowire.Number, s string) {
	if s != "" {
		e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
		e.b = protowire.AppendString(e.b, s)
	}
}

func (e *enc) varint(field protowire.Number, v uint64) {
	if v != 0 {
		e.b = protowire.AppendTag(e.b, field, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, v)
	}
}

func (e *enc) signed(field protowire.Number, v int64) { e.varint(field, protowire.EncodeZigZag(v)) }

func (e *enc) boolean(field protowire.Number, v bool) {
	if v {
		e.varint(field, 1)
	}
}

func (e *enc) fixed(field protowire.Number, v uint64) {
	if v != 0 {
		e.b = protowire.AppendTag(e.b, field, protowire.Fixed64Type)
		e.b = protowire.AppendFixed64(e.b, v)
	}
}

// time leaves the zero time out, and no other: 1970 is written as 0.
func (e *enc) time(field protowire.Number, t time.Time) {
	if !t.IsZero() {
		e.b = protowire.AppendTag(e.b, field, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, protowire.EncodeZigZag(t.UnixMicro()))
	}
}

// message appends what fill writes as one embedded message.
func (e *enc) message(field protowire.Number, fill func(*enc)) {
	e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
	start := len(e.b)
	fill(e)
	e.b = insertLength(e.b, start)
}

// insertLength puts the length of b[start:] before it.
func insertLength(b []byte, start int) []byte {
	n := len(b) - start
	var room [10]byte
	prefix := protowire.AppendVarint(room[:0], uint64(n))
	b = append(b, prefix...)
	copy(b[start+len(prefix):], b[start:start+n])
	copy(b[start:], prefix)
	return b
}

// val is one decoded field. Which of its members is meant follows from the
// field; a field of the wrong wire type reads as zero.
type val struct {
	num   uint64
	bytes []byte
}

func (v val) signed() int64 { return protowire.DecodeZigZag(v.num) }

func (v val) time() time.Time { return time.UnixMicro(v.signed()).UTC() }

// fields calls each for the fields of a message, in their order.
func fields(b []byte, each func(protowire.Number, val) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v val
		switch typ {
		case protowire.VarintType:
			v.num, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.num, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default: // a type that we do not write: a later version's, skipped
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := each(num, v); err != nil {
			return err
		}
	}
	return nil
}
