package series_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/series"
)

var t0 = time.Date(2025, 3, 12, 14, 0, 0, 0, time.UTC)

// feed drives a room with heartbeats every ten seconds between reports.
type feed struct {
	*testing.T
	room    *series.Room
	now     time.Time
	frame   uint64
	silent  bool // the reports collector
	samples []faultline.Sample
	cells   []faultline.Cell
	total   series.Output // counters
}

func newFeed(t *testing.T, cfg series.Config) *feed {
	t.Helper()
	f := &feed{T: t, room: series.New(cfg), now: t0}
	f.beat(t0)
	return f
}

func (f *feed) step(at time.Time, p faultline.Payload) series.Output {
	f.frame++
	o := faultline.Observation{Position: faultline.Position{Frame: f.frame}, At: at, Received: at, Origin: faultline.Simulated, Payload: p}
	out := f.room.Step(&o)
	f.samples = append(f.samples, out.Samples...)
	f.cells = append(f.cells, out.Cells...)
	f.total.Late += out.Late
	f.total.Folded += out.Folded
	f.total.Full += out.Full
	return out
}

func (f *feed) beat(at time.Time) {
	collector := faultline.CollectorReports
	if f.silent {
		collector = faultline.CollectorProbe("local")
	}
	f.step(at, &faultline.Heartbeat{Collector: collector, From: f.now})
	f.now = at
}

// until lets the heart beat every ten seconds up to t0+d.
func (f *feed) until(d time.Duration) {
	for !f.now.Add(10 * time.Second).After(t0.Add(d)) {
		f.beat(f.now.Add(10 * time.Second))
	}
}

// at reports at t0+d, with the heart beating up to then.
func (f *feed) at(d time.Duration, p faultline.Payload) series.Output {
	f.until(d)
	return f.step(t0.Add(d), p)
}

func report(country string, asn faultline.ASN, network, reporter uint64) *faultline.Report {
	return &faultline.Report{
		Service: "x", Symptom: faultline.CannotLoad, Surface: faultline.App,
		Place: faultline.Place{Country: faultline.Country(country), ASN: asn}, Network: network, Reporter: reporter,
	}
}

// find gives the newest revision of a series' minute.
func (f *feed) find(series string, minute int) faultline.Sample {
	f.Helper()
	for _, s := range slices.Backward(f.samples) {
		if s.Series.String() == series && s.Start.Equal(t0.Add(time.Duration(minute)*time.Minute)) {
			return s
		}
	}
	f.Fatalf("no sample of %s for minute %d", series, minute)
	return faultline.Sample{}
}

// sum adds the values of a series over the whole feed, newest revisions only.
func (f *feed) sum(series string, of func(faultline.Sample) float64) float64 {
	newest := map[time.Time]faultline.Sample{}
	for _, s := range f.samples {
		if s.Series.String() == series {
			newest[s.Start] = s
		}
	}
	total := 0.0
	for _, s := range newest {
		total += of(s)
	}
	return total
}

func value(s faultline.Sample) float64 { return s.Value }

func TestAMinuteClosesAWatermarkAfterItsEnd(t *testing.T) {
	f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
	f.until(70 * time.Second)
	if len(f.samples) != 0 {
		t.Fatalf("closed 10 s after its end: %+v", f.samples)
	}
	f.beat(t0.Add(75 * time.Second))
	if len(f.samples) != 1 {
		t.Fatalf("15 s after its end: %d samples, want the world's", len(f.samples))
	}
	s := f.samples[0]
	if s.Series.String() != "reports/x" || !s.Start.Equal(t0) || s.Complete != 1 || s.Revision != 1 || s.Value != 0 || s.Origin != faultline.Simulated {
		t.Errorf("an empty minute with somebody listening: %+v", s)
	}
}

