package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/klauspost/compress/s2"

	"faultline"
)

// Limits of a frame. A frame over MaxBody is never written and never read.
const (
	MaxRecords = 1000
	MaxBytes   = 256 << 10 // of encoded records; a single larger record still goes alone
	MaxRecord  = 512 << 10 // of one encoded record; below every NATS server's default payload
	MaxBody    = 8 << 20   // of a decoded body: a bound against bad input, not a target
)

// A frame is a header of 30 bytes, big endian, and a body:
//
//	magic "FLJF" · version u8 · kind u8 · partition u16 · count u16 ·
//	least and greatest At in µs i64 · CRC-32C u32 of all before it and the body
//
// The body is s2 over the records, each with its length before it (record.proto).
const (
	frameMagic   = "FLJF"
	frameVersion = 1
	headerSize   = 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt says that bytes are not a frame, or not the one that was written.
var ErrCorrupt = errors.New("corrupt frame")

var kindCodes = []faultline.Kind{1: faultline.KindReport, 2: faultline.KindMeasurement, 3: faultline.KindHeartbeat, 4: faultline.KindCommand}

func kindCode(k faultline.Kind) (byte, bool) {
	for i, name := range kindCodes {
		if name == k && name != "" {
			return byte(i), true
		}
	}
	return 0, false
}

// Batch is encoded records of one kind, on their way into a frame. The zero
// Batch is empty; a batch that was written may be Reset and used again.
type Batch struct {
	Kind         faultline.Kind
	Count        int
	MinAt, MaxAt time.Time
	body         []byte
}

// Encode makes a batch of observations of one kind. Every error is an
// ErrInvalid.
func Encode(obs []*faultline.Observation) (*Batch, error) {
	b := &Batch{body: make([]byte, 0, 112*min(len(obs), MaxRecords))}
	if err := b.Fill(obs); err != nil {
		return nil, err
	}
	return b, nil
}

// Fill is Encode into a batch whose memory is used again. After an error the
// batch is of no use until it is Reset or filled again.
func (b *Batch) Fill(obs []*faultline.Observation) error {
	b.Reset()
	if len(obs) > MaxRecords {
		return fmt.Errorf("%w: %d at once, at most %d", ErrInvalid, len(obs), MaxRecords)
	}
	for _, o := range obs {
		if err := b.add(o); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) add(o *faultline.Observation) error {
	kind, err := checkObservation(o)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if b.Count > 0 && kind != b.Kind {
		return fmt.Errorf("%w: a %s among %ss", ErrInvalid, kind, b.Kind)
	}
	before := len(b.body)
	b.body = appendSized(b.body, o)
	if n := len(b.body) - before; n > MaxRecord {
		return fmt.Errorf("%w: a %s of %d bytes, at most %d", ErrInvalid, kind, n, MaxRecord)
	}
	b.span(kind, 1, o.At, o.At)
	return nil
}

func (b *Batch) span(kind faultline.Kind, n int, least, greatest time.Time) {
	if b.Count == 0 || least.Before(b.MinAt) {
		b.MinAt = least
	}
	if b.Count == 0 || greatest.After(b.MaxAt) {
		b.MaxAt = greatest
	}
	b.Kind = kind
	b.Count += n
}

// Join appends the records of another batch of the same kind.
func (b *Batch) Join(other *Batch) {
	b.body = append(b.body, other.body...)
	b.span(other.Kind, other.Count, other.MinAt, other.MaxAt)
}

// Size is how many bytes the records take before compression.
func (b *Batch) Size() int { return len(b.body) }

// Fits says whether a frame of b has room for n more records of size bytes. An
// empty one has room for anything.
func (b *Batch) Fits(n, size int) bool {
	return b.Count == 0 || b.Count+n <= MaxRecords && len(b.body)+size <= MaxBytes
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { *b = Batch{body: b.body[:0]} }

// AppendFrame writes the batch to dst as one frame.
func (b *Batch) AppendFrame(dst []byte, partition uint16) []byte {
	code, _ := kindCode(b.Kind)
	start := len(dst)
	dst = append(dst, make([]byte, headerSize+s2.MaxEncodedLen(len(b.body)))...)
	f := dst[start:]
	copy(f, frameMagic)
	f[4], f[5] = frameVersion, code
	binary.BigEndian.PutUint16(f[6:], partition)
	binary.BigEndian.PutUint16(f[8:], uint16(b.Count))
	binary.BigEndian.PutUint64(f[10:], uint64(b.MinAt.UnixMicro()))
	binary.BigEndian.PutUint64(f[18:], uint64(b.MaxAt.UnixMicro()))
	f = f[:headerSize+len(s2.Encode(f[headerSize:], b.body))]
	binary.BigEndian.PutUint32(f[26:], frameSum(f))
	return dst[:start+len(f)]
}

// EncodeFrame packs observations of one kind into a frame.
func EncodeFrame(partition uint16, obs []*faultline.Observation) ([]byte, error) {
	b, err := Encode(obs)
	if err != nil {
		return nil, err
	}
	if b.Count == 0 {
		return nil, fmt.Errorf("%w: a frame of none", ErrInvalid)
	}
	return b.AppendFrame(nil, partition), nil
}

// frameSum covers the header without the sum itself, and the body.
func frameSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:26], castagnoli), castagnoli, b[headerSize:])
}

