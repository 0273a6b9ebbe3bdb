package report_test

import (
	"net/http/httptest"
	"testing"

	"faultline"
)

func TestAReadersPlaceIsFoundAsAReportsIs(t *testing.T) {
	unknown := faultline.Place{Country: faultline.UnknownCountry}
	british := faultline.Place{Country: "GB", ASN: 2856}
	for name, c := range map[string]struct {
		peer, forwarded string
		want            faultline.Place
	}{
		"at the wire":                         {"81.2.3.4:5678", "", british},
		"behind a trusted proxy":              {"127.0.0.1:5678", "9.9.9.9, 81.2.3.4", british},
		"an IPv6 reader behind one":           {"[::1]:5678", "2a00::1", british},
		"behind somebody who isn’t trusted":   {"9.9.9.9:5678", "81.2.3.4", unknown},
		"behind a proxy that says no address": {"127.0.0.1:5678", "unknown", unknown},
		"without an address":                  {"@", "", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/s/x/report", nil)
			r.RemoteAddr = c.peer
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if got := newRig(t, setup{}).Place(r); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
