package netinfo

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"

	"faultline"
)

// record is what one entry of a MaxMind DB says, by whatever name.
type record struct {
	country, asn uint32
	name         string
}

// readMaxMind reads all networks of a MaxMind DB once, so that a damaged file
// is an error now and not in the middle of a crowd. It understands the fields
// of GeoLite2 and DB-IP (country.iso_code, autonomous_system_number) and the
// flat ones (country_code, asn). Networks smaller than an IPv6 /64 are left
// out.
func (l *loaded) readMaxMind(b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged MaxMind DB: %v", p)
		}
	}()
	db, err := maxminddb.OpenBytes(b)
	if err != nil {
		return fmt.Errorf("open MaxMind DB: %w", err)
	}
	defer db.Close()
	l.date = db.Metadata.BuildTime().UTC()
	seen := map[uintptr]record{}
	for res := range db.Networks() {
		if err := l.addNetwork(res, seen); err != nil {
			return fmt.Errorf("read MaxMind DB: %w", err)
		}
	}
	return nil
}

func (l *loaded) addNetwork(res maxminddb.Result, seen map[uintptr]record) error {
	if err := res.Err(); err != nil {
		return err
	}
	rec, ok := seen[res.Offset()]
	if !ok {
		var fields map[string]any
		if err := res.Decode(&fields); err != nil {
			return err
		}
		rec = recordOf(fields)
		seen[res.Offset()] = rec
	}
	if rec.asn != 0 && rec.name != "" {
		l.names[faultline.ASN(rec.asn)] = rec.name
	}
	p := res.Prefix()
	err := l.addRange(p.Masked().Addr(), last(p), rec.country, rec.asn, 0)
	if errors.Is(err, errFine) {
		return nil
	}
	return err
}

func recordOf(m map[string]any) record {
	r := record{country: countryOf(m)}
	switch n := first(m, "autonomous_system_number", "asn").(type) {
	case string:
		r.asn, _ = parseASN(n) // an unreadable number is an unknown one
	case uint64:
		r.asn = clip(n)
	}
	r.name, _ = first(m, "autonomous_system_organization", "as_name", "as_org", "name").(string)
	return r
}

func countryOf(m map[string]any) uint32 {
	for _, field := range []string{"country", "registered_country"} {
		if c, ok := m[field].(map[string]any); ok {
			if code, ok := c["iso_code"].(string); ok {
				return countryCode(faultline.Country(code))
			}
		}
	}
	code, _ := first(m, "country_code", "country").(string)
	return countryCode(faultline.Country(code))
}

func first(m map[string]any, fields ...string) any {
	for _, f := range fields {
		if v, ok := m[f]; ok {
			return v
		}
	}
	return nil
}

func clip(n uint64) uint32 {
	if n > 1<<32-1 {
		return 0
	}
	return uint32(n)
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