// DecodeFrame unpacks a frame; number is its place. Every error is an
// ErrCorrupt. The records do not share memory with b, but with each other.
func DecodeFrame(number uint64, b []byte) (*Frame, error) {
	f, err := decodeHeader(number, b)
	if err != nil {
		return nil, err
	}
	size, err := s2.DecodedLen(b[headerSize:])
	if err != nil || size > MaxBody {
		return nil, fmt.Errorf("%w: body of %d bytes", ErrCorrupt, size)
	}
	body, err := s2.Decode(nil, b[headerSize:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err := f.decodeRecords(body, int(binary.BigEndian.Uint16(b[8:]))); err != nil {
		return nil, err
	}
	return f, nil
}

func decodeHeader(number uint64, b []byte) (*Frame, error) {
	if len(b) < headerSize || string(b[:4]) != frameMagic {
		return nil, fmt.Errorf("%w: no frame header", ErrCorrupt)
	}
	if b[4] != frameVersion {
		return nil, fmt.Errorf("%w: version %d, this program reads %d", ErrCorrupt, b[4], frameVersion)
	}
	if got, want := frameSum(b), binary.BigEndian.Uint32(b[26:]); got != want {
		return nil, fmt.Errorf("%w: checksum %08x, want %08x", ErrCorrupt, got, want)
	}
	if int(b[5]) >= len(kindCodes) || kindCodes[b[5]] == "" {
		return nil, fmt.Errorf("%w: unknown kind %d", ErrCorrupt, b[5])
	}
	return &Frame{
		Partition: binary.BigEndian.Uint16(b[6:]), Number: number, Kind: kindCodes[b[5]],
		MinAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[10:]))).UTC(),
		MaxAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[18:]))).UTC(),
	}, nil
}

func (f *Frame) decodeRecords(body []byte, count int) error {
	if count > len(body) { // each record has at least its length
		return fmt.Errorf("%w: %d records in %d bytes", ErrCorrupt, count, len(body))
	}
	d := newDecoder(f.Kind, count)
	f.Records = make([]faultline.Observation, count)
	for i := range f.Records {
		var err error
		if body, err = d.consumeSized(body, &f.Records[i]); err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrCorrupt, i, err)
		}
		f.Records[i].Position = faultline.Position{Partition: f.Partition, Frame: f.Number, Index: uint16(i)}
	}
	if len(body) != 0 {
		return fmt.Errorf("%w: %d bytes after the last record", ErrCorrupt, len(body))
	}
	return nil
}
