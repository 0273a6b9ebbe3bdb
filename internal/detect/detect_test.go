package detect_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
)

var (
	monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
	world  = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.World}
	gb     = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.InCountry, Country: "GB"}
	signIn = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.BySymptom, Symptom: faultline.CannotLogIn}
	slow   = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.BySymptom, Symptom: faultline.Slow}
	app    = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.BySurface, Surface: faultline.App}
	home   = faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Vantage: "local", Target: "https://x.example/"}
)

const day = 24 * time.Hour

// batches is what the series room would hand over, a batch a bin.
func batches(days int) [][]faultline.Sample {
	at := monday.Add(time.Duration(days-1)*day + 13*time.Hour)
	c := detecttest.Counts{
		Seed: 3, Start: monday, Width: 5 * time.Minute, Bins: days * 288, Base: 2, Season: 0.5, Size: 15, Drift: 0.05,
		Surges: []detecttest.Disturbance{{From: at, To: at.Add(time.Hour), Add: 40}},
	}
	whole := c.Samples(world)
	c.Seed, c.Base = 4, 0.4
	part := c.Samples(gb)
	c.Seed, c.Base, c.Surges = 5, 0.2, nil
	one, other, third := c.Samples(signIn), c.Samples(slow), c.Samples(app)
	out := make([][]faultline.Sample, c.Bins)
	for i := range out {
		start := whole[i].Start
		check := faultline.Sample{
			Series: home, Start: start, Width: faultline.Seconds(5 * time.Minute), Value: 1, N: 1, Complete: 1, Revision: 1,
			Origin: faultline.Simulated,
		}
		if !start.Before(at) && start.Before(at.Add(time.Hour)) {
			check.Value, check.Failure, check.Confirmed = 0, faultline.ConnectionRefused, true
		}
		out[i] = []faultline.Sample{check, whole[i], part[i], one[i], other[i], third[i]}
	}
	return out
}

func play(t *testing.T, r *detect.Room, in [][]faultline.Sample) (lines []string, events []faultline.Event) {
	t.Helper()
	for _, batch := range in {
		out := r.Step(batch)
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
		events = append(events, out.Events...)
	}
	return lines, events
}

