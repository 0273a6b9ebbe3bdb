package report_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/intake/report"
)

func reportOf(country string) string {
	return `{"service":"x","symptom":"slow","surface":"web","country":"` + country + `"}`
}

func TestACountryIsAnAssignedCode(t *testing.T) {
	nowhere := setup{} // an address that no table knows: what was stated stays
	for sent, want := range map[string]faultline.Country{"fr": "FR", "XK": "XK", "ZZ": "ZZ"} {
		g := newRig(t, nowhere)
		ids(t, g.post(reportOf(sent), header{"peer": "99.0.0.1:1"}))
		if o := g.journal.all(); payload(t, &o[0]).Country != want {
			t.Errorf("%s became %s", sent, payload(t, &o[0]).Country)
		}
	}
	for sent, reason := range map[string]string{"QQ": report.ReasonCountryUnknown, "EU": report.ReasonCountryUnknown, "UK": report.ReasonCountryUnknown, "GBR": report.ReasonCountry, "": report.ReasonCountry} {
		g := newRig(t, nowhere)
		w := g.post(reportOf(sent), header{"peer": "99.0.0.1:1"})
		if w.Code != 422 || g.count(t, "faultline_intake_refused_total", reason) != 1 || len(g.journal.all()) != 0 {
			t.Errorf("%q: %d %s", sent, w.Code, w.Body)
		}
	}
	if w := newRig(t, nowhere).post(reportOf("UK"), nil); !strings.Contains(w.Body.String(), "did you mean GB?") {
		t.Errorf("UK: %s", w.Body)
	}
}

func TestATimeFarAwayIsToldInOneUnit(t *testing.T) {
	for since, want := range map[string]string{
		"2029-04-17T12:00:00Z": "in the future, about 3 years from now",
		"2026-03-10T13:10:00Z": "in the future, about an hour from now",
		"2026-03-01T12:00:00Z": "too long ago, about 9 days:",
		"1970-01-01T00:00:00Z": "too long ago, about 56 years:",
	} {
		w := newRig(t, setup{}).post(`{"service":"x","symptom":"slow","surface":"web","since":"`+since+`"}`, nil)
		if !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "(it is 2026-03-10T12:00:00Z here)") {
			t.Errorf("%s: %s", since, w.Body)
		}
	}
}
