package web

import (
	"context"
	"io"
	"log/slog"
	"math"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/publish/live"
)

// noon is the fixture's "now"; its day has a short first wave and a long second.
var noon = time.Date(2026, 5, 4, 16, 0, 40, 0, time.UTC)

func at(h, m int) time.Time { return time.Date(2026, 5, 4, h, m, 0, 0, time.UTC) }

// bump is a wave: quick up, slow down.
func bump(t, onset time.Time, height, hours float64) float64 {
	d := t.Sub(onset).Hours()
	if d < 0 {
		return 0
	}
	return height * math.Min(d*6, 1) * math.Exp(-d/hours)
}

// usualAt is what is ordinary in a minute: a daily curve.
func usualAt(t time.Time, level float64) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	return level * (1 + 0.6*math.Sin((h-9)/24*2*math.Pi))
}

type fakeDay struct {
	d live.Delta
}

// reports adds 24 hours of a series: usual level, a little noise, waves.
func (f *fakeDay) reports(s faultline.Series, level float64, band bool, wave func(time.Time) float64) {
	for m := range 24 * 60 {
		t := noon.Truncate(time.Minute).Add(-time.Duration(24*60-m) * time.Minute)
		u := usualAt(t, level)
		noise := 1 + 0.25*math.Sin(float64(m)*1.7+float64(len(s.Service)))*math.Cos(float64(m)*0.31)
		v := math.Round(u*noise + wave(t))
		f.d.Samples = append(f.d.Samples, faultline.Sample{Series: s, Start: t, Width: faultline.Seconds(time.Minute), Value: v, N: v, Complete: 1, Revision: 1, Origin: faultline.Measured})
		if band && m%5 == 4 {
			e := u * 5
			verdict := faultline.Usual
			if v*5 > e*3+20 {
				verdict = faultline.Surging
			}
			f.d.Readings = append(f.d.Readings, faultline.Reading{
				Series: s, At: t.Add(time.Minute), Value: v * 5, Expected: e, Low: math.Max(e-2*math.Sqrt(e), 0), High: e + 2*math.Sqrt(e) + 1,
				Width: faultline.Seconds(5 * time.Minute), Verdict: verdict, Age: faultline.Seconds(time.Duration(len(s.Service)) * 2 * 24 * time.Hour), Origin: faultline.Measured,
			})
		}
	}
}

func (f *fakeDay) checks(id faultline.ServiceID, vantage, target string, fails func(time.Time) bool) {
	s := faultline.Series{Metric: faultline.MetricReach, Service: id, Level: faultline.AtVantage, Vantage: vantage, Target: target, Country: "DE", ASN: 64496}
	for m := range 24 * 60 {
		t := noon.Truncate(time.Minute).Add(-time.Duration(24*60-m) * time.Minute)
		x := faultline.Sample{Series: s, Start: t, Width: faultline.Seconds(time.Minute), Value: 1, N: 1, Complete: 1, Revision: 1, Origin: faultline.Measured}
		if fails(t) {
			x.Value, x.Failure, x.Op, x.Confirmed = 0, faultline.GenericTimeout, faultline.OpConnect, true
		}
		f.d.Samples = append(f.d.Samples, x)
	}
}

func world(id faultline.ServiceID) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: id}
}

func in(id faultline.ServiceID, c faultline.Country) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: id, Level: faultline.InCountry, Country: c}
}

func fixtureServices() []faultline.Service {
	return []faultline.Service{
		{ID: "larkpost", Name: "Larkpost", Category: "social network", Targets: []faultline.Target{{URL: "https://larkpost.example/"}}},
		{ID: "tallybank", Name: "Tallybank", Category: "bank"},
		{ID: "hexwell", Name: "Hexwell Cloud", Category: "cloud"},
		{ID: "quillmail", Name: "Quillmail", Category: "mail"},
		{ID: "veldt", Name: "Veldt Video", Category: "video"},
		{ID: "ferryline", Name: "Ferryline", Category: "tickets"},
		{ID: "orrery", Name: "Orrery Games", Category: "games"},
	}
}

func none(time.Time) float64 { return 0 }

