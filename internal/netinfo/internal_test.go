package netinfo

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"pgregory.net/rapid"

	"faultline"
)

func TestShippedNamesAreWhole(t *testing.T) {
	n, err := readNames(shippedASNames)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.asns) < 50_000 || n.of(2856) == "" || n.of(0) != "" || n.of(math.MaxUint32) != "" {
		t.Errorf("%d names, AS2856 %q", len(n.asns), n.of(2856))
	}
}

// A table answers as a walk over its spans does, before and after packing.
func TestTableAnswersLikeItsSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spans{top: math.MaxUint64}
		at := uint64(0)
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			from := at + rapid.Uint64Range(0, 1<<60).Draw(t, "gap")
			to := from + rapid.Uint64Range(0, 1<<59).Draw(t, "length")
			if to < from || to == math.MaxUint64 {
				break
			}
			s.add(from, to, rapid.Uint32Range(1, 4).Draw(t, "value"), 0)
			at = to + 1
		}
		want := func(x uint64) uint32 {
			for _, r := range s.all {
				if r.from <= x && x <= r.to {
					return r.value
				}
			}
			return 0
		}
		tab := build[uint64, uint32](s)
		packed, err := pack(time.Unix(5, 0), table[uint32, uint32]{}, tab)
		if err != nil {
			t.Fatal(err)
		}
		_, again, date, err := readShipped[uint32](packed)
		if err != nil || date.Unix() != 5 {
			t.Fatal(date, err)
		}
		for _, r := range append(s.all, span{from: rapid.Uint64().Draw(t, "x")}) {
			for _, x := range []uint64{r.from, r.to, r.from - 1, r.to + 1, 0, math.MaxUint64} {
				if tab.at(x) != want(x) || again.at(x) != want(x) {
					t.Fatalf("at %d: %d, after packing %d; want %d", x, tab.at(x), again.at(x), want(x))
				}
			}
		}
	})
}

func TestTheHighestAddressEndsATable(t *testing.T) {
	s := spans{top: math.MaxUint32}
	s.add(5, math.MaxUint32, 7, 0)
	if tab := build[uint32, uint32](s); tab.at(math.MaxUint32) != 7 || tab.at(4) != 0 {
		t.Errorf("got %+v", tab)
	}
}

func TestCountryCodesRoundTrip(t *testing.T) {
	codes := countryCodes()
	for _, c := range []faultline.Country{"AA", "GB", "US", "ZY"} {
		if got := codes[countryCode(c)]; got != c {
			t.Errorf("%s became %s", c, got)
		}
	}
	for _, c := range []faultline.Country{"ZZ", "", "gb", "GBR"} {
		if got := codes[countryCode(c)]; got != faultline.UnknownCountry {
			t.Errorf("%q became %s", c, got)
		}
	}
}

func FuzzReadShipped(f *testing.F) {
	tab := build[uint32, uint32](spans{all: []span{{1, 2, 3, 0}, {9, 9, 4, 0}}, top: math.MaxUint32})
	good, err := pack(time.Unix(1, 0), tab, table[uint64, uint32]{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte("FLN1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v4, v6, _, err := readShipped[uint32](b)
		if err != nil {
			return
		}
		v4.at(7) // must not panic
		v6.at(7)
		_, _ = readNames(b)
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("start,end,country\n8.8.8.0,8.8.8.255,US,15169,Google\n"))
	f.Add([]byte("2001:db8::,2001:db8::ffff:ffff:ffff:ffff,FR,AS1,\"a \"\"b\"\"\"\n"))
	f.Add([]byte("::ffff:1.2.3.4,1.2.3.5,DE\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newLoaded("fuzz")
		if l.readCSV(bytes.NewReader(b)) != nil || l.finish() != nil {
			return
		}
		for _, r := range l.country4.all {
			if build[uint32, uint16](l.country4).at(uint32(r.from)) != uint16(r.value) {
				t.Fatalf("range %+v is lost", r)
			}
		}
	})
}

// smallDB is the least MaxMind DB: one node, two records.
func smallDB(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/small.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadMaxMind(t *testing.T) {
	l := newLoaded("small")
	if err := l.readMaxMind(smallDB(t)); err != nil {
		t.Fatal(err)
	}
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	c, a := build[uint32, uint16](l.country4), build[uint32, uint32](l.asn4)
	if codes := countryCodes(); codes[c.at(1<<24)] != "GB" || a.at(1<<24) != 64500 || l.names[64500] != "Example" || codes[c.at(1<<31)] != "FR" || a.at(1<<31) != 64501 {
		t.Errorf("got %v %d %v", codes[c.at(1<<24)], a.at(1<<24), l.names)
	}
	if l.date.Unix() != 1_781_000_000 {
		t.Errorf("made %v", l.date)
	}
}

func FuzzReadMaxMind(f *testing.F) {
	good := smallDB(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		_ = newLoaded("fuzz").readMaxMind(b) // an error, never a panic
	})
}

func randomAddrs() []netip.Addr {
	r := rand.New(rand.NewPCG(1, 2))
	addrs := make([]netip.Addr, 1<<14)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{byte(1 + r.IntN(220)), byte(r.Int()), byte(r.Int()), byte(r.Int())})
	}
	return addrs
}

func BenchmarkLookup(b *testing.B) {
	db, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	addrs := randomAddrs()
	for i := 0; b.Loop(); i++ {
		db.Lookup(addrs[i%len(addrs)])
	}
}

// BenchmarkOpen also says how much memory stays in use.
func BenchmarkOpen(b *testing.B) {
	var db *DB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		var err error
		if db, err = Open(Options{}); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	runtime.KeepAlive(db)
}

// The shipped country table answers as its source does, address by address.
// It needs the source: set FAULTLINE_SHARED.
func TestShippedCountriesAgreeWithTheirSource(t *testing.T) {
	dir := os.Getenv("FAULTLINE_SHARED")
	if dir == "" {
		t.Skip("FAULTLINE_SHARED is not set")
	}
	src, err := maxminddb.Open(dir + "/data/attack/geo/geo-whois-asn-country.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	db, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range randomAddrs() {
		var code string
		if err := src.Lookup(a).DecodePath(&code, "country_code"); err != nil {
			t.Fatal(err)
		}
		if got := db.Lookup(a).Country; public(a) && string(got) != code && !(code == "" && got == "ZZ") {
			t.Errorf("%s: %s; the source says %q", a, got, code)
		}
	}
}
