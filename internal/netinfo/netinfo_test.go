package netinfo_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"faultline"
	"faultline/internal/netinfo"
)

// shipped is opened once: the tables never change.
var shipped = sync.OnceValues(func() (*netinfo.DB, error) { return netinfo.Open(netinfo.Options{}) })

func open(t testing.TB) *netinfo.DB {
	t.Helper()
	db, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestShippedTablesKnowAddresses(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		addr    string
		country faultline.Country
		asn     faultline.ASN
		name    string
	}{
		{"1.1.1.1", "AU", 13335, "Cloudflare"},
		{"8.8.8.8", "US", 15169, "Google"},
		{"81.128.0.1", "GB", 2856, "British Telecom"},
		{"::ffff:8.8.8.8", "US", 15169, "Google"},
		{"2001:4860:4860::8888", "US", 15169, "Google"},
		{"2003::1", "DE", 3320, "Deutsche Telekom"},
	} {
		p := db.Place(netip.MustParseAddr(c.addr))
		if p.Country != c.country || p.ASN != c.asn || !strings.Contains(p.Network, c.name) || p.Sure != netinfo.SureRegistry {
			t.Errorf("%s: %+v; want %s %s %s", c.addr, p, c.country, c.asn, c.name)
		}
	}
}

func TestAddressesThatAreNobodysAreUnknown(t *testing.T) {
	db := open(t)
	for _, addr := range []string{
		"127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "203.0.113.7", "2001:db8::1",
	} {
		if p := db.Place(netip.MustParseAddr(addr)); p.Country != faultline.UnknownCountry || p.ASN != 0 || p.Network != "" || p.Sure != netinfo.SureNone {
			t.Errorf("%s: %+v; want unknown", addr, p)
		}
	}
	if p := db.Lookup(netip.Addr{}); p.Country != faultline.UnknownCountry || p.ASN != 0 {
		t.Errorf("no address at all: %+v", p)
	}
}

func TestSourcesHaveNamesAndDates(t *testing.T) {
	for _, s := range open(t).Sources() {
		if s.Name == "" || s.Date.Year() < 2026 || s.Sure != netinfo.SureRegistry {
			t.Errorf("source %+v lacks something", s)
		}
	}
}

func TestAttributionNamesWhatTheLicencesAskFor(t *testing.T) {
	var all strings.Builder
	for _, a := range open(t).Attribution() {
		all.WriteString(a.Text + " " + a.URL + "\n")
	}
	for _, want := range []string{"https://db-ip.com", "RouteViews", "Number Resource Organization", "CC BY 4.0", "CC0"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("attribution lacks %q:\n%s", want, all.String())
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "geo.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileReplacesWhatItCarries(t *testing.T) {
	path := write(t, "start,end,country,asn,name\n# ours\n8.8.8.0,8.8.8.255,de,AS64500,\"Example, Inc.\"\n2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,FR,64501\n9.9.9.0,9.9.9.255,,64502\n10.0.0.0,10.255.255.255,NL\n")
	db, err := netinfo.Open(netinfo.Options{File: path})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]netinfo.Place{
		"8.8.8.8":       {Place: faultline.Place{Country: "DE", ASN: 64500}, Network: "Example, Inc.", Sure: netinfo.SureStated},
		"2001:db8::5":   {Place: faultline.Place{Country: "FR", ASN: 64501}, Sure: netinfo.SureStated},
		"2001:db8:1::5": {Place: faultline.Place{Country: "ZZ"}, Sure: netinfo.SureNone},
		"9.9.9.9":       {Place: faultline.Place{Country: "ZZ", ASN: 64502}, Sure: netinfo.SureNone},
		"10.1.2.3":      {Place: faultline.Place{Country: "NL"}, Sure: netinfo.SureStated},
		"127.0.0.1":     {Place: faultline.Place{Country: "ZZ"}, Sure: netinfo.SureNone},
		"8.8.9.0":       {Place: faultline.Place{Country: "ZZ"}, Sure: netinfo.SureNone},
	} {
		if got := db.Place(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %+v; want %+v", addr, got, want)
		}
	}
	if len(db.Attribution()) != 0 {
		t.Errorf("attribution for tables not in use: %v", db.Attribution())
	}
}

func TestAFileOfCountriesKeepsTheShippedNetworks(t *testing.T) {
	db, err := netinfo.Open(netinfo.Options{File: write(t, "8.8.8.0,8.8.8.255,SE\n")})
	if err != nil {
		t.Fatal(err)
	}
	if p := db.Lookup(netip.MustParseAddr("8.8.8.8")); p != (faultline.Place{Country: "SE", ASN: 15169}) {
		t.Errorf("got %+v", p)
	}
	if n := len(db.Attribution()); n != 2 {
		t.Errorf("%d lines of attribution, want the two for networks", n)
	}
}

func TestABadFileIsAnErrorWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"too few fields":      {"8.8.8.0,8.8.8.255,US\n1.0.0.0,1.0.0.255\n", "line 2: 2 fields"},
		"not an address":      {"8.8.8,8.8.8.255,US\n", "line 1: start"},
		"backwards":           {"# x\n\n8.8.8.9,8.8.8.1,US\n", "line 3: end 8.8.8.1 comes before"},
		"mixed kinds":         {"8.8.8.9,::1,US\n", "line 1: start 8.8.8.9 and end ::1"},
		"country of a name":   {"8.8.8.0,8.8.8.1,Germany\n", `line 1: country "Germany"`},
		"asn of letters":      {"8.8.8.0,8.8.8.1,DE,ASX\n", `line 1: asn "ASX"`},
		"overlap":             {"8.8.8.0,8.8.8.9,DE\n8.8.7.0,8.8.8.0,FR\n", "line 2: range overlaps that of line 1"},
		"half of a /64":       {"2001:db8::1,2001:db8::ffff,DE\n", "line 1: range divides an IPv6 /64"},
		"an unfinished quote": {"8.8.8.0,8.8.8.1,\"DE\n", "line 1"},
		"nothing":             {"\n# nothing\n", "no range with a country"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.text)
			if _, err := netinfo.Open(netinfo.Options{File: path}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("error %v; want the path and %q", err, c.want)
			}
		})
	}
	if _, err := netinfo.Open(netinfo.Options{File: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a file that is not there opened")
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	db, a4, a6 := open(t), netip.MustParseAddr("81.128.0.1"), netip.MustParseAddr("2003::1")
	if n := testing.AllocsPerRun(100, func() { db.Lookup(a4); db.Lookup(a6) }); n != 0 {
		t.Errorf("%v allocations for two lookups", n)
	}
}
