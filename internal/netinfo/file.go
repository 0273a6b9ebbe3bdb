package netinfo

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"faultline"
)

// loaded is what an operator's file holds.
type loaded struct {
	name               string
	date               time.Time
	country4, country6 spans
	asn4, asn6         spans
	names              map[faultline.ASN]string
}

func newLoaded(name string) *loaded {
	v4, v6 := spans{top: math.MaxUint32}, spans{top: math.MaxUint64}
	return &loaded{name: name, country4: v4, country6: v6, asn4: v4, asn6: v6, names: map[faultline.ASN]string{}}
}

// mmdbMark ends the data of every MaxMind DB, before its description.
var mmdbMark = []byte("\xAB\xCD\xEFMaxMind.com")

// readFile reads a file of either form; what it is, its bytes say.
func readFile(path string) (*loaded, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the table of addresses: %w", err)
	}
	l := newLoaded(filepath.Base(path))
	if bytes.Contains(b[max(0, len(b)-128<<10):], mmdbMark) {
		err = l.readMaxMind(b)
	} else {
		err = l.readCSV(bytes.NewReader(b))
	}
	if err == nil {
		err = l.finish()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// finish sorts what was read, and refuses a file that says nothing.
func (l *loaded) finish() error {
	n := 0
	for _, s := range []*spans{&l.country4, &l.country6, &l.asn4, &l.asn6} {
		if err := s.sort(); err != nil {
			return err
		}
		n += s.len()
	}
	if n == 0 {
		return errors.New("no range with a country or an ASN in it: want a MaxMind DB, or lines of start,end,country[,asn[,name]]")
	}
	return nil
}

// readCSV reads start,end,country[,asn[,name]]; both addresses are in the
// range. Empty lines, lines that begin with # and one header line are skipped.
func (l *loaded) readCSV(r io.Reader) error {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.Comment, c.ReuseRecord, c.TrimLeadingSpace = -1, '#', true, true
	for first := true; ; first = false {
		row, err := c.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err // says the line itself
		}
		if first && len(row) > 0 && strings.EqualFold(row[0], "start") {
			continue
		}
		line, _ := c.FieldPos(0)
		if err := l.addRow(row, line); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (l *loaded) addRow(row []string, line int) error {
	if len(row) < 3 || len(row) > 5 {
		return fmt.Errorf("%d fields: want start,end,country[,asn[,name]]", len(row))
	}
	from, to, err := parseRange(row[0], row[1])
	if err != nil {
		return err
	}
	country := faultline.Country(strings.ToUpper(row[2]))
	if row[2] != "" && !country.Valid() {
		return fmt.Errorf("country %q: want two letters (ISO 3166-1), or nothing", row[2])
	}
	var asn uint32
	if len(row) > 3 {
		if asn, err = parseASN(row[3]); err != nil {
			return err
		}
	}
	if len(row) > 4 && asn != 0 && row[4] != "" {
		l.names[faultline.ASN(asn)] = strings.Clone(row[4])
	}
	return l.addRange(from, to, countryCode(country), asn, line)
}

// addRange adds what is known about a range of addresses.
func (l *loaded) addRange(from, to netip.Addr, country, asn uint32, line int) error {
	a, b, err := keys(from, to)
	if err != nil {
		return err
	}
	countries, networks := &l.country6, &l.asn6
	if from.Is4() {
		countries, networks = &l.country4, &l.asn4
	}
	if country != 0 {
		countries.add(a, b, country, line)
	}
	if asn != 0 {
		networks.add(a, b, asn, line)
	}
	return nil
}

// errFine: the range divides a /64, which the tables cannot.
var errFine = errors.New("range divides an IPv6 /64: round it")

func keys(from, to netip.Addr) (a, b uint64, err error) {
	if from.Is4() {
		return uint64(key4(from)), uint64(key4(to)), nil
	}
	low, high := from.As16(), to.As16()
	for i := 8; i < 16; i++ {
		if low[i] != 0 || high[i] != 0xff {
			return 0, 0, errFine
		}
	}
	return key6(from), key6(to), nil
}

func parseRange(start, end string) (from, to netip.Addr, err error) {
	if from, err = netip.ParseAddr(strings.TrimSpace(start)); err != nil {
		return from, to, fmt.Errorf("start: %w", err)
	}
	if to, err = netip.ParseAddr(strings.TrimSpace(end)); err != nil {
		return from, to, fmt.Errorf("end: %w", err)
	}
	from, to = from.Unmap(), to.Unmap()
	if from.Is4() != to.Is4() || from.Zone() != "" || to.Zone() != "" {
		return from, to, fmt.Errorf("start %s and end %s are not of one kind", from, to)
	}
	if to.Less(from) {
		return from, to, fmt.Errorf("end %s comes before start %s", to, from)
	}
	return from, to, nil
}

// parseASN reads "2856" or "AS2856"; nothing is 0, unknown.
func parseASN(s string) (uint32, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, nil
	}
	digits := s
	if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		digits = s[2:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("asn %q: want a number, as 2856 or AS2856", s)
	}
	return uint32(n), nil
}
