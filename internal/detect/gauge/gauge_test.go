package gauge_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/gauge"
)

var (
	series = faultline.Series{Metric: "latency", Service: "x"}
	monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
)

// values makes five-minute samples of f, with noise of standard deviation sd.
func values(bins int, sd float64, f func(i int) float64) []faultline.Sample {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]faultline.Sample, bins)
	for i := range out {
		out[i] = faultline.Sample{
			Series: series, Start: monday.Add(time.Duration(i) * 5 * time.Minute), Width: faultline.Seconds(5 * time.Minute),
			Value: f(i) + sd*r.NormFloat64(), N: 1, Complete: 1, Revision: 1,
		}
	}
	return out
}

func daily(i int) float64 { return 100 + 20*math.Sin(float64(i%288)/288*2*math.Pi) }

func TestContract(t *testing.T) {
	detecttest.Run(t, func(s faultline.Series) detector.Detector { return gauge.New(s, gauge.Defaults()) }, detecttest.Story{
		Series: series,
		Quiet:  values(14*288, 3, daily),
		Disturbed: values(14*288, 3, func(i int) float64 {
			if i >= 3000 && i < 3024 {
				return daily(i) + 80
			}
			return daily(i)
		}),
	})
}

func TestDisturbances(t *testing.T) {
	for _, c := range []struct {
		name  string
		share bool
		sd    float64
		f     func(i int) float64
		want  faultline.EventKind // "" for none
	}{
		{"a constant series stays quiet", false, 0, func(int) float64 { return 7 }, ""},
		{"a series of zeros stays quiet", false, 0, func(int) float64 { return 0 }, ""},
		{"a day's rhythm stays quiet", false, 3, daily, ""},
		{"a rise opens a surge", false, 3, func(i int) float64 { return daily(i) + step(i, 60) }, faultline.Surge},
		{"a fall opens a drop", false, 3, func(i int) float64 { return daily(i) + step(i, -60) }, faultline.Drop},
		{"a share that falls opens a drop", true, 0.004, func(i int) float64 { return 0.98 + step(i, -0.5) }, faultline.Drop},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := gauge.Defaults()
			cfg.Share = c.share
			_, events := detecttest.Play(gauge.New(series, cfg), values(14*288, c.sd, c.f))
			if c.want == "" {
				if len(events) > 0 {
					t.Fatalf("%s at %v", events[0].Kind, events[0].Opened)
				}
				return
			}
			if !slices.ContainsFunc(events, func(e faultline.Event) bool {
				return e.Kind == c.want && e.Onset.Sub(monday.Add(3000*5*time.Minute)).Abs() <= 10*time.Minute
			}) {
				t.Fatalf("%+v; want a %s at bin 3000", events, c.want)
			}
		})
	}
}

func step(i int, by float64) float64 {
	if i >= 3000 && i < 3036 {
		return by
	}
	return 0
}

func TestALevelThatStaysIsToldOnce(t *testing.T) {
	samples := values(20*288, 3, func(i int) float64 {
		if i >= 3000 {
			return daily(i) + 100
		}
		return daily(i)
	})
	_, events := detecttest.Play(gauge.New(series, gauge.Defaults()), samples)
	ids := map[string]bool{}
	for _, e := range events {
		ids[e.ID] = true
	}
	if len(ids) != 1 || events[len(events)-1].Reason != "lasted_too_long" {
		t.Errorf("%d events, the last closed because %q; want one that lasted too long", len(ids), events[len(events)-1].Reason)
	}
}

// An event names the views that found it, and their evidence adds up to its own.
func TestAnEventCarriesWhatTheViewsSaid(t *testing.T) {
	d := gauge.New(series, gauge.Defaults())
	_, events := detecttest.Play(d, values(14*288, 3, func(i int) float64 {
		if i >= 3000 && i < 3024 {
			return daily(i) + 80
		}
		return daily(i)
	}))
	if len(events) == 0 {
		t.Fatal("no event")
	}
	for _, e := range events {
		sum, w := 0.0, e.Working
		for _, v := range w.Views {
			sum += v.LogP * v.LogP
		}
		if w.Rule != faultline.ViewsRule || w.Needs.LogP != gauge.Defaults().Open || math.Abs(math.Sqrt(sum)-e.LogP) > 0.05 || w.At.After(e.At) || w.Age <= 0 {
			t.Errorf("revision %d, log p %v: %+v", e.Revision, e.LogP, w)
		}
	}
	if w := events[0].Working; w.Views[0].Of != "range" || w.Views[0].LogP < 3 {
		t.Errorf("80 above what is usual was found by %+v", w.Views)
	}
}
