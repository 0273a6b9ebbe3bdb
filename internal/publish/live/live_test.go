package live_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/publish/live"
)

// A service that was taken off the list is gone for good, although the chain goes
// on about it; one with an incident stays.
func TestAServiceThatIsNoLongerListedIsGone(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices([]faultline.Service{{ID: "x"}, {ID: "y"}, {ID: "z"}})
	about := func(id faultline.ServiceID) live.Delta {
		return live.Delta{
			At: at, Samples: []faultline.Sample{sample(world(id), noon.Add(-time.Minute), 4)}, Readings: []faultline.Reading{{Series: world(id), At: noon}},
			Statuses: []faultline.Status{{Service: id, At: noon, State: faultline.Fine}}, Cells: []faultline.Cell{{Service: id, Start: noon}},
			Events: []faultline.Event{{ID: "e", Series: world(id)}},
		}
	}
	d := about("y")
	d.Incidents = []faultline.Incident{{ID: "y-1", Revision: 1, Service: "y"}}
	m.Apply(d)
	m.SetServices([]faultline.Service{{ID: "z"}})
	for _, id := range []faultline.ServiceID{"x", "y", "z"} {
		m.Apply(about(id))
		if got := m.View().Service(id) != nil; got != (id != "x") {
			t.Errorf("%s is there: %v", id, got)
		}
	}
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func world(id faultline.ServiceID) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: id}
}

func in(id faultline.ServiceID, c faultline.Country) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: id, Level: faultline.InCountry, Country: c}
}

func sample(s faultline.Series, start time.Time, value float64) faultline.Sample {
	return faultline.Sample{Series: s, Start: start, Width: faultline.Seconds(time.Minute), Value: value, Complete: 1, Revision: 1, Origin: faultline.Measured}
}

// at is data time late enough that the bin before noon is shown.
var at = noon.Add(40 * time.Second)

func TestFiveMinutesAreTheSumOfTheirMinutes(t *testing.T) {
	m := live.New(live.Limits{})
	var d live.Delta
	d.At = at
	for i := 1; i <= 5; i++ {
		d.Samples = append(d.Samples, sample(world("x"), noon.Add(-time.Duration(i)*time.Minute), float64(i)))
	}
	m.Apply(d)
	b := m.View().Service("x").World.Now()
	if b.Value != 15 || b.Complete != 1 || !b.Start.Equal(noon.Add(-5*time.Minute)) {
		t.Errorf("newest bin %+v, want 15 from 11:55, complete", b)
	}
}

func TestAMinuteThatWasNotWatchedIsUnknownAndNotZero(t *testing.T) {
	m := live.New(live.Limits{})
	s := sample(world("x"), noon.Add(-time.Minute), 0)
	m.Apply(live.Delta{At: at, Samples: []faultline.Sample{s}})
	if b := m.View().Service("x").World.Now(); b.Known() || b.Complete != 0.2 {
		t.Errorf("one minute of five was watched, but the bin is %+v", b)
	}
}

func TestALaterRevisionReplacesAMinute(t *testing.T) {
	first, second := sample(world("x"), noon.Add(-time.Minute), 4), sample(world("x"), noon.Add(-time.Minute), 9)
	second.Revision = 2
	for name, order := range map[string][]faultline.Sample{
		"in order":               {first, second},
		"the other way":          {second, first},
		"applied more than once": {first, second, first, second},
	} {
		t.Run(name, func(t *testing.T) {
			m := live.New(live.Limits{})
			m.Apply(live.Delta{At: at, Samples: order})
			if b := m.View().Service("x").World.Now(); b.Value != 9 {
				t.Errorf("value %v, want that of revision 2", b.Value)
			}
		})
	}
}

func TestTheUsualBandIsScaledToFiveMinutes(t *testing.T) {
	m := live.New(live.Limits{})
	m.Apply(live.Delta{
		At: at, Samples: []faultline.Sample{sample(world("x"), noon.Add(-time.Minute), 1)},
		Readings: []faultline.Reading{{Series: world("x"), At: noon, Value: 4, Expected: 20, Low: 10, High: 30, Width: faultline.Seconds(20 * time.Minute), Verdict: faultline.Usual}},
	})
	b := m.View().Service("x").World.Now()
	if !b.Band || b.Expected != 5 || b.Low != 0 || b.High != 10 {
		t.Errorf("band %+v; want 5, from 0 (5−10/2) to 10 (5+10/2)", b)
	}
}

