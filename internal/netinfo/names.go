package netinfo

import (
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"faultline"
)

// names is the names of networks, in one string to keep the collector's work
// and the memory small: the name of asns[i] is text[ends[i-1]:ends[i]].
type names struct {
	asns []uint32
	ends []uint32
	text string
}

func (n *names) of(a faultline.ASN) string {
	i, ok := slices.BinarySearch(n.asns, uint32(a))
	if !ok {
		return ""
	}
	from := uint32(0)
	if i > 0 {
		from = n.ends[i-1]
	}
	return n.text[from:n.ends[i]]
}

// shippedNames unpacks the shipped names when the first one is asked for: a
// program without readers needs none.
func shippedNames() func(faultline.ASN) string {
	load := sync.OnceValue(func() *names {
		n, err := readNames(shippedASNames)
		if err != nil {
			return &names{} // a test reads them whole; a name is a courtesy
		}
		return n
	})
	return func(a faultline.ASN) string { return load().of(a) }
}

// packNames writes: uvarint(count), the distances of the numbers, the lengths
// of the names, the names; numbers must be in order.
func packNames(asns []uint32, text []string) ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(len(asns)))
	last := uint32(0)
	for _, a := range asns {
		b = binary.AppendUvarint(b, uint64(a-last))
		last = a
	}
	for _, s := range text {
		b = binary.AppendUvarint(b, uint64(len(s)))
	}
	for _, s := range text {
		b = append(b, s...)
	}
	return squeeze(b)
}

func readNames(b []byte) (*names, error) {
	r, done, err := unsqueeze(b)
	if err != nil {
		return nil, err
	}
	defer done()
	count, err := binary.ReadUvarint(r)
	if err != nil || count > maxRanges {
		return nil, errDamaged
	}
	n := &names{asns: make([]uint32, count), ends: make([]uint32, count)}
	for _, column := range [][]uint32{n.asns, n.ends} {
		if err := readSums(r, column); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRanges*8))
	if err != nil || count > 0 && len(text) != int(n.ends[count-1]) {
		return nil, errDamaged
	}
	n.text = string(text)
	return n, nil
}

// readSums reads distances into their running sums.
func readSums(r io.ByteReader, into []uint32) error {
	at := uint64(0)
	for i := range into {
		d, err := binary.ReadUvarint(r)
		if err != nil || d > 1<<32 || at+d >= 1<<32 {
			return errDamaged
		}
		at += d
		into[i] = uint32(at)
	}
	return nil
}