// incidents of the fixture: one that goes on, confirmed, with revisions; one
// possible; one over; one retracted.
func fixtureIncidents() []faultline.Incident {
	first := faultline.Episode{Onset: at(9, 45), OnsetLow: at(9, 42), OnsetHigh: at(9, 47), Peak: at(10, 0), End: at(10, 30), PeakValue: 1240, PeakUsual: 60, PeakWidth: faultline.Seconds(20 * time.Minute), Events: []string{"e1"}}
	second := faultline.Episode{Onset: at(13, 38), OnsetLow: at(13, 35), OnsetHigh: at(13, 41), Peak: at(14, 0), PeakValue: 8120, PeakUsual: 198, PeakWidth: faultline.Seconds(20 * time.Minute), Events: []string{"e2"}}
	base := faultline.Incident{
		ID: "larkpost-2026-05-04", By: "incident/1", Service: "larkpost", Opened: at(9, 50), Onset: at(9, 45), Origin: faultline.Measured,
		Scope: faultline.Scope{Global: true, Vantages: 2, OfVantages: 2, Countries: []faultline.CountryShare{
			{Country: "GB", Share: 0.46, N: 4020, Ratio: 41, Surging: true},
			{Country: "US", Share: 0.31, N: 2700, Ratio: 22, Surging: true},
			{Country: "JP", Share: 0.12, N: 1040, Ratio: 12},
			{Country: "KE", Share: 0.001, N: 2, Ratio: 3},
		}, ASNs: []faultline.ASNShare{{Country: "GB", ASN: 2856, Share: 0.18, N: 1500}}},
		Peak:    faultline.PeakReports{At: at(14, 0), Value: 8120, Usual: 198, Width: faultline.Seconds(20 * time.Minute)},
		Failure: faultline.GenericTimeout, Op: faultline.OpConnect, Events: []string{"e1", "e2"},
	}
	one := base
	one.Revision, one.At, one.State, one.Worst, one.Instruments = 1, at(9, 50), faultline.Possible, faultline.Possible, []string{"reports"}
	one.Episodes, one.Scope = []faultline.Episode{{Onset: at(9, 45), OnsetLow: at(9, 42), OnsetHigh: at(9, 47), PeakValue: 310, PeakUsual: 40, PeakWidth: faultline.Seconds(5 * time.Minute)}}, faultline.Scope{}
	one.Peak = faultline.PeakReports{At: at(9, 50), Value: 310, Usual: 40, Width: faultline.Seconds(5 * time.Minute)}
	one.Changes = []faultline.Change{{At: at(9, 50), To: faultline.Possible, By: "incident/1", Why: "people in 3 networks or more report far more problems than usual", Because: []string{"e1"}}}
	two := one
	two.Revision, two.At, two.State, two.End = 2, at(10, 40), faultline.Recovering, at(10, 30)
	two.Episodes = []faultline.Episode{first}
	two.Changes = append(one.Changes[:1:1], faultline.Change{At: at(10, 40), From: faultline.Possible, To: faultline.Recovering, By: "incident/1", Why: "reports are back inside the usual range for 10 minutes", Because: []string{"e1"}})
	three := base
	three.Revision, three.At, three.State, three.Worst, three.Instruments = 3, at(15, 58), faultline.Confirmed, faultline.Confirmed, []string{"reports", "probes"}
	three.Episodes = []faultline.Episode{first, second}
	three.Span, three.Disrupted = faultline.Seconds(6*time.Hour+13*time.Minute), faultline.Seconds(3*time.Hour+5*time.Minute)
	three.Changes = append(two.Changes[:2:2], faultline.Change{At: at(13, 44), From: faultline.Recovering, To: faultline.Confirmed, By: "incident/1", Why: "people and probes agree: 2 of 2 vantage points cannot connect", Because: []string{"e2", "e3"}})
	three.Affected = &faultline.Affected{At: at(14, 5), Value: 0.558, Low: 0.034, High: 0.978, Instruments: []string{"probes", "reports"}}
	three.Episodes[1].Affected = three.Affected
	three.AffectedNow = &faultline.Affected{At: at(15, 55), Value: 0.31, Low: 0.014, High: 0.94, Instruments: []string{"reports"}}
	three.Severity = &faultline.Severity{Value: 2.104, Low: 0.131, High: 5.004, Known: 0.93}
	three.What = []faultline.Aspect{
		{Symptom: faultline.CannotLogIn, N: 5400, Share: 0.66, Usual: 0.12, Ratio: 210, Surging: true, StandsOut: true},
		{Symptom: faultline.CannotLoad, N: 2700, Share: 0.33, Usual: 0.52, Ratio: 24, Surging: true},
		{Symptom: faultline.Slow, N: 60, Share: 0.01, Usual: 0.14},
		{Symptom: faultline.CannotPost, N: 2, Share: 0.0002, Usual: 0.06},
		{Surface: faultline.App, N: 7600, Share: 0.93, Usual: 0.55, Ratio: 61, Surging: true, StandsOut: true},
		{Surface: faultline.Web, N: 520, Share: 0.06, Usual: 0.4, Ratio: 6},
		{Surface: faultline.API, N: 4, Share: 0.0005, Usual: 0.05, Ratio: 3},
	}
	three.Notes = []faultline.Note{{At: at(14, 30), By: "ada", Text: "The service’s own status page says nothing yet."}}

	maybe := faultline.Incident{
		ID: "hexwell-2026-05-04", Revision: 1, By: "incident/1", At: at(15, 50), Service: "hexwell", State: faultline.Possible, Worst: faultline.Possible, Opened: at(15, 30), Onset: at(15, 20), Origin: faultline.Measured,
		Disrupted: faultline.Seconds(30 * time.Minute), Span: faultline.Seconds(30 * time.Minute), Instruments: []string{"reports"},
		Episodes: []faultline.Episode{{Onset: at(15, 20), OnsetLow: at(15, 19), OnsetHigh: at(15, 21), PeakValue: 96, PeakUsual: 20, PeakWidth: faultline.Seconds(10 * time.Minute)}},
		Scope:    faultline.Scope{Countries: []faultline.CountryShare{{Country: "DE", Share: 1, N: 76, Ratio: 5}}},
		Peak:     faultline.PeakReports{At: at(15, 45), Value: 96, Usual: 20, Width: faultline.Seconds(10 * time.Minute), Country: "DE"},
		Changes:  []faultline.Change{{At: at(15, 30), To: faultline.Possible, By: "incident/1", Why: "people report far more problems than usual"}},
	}
	over := maybe
	over.ID, over.Service, over.State, over.Worst, over.Instruments = "tallybank-2026-05-02", "tallybank", faultline.Resolved, faultline.Confirmed, []string{"reports", "probes"}
	over.Onset, over.End, over.Resolved, over.At = at(8, 0).AddDate(0, 0, -2), at(9, 30).AddDate(0, 0, -2), at(10, 0).AddDate(0, 0, -2), at(10, 0).AddDate(0, 0, -2)
	over.Disrupted, over.Span, over.Peak.Country = faultline.Seconds(90*time.Minute), faultline.Seconds(90*time.Minute), ""
	over.Episodes = []faultline.Episode{{Onset: over.Onset, OnsetLow: over.Onset, OnsetHigh: over.Onset, End: over.End}}
	over.Severity = &faultline.Severity{Value: 0.4, Low: 0.02, High: 1.4, Known: 1}
	older := over // before: a longer one, less severe, and one of which that cannot be told
	older.ID, older.Service, older.Onset, older.End = "larkpost-2026-04-12", "larkpost", at(8, 0).AddDate(0, 0, -22), at(12, 0).AddDate(0, 0, -22)
	older.Disrupted, older.Span, older.At, older.Resolved = faultline.Seconds(4*time.Hour), faultline.Seconds(4*time.Hour), at(13, 0).AddDate(0, 0, -22), at(13, 0).AddDate(0, 0, -22)
	dark := older
	dark.ID, dark.Onset, dark.End, dark.Severity = "larkpost-2026-03-30", at(8, 0).AddDate(0, 0, -35), at(8, 20).AddDate(0, 0, -35), nil
	dark.Disrupted, dark.Span = faultline.Seconds(20*time.Minute), faultline.Seconds(20*time.Minute)
	taken := over
	taken.ID, taken.Service, taken.State, taken.Reason = "quillmail-2026-05-01", "quillmail", faultline.Retracted, "Our vantage point was at fault."
	taken.Onset = taken.Onset.AddDate(0, 0, -1)
	taken.Changes = append(taken.Changes[:1:1], faultline.Change{At: taken.At, From: faultline.Possible, To: faultline.Retracted, By: "ada", Why: "Our vantage point was at fault."})
	return []faultline.Incident{one, two, three, maybe, over, older, dark, taken}
}

