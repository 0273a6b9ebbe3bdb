package report

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"
	"unicode/utf8"
)

// sent is a report as encoding/json reads it.
type sent struct {
	Service *string `json:"service"`
	Symptom *string `json:"symptom"`
	Surface *string `json:"surface"`
	Since   *string `json:"since"`
	Country *string `json:"country"`
	Works   *bool   `json:"works"`
}

// What our parser takes, encoding/json takes too, and reads the same from it.
// (The other way round it does not hold: ours is stricter.)
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{
		`{"service":"x","symptom":"cannot_load","surface":"web"}`, `[{"service":"x"},{"works":true}]`, `[]`, `{}`, `{"since":null}`,
		`{"ser\u0076ice":"\ud83d\ude00"}`, `{"service":"\ud83d"}`, `{"service":"\`, ` {"works" : false } `, "{\"service\":\"\xff\"}", `{"service":"x"}x`, "\x00", `{"works":nul`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		drafts, batch, p := parseJSON(b)
		if p != nil {
			if p.Status < 400 || p.Reason == "" || p.Detail == "" || !utf8.ValidString(p.Detail) {
				t.Fatalf("problem %+v", p)
			}
			return
		}
		var want []sent
		if batch {
			strict(t, b, &want)
		} else {
			want = make([]sent, 1)
			strict(t, b, &want[0])
		}
		if len(want) != len(drafts) {
			t.Fatalf("%d drafts, want %d", len(drafts), len(want))
		}
		for i := range drafts {
			same(t, &drafts[i], &want[i])
		}
	})
}

func strict(t *testing.T, b []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("encoding/json says %v", err)
	}
	if d.More() {
		t.Fatal("something follows")
	}
}

func same(t *testing.T, d *draft, want *sent) {
	t.Helper()
	for i, w := range []*string{want.Service, want.Symptom, want.Surface, want.Since, want.Country} {
		if got := *d.field(i); (w == nil) != (got == nil) || w != nil && *w != string(got) {
			t.Fatalf("%s: %q", fieldNames[i], got)
		}
	}
	if d.works != (want.Works != nil && *want.Works) {
		t.Fatalf("works: %v", d.works)
	}
}

func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"symptom=slow&surface=web", "works=1", "since=15m", "since=2026-03-10T11%3A30", "symptom=%zz", "a=b&a=c", "since=%C3%A9", "since=99999h", ";", "works"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, p := parseForm(b, "x", t0)
		if (d == nil) == (p == nil) {
			t.Fatalf("draft %v, problem %v", d, p)
		}
	})
}

func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"81.2.3.4", "[::1]:80", "::ffff:1.2.3.4", " 1.2.3.4:5 ", "[fe80::1%eth0]:1", "unknown", "[", "[]", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := parseForwarded(s)
		if !ok {
			return
		}
		if !a.IsValid() || a.Zone() != "" || a.Is4In6() || network(a) == (netip.Prefix{}) {
			t.Fatalf("%q became %v", s, a)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(keyFileHead + "\nday 2026-03-10 " + "abababababababababababababababababababababababababababababababab\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		secrets, err := parseKeys(b)
		if err != nil {
			return
		}
		again, err := parseKeys(formatKeys(secrets))
		if err != nil || len(again) != len(secrets) {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
