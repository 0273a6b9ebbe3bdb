package series_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/series"
)

func says(p *faultline.Report, symptom faultline.Symptom, surface faultline.Surface) *faultline.Report {
	p.Symptom, p.Surface = symptom, surface
	return p
}

func TestWhatFailsIsCountedApart(t *testing.T) {
	f := newFeed(t, series.Config{})
	f.at(1*time.Second, says(report("GB", 1, 1, 1), faultline.CannotLogIn, faultline.App))
	f.at(2*time.Second, says(report("US", 2, 2, 2), faultline.CannotLogIn, faultline.App))
	f.at(3*time.Second, says(report("US", 3, 3, 3), faultline.Slow, faultline.API))
	f.at(4*time.Second, says(report("US", 3, 3, 3), faultline.CannotLogIn, faultline.Web)) // the same person again
	f.at(5*time.Second, says(report("US", 4, 4, 4), "", ""))
	works := says(report("US", 5, 5, 5), "", faultline.Web)
	works.Works = true
	f.at(6*time.Second, works)
	f.until(3 * time.Minute)
	for series, want := range map[string]struct {
		value, n      float64
		raw, networks int
	}{
		"reports/x": {4, 4, 5, 4}, "reports/x/cannot_log_in": {2, 2, 3, 2}, "reports/x/slow": {1, 1, 1, 1},
		"reports/x/app": {2, 2, 2, 2}, "reports/x/web": {0, 0, 1, 0}, "reports/x/api": {1, 1, 1, 1},
	} {
		s := f.find(series, 0)
		if s.Value != want.value || s.N != want.n || s.Raw != want.raw || s.Networks != want.networks || s.Works != 0 && s.Series.Level.What() {
			t.Errorf("%s: %+v, want %+v", series, s, want)
		}
	}
	if s := f.find("reports/x/slow", 0); s.Origin != faultline.Simulated || s.ReporterBits.Least() != 1 || s.Last.IsZero() {
		t.Errorf("people and the newest report are known: %+v", s)
	}
	if s := f.find("reports/x/cannot_log_in", 1); s.Value != 0 || s.Complete != 1 {
		t.Errorf("a zero in each closed minute: %+v", s)
	}
	for _, s := range f.samples {
		if s.Series.Symptom == faultline.CannotPost {
			t.Fatal("a symptom that nobody names has no series")
		}
	}
}

func TestOneASNDoesNotMakeASymptom(t *testing.T) {
	f := newFeed(t, series.Config{})
	for i := range 600 { // many people of many networks, and one hosting network that says something else
		f.at(time.Duration(2*i)*time.Second, report("GB", faultline.ASN(i%50+1), uint64(i+1), uint64(i+1)))
		if i%3 == 0 {
			f.at(time.Duration(2*i)*time.Second, says(report("FR", 16276, uint64(10_000+i), uint64(10_000+i)), faultline.CannotLogIn, faultline.Web))
		}
	}
	f.until(22 * time.Minute)
	if got := f.sum("reports/x", value); got < 680 {
		t.Errorf("world: %v; want 600 and a fifth of it", got)
	}
	if got := f.sum("reports/x/cannot_log_in", value); got > 45 {
		t.Errorf("one network alone makes %v of a symptom; want ten in ten minutes, and more while it begins", got)
	}
	if got := f.sum("reports/x/cannot_load", value); got < 590 {
		t.Errorf("what many networks say is not cut: %v", got)
	}
}

func TestWhatFailsHasRoomBeforeNetworks(t *testing.T) {
	f := newFeed(t, series.Config{MaxSeries: 5})
	for i := range 30 {
		f.at(time.Duration(i)*time.Second, report("GB", faultline.ASN(i+1), uint64(i+1), uint64(i+1)))
	}
	f.at(2*time.Minute, says(report("GB", 1, 100, 100), faultline.Slow, faultline.API))
	f.until(4 * time.Minute)
	n := 0
	for _, s := range f.samples {
		if s.Start.Equal(t0.Add(2 * time.Minute)) {
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d series; want the world, a country, two symptoms, two surfaces", n)
	}
	f.at(5*time.Minute, says(report("GB", 1, 101, 101), faultline.CannotPost, faultline.Web))
	before := f.total.Folded
	f.until(7 * time.Minute)
	if got := f.total.Folded - before; got != 3 {
		t.Errorf("%d folded; want the network, the symptom and the surface", got)
	}
}