// busy is the fixture's model on a bad day.
func busy() *live.Model {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	waves := func(k float64) func(time.Time) float64 {
		return func(t time.Time) float64 { return k * (bump(t, at(9, 45), 120, 0.4) + bump(t, at(13, 38), 400, 1.6)) }
	}
	f.reports(world("larkpost"), 8, true, waves(1))
	f.reports(in("larkpost", "GB"), 3, true, waves(0.46))
	f.reports(in("larkpost", "US"), 3, true, waves(0.31))
	f.reports(in("larkpost", "JP"), 1, true, waves(0.12))
	f.reports(in("larkpost", "KE"), 0.02, false, none)
	f.reports(world("hexwell"), 2, true, func(t time.Time) float64 { return bump(t, at(15, 20), 9, 4) })
	f.reports(in("hexwell", "DE"), 2, true, func(t time.Time) float64 { return bump(t, at(15, 20), 9, 4) })
	f.reports(world("tallybank"), 4, true, none)
	f.reports(world("quillmail"), 1.5, true, none)
	f.reports(world("veldt"), 3, true, func(t time.Time) float64 { return bump(t, at(3, 0), 4, 1) })
	f.checks("larkpost", "local", "https://larkpost.example/", func(t time.Time) bool { return !t.Before(at(13, 38)) })
	f.checks("larkpost", "harbour", "https://larkpost.example/", func(t time.Time) bool { return !t.Before(at(13, 39)) && t.Minute()%3 != 0 })
	f.checks("quillmail", "local", "https://quillmail.example/", func(time.Time) bool { return false })
	for i, s := range faultline.Symptoms() {
		f.d.Cells = append(f.d.Cells, faultline.Cell{Service: "larkpost", Start: at(15, 30+i), Symptom: s, Surface: faultline.Surfaces()[i%3], N: 900 / (i + 1), Place: faultline.Place{Country: "GB"}})
	}
	f.d.Cells = append(f.d.Cells, faultline.Cell{Service: "larkpost", Start: at(15, 50), Works: true, Surface: faultline.App, N: 45})
	f.d.Incidents = fixtureIncidents()
	both := []string{"reports", "probes"}
	f.d.Statuses = []faultline.Status{
		{Service: "larkpost", At: noon, State: faultline.Confirmed, Since: at(13, 44), Incident: "larkpost-2026-05-04", Awake: both},
		{Service: "hexwell", At: noon, State: faultline.Possible, Since: at(15, 30), Incident: "hexwell-2026-05-04", Awake: both[:1]},
		{Service: "tallybank", At: noon, State: faultline.Fine, Awake: both[:1]},
		{Service: "quillmail", At: noon, State: faultline.Fine, Awake: both},
		{Service: "veldt", At: noon, State: faultline.OddState, Awake: both[:1]},
		{Service: "ferryline", At: noon, State: faultline.Unclear, Reason: "too_few"},
	}
	f.d.Commands = []live.Command{{At: at(14, 30), ID: "0-9-1", Command: faultline.Command{Operator: "ada", Action: faultline.Annotate, Incident: "larkpost-2026-05-04", Text: "The service’s own status page says nothing yet."}}}
	f.d.At, f.d.Quality = noon, quality()
	m.Apply(f.d)
	return m
}

