package incident_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
)

func symptom(s faultline.Symptom) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.BySymptom, Symptom: s}
}

func surface(s faultline.Surface) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.BySurface, Surface: s}
}

// perMinute is what people say in a minute: seen, and usual.
type perMinute map[faultline.Series][2]float64

// saying are all nine series, with a usual number each and what else is seen.
func saying(more map[faultline.Series]float64) perMinute {
	m := perMinute{}
	for i, s := range faultline.Symptoms() {
		m[symptom(s)] = [2]float64{float64(6 - i), float64(6 - i)}
	}
	for i, s := range faultline.Surfaces() {
		m[surface(s)] = [2]float64{float64(10 - 4*i), float64(10 - 4*i)}
	}
	for s, n := range more {
		m[s] = [2]float64{m[s][1] + n, m[s][1]}
	}
	return m
}

// anyMinute is a minute of a series, sometimes a later revision of it.
func anyMinute(s faultline.Series, start time.Time, r *rand.Rand) faultline.Sample {
	return faultline.Sample{Series: s, Start: start, Width: faultline.Seconds(time.Minute), Value: float64(r.IntN(20)), Complete: 1, Revision: 1 + r.IntN(2)}
}

// talk lets minutes pass in which people say the same.
func (g *rig) talk(d time.Duration, m perMinute) {
	for end := g.now.Add(d); g.now.Before(end); {
		g.now = g.now.Add(time.Minute)
		in := incident.Input{Readings: []faultline.Reading{g.world()}}
		for s, n := range m {
			in.Samples = append(in.Samples, faultline.Sample{Series: s, Start: g.now.Add(-time.Minute), Width: faultline.Seconds(time.Minute), Value: n[0], Complete: 1, Revision: 1})
			in.Readings = append(in.Readings, faultline.Reading{Series: s, At: g.now, Width: faultline.Seconds(15 * time.Minute), Value: 15 * n[0], Expected: 15 * n[1], Verdict: faultline.Usual, Origin: faultline.Simulated})
		}
		g.step(in)
	}
}

