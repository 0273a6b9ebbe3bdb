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

// EncodeFrame packs records of one kind. It is the caller's to keep within
// MaxRecords.
func EncodeFrame(partition uint16, kind faultline.Kind, records []*faultline.Observation) ([]byte, error) {
	code, ok := kindCode(kind)
	if !ok {
		return nil, fmt.Errorf("encode frame: unknown kind %q", kind)
	}
	body := make([]byte, 0, 96*len(records))
	least, greatest := records[0].At, records[0].At
	for _, o := range records {
		if o.Payload == nil || o.Payload.Kind() != kind {
			return nil, fmt.Errorf("encode frame of %s: a record of another kind", kind)
		}
		body = appendSized(body, o)
		if o.At.Before(least) {
			least = o.At
		}
		if o.At.After(greatest) {
			greatest = o.At
		}
	}
	b := make([]byte, headerSize, headerSize+s2.MaxEncodedLen(len(body)))
	copy(b, frameMagic)
	b[4], b[5] = frameVersion, code
	binary.BigEndian.PutUint16(b[6:], partition)
	binary.BigEndian.PutUint16(b[8:], uint16(len(records)))
	binary.BigEndian.PutUint64(b[10:], uint64(least.UnixMicro()))
	binary.BigEndian.PutUint64(b[18:], uint64(greatest.UnixMicro()))
	packed := s2.Encode(b[headerSize:cap(b)], body)
	b = append(b, packed...) // in place: packed lies there already
	binary.BigEndian.PutUint32(b[26:], frameSum(b))
	return b, nil
}

// frameSum covers the header without the sum itself, and the body.
func frameSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:26], castagnoli), castagnoli, b[headerSize:])
}

// DecodeFrame unpacks what EncodeFrame packed; number is the frame's place.
// Every error is an ErrCorrupt. The records do not share memory with b.
func DecodeFrame(number uint64, b []byte) (*Frame, error) {
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
	f := &Frame{
		Partition: binary.BigEndian.Uint16(b[6:]), Number: number, Kind: kindCodes[b[5]],
		MinAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[10:]))).UTC(),
		MaxAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[18:]))).UTC(),
	}
	size, err := s2.DecodedLen(b[headerSize:])
	if err != nil || size > MaxBody {
		return nil, fmt.Errorf("%w: body of %d bytes", ErrCorrupt, size)
	}
	body, err := s2.Decode(nil, b[headerSize:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return f, f.decodeRecords(body, int(binary.BigEndian.Uint16(b[8:])))
}

func (f *Frame) decodeRecords(body []byte, count int) error {
	if count > len(body) { // each record has at least its length
		return fmt.Errorf("%w: %d records in %d bytes", ErrCorrupt, count, len(body))
	}
	f.Records = make([]faultline.Observation, count)
	for i := range f.Records {
		var err error
		if body, err = consumeSized(body, f.Kind, &f.Records[i]); err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrCorrupt, i, err)
		}
		f.Records[i].Position = faultline.Position{Partition: f.Partition, Frame: f.Number, Index: uint16(i)}
	}
	if len(body) != 0 {
		return fmt.Errorf("%w: %d bytes after the last record", ErrCorrupt, len(body))
	}
	return nil
}
