// Package netinfo says where an address is: the country and the network (AS)
// that the public tables give it, with the source, its date and how sure that
// is. It is the one place of geography.
//
// In: an address. Out: a [Place] that may be kept after the address was
// forgotten. The shipped tables are embedded in the program; an operator's
// file ([Options].File) replaces what it carries.
//
// Promises: a [DB] never changes after Open, so lookups need no lock, touch no
// file and allocate nothing. Addresses that no table knows, and those that are
// nobody's (loopback, private, link-local, multicast, shared, documentation),
// give country "ZZ" and ASN 0; an operator's file may say where its private
// networks are. Addresses are never stored or logged here.
//
// It does not know names of countries, cities, or where a person is: a
// registry's country is where the holder of the address block is registered.
// IPv6 is resolved to /64, below which the shipped tables say nothing.
package netinfo

import (
	"net/netip"
	"time"

	"faultline"
)

// Options says which tables to use. The zero value is the shipped ones.
type Options struct {
	// File is a MaxMind DB, or a CSV of start,end,country[,asn[,name]]. It
	// replaces the shipped table of countries, of networks, or both, whichever
	// it carries.
	File string
}

// Sure says what kind of knowledge a country rests on.
type Sure string

// How sure a lookup is. None of them says where a person sits.
const (
	SureNone     Sure = "none"     // no table knows the address
	SureRegistry Sure = "registry" // where the block's holder is registered; wrong for networks that span countries
	SureStated   Sure = "stated"   // the operator's own file says so
)

// Place is what the tables say about an address.
type Place struct {
	faultline.Place
	Network string // the AS's name, "" if unknown
	Sure    Sure   // of the country
}

// Source is where a table comes from.
type Source struct {
	What string    // "country" or "network"
	Name string    // of the table
	Date time.Time // when it was made; zero if the file does not say
	Sure Sure      // what its answers rest on
}

// DB is a set of tables, safe for concurrent use.
type DB struct {
	country4 table[uint32, uint16]
	country6 table[uint64, uint16]
	asn4     table[uint32, uint32]
	asn6     table[uint64, uint32]
	codes    []faultline.Country
	names    func(faultline.ASN) string
	country  Source
	network  Source
	shipped  bool // whether a shipped table that asks for attribution is in use
}

// Open reads the shipped tables and, if opts names one, the operator's file.
// It takes about a tenth of a second and 11 MB; see the benchmarks.
func Open(opts Options) (*DB, error) {
	db := &DB{codes: countryCodes()}
	own := &loaded{}
	if opts.File != "" {
		var err error
		if own, err = readFile(opts.File); err != nil {
			return nil, err
		}
	}
	if err := db.setCountries(own); err != nil {
		return nil, err
	}
	return db, db.setNetworks(own)
}

func (db *DB) setCountries(own *loaded) (err error) {
	if own.country4.len()+own.country6.len() > 0 {
		db.country4, db.country6 = build[uint32, uint16](own.country4), build[uint64, uint16](own.country6)
		db.country = Source{What: "country", Name: own.name, Date: own.date, Sure: SureStated}
		return nil
	}
	db.country = Source{What: "country", Name: "geo-whois-asn-country", Sure: SureRegistry}
	db.country4, db.country6, db.country.Date, err = readShipped[uint16](shippedCountry)
	return err
}

func (db *DB) setNetworks(own *loaded) (err error) {
	if own.asn4.len()+own.asn6.len() > 0 {
		db.asn4, db.asn6 = build[uint32, uint32](own.asn4), build[uint64, uint32](own.asn6)
		db.network = Source{What: "network", Name: own.name, Date: own.date, Sure: SureStated}
		db.names = func(a faultline.ASN) string { return own.names[a] }
		return nil
	}
	db.shipped = true
	db.network = Source{What: "network", Name: "RouteViews and DB-IP", Sure: SureRegistry}
	db.names = shippedNames()
	db.asn4, db.asn6, db.network.Date, err = readShipped[uint32](shippedASN)
	return err
}

// Sources says where the tables in use come from.
func (db *DB) Sources() []Source { return []Source{db.country, db.network} }

// Lookup gives the country and the network of an address, and nothing else.
func (db *DB) Lookup(a netip.Addr) faultline.Place {
	a = a.Unmap()
	place := faultline.Place{Country: faultline.UnknownCountry}
	if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() {
		return place
	}
	somebodys := public(a)
	if somebodys || db.country.Sure == SureStated {
		place.Country = db.codes[lookup(a, db.country4, db.country6)]
	}
	if somebodys || db.network.Sure == SureStated {
		place.ASN = faultline.ASN(lookup(a, db.asn4, db.asn6))
	}
	return place
}

func lookup[V uint16 | uint32](a netip.Addr, v4 table[uint32, V], v6 table[uint64, V]) V {
	if a.Is4() {
		return v4.at(key4(a))
	}
	return v6.at(key6(a))
}

// Place is Lookup with the network's name and how sure the country is.
func (db *DB) Place(a netip.Addr) Place {
	p := Place{Place: db.Lookup(a), Sure: db.country.Sure}
	if p.Country == faultline.UnknownCountry {
		p.Sure = SureNone
	}
	p.Network = db.Name(p.ASN)
	return p
}

// Name is the name of a network, or "". The first call unpacks the names.
func (db *DB) Name(a faultline.ASN) string {
	if a == 0 {
		return ""
	}
	return db.names(a)
}

// reserved is address space that registries list but that is nobody's: shared
// by carriers (RFC 6598), documentation (RFC 5737, 3849, 9637), benchmarks
// (RFC 2544), and the old class E.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("3fff::/20"),
}

// public says whether the address can be anybody's out there.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

func key4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// key6 is the upper half of an IPv6 address, its /64.
func key6(a netip.Addr) (x uint64) {
	b := a.As16()
	for _, c := range b[:8] {
		x = x<<8 | uint64(c)
	}
	return x
}
