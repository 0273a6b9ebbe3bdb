package netinfo

import _ "embed" // for the tables

// The source files are not in the repository; build's comment says where they
// come from and how a newer table is made.

//go:embed data/country.fln.zst
var shippedCountry []byte

//go:embed data/asn.fln.zst
var shippedASN []byte

//go:embed data/asnames.zst
var shippedASNames []byte

// Attribution is what a page that shows countries or networks must say, and
// where its link leads.
type Attribution struct {
	Text string
	URL  string
}

// Attribution gives the lines that the licences of the tables in use ask for,
// for NOTICE and the foot of each page. An operator's own tables ask for what
// their licence asks for, which the operator knows.
func (db *DB) Attribution() []Attribution {
	var lines []Attribution
	if db.country.Sure == SureRegistry {
		lines = append(lines, Attribution{"Country of an address: geo-whois-asn-country, CC0 1.0, from statistics of the Number Resource Organization", "https://www.nro.net"})
	}
	if db.shipped {
		lines = append(lines,
			Attribution{"IP Geolocation by DB-IP (CC BY 4.0, modified)", "https://db-ip.com"},
			Attribution{"Networks: RouteViews (CC BY 4.0, modified)", "https://www.routeviews.org"})
	}
	return lines
}