func TestASymptomAloneIsPossibleAndSaysWhat(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.talk(time.Hour, saying(nil))
	g.surge("s", symptom(faultline.CannotLogIn), func(e *faultline.Event) { e.LogP, e.PeakValue, e.PeakUsual = 7.9, 60, 10 })
	if len(g.all) != 0 {
		t.Fatal("at p 1e-8 only, since there are nine")
	}
	g.surge("s", symptom(faultline.CannotLogIn), func(e *faultline.Event) { e.LogP, e.PeakValue, e.PeakUsual = 8, 60, 10 })
	g.want(faultline.Possible)
	if why := g.last[first].Changes[0].Why; why != "many people say that they cannot sign in, 6 × the usual number: 60 in 15 min, where 10 are usual" {
		t.Errorf("why: %s", why)
	}
	g.talk(30*time.Minute, saying(map[faultline.Series]float64{symptom(faultline.CannotLogIn): 5, surface(faultline.App): 5}))
	i := g.last[first]
	if s := i.Scope; s.Global || len(s.Countries)+len(s.ASNs) != 0 {
		t.Errorf("for whom is not what fails: %+v", s)
	}
	if i.Peak.Symptom != faultline.CannotLogIn || len(i.Episodes) != 1 {
		t.Errorf("peak %+v, %d episodes", i.Peak, len(i.Episodes))
	}
	if len(i.What) != 2 || i.What[0].Symptom != faultline.CannotLogIn || i.What[1].Surface != faultline.App {
		t.Fatalf("what: %+v", i.What)
	}
	for k, want := range []faultline.Aspect{
		{Symptom: faultline.CannotLogIn, Share: 1, Usual: 0.19, Ratio: 6, Surging: true, StandsOut: true},
		{Surface: faultline.App, Share: 1, Usual: 0.556, StandsOut: true},
	} {
		got := i.What[k]
		if got.N < 100 || got.N > 150 {
			t.Errorf("%v above usual after half an hour of five a minute", got.N)
		}
		if got.N = 0; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWhatStandsOut(t *testing.T) {
	all := map[faultline.Series]float64{}
	for s, n := range saying(nil) {
		all[s] = 3 * n[1]
	}
	with := func(more map[faultline.Series]float64) map[faultline.Series]float64 {
		m := map[faultline.Series]float64{}
		for s, n := range all {
			m[s] = n + more[s]
		}
		return m
	}
	for _, c := range []struct {
		name string
		more map[faultline.Series]float64
		d    time.Duration
		want string
	}{
		{"everything alike", all, 40 * time.Minute, ""},
		{"one symptom among much else", with(map[faultline.Series]float64{symptom(faultline.CannotLogIn): 40, surface(faultline.App): 20, surface(faultline.Web): 20}), 40 * time.Minute, ""},
		{"one symptom in the app", map[faultline.Series]float64{symptom(faultline.CannotLogIn): 20, surface(faultline.App): 20}, 40 * time.Minute, "cannot_log_in app"},
		{"one symptom, both surfaces", map[faultline.Series]float64{symptom(faultline.CannotLogIn): 20, surface(faultline.App): 12, surface(faultline.Web): 8}, 40 * time.Minute, "cannot_log_in"},
		{"all symptoms, the website", with(map[faultline.Series]float64{surface(faultline.App): -30, surface(faultline.API): -6, surface(faultline.Web): 40}), 40 * time.Minute, "web"},
		{"too few to tell from chance", map[faultline.Series]float64{symptom(faultline.CannotLogIn): 0.6, surface(faultline.App): 0.6}, 20 * time.Minute, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			g.talk(time.Hour, saying(nil))
			g.surge("w", world)
			for _, s := range faultline.Symptoms() {
				g.surge(string(s), symptom(s))
			}
			g.talk(c.d, saying(c.more))
			var stand []string
			for _, a := range g.last[first].What {
				if a.StandsOut {
					stand = append(stand, string(a.Symptom)+string(a.Surface))
				}
			}
			if got := strings.Join(stand, " "); got != c.want {
				t.Errorf("%q stands out, want %q: %+v", got, c.want, g.last[first].What)
			}
		})
	}
	t.Run("nothing in reports that look forged", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.talk(time.Hour, saying(nil))
		g.surge("w", world)
		g.surge("s", symptom(faultline.CannotLogIn))
		g.crowd.mix = faultline.Mix{N: 400, Top: 0.97, Even: 1.1, Edge: 1.02}
		g.talk(40*time.Minute, saying(map[faultline.Series]float64{symptom(faultline.CannotLogIn): 20, surface(faultline.App): 20}))
		if i := g.last[first]; len(i.Flags) == 0 || len(i.What) == 0 || i.What[0].StandsOut {
			t.Errorf("flags %v, what %+v", i.Flags, i.What)
		}
	})
	t.Run("nothing is told while the usual number is not known", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.crowd.young = true
		g.surge("w", world)
		g.talk(40*time.Minute, saying(map[faultline.Series]float64{symptom(faultline.CannotLogIn): 20, surface(faultline.App): 20}))
		if i := g.last[first]; len(i.What) != 0 {
			t.Errorf("what: %+v", i.What)
		}
	})
}

// A symptom's surge is part of the service's incident: it neither moves its times
// nor its peak, and its tail is no relapse.
func TestASymptomUnderTheWholeSaysNothingElse(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.talk(time.Hour, saying(nil))
	g.surge("w", world)
	g.pass(time.Minute)
	g.surge("s", symptom(faultline.Slow), func(e *faultline.Event) { e.Onset = g.now.Add(-30 * time.Minute) })
	g.pass(10 * time.Minute)
	i := g.last[first]
	if len(g.last) != 1 || len(i.Episodes) != 1 || !i.Onset.Equal(g.events["w"].Onset) || i.Peak.Symptom != "" || i.Changes[0].Because[0] != "w" {
		t.Errorf("%d incidents, onset %s, peak %+v, %d episodes", len(g.last), i.Onset, i.Peak, len(i.Episodes))
	}
	g.recovers("w")
	g.recovers("s")
	g.pass(11 * time.Minute)
	g.want(faultline.Recovering)
	g.closes("w")
	g.revise("s", func(e *faultline.Event) { e.Recovered = time.Time{} })
	g.pass(5 * time.Minute)
	g.want(faultline.Recovering)
}

func TestOddNeedsMoreOfASymptom(t *testing.T) {
	g := newRig(t, incident.Config{})
	odd := faultline.Reading{Series: symptom(faultline.Slow), Width: faultline.Seconds(15 * time.Minute), Value: 20, Expected: 2, LogP: 5.9, Verdict: faultline.Odd, Reporters: 20, Networks: 9, Origin: faultline.Simulated}
	g.talk(time.Minute, nil)
	odd.At = g.now
	g.step(incident.Input{Readings: []faultline.Reading{odd}})
	g.wantStatus(faultline.Fine, "")
	odd.LogP = 6
	g.step(incident.Input{Readings: []faultline.Reading{odd}})
	g.wantStatus(faultline.OddState, "")
}
