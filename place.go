package faultline

import "strconv"

// Country is an ISO 3166-1 alpha-2 code in capitals.
type Country string

// UnknownCountry is where a reporter is when no table knows the address.
const UnknownCountry Country = "ZZ"

// Valid says whether c has the form of a country code; "ZZ" has.
func (c Country) Valid() bool {
	return len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'
}

// ASN is the number of an autonomous system; 0 is unknown.
type ASN uint32

// String gives the customary form, "AS2856".
func (a ASN) String() string { return "AS" + strconv.FormatUint(uint64(a), 10) }

// Place is what is known about an address after the address itself was
// forgotten.
type Place struct {
	Country Country `json:"country"`
	ASN     ASN     `json:"asn"`
}