func TestEachMetricHasItsDetector(t *testing.T) {
	_, events := play(t, detect.New(detect.Config{}), batches(9))
	seen := map[faultline.Series]faultline.EventKind{}
	for _, e := range events {
		if e.State == faultline.EventClosed && !e.Young {
			seen[e.Series] = e.Kind
		}
	}
	want := map[faultline.Series]faultline.EventKind{world: faultline.Surge, gb: faultline.Surge, home: faultline.Unreachable}
	for s, kind := range want {
		if seen[s] != kind {
			t.Errorf("%s: %q, want %s", s, seen[s], kind)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("events of %v", seen)
	}
}

func TestARestoredRoomGoesTheSameWay(t *testing.T) {
	in := batches(9)
	for _, cut := range []int{0, 1, 1000, 8*288 + 13*12 + 6} {
		whole := detect.New(detect.Config{})
		play(t, whole, in[:cut])
		state, err := whole.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again := detect.New(detect.Config{})
		if err := again.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		a, _ := play(t, whole, in[cut:])
		b, _ := play(t, again, in[cut:])
		if !slices.Equal(a, b) {
			t.Errorf("cut at %d: the restored room goes another way", cut)
		}
		x, _ := whole.MarshalBinary()
		y, _ := again.MarshalBinary()
		if !slices.Equal(x, y) {
			t.Errorf("cut at %d: the states at the end differ", cut)
		}
	}
}

func TestABrokenSnapshotLeavesTheRoomAsItWas(t *testing.T) {
	r := detect.New(detect.Config{})
	play(t, r, batches(1))
	good, _ := r.MarshalBinary()
	for n := range len(good) - 1 {
		if n > 200 && n%997 != 0 {
			continue
		}
		if err := r.UnmarshalBinary(good[:n]); err == nil {
			t.Fatalf("%d of %d bytes were taken", n, len(good))
		}
	}
	if again, _ := r.MarshalBinary(); !slices.Equal(good, again) {
		t.Error("a refused snapshot changed the room")
	}
}

func TestUnknownMetricsLeadToNothing(t *testing.T) {
	r := detect.New(detect.Config{})
	out := r.Step([]faultline.Sample{{Series: faultline.Series{Metric: "temperature", Service: "x"}, Start: monday, Width: faultline.Seconds(time.Minute), Complete: 1}})
	if len(out.Readings)+len(out.Events)+len(r.Series()) != 0 {
		t.Errorf("%d readings, %d events, %d series", len(out.Readings), len(out.Events), len(r.Series()))
	}
}

func TestAcceptTouchesTheServiceAlone(t *testing.T) {
	in := batches(9)
	r := detect.New(detect.Config{})
	at := 8*288 + 13*12 + 6
	play(t, r, in[:at])
	r.Accept("another", in[at][0].Start)
	before, _ := play(t, r, in[at:at+1])
	r.Accept("x", in[at+1][0].Start)
	_, events := play(t, r, in[at+1:at+2])
	if len(before) == 0 || !slices.ContainsFunc(events, func(e faultline.Event) bool {
		return e.Series == world && e.State == faultline.EventClosed && e.Reason == "new_normal"
	}) {
		t.Errorf("%+v", events)
	}
}

func TestANarrowSeriesLeansOnTheWiderOnesDay(t *testing.T) {
	for _, narrow := range []faultline.Series{gb, signIn, app} {
		t.Run(narrow.String(), func(t *testing.T) { leansOnTheWorld(t, narrow) })
	}
}

// leansOnTheWorld plays three weeks of the world alone; then, at midnight, a series
// appears whose day is the world's. At ten in the morning of its first day it has
// seen a night and a dawn only, at a third of what is usual at ten.
func leansOnTheWorld(t *testing.T, narrow faultline.Series) {
	c := detecttest.Counts{Seed: 5, Start: monday, Width: 5 * time.Minute, Bins: 26 * 288, Base: 20, Season: 0.8, Size: 40}
	whole := c.Samples(world)
	c.Seed, c.Base = 6, 4
	part := c.Samples(narrow)
	r := detect.New(detect.Config{})
	var last faultline.Reading
	for i := range whole {
		batch := whole[i : i+1]
		if i >= 21*288 {
			batch = []faultline.Sample{whole[i], part[i]}
		}
		for _, reading := range r.Step(batch).Readings {
			if reading.Series == narrow && reading.At.Equal(monday.Add(21*day+10*time.Hour)) {
				last = reading
			}
		}
	}
	now := 3 * 4 * math.Exp(1.4*0.8*math.Sin(1.0/24*2*math.Pi)) // the truth, in 15 minutes at ten
	if last.Expected < 0.7*now || last.Expected > 1.4*now {
		t.Errorf("expected %.2f in 15 minutes at ten, the truth is %.2f", last.Expected, now)
	}
}

// Each kind that is listed opens with its defaults and takes a check.
func TestEachKindMayWatchChecks(t *testing.T) {
	names := detect.Kinds().Names()
	if want := []string{"bbscan", "gauge", "nbscan", "partial", "reach"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	for _, name := range names {
		factory, err := detect.Kinds().Open(name, detector.Deps{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := detect.New(detect.Config{Detectors: map[faultline.Metric]detector.Factory{faultline.MetricReach: factory}})
		check := detecttest.RatioSample(home, monday, time.Minute, 1, 1)
		if out := r.Step([]faultline.Sample{check}); len(out.Readings) != 1 || out.Readings[0].Verdict == faultline.Failing {
			t.Errorf("%s: %+v", name, out)
		}
	}
}
