package web

import (
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

// limping is a service of which three of ten checks fail since three o'clock.
func limping(recovered time.Time) *live.Model {
	m := live.New(live.Limits{})
	m.SetServices([]faultline.Service{{ID: "x", Name: "X"}})
	var f fakeDay
	f.reports(world("x"), 8, true, none)
	f.checks("x", "london", "https://x.example/", func(t time.Time) bool { return t.Hour() == 15 && strings.ContainsRune("037", rune('0'+t.Minute()%10)) })
	f.d.At = noon
	f.d.Statuses = []faultline.Status{{Service: "x", At: noon, State: faultline.OddState, Since: at(15, 20), Awake: []string{"reports", "probes"}, Origin: faultline.Measured}}
	f.d.Events = []faultline.Event{{
		ID: "drop-1", Revision: 1, By: "bbscan/1", Kind: faultline.Drop, State: faultline.EventOpen, Opened: at(15, 20), At: noon, Onset: at(15, 0), OnsetLow: at(15, 0), OnsetHigh: at(15, 0),
		Peak: at(15, 0), PeakValue: 0.7, PeakUsual: 0.999, LogP: 12, Recovered: recovered, Origin: faultline.Measured,
		Series: faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "london", Target: "https://x.example/", Country: "DE", ASN: 64496},
	}}
	m.Apply(f.d)
	return m
}

func TestChecksThatFailNowAndThenAreSaidInNumbers(t *testing.T) {
	s := newSite(t, limping(time.Time{}))
	for _, path := range []string{"/s/x", "/s/x.json"} {
		body := get(t, s, path).Body.String()
		if !strings.Contains(body, "X fails now and then, as one vantage point sees it") {
			t.Errorf("%s does not say that it fails now and then", path)
		}
		if !strings.Contains(body, "18 of 60 checks") || !strings.Contains(body, "from vantage point london failed in the last 1 h,") {
			t.Errorf("%s does not say how many checks fail", path)
		}
	}
	if body := get(t, newSite(t, limping(at(15, 59))), "/s/x").Body.String(); strings.Contains(body, "now and then") {
		t.Error("it is said of checks that succeed again")
	}
}
