package web

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

func wrongOf(t *testing.T, m *live.Model) (body string, doc *qualityDoc) {
	t.Helper()
	s := newSite(t, m)
	var twin methodDoc
	if err := json.Unmarshal(get(t, s, "/method.json").Body.Bytes(), &twin); err != nil {
		t.Fatal(err)
	}
	return get(t, s, "/method").Body.String(), twin.Quality
}

func TestTheMethodPageShowsHowOftenWeAreWrong(t *testing.T) {
	body, doc := wrongOf(t, busy())
	for _, want := range []string{
		"How often are we wrong?", "130,900 readings since February 2026", `aria-label="Calibration curve. What should come in 1 % of readings came for the world in 1 %, for countries in 0.98 %, for networks in 0. `,
		"Countries, 0.1 to 1 usual", "too often", "too few to say", "as it should",
		"In 365 days and 154 series-weeks 1 of 6 incidents was taken back: 6.5 in a thousand series-weeks (0.1 to 36.1).", "Our vantage point was at fault.",
		"3 days to 2 weeks", "Quillmail",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if doc.Readings != 130_900 || len(doc.Curves) != 15 || len(doc.Alarms) != 3 || doc.Baselines.Series != 9 {
		t.Errorf("%d readings, %d curves, %d records, baselines %+v", doc.Readings, len(doc.Curves), len(doc.Alarms), doc.Baselines)
	}
	for _, c := range doc.Curves {
		o := c.Decades[2]
		switch want := map[string]string{"world >10": "as it should", "country 0.1-1": "too often", "network <0.1": "too few to say"}[c.Level+" "+c.Usual]; {
		case want != "" && (o.Verdict != want || o.P != 0.001 || o.Low > o.Share || o.Share > o.High):
			t.Errorf("%s %s: %+v, want %s", c.Level, c.Usual, o, want)
		}
	}
}

func TestNothingIsCountedYet(t *testing.T) {
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	for name, m := range map[string]*live.Model{"calm": calm(), "empty": empty} {
		body, doc := wrongOf(t, m)
		if n := strings.Count(body, "Nothing counted yet"); n < 2 || name == "empty" && n != 3 || strings.Contains(body, "0 readings") {
			t.Errorf("%s: said %d times", name, n)
		}
		if doc.Readings != 0 || doc.Alarms[2].Incidents != 0 || doc.Alarms[2].Known != (jsonRate{}) {
			t.Errorf("%s: %+v", name, doc)
		}
	}
}

// recordWith is a model with incidents that came to these ends so many days ago.
func recordWith(incidents ...faultline.Incident) *live.View {
	m := live.New(live.Limits{})
	m.Apply(live.Delta{At: noon, Incidents: incidents, Quality: quality()})
	return m.View()
}

func TestFalseAlarmsAreCountedByWhatBecameOfThem(t *testing.T) {
	n := 0
	ended := func(days int, state, worst faultline.State, reason string) faultline.Incident {
		n++
		return faultline.Incident{ID: "x-" + string(rune('a'+n)), Revision: 1, Service: "x", Opened: noon.AddDate(0, 0, -days), Onset: noon.AddDate(0, 0, -days), State: state, Worst: worst, Reason: reason}
	}
	merged := ended(1, faultline.Retracted, faultline.Possible, "part of another")
	merged.MergedInto = "x-2026-05-03"
	all := alarmsOf(recordWith(
		merged, ended(2, faultline.Retracted, faultline.Possible, "a script"), ended(40, faultline.Retracted, faultline.Confirmed, "a script"), ended(100, faultline.Retracted, faultline.Possible, ""),
		ended(3, faultline.Resolved, faultline.Confirmed, ""), ended(5, faultline.Resolved, faultline.Possible, ""), ended(0, faultline.Possible, faultline.Possible, ""), ended(400, faultline.Retracted, faultline.Possible, "long ago"),
	))
	for i, want := range []alarms{{Days: 30, Incidents: 4, Confirmed: 1, Retracted: 1, Unconfirmed: 1, Open: 1}, {Days: 90, Incidents: 5, Confirmed: 1, Retracted: 2, Unconfirmed: 1, Open: 1}, {Days: 365, Incidents: 6, Confirmed: 1, Retracted: 3, Unconfirmed: 1, Open: 1}} {
		got := all[i]
		if got.Days != want.Days || got.Incidents != want.Incidents || got.Confirmed != want.Confirmed || got.Retracted != want.Retracted || got.Unconfirmed != want.Unconfirmed || got.Open != want.Open || got.Cut {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	year := all[2]
	if len(year.Reasons) != 2 || year.Reasons[0] != (jsonCause{"a script", 2}) || year.Reasons[1].Reason != "no reason was given" {
		t.Errorf("reasons %+v", year.Reasons)
	}
	weeks := 90 * 12 / 7.0
	if math.Abs(year.Known.Rate-3/weeks) > 1e-4 || year.Known.Low >= year.Known.Rate || year.Known.High <= year.Known.Rate || math.Abs(year.Most.Rate-4/weeks) > 1e-4 {
		t.Errorf("%v series-weeks: %+v, %+v", year.Weeks, year.Known, year.Most)
	}
	if say := year.Say(); !strings.Contains(say, "3 of 6 incidents were taken back") || !strings.Contains(say, "1 more ended without ever being confirmed") {
		t.Error(say)
	}
}

// When there were more incidents than the model holds, the record says so.
func TestACutRecordSaysSo(t *testing.T) {
	m := live.New(live.Limits{Incidents: 2, Revisions: 5, Commands: 5, Events: 5, Countries: 5, Series: 5, Vantages: 5})
	for _, day := range []int{20, 10, 5} {
		at := noon.AddDate(0, 0, -day)
		m.Apply(live.Delta{At: noon, Incidents: []faultline.Incident{{ID: "x-" + at.Format(time.DateOnly), Revision: 1, Service: "x", Opened: at, Onset: at, State: faultline.Resolved, Worst: faultline.Possible}}, Quality: quality()})
	}
	a := alarmsOf(m.View())[0]
	if !a.Cut || a.Incidents != 2 || !strings.Contains(a.Say(), "more incidents than are held here") {
		t.Errorf("%+v: %s", a, a.Say())
	}
}

func TestSmallSharesAreWrittenWithTwoDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.1: "10 %", 0.123: "12 %", 0.0072: "0.72 %", 0.001: "0.1 %", 1e-6: "0.0001 %", 0.0000123: "0.0012 %", 1: "100 %"} {
		if got := shareText(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}