func TestLevelsAndOrder(t *testing.T) {
	f := newFeed(t, series.Config{Services: []faultline.ServiceID{"a"}})
	f.at(5*time.Second, report("US", 7922, 1, 1))
	f.at(6*time.Second, report("GB", 5089, 2, 2))
	f.at(7*time.Second, report("GB", 2856, 3, 3))
	f.until(3 * time.Minute)
	want := []string{"reports/a", "reports/x", "reports/x/GB", "reports/x/US", "reports/x/GB/AS2856", "reports/x/GB/AS5089", "reports/x/US/AS7922", "reports/x/cannot_load", "reports/x/app"}
	var got []string
	for _, s := range f.samples[:9] {
		got = append(got, s.Series.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("order:\n got %v\nwant %v", got, want)
	}
	if w := f.find("reports/x", 0); w.Value != 3 || w.Reporters != 3 || w.Networks != 3 || w.Raw != 3 || w.N != 3 {
		t.Errorf("world: %+v", w)
	}
	if gb := f.find("reports/x/GB", 0); gb.Value != 2 || gb.Networks != 2 || gb.Last != (faultline.Position{Frame: f.find("reports/x/GB/AS2856", 0).Last.Frame}) {
		t.Errorf("GB: %+v", gb)
	}
	if quiet := f.find("reports/x/GB/AS5089", 1); quiet.Value != 0 || quiet.Complete != 1 {
		t.Errorf("a live series has a zero in each closed minute: %+v", quiet)
	}
}

func TestWhatCounts(t *testing.T) {
	type r = *faultline.Report
	works := func(reporter uint64) r {
		p := report("GB", 2856, reporter, reporter)
		p.Works, p.Symptom = true, ""
		return p
	}
	for _, c := range []struct {
		name                           string
		reports                        []r
		value, n                       float64
		raw, discounted, works, people int
	}{
		{"the same person counts once", []r{report("GB", 1, 1, 7), report("GB", 1, 1, 7), report("GB", 1, 1, 7)}, 1, 1, 3, 0, 0, 1},
		{"a network counts for three", []r{report("GB", 1, 1, 1), report("GB", 1, 1, 2), report("GB", 1, 1, 3), report("GB", 1, 1, 4), report("GB", 1, 1, 5)}, 3, 5, 5, 2, 0, 3},
		{"works for me is a denominator", []r{report("GB", 1, 1, 1), works(2), works(3), works(3)}, 1, 1, 1, 0, 2, 1},
		{"a person may have a problem and then none", []r{report("GB", 1, 1, 1), works(1)}, 1, 1, 1, 0, 1, 1},
		{"a report without hashes is a person of its own", []r{report("GB", 1, 0, 0), report("GB", 1, 0, 0)}, 2, 2, 2, 0, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFeed(t, series.Config{})
			for _, p := range c.reports {
				f.at(time.Second, p)
			}
			f.until(2 * time.Minute)
			s := f.find("reports/x/GB", 0)
			if s.Value != c.value || s.N != c.n || s.Raw != c.raw || s.Discounted != c.discounted || s.Works != c.works || s.Reporters != c.people {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestAPersonCountsAgainAfterTenMinutes(t *testing.T) {
	f := newFeed(t, series.Config{})
	for m := range 40 {
		f.at(time.Duration(m)*time.Minute+time.Second, report("GB", 1, 5, 5))
	}
	f.until(42 * time.Minute)
	if got := f.sum("reports/x/GB", value); got < 4 || got > 5 {
		t.Errorf("one person, each minute for 40 minutes, counts as %v; want once in ten minutes", got)
	}
}

func TestACarriersCapGrowsWithItsUsers(t *testing.T) {
	f := newFeed(t, series.Config{})
	// Two days of some twelve reports in ten minutes from behind one address.
	const nat = 99
	for d := time.Duration(0); d < 48*time.Hour; d += 50 * time.Second {
		f.at(d, report("US", 21928, nat, 1))
	}
	before := len(f.samples)
	for i := range 400 {
		f.at(48*time.Hour+time.Duration(i)*1500*time.Millisecond, report("US", 21928, nat, 1))
	}
	f.until(48*time.Hour + 20*time.Minute)
	got := 0.0
	for _, s := range f.samples[before:] {
		if s.Series.String() == "reports/x/US/AS21928" {
			got += s.Value
		}
	}
	if got < 10 || got > 100 {
		t.Errorf("400 reports from behind a carrier's address in 10 minutes count as %v; want a few times the usual 12", got)
	}
}

func TestAFloodDoesNotRaiseItsOwnCap(t *testing.T) {
	f := newFeed(t, series.Config{})
	const network = 4
	for i := range 7200 { // two hours, each time another address
		f.at(time.Duration(i)*time.Second, report("US", 1, network, uint64(1000+i)))
	}
	f.until(2*time.Hour + 2*time.Minute)
	if got := f.sum("reports/x/US", value); got > 3*14 {
		t.Errorf("two hours of flood from one /24 count as %v; want at most three in ten minutes", got)
	}
}

func TestOneASNDoesNotSpeakForTheWorld(t *testing.T) {
	hosting := func(f *feed) {
		for i := range 1200 {
			f.at(time.Duration(i)*time.Second, report("FR", 16276, uint64(10_000+i), uint64(10_000+i)))
		}
	}
	t.Run("a hosting network alone", func(t *testing.T) {
		f := newFeed(t, series.Config{})
		hosting(f)
		f.until(22 * time.Minute)
		if got := f.sum("reports/x", value); got > 60 {
			t.Errorf("world: %v of 1200; want about ten in ten minutes", got)
		}
		if got := f.sum("reports/x/FR/AS16276", value); got < 1150 {
			t.Errorf("its own series is not capped by ASN: %v", got)
		}
		if s := f.find("reports/x", 10); s.Discounted < 50 || s.N != 60 {
			t.Errorf("what the cap took is published: %+v", s)
		}
	})
	t.Run("a provider that is half of the usual reports is not capped", func(t *testing.T) {
		f := newFeed(t, series.Config{})
		for i := range 300 {
			asn := []faultline.ASN{16276, 2, 16276, 3}[i%4]
			f.at(time.Duration(i)*5*time.Minute, report("FR", asn, uint64(i+1), uint64(i+1)))
		}
		before := len(f.samples)
		for i := range 600 {
			f.at(25*time.Hour+time.Duration(i)*time.Second, report("FR", 16276, uint64(10_000+i), uint64(10_000+i)))
		}
		f.until(25*time.Hour + 12*time.Minute)
		got := 0.0
		for _, s := range f.samples[before:] {
			if s.Series.String() == "reports/x" {
				got += s.Value
			}
		}
		if got < 590 {
			t.Errorf("world: %v of 600", got)
		}
	})
}

func TestLateReports(t *testing.T) {
	f := newFeed(t, series.Config{})
	f.at(10*time.Second, report("GB", 1, 1, 1))
	f.until(20 * time.Minute)
	n := len(f.samples)
	if out := f.step(t0.Add(30*time.Second), report("GB", 1, 2, 2)); out.Late != 0 || len(out.Samples) != 0 {
		t.Fatalf("a late report waits for the next heartbeat: %+v", out)
	}
	f.beat(f.now.Add(time.Second))
	var got []string
	for _, s := range f.samples[n:] {
		got = append(got, s.Series.String())
		if s.Revision != 2 || s.Value != 2 || !s.Start.Equal(t0) {
			t.Errorf("revision: %+v", s)
		}
	}
	if want := []string{"reports/x", "reports/x/GB", "reports/x/GB/AS1", "reports/x/cannot_load", "reports/x/app"}; !slices.Equal(got, want) {
		t.Errorf("revised %v, want %v", got, want)
	}
	f.until(40 * time.Minute)
	if out := f.step(t0.Add(30*time.Second), report("GB", 1, 3, 3)); out.Late != 1 {
		t.Errorf("40 minutes late is only counted: %+v", out)
	}
	cells := 0
	for _, c := range f.cells {
		cells += c.N
	}
	if cells != 2 {
		t.Errorf("cells add up to %d reports, want 2", cells)
	}
}

func TestSilence(t *testing.T) {
	t.Run("a silent reports collector makes minutes unknown", func(t *testing.T) {
		f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
		f.until(5 * time.Minute)
		f.silent = true
		f.until(10 * time.Minute)
		if s := f.find("reports/x", 3); s.Complete != 1 {
			t.Errorf("awake: %+v", s)
		}
		if s := f.find("reports/x", 7); s.Complete != 0 {
			t.Errorf("asleep: %+v", s)
		}
	})
	t.Run("coverage that arrives late revises", func(t *testing.T) {
		f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
		f.until(5 * time.Minute)
		slept := f.now
		f.silent = true
		f.until(10 * time.Minute)
		f.silent, f.now = false, slept
		f.beat(t0.Add(10*time.Minute + time.Second))
		if s := f.find("reports/x", 7); s.Complete != 1 || s.Revision != 2 {
			t.Errorf("it was awake after all: %+v", s)
		}
	})
	t.Run("an hour off gives empty minutes", func(t *testing.T) {
		f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
		f.until(5 * time.Minute)
		f.now = t0.Add(65 * time.Minute)
		f.until(70 * time.Minute)
		if s := f.find("reports/x", 30); s.Complete != 0 || len(f.samples) != 69 {
			t.Errorf("%d samples, %+v", len(f.samples), s)
		}
	})
	t.Run("a week off gives no minutes at all", func(t *testing.T) {
		f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
		f.until(5 * time.Minute)
		f.step(t0.Add(100*time.Hour), report("GB", 1, 1, 1)) // whatever its time says
		f.now = t0.Add(168 * time.Hour)
		f.until(168*time.Hour + 5*time.Minute)
		if len(f.samples) > 34 {
			t.Errorf("%d samples for ten minutes awake", len(f.samples))
		}
		if s := f.find("reports/x/GB", 100*60); s.Value != 1 || s.Complete != 0 {
			t.Errorf("a report in the gap is not lost: %+v", s)
		}
		if s := f.find("reports/x", 168*60+2); s.Complete != 1 {
			t.Errorf("after it: %+v", s)
		}
	})
	t.Run("a heartbeat cannot vouch for days", func(t *testing.T) {
		f := newFeed(t, series.Config{Services: []faultline.ServiceID{"x"}})
		f.until(5 * time.Minute)
		f.beat(t0.Add(1000 * time.Hour))
		if len(f.samples) > 130 {
			t.Errorf("%d samples", len(f.samples))
		}
	})
}

func TestSeriesComeAndGo(t *testing.T) {
	f := newFeed(t, series.Config{Idle: 3 * time.Hour})
	f.at(time.Second, report("GB", 1, 1, 1))
	f.until(6 * time.Hour)
	n := 0
	for _, s := range f.samples {
		if s.Series.Level == faultline.InCountry {
			n++
		}
	}
	if n < 180 || n > 242 {
		t.Errorf("GB has %d samples; want those of three hours and a little", n)
	}
	if s := f.find("reports/x", 350); s.Complete != 1 {
		t.Errorf("the world stays: %+v", s)
	}
}

func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	f := newFeed(t, series.Config{MaxSeries: 20})
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		f.at(time.Duration(i)*time.Second, report("US", faultline.ASN(100+r.IntN(500)), uint64(i+1), uint64(i+1)))
		if i%20 == 0 {
			f.at(time.Duration(i)*time.Second, report("GB", 7, uint64(1e6+i), uint64(1e6+i)))
		}
	}
	f.until(35 * time.Minute)
	perMinute := map[time.Time]int{}
	for _, s := range f.samples {
		perMinute[s.Start]++
	}
	for at, n := range perMinute {
		if n > 21 {
			t.Errorf("%d samples at %s; want at most 20 and the world", n, at)
		}
	}
	if f.total.Folded == 0 {
		t.Error("nothing was counted as folded away")
	}
	if s := f.find("reports/x", 20); s.Raw < 55 {
		t.Errorf("folded reports stay in the wider series: %+v", s)
	}
}

func TestTablesAreBounded(t *testing.T) {
	f := newFeed(t, series.Config{MaxReporters: 100, MaxServices: 1, MaxPending: 2})
	for i := range 1000 {
		f.at(time.Second, report("US", 1, uint64(i+1), uint64(i+1)))
	}
	if f.total.Full < 500 {
		t.Errorf("1000 people in a table for 100: %d were told to be too many", f.total.Full)
	}
	other := report("US", 1, 1, 1)
	other.Service = "y"
	if out := f.at(time.Second, other); out.Full != 1 {
		t.Errorf("a second service where there is room for one: %+v", out)
	}
	f.step(t0.Add(time.Hour), report("US", 1, 1, 1))
	if out := f.step(t0.Add(2*time.Hour), report("US", 1, 1, 1)); out.Full != 1 {
		t.Errorf("a third minute waiting where there is room for two: %+v", out)
	}
	f.until(2 * time.Minute)
	if s := f.find("reports/x", 0); s.Raw != 1000 || s.Value > 500 {
		t.Errorf("the raw count goes on: %+v", s)
	}
}

func TestCells(t *testing.T) {
	f := newFeed(t, series.Config{})
	web := report("GB", 1, 1, 1)
	web.Surface, web.Symptom = faultline.Web, faultline.Slow
	works := report("GB", 1, 1, 1)
	works.Works, works.Symptom = true, ""
	for _, p := range []*faultline.Report{report("GB", 1, 1, 1), report("GB", 1, 1, 1), web, works, report("DE", 2, 1, 1)} {
		f.at(time.Second, p)
	}
	f.until(2 * time.Minute)
	place := faultline.Place{Country: "GB", ASN: 1}
	want := []faultline.Cell{
		{Service: "x", Start: t0, Place: faultline.Place{Country: "DE", ASN: 2}, Symptom: faultline.CannotLoad, Surface: faultline.App, N: 1, Origin: faultline.Simulated},
		{Service: "x", Start: t0, Place: place, Symptom: faultline.CannotLoad, Surface: faultline.App, N: 2, Origin: faultline.Simulated},
		{Service: "x", Start: t0, Place: place, Surface: faultline.App, Works: true, N: 1, Origin: faultline.Simulated},
		{Service: "x", Start: t0, Place: place, Symptom: faultline.Slow, Surface: faultline.Web, N: 1, Origin: faultline.Simulated},
	}
	if !reflect.DeepEqual(f.cells, want) {
		t.Errorf("cells:\n got %+v\nwant %+v", f.cells, want)
	}
}

func TestMeasurements(t *testing.T) {
	check := func(attempt int, start time.Duration, failure faultline.Failure, impaired faultline.Impairment) *faultline.Measurement {
		return &faultline.Measurement{
			Service: "x", Target: "https://x.com/", Vantage: faultline.Vantage{ID: "local", Place: faultline.Place{Country: "DE", ASN: 3320}},
			Attempt: attempt, Due: t0, Start: t0.Add(start), Interval: faultline.Seconds(time.Minute), Failure: failure, Impaired: impaired,
			Steps: []faultline.Step{{Op: faultline.OpResolve}, {Op: faultline.OpConnect, Failure: failure}},
		}
	}
	for _, c := range []struct {
		name      string
		m         *faultline.Measurement
		value, n  float64
		revision  int
		confirmed bool
		op        faultline.Op
	}{
		{"a check that reached the service", check(1, 0, "", ""), 1, 1, 1, false, ""},
		{"a check that failed", check(1, 0, faultline.ConnectionRefused, ""), 0, 1, 1, false, faultline.OpConnect},
		{"the second attempt fails too", check(2, time.Second, faultline.ConnectionRefused, ""), 0, 1, 2, true, faultline.OpConnect},
		{"the second attempt succeeds", check(2, time.Second, "", ""), 1, 1, 2, false, ""},
		{"refused to us is not down", check(1, 0, faultline.RefusedToUs, ""), 0, 0, 1, false, faultline.OpConnect},
		{"our own fault never counts", check(2, time.Second, faultline.ProbeFault, ""), 0, 0, 2, false, faultline.OpConnect},
		{"an impaired vantage never counts", check(1, 0, faultline.GenericTimeout, faultline.NoRoute), 0, 0, 1, false, faultline.OpConnect},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFeed(t, series.Config{})
			f.step(t0, check(1, 0, "", ""))
			s := f.step(c.m.Start, c.m).Samples[0]
			if s.Value != c.value || s.N != c.n || s.Revision != c.revision || s.Confirmed != c.confirmed || s.Op != c.op || s.Failure != c.m.Failure || s.Impaired != c.m.Impaired {
				t.Errorf("got %+v", s)
			}
			if !s.Start.Equal(t0) {
				t.Errorf("the second attempt is of another sample: %s", s.Start)
			}
			if s.Series.String() != "reach/x@local https://x.com/" || s.Series.Country != "DE" || s.Series.ASN != 3320 {
				t.Errorf("series %+v", s.Series)
			}
		})
	}
}

func TestMixTellsAScriptFromPeople(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	t.Run("a script", func(t *testing.T) {
		f := newFeed(t, series.Config{})
		for i := range 1800 {
			f.at(5*time.Minute+time.Duration(i)*time.Second, report("US", faultline.ASN(i%100), uint64(i+1), uint64(i+1)))
		}
		m := f.find("reports/x", 30).Mix
		if m.N < 1400 || m.Top != 1 || m.Works != 0 || m.Since != 0 || m.Even > 1.5 || m.Edge < 0.8 {
			t.Errorf("mix %+v", m)
		}
	})
	t.Run("people", func(t *testing.T) {
		f := newFeed(t, series.Config{})
		for s := range 1800 {
			if r.Float64() > 1-1/(1+float64(s)/300) {
				continue
			}
			p := report("US", faultline.ASN(r.IntN(100)), uint64(s+1), uint64(s+1))
			p.Symptom = faultline.Symptoms()[r.IntN(4)]
			p.Works = r.IntN(20) == 0
			if r.IntN(3) == 0 {
				p.Since = t0
			}
			f.at(5*time.Minute+time.Duration(s)*time.Second, p)
		}
		m := f.find("reports/x", 30).Mix
		if m.Top > 0.5 || m.Works == 0 || m.Since < 0.2 || m.Edge > 0.8 {
			t.Errorf("mix %+v", m)
		}
	})
}
