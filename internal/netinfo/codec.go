package netinfo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/klauspost/compress/zstd"
)

// The shipped form of a table, compressed with zstd as a whole:
//
//	"FLN1"  uvarint(date, Unix seconds)  columns(IPv4)  columns(IPv6)
//
// Columns are, each for all ranges in order: uvarint(count), the number of
// trailing zero bits of each start's distance from the one before (a byte),
// the distance without them (uvarint), the value (uvarint). Starts grow by
// powers of two in most places, so the columns repeat and compress well.
const magic = "FLN1"

var errDamaged = errors.New("shipped table is damaged: build the program again from a clean checkout")

// maxRanges bounds what a damaged count can make us allocate.
const maxRanges = 1 << 22

// windowSize keeps the decoder small; the tables hardly shrink above it.
const windowSize = 1 << 20

// readTable reads one table's columns.
func readTable[K uint32 | uint64, V uint16 | uint32](r *bufio.Reader) (t table[K, V], err error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > maxRanges {
		return t, errDamaged
	}
	shifts := make([]byte, n)
	if _, err := io.ReadFull(r, shifts); err != nil {
		return t, errDamaged
	}
	t.starts, t.values = make([]K, n), make([]V, n)
	if err := readStarts(r, shifts, t.starts); err != nil {
		return t, err
	}
	for i := range t.values {
		v, err := binary.ReadUvarint(r)
		if err != nil || uint64(V(v)) != v {
			return t, errDamaged
		}
		t.values[i] = V(v)
	}
	return t, nil
}

func readStarts[K uint32 | uint64](r *bufio.Reader, shifts []byte, starts []K) error {
	at := uint64(0)
	for i := range starts {
		d, err := binary.ReadUvarint(r)
		if err != nil || shifts[i] > 63 || bits.LeadingZeros64(d) < int(shifts[i]) {
			return errDamaged
		}
		d <<= shifts[i]
		next := at + d
		if next < at || i > 0 && d == 0 || i == 0 && d != 0 || uint64(K(next)) != next {
			return errDamaged
		}
		at = next
		starts[i] = K(at)
	}
	return nil
}

// appendTable writes what readTable reads.
func appendTable[K uint32 | uint64, V uint16 | uint32](b []byte, t table[K, V]) []byte {
	b = binary.AppendUvarint(b, uint64(len(t.starts)))
	deltas := make([]uint64, len(t.starts))
	for i := range t.starts {
		if i > 0 {
			deltas[i] = uint64(t.starts[i] - t.starts[i-1])
		}
		shift := bits.TrailingZeros64(deltas[i]) % 64
		deltas[i] >>= shift
		b = append(b, byte(shift))
	}
	for _, d := range deltas {
		b = binary.AppendUvarint(b, d)
	}
	for _, v := range t.values {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}

// pack writes a shipped table.
func pack[V uint16 | uint32](date time.Time, v4 table[uint32, V], v6 table[uint64, V]) ([]byte, error) {
	b := binary.AppendUvarint([]byte(magic), uint64(date.Unix()))
	return squeeze(appendTable(appendTable(b, v4), v6))
}

func squeeze(b []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(windowSize), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("compress a table: %w", err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil), nil
}

// unsqueeze gives a reader that holds no more than the window in memory.
func unsqueeze(b []byte) (*bufio.Reader, func(), error) {
	z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, nil, errDamaged
	}
	return bufio.NewReaderSize(z, 16<<10), z.Close, nil
}

// readShipped reads what pack wrote.
func readShipped[V uint16 | uint32](b []byte) (v4 table[uint32, V], v6 table[uint64, V], date time.Time, err error) {
	r, done, err := unsqueeze(b)
	if err != nil {
		return v4, v6, date, err
	}
	defer done()
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return v4, v6, date, errDamaged
	}
	unix, err := binary.ReadUvarint(r)
	if err != nil {
		return v4, v6, date, errDamaged
	}
	date = time.Unix(int64(unix), 0).UTC()
	if v4, err = readTable[uint32, V](r); err != nil {
		return v4, v6, date, err
	}
	v6, err = readTable[uint64, V](r)
	return v4, v6, date, err
}