// quality is a record of three months: the world's large series are right, those
// of countries too often surprising at 0.1 %, and of networks hardly any was seen.
func quality() *faultline.Quality {
	q := &faultline.Quality{At: noon, Since: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	for n, level := range []faultline.Level{faultline.World, faultline.InCountry, faultline.InASN} {
		for _, usual := range faultline.Classes() {
			c := faultline.Curve{Level: level, Usual: usual, Hits: make([]int, faultline.Decades), Squares: make([]int, faultline.Decades)}
			switch {
			case level == faultline.World && usual == faultline.AboveTen:
				c.N, c.Hits, c.Squares = 40_000, []int{3900, 410, 38, 4, 0, 0}, []int{11000, 900, 70, 6, 0, 0}
			case level == faultline.InCountry && usual == faultline.BelowOne:
				c.N, c.Hits, c.Squares = 90_000, []int{7000, 880, 290, 12, 1, 0}, []int{20000, 2000, 600, 20, 1, 0}
			case n == 2 && usual == faultline.BelowTenth:
				c.N, c.Hits, c.Squares = 900, []int{3, 0, 0, 0, 0, 0}, []int{3, 0, 0, 0, 0, 0}
			}
			q.Curves = append(q.Curves, c)
		}
	}
	for range 90 {
		q.Days = append(q.Days, 12*96)
	}
	return q
}

// calm is the fixture's model on a quiet day.
func calm() *live.Model {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	for _, s := range fixtureServices()[:5] {
		f.reports(world(s.ID), 3, true, none)
		f.d.Statuses = append(f.d.Statuses, faultline.Status{Service: s.ID, At: noon, State: faultline.Fine, Awake: []string{"reports"}})
	}
	f.d.At = noon
	m.Apply(f.d)
	return m
}

// fakeHistory draws weeks from the same curve as the day.
type fakeHistory struct{}

func (fakeHistory) Series(_ context.Context, s faultline.Series, from, to time.Time, step time.Duration) (out []live.Bin, _ error) {
	for t := from.Truncate(step); t.Before(to); t = t.Add(step) {
		e := usualAt(t, 8) * step.Minutes()
		out = append(out, live.Bin{Start: t, Value: math.Round(e * (1 + 0.1*math.Sin(float64(t.Unix()/3600)))), Expected: e, Low: e * 0.8, High: e * 1.25, Band: true, Complete: 1})
	}
	return out, nil
}

func (fakeHistory) Reach(_ context.Context, id faultline.ServiceID, from, to time.Time, step time.Duration) (out []live.Reach, _ error) {
	for t := from.Truncate(step); id != "hexwell" && t.Before(to); t = t.Add(step) {
		out = append(out, live.Reach{Start: t, N: 10, OK: 10})
	}
	return out, nil
}

var fixtureDocs = fstest.MapFS{
	"index.md":         {Data: []byte("# Documents\n\nSee [operate](howto/operate.md#disk).\n\n<script>alert(1)</script>\n")},
	"howto/operate.md": {Data: []byte("# Operate it\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nBack to [the index](../index.md), or [outside](https://example.org/x.md).\n")},
}

type site struct {
	*Site
	registry *prometheus.Registry
	model    *live.Model
	clock    time.Time
}

// newSite makes a site over a model with a clock that stands still.
func newSite(t testing.TB, m *live.Model, with ...func(*Deps)) *site {
	t.Helper()
	x := &site{registry: prometheus.NewRegistry(), model: m, clock: noon}
	d := Deps{
		View: m.View, History: fakeHistory{}, Docs: fixtureDocs, Clock: func() time.Time { return x.clock }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics: NewMetrics(x.registry), Version: "test", Attribution: []string{"Countries of networks: public domain."},
		Retention: []Retention{{"Raw reports", "90 days", "the operator only"}, {"Counts per minute", "90 days", "CC BY 4.0"}},
		Search: func(q string) (out []faultline.Service) {
			for _, s := range fixtureServices() {
				if q == "o" || q == string(s.ID) || q == s.Name {
					out = append(out, s)
				}
			}
			return out
		},
		Replays: []Link{{"/replay/2025-03-10-x/", "X, 10 March 2025", "Reconstructed from published figures, not measured."}},
	}
	for _, f := range with {
		f(&d)
	}
	var err error
	if x.Site, err = New(d); err != nil {
		t.Fatal(err)
	}
	return x
}

func replaying(d *Deps) {
	d.Base = "/replay/2025-03-10-x"
	d.Replay = &Replay{Case: "2025-03-10-x", Title: "Replay of 10 March 2025", Notice: "reconstructed from published figures, not measured"}
}
