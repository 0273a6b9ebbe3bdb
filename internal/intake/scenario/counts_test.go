package scenario

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
)

// largest is the largest sum of 15 minutes, and where it begins.
func largest(counts []int) (most, where int) {
	for t := range counts {
		if s := sum(counts[t:min(t+bin, len(counts))]); s > most {
			most, where = s, t
		}
	}
	return most, where
}

// The check that any reader can repeat (timeline, section 4, step 1).
func TestTheLargestQuarterHourOfEachCountryAndWaveIsThePublishedPeak(t *testing.T) {
	s := open(t, "2025-03-10-x")
	cells := 0
	for _, pk := range s.tables.peaks {
		var all []int
		for _, st := range s.plan.streams {
			if st.wave != pk.wave || st.area != pk.area {
				continue
			}
			if all == nil {
				all = make([]int, len(st.counts))
			}
			for i, n := range st.counts {
				all[i] += n
			}
		}
		if got, _ := largest(all); got != pk.count {
			t.Errorf("%s in %s: largest 15 minutes hold %d reports, want %d", s.Waves[pk.wave].Name, pk.area, got, pk.count)
		}
		cells++
	}
	if cells != 13*5 {
		t.Errorf("%d cells were checked, want 65", cells)
	}
}

// Sums of the day as the method's authors computed them, from the same peaks
// and shapes but other noise and baselines.
func TestDaySumsOfCountriesAreThoseOfTheMethod(t *testing.T) {
	s := open(t, "2025-03-10-x")
	got := s.tally(s.Day, s.Day.Add(day))
	rest := 0
	for _, p := range s.tables.areas["REST"] {
		rest += sum(got.counts[p.country])
	}
	for _, c := range []struct {
		country faultline.Country
		want    int
	}{
		{"US", 420_500},
		{"JP", 535_300},
		{"GB", 97_600},
		{"DE", 60_800},
		{"FR", 51_200},
		{"PL", 45_500},
		{"CA", 40_300},
		{"BR", 43_400},
		{"IT", 28_300},
		{"IN", 14_600},
		{"CH", 8_900},
		{"MX", 11_100},
		{"ZZ", 1_638_300},
		{"REST", 280_800},
	} {
		n := sum(got.counts[c.country])
		if c.country == "REST" {
			n = rest
		}
		off := float64(n-c.want) / float64(c.want)
		t.Logf("%-4s %9d  method %9d  %+.1f %%", c.country, n, c.want, 100*off)
		if math.Abs(off) > 0.03 {
			t.Errorf("%s: %d reports, the method gives %d", c.country, n, c.want)
		}
	}
}

func TestFiguresThatWereBuiltInComeOutAgain(t *testing.T) {
	s := open(t, "2025-03-10-x")
	used := map[string]int{}
	for _, c := range s.Compare() {
		used[c.Use]++
		off := math.Abs(c.Got-c.Value) / c.Value
		t.Logf("%s %s %s %-2s %-12s %-8s published %9.0f reconstruction %9.0f", c.ID, c.At.Format("15:04"), c.Country, c.Wave, c.Metric, c.Use, c.Value, c.Got)
		if c.Use == "built_in" && off > 0.15 {
			t.Errorf("%s: published %v, reconstruction %v", c.ID, c.Value, c.Got)
		}
	}
	if used["built_in"] < 30 || used["check"] < 10 || used["misfit"] < 5 {
		t.Errorf("too few figures: %v", used)
	}
}

func TestWaveCountsKeepTheirPeakWhateverTheWave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Wave{Rise: rapid.Float64Range(0.1, 60).Draw(t, "rise"), Fade: rapid.Float64Range(1, 600).Draw(t, "fade"), Fall: rapid.Float64Range(0.1, 30).Draw(t, "fall")}
		w.End = w.Onset.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "minutes")) * time.Minute)
		peak, noise := rapid.IntRange(0, 5_000).Draw(t, "peak"), rapid.IntRange(1, 200).Draw(t, "noise")
		g, top := w.shape()
		counts := waveCounts(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")), g, top, peak, noise)
		if most, _ := largest(counts); most != peak || sum(counts[top:top+bin]) != peak {
			t.Fatalf("largest window %d, that of the shape %d, want %d", most, sum(counts[top:top+bin]), peak)
		}
		if slices.Min(counts) < 0 {
			t.Fatal("a count below zero")
		}
		if want := float64(sum(g) * float64(peak)); math.Abs(float64(sum(counts))-want) > 0.02*want+float64(len(counts)/bin)+1 {
			t.Fatalf("%d reports in all, the shape gives %.1f", sum(counts), want)
		}
	})
}

func TestBinsKeepTheirSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 20).Draw(t, "weights")
		total := rapid.IntRange(0, 100_000).Draw(t, "total")
		out := shareOut(total, weights)
		if sum(out) != total {
			t.Fatalf("%v adds up to %d, want %d", out, sum(out), total)
		}
		for i, n := range out {
			if all := sum(weights); all > 0 && math.Abs(float64(n)-float64(total*weights[i])/float64(all)) > 1 {
				t.Fatalf("%d of %d for weight %d of %d", n, total, weights[i], all)
			}
		}
	})
}

func TestNegativeBinomialHasItsMeanAndVariance(t *testing.T) {
	for _, c := range []struct {
		mean float64
		r    int
	}{{0.05, 50}, {1, 50}, {30, 50}, {4700, 50}, {3, 1}, {2000, 1000}} {
		p, n := rand.NewPCG(7, 11), 20_000
		if c.mean > 1000 {
			n = 2_000
		}
		var s, ss float64
		for range n {
			x := float64(negativeBinomial(p, c.mean, c.r))
			s, ss = s+x, ss+x*x
		}
		mean := s / float64(n)
		variance, want := ss/float64(n)-mean*mean, c.mean+c.mean*c.mean/float64(c.r)
		if math.Abs(mean-c.mean) > 5*math.Sqrt(want/float64(n)) {
			t.Errorf("mean %v r %d: got mean %v", c.mean, c.r, mean)
		}
		if math.Abs(variance/want-1) > 0.15 {
			t.Errorf("mean %v r %d: got variance %v, want %v", c.mean, c.r, variance, want)
		}
	}
	if negativeBinomial(rand.NewPCG(1, 1), 0, 50) != 0 {
		t.Error("a mean of 0 gives reports")
	}
}

func TestExpIsTheExponential(t *testing.T) {
	for x := 0.0; x > -690; x -= 0.37 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 1e-13*want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	if exp(-1e9) != 0 {
		t.Error("exp does not end at 0")
	}
}

func TestWavesFollowThePublishedShapes(t *testing.T) {
	s := open(t, "2025-03-10-x")
	for _, c := range []struct {
		wave            string
		earliest, until string // when the busiest quarter of an hour may end
	}{
		{"E1", "09:55", "10:10"}, {"E2", "13:54", "14:06"}, {"E3", "15:22", "15:32"}, {"E4", "16:45", "17:05"}, {"E5", "17:55", "18:20"},
	} {
		w := s.Waves[s.waveNamed("x", c.wave)]
		_, top := w.shape()
		end := w.Onset.Add(time.Duration(top+bin) * time.Minute).Format("15:04")
		if end < c.earliest || end > c.until {
			t.Errorf("%s: the busiest quarter of an hour ends at %s, want %s to %s", c.wave, end, c.earliest, c.until)
		}
	}
}