func TestASecondAttemptReplacesTheFirst(t *testing.T) {
	s := faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "local", Target: "https://x.com/"}
	fail := faultline.Sample{Series: s, Start: noon.Add(-time.Minute), Width: faultline.Seconds(time.Minute), N: 1, Complete: 1, Revision: 1, Failure: faultline.GenericTimeout}
	ok := fail
	ok.Revision, ok.Value, ok.Failure = 2, 1, ""
	m := live.New(live.Limits{})
	m.Apply(live.Delta{At: at, Samples: []faultline.Sample{fail, ok}})
	svc := m.View().Service("x")
	if r := svc.Reach[len(svc.Reach)-1]; r.N != 1 || r.OK != 1 {
		t.Errorf("reach %+v, want one check that succeeded", r)
	}
	if v := svc.Vantages[0]; !v.Reached || v.Failure != "" || !v.Fresh(at) {
		t.Errorf("vantage %+v", v)
	}
}

func TestAnImpairedCheckIsCountedApart(t *testing.T) {
	s := faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "local", Target: "https://x.com/"}
	m := live.New(live.Limits{})
	m.Apply(live.Delta{At: at, Samples: []faultline.Sample{{Series: s, Start: noon.Add(-time.Minute), Width: faultline.Seconds(time.Minute), Impaired: faultline.NoRoute}}})
	svc := m.View().Service("x")
	if r := svc.Reach[len(svc.Reach)-1]; r.Known() || r.Impaired != 1 {
		t.Errorf("reach %+v, want unknown with one impaired check", r)
	}
}

func TestCellsOfTheLastHourAddUp(t *testing.T) {
	m := live.New(live.Limits{})
	c := faultline.Cell{Service: "x", Start: noon.Add(-time.Minute), Symptom: faultline.Slow, Surface: faultline.API, N: 3}
	old := c
	old.Start = noon.Add(-2 * time.Hour)
	works := faultline.Cell{Service: "x", Start: c.Start, Surface: faultline.App, Works: true, N: 5}
	m.Apply(live.Delta{At: at, Cells: []faultline.Cell{old, c, c, works}})
	mix := m.View().Service("x").Mix
	if mix.Symptom[faultline.Slow] != 6 || mix.Surface[faultline.API] != 6 || mix.Problem != 6 || mix.Works != 5 {
		t.Errorf("mix %+v", mix)
	}
}

func revision(id string, n int, onset time.Time, state faultline.State) faultline.Incident {
	return faultline.Incident{ID: id, Revision: n, Service: "x", State: state, Onset: onset, At: onset}
}

func TestAllRevisionsOfAnIncidentStay(t *testing.T) {
	m := live.New(live.Limits{})
	m.Apply(live.Delta{At: at, Incidents: []faultline.Incident{
		revision("x-1", 1, noon, faultline.Possible), revision("x-1", 3, noon, faultline.Recovering), revision("x-1", 2, noon, faultline.Confirmed), revision("x-1", 2, noon, faultline.Resolved),
	}})
	i := m.View().Incident("x-1")
	if len(i.Revisions) != 3 || i.Now().Revision != 3 || i.Revision(2).State != faultline.Confirmed || i.Revision(9) != nil {
		t.Errorf("revisions %+v", i.Revisions)
	}
	if open := m.View().Service("x").Open(); open != i {
		t.Errorf("open incident %v", open)
	}
}

func TestAViewNeverChanges(t *testing.T) {
	m := live.New(live.Limits{})
	m.Apply(live.Delta{At: at, Incidents: []faultline.Incident{revision("x-1", 1, noon, faultline.Possible)}})
	before := m.View()
	m.Apply(live.Delta{At: at.Add(time.Minute), Incidents: []faultline.Incident{revision("x-1", 2, noon, faultline.Resolved)}, Samples: []faultline.Sample{sample(world("x"), noon, 7)}})
	if i := before.Incident("x-1"); i.Now().Revision != 1 || before.Service("x").Open() == nil {
		t.Error("an old view shows new revisions")
	}
	if after := m.View(); after.Version == before.Version || after.Incident("x-1").Now().Revision != 2 {
		t.Error("a new view does not")
	}
}

func TestViewIsSharedWhileNothingHappens(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices([]faultline.Service{{ID: "x", Name: "X"}, {ID: "y", Name: "Y"}})
	v := m.View()
	if m.View() != v {
		t.Error("a second view was made without a change")
	}
	m.Apply(live.Delta{At: at, Samples: []faultline.Sample{sample(world("x"), noon, 1)}})
	if w := m.View(); w.Service("y") != v.Service("y") || w.Service("x") == v.Service("x") {
		t.Error("the service without news was made anew, or the other was not")
	}
}

