package netinfo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"faultline"
)

// Pack makes the shipped tables, deterministically: the country table from a
// MaxMind DB, the networks from gzipped CSVs of start,end,asn,name whose
// addresses are decimal numbers. date is that of the networks. It writes
// country.fln.zst, asn.fln.zst and asnames.zst into dir. Ranges that divide an
// IPv6 /64 are left out; their number is returned.
func Pack(dir string, date time.Time, country, asn4, asn6 string) (left int, err error) {
	if err := packCountries(dir, country); err != nil {
		return 0, err
	}
	l := newLoaded("")
	for _, path := range []string{asn4, asn6} {
		n, err := l.readDecimal(path)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		left += n
	}
	l.asn4.cut()
	l.asn6.cut()
	if err := l.finish(); err != nil {
		return 0, err
	}
	b, err := pack(date, build[uint32, uint32](l.asn4), build[uint64, uint32](l.asn6))
	if err != nil {
		return 0, err
	}
	if err := write(dir, "asn.fln.zst", b); err != nil {
		return 0, err
	}
	return left, l.writeNames(dir)
}

func packCountries(dir, path string) error {
	l, err := readFile(path)
	if err != nil {
		return err
	}
	b, err := pack(l.date, build[uint32, uint16](l.country4), build[uint64, uint16](l.country6))
	if err != nil {
		return err
	}
	return write(dir, "country.fln.zst", b)
}

func (l *loaded) writeNames(dir string) error {
	var asns []uint32
	for a := range l.names {
		asns = append(asns, uint32(a))
	}
	slices.Sort(asns)
	text := make([]string, len(asns))
	for i, a := range asns {
		text[i] = l.names[faultline.ASN(a)]
	}
	b, err := packNames(asns, text)
	if err != nil {
		return err
	}
	return write(dir, "asnames.zst", b)
}

func write(dir, name string, b []byte) error {
	return os.WriteFile(filepath.Join(dir, name), b, 0o644)
}

func (l *loaded) readDecimal(path string) (left int, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	c := csv.NewReader(bufio.NewReader(z))
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return left, nil
		}
		if err != nil {
			return left, err
		}
		kept, err := l.addDecimal(row)
		if err != nil {
			return left, err
		}
		if !kept {
			left++
		}
	}
}

func (l *loaded) addDecimal(row []string) (kept bool, err error) {
	from, ok1 := new(big.Int).SetString(row[0], 10)
	to, ok2 := new(big.Int).SetString(row[1], 10)
	asn, err := strconv.ParseUint(row[2], 10, 32)
	if !ok1 || !ok2 || err != nil {
		return false, fmt.Errorf("row %q is not start,end,asn,name", row)
	}
	l.names[faultline.ASN(asn)] = row[3]
	if to.BitLen() <= 32 {
		l.asn4.add(from.Uint64(), to.Uint64(), uint32(asn), 0)
		return true, nil
	}
	one := big.NewInt(1)
	if from.TrailingZeroBits() < 64 && from.Sign() > 0 || new(big.Int).Add(to, one).TrailingZeroBits() < 64 {
		return false, nil
	}
	l.asn6.add(from.Rsh(from, 64).Uint64(), to.Rsh(to, 64).Uint64(), uint32(asn), 0)
	return true, nil
}
