package netinfo

import (
	"strings"
	"testing"

	"golang.org/x/text/language"

	"faultline"
)

func TestOnlyAssignedCodesAreCountries(t *testing.T) {
	for typed, want := range map[string]faultline.Country{
		"GB": "GB", "gb": "GB", "uS": "US", "XK": "XK", "ZZ": "ZZ", "zz": "ZZ", // ZZ is "unknown"
		"QQ": "", "AA": "", "UK": "", "EU": "", "AN": "", "SU": "", "XX": "", "ZZZ": "", "GBR": "", "G": "", "": "", "G1": "", "ÄÖ": "", "G ": "",
	} {
		if got, ok := Country(typed); got != want || ok != (want != "") {
			t.Errorf("Country(%q) = %q, %v; want %q", typed, got, ok, want)
		}
	}
}

// The list is held against another one: every code is a region of CLDR, under
// its own name and no older one, and there are as many as ISO 3166-1 assigns.
func TestTheListIsISO3166(t *testing.T) {
	n := 0
	for c := range strings.FieldsSeq(assigned) {
		n++
		if r, err := language.ParseRegion(c); err != nil || !r.IsCountry() || r.Canonicalize().String() != c {
			t.Errorf("%s: %v, %v", c, r, err)
		}
	}
	if n != 249+1 {
		t.Errorf("%d codes, want 249 and XK", n)
	}
}

// What the shipped table says of an address can be asked for.
func TestTheShippedCountriesAreOnTheList(t *testing.T) {
	db, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	withdrawn := map[faultline.Country]bool{"AN": true} // of one block that a registry has not moved
	for _, values := range [][]uint16{db.country4.values, db.country6.values} {
		for _, v := range values {
			if c := db.codes[v]; !known[v] && !withdrawn[c] {
				t.Fatalf("%s is in the table and not on the list", c)
			}
		}
	}
}

func TestAFrequentSlipIsGuessed(t *testing.T) {
	if MeantCountry("uk") != "GB" || MeantCountry([]byte("QQ")) != "" {
		t.Error(MeantCountry("uk"), MeantCountry("QQ"))
	}
}