func TestLimitsHold(t *testing.T) {
	l := live.Limits{Countries: 3, Series: 4, Vantages: 2, Events: 5, Incidents: 4, Revisions: 6, Commands: 3}
	rapid.Check(t, func(t *rapid.T) {
		m := live.New(l)
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := faultline.ServiceID(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "service"))
			c := faultline.Country(rapid.SampledFrom([]string{"GB", "US", "DE", "FR", "JP", "BR"}).Draw(t, "country"))
			m.Apply(live.Delta{
				At:       at,
				Samples:  []faultline.Sample{sample(in(id, c), noon.Add(-time.Minute), float64(i+1))},
				Events:   []faultline.Event{{ID: fmt.Sprint("e", i), Series: world(id), Onset: noon.Add(time.Duration(i))}},
				Commands: []live.Command{{ID: fmt.Sprint(i), At: noon}},
				Incidents: []faultline.Incident{revision(fmt.Sprint("x-", i%7), i, noon.Add(time.Duration(i%7)*time.Hour),
					rapid.SampledFrom([]faultline.State{faultline.Possible, faultline.Resolved}).Draw(t, "state"))},
			})
		}
		v, series := m.View(), 0
		for _, s := range v.Services {
			series += len(s.Countries)
			if len(s.Countries) > l.Countries || len(s.Events) > l.Events {
				t.Fatalf("%s has %d countries and %d events", s.ID, len(s.Countries), len(s.Events))
			}
		}
		if series > l.Series || len(v.Commands) > l.Commands {
			t.Fatalf("%d series, %d commands", series, len(v.Commands))
		}
		for _, i := range v.Incidents {
			if len(i.Revisions) > l.Revisions {
				t.Fatalf("%d revisions", len(i.Revisions))
			}
		}
	})
}

func TestLoadReadsControlRecords(t *testing.T) {
	body, _ := json.Marshal(revision("x-1", 1, noon, faultline.Confirmed))
	cmd, _ := json.Marshal(faultline.Command{Operator: "ada", Action: faultline.Annotate, Text: "seen"})
	m := live.New(live.Limits{})
	err := m.Load(live.Past{
		Samples: []faultline.Sample{sample(world("x"), noon.Add(-time.Minute), 3)},
		Records: []faultline.Record{{Kind: faultline.RecordIncident, ID: "x-1", Revision: 1, Body: body}, {Kind: faultline.RecordCommand, ID: "0-1-0", Body: cmd}},
	})
	v := m.View()
	if err != nil || v.Incident("x-1") == nil || len(v.Commands) != 1 || v.Commands[0].Operator != "ada" || !v.At.Equal(noon) {
		t.Errorf("%v, %+v", err, v)
	}
	err = m.Load(live.Past{Records: []faultline.Record{{Kind: faultline.RecordEvent, ID: "e-9", Body: []byte("{")}}})
	if err == nil || !strings.Contains(err.Error(), "event e-9") {
		t.Errorf("a broken record is not named: %v", err)
	}
}

func TestAServiceThatLeavesTheListStaysWithItsIncidentOnly(t *testing.T) {
	m := live.New(live.Limits{})
	m.SetServices([]faultline.Service{{ID: "x", Name: "X"}, {ID: "y", Name: "Y"}})
	m.Apply(live.Delta{At: at, Incidents: []faultline.Incident{revision("x-1", 1, noon, faultline.Resolved)}})
	m.SetServices([]faultline.Service{{ID: "z", Name: "Z"}})
	v := m.View()
	if v.Service("x") == nil || v.Service("y") != nil || len(v.Services) != 2 || v.Services[0].ID != "z" {
		t.Errorf("services %+v", v.Services)
	}
}

// A map of an hour ago needs what was said then, not what is said now.
func TestEachBinKeepsTheVerdictOfItsTime(t *testing.T) {
	m := live.New(live.Limits{})
	var d live.Delta
	d.At = at
	d.Samples = []faultline.Sample{sample(in("x", "GB"), noon.Add(-time.Minute), 4)}
	verdicts := []faultline.Verdict{faultline.CannotTell, faultline.Usual, faultline.Odd, faultline.Surging, faultline.Dropping}
	for i, v := range verdicts {
		d.Readings = append(d.Readings, faultline.Reading{Series: in("x", "GB"), At: noon.Add(-time.Duration(len(verdicts)-1-i) * live.Step), Expected: 3, High: 6, Width: faultline.Seconds(live.Step), Verdict: v})
	}
	m.Apply(d)
	bins := m.View().Service("x").Countries[0].Bins
	for i, want := range verdicts {
		if got := bins[len(bins)-len(verdicts)+i].Verdict; got != want {
			t.Errorf("bin %d: %q, want %q", i, got, want)
		}
	}
	if got := bins[0].Verdict; got != "" {
		t.Errorf("a bin without a reading has the verdict %q", got)
	}
}

// What was counted later stays, also when a start brings what was counted before.
func TestTheNewestRecordOfErrorsStays(t *testing.T) {
	m := live.New(live.Limits{})
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	m.Apply(live.Delta{Quality: &faultline.Quality{At: at, Days: []int{2}}})
	m.Apply(live.Delta{Quality: &faultline.Quality{At: at.Add(-time.Hour), Days: []int{1}}})
	m.Apply(live.Delta{At: at})
	if q := m.View().Quality; !q.At.Equal(at) || len(q.Days) != 1 || q.Days[0] != 2 {
		t.Errorf("%+v", q)
	}
}
