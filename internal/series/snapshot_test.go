package series_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/series"
)

// day is a seeded journal with everything in it: people, a carrier, late and
// early reports, silent collectors, checks.
func day(seed uint64, n int) []faultline.Observation {
	r := rand.New(rand.NewPCG(seed, 1))
	now, from := t0, t0
	var out []faultline.Observation
	add := func(at time.Time, p faultline.Payload) {
		out = append(out, faultline.Observation{Position: faultline.Position{Frame: uint64(len(out) + 1)}, At: at, Received: now, Origin: faultline.Simulated, Payload: p})
	}
	for range n {
		now = now.Add(time.Duration(r.ExpFloat64() * float64(4*time.Second)))
		switch k := r.IntN(100); {
		case k < 70:
			p := report([]string{"US", "GB", "DE", "??"}[r.IntN(4)], faultline.ASN(r.IntN(40)), uint64(r.IntN(60)), uint64(r.IntN(300)))
			p.Service = []faultline.ServiceID{"x", "y", "z"}[r.IntN(3)]
			p.Symptom, p.Surface, p.Works = faultline.Symptoms()[r.IntN(6)], faultline.Surfaces()[r.IntN(3)], r.IntN(10) == 0
			at := now.Add(-time.Duration(max(0, r.NormFloat64()-1) * float64(15*time.Minute)))
			add(at, p)
		case k < 74:
			add(now, &faultline.Measurement{Service: "x", Target: "t", Attempt: 1 + r.IntN(2), Due: now.Truncate(time.Minute), Start: now, Vantage: faultline.Vantage{ID: "v"}})
		case k < 75 && r.IntN(20) == 0:
			now = now.Add(time.Duration(r.IntN(300)) * time.Minute)
			from = now
		default:
			collector := faultline.CollectorReports
			if r.IntN(3) == 0 {
				collector = faultline.CollectorProbe("v")
			}
			add(now, &faultline.Heartbeat{Collector: collector, From: from})
			from = now
		}
	}
	return out
}

func run(room *series.Room, journal []faultline.Observation) (out []series.Output) {
	for i := range journal {
		out = append(out, room.Step(&journal[i]))
	}
	return out
}

func TestARestoredRoomContinuesBitIdentically(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		journal := day(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 3000).Draw(t, "n"))
		cut := rapid.IntRange(0, len(journal)).Draw(t, "cut")
		cfg := series.Config{MaxSeries: 30, NetworkMemory: 2 * time.Hour, Services: []faultline.ServiceID{"x", "w"}}
		whole := series.New(cfg)
		run(whole, journal[:cut])
		b, err := whole.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		restored := series.New(cfg)
		if err := restored.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if again, _ := restored.MarshalBinary(); !bytes.Equal(b, again) {
			t.Fatal("a restored room has another snapshot")
		}
		if !reflect.DeepEqual(run(whole, journal[cut:]), run(restored, journal[cut:])) {
			t.Fatal("a restored room continues differently")
		}
		b, _ = whole.MarshalBinary()
		if again, _ := restored.MarshalBinary(); !bytes.Equal(b, again) {
			t.Fatal("and ends in another state")
		}
	})
}

// Whatever comes, samples of one output are sorted, revisions of a sample
// rise, cells add up to the reports, and counts keep their order.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		journal := day(rapid.Uint64().Draw(t, "seed"), 1000)
		room, revisions, cells, late := series.New(series.Config{MaxSeries: 40}), map[sampleID]int{}, 0, 0
		for i := range journal {
			out := room.Step(&journal[i])
			late += out.Late
			for _, c := range out.Cells {
				cells += c.N
			}
			for k, s := range out.Samples {
				if s.Value < 0 || s.Value > s.N || s.N > float64(s.Raw) && s.Series.Metric == faultline.MetricReports || s.Complete < 0 || s.Complete > 1 {
					t.Fatalf("counts out of order: %+v", s)
				}
				id := sampleID{s.Series, s.Start}
				if s.Series.Metric == faultline.MetricReports && s.Revision <= revisions[id] {
					t.Fatalf("revision %d after %d: %+v", s.Revision, revisions[id], s)
				}
				revisions[id] = s.Revision
				if k > 0 && before(s, out.Samples[k-1]) {
					t.Fatalf("%s %s stands after %s %s", s.Start, s.Series, out.Samples[k-1].Start, out.Samples[k-1].Series)
				}
			}
		}
		reports, last := 0, time.Time{}
		for _, o := range journal {
			if _, ok := o.Payload.(*faultline.Report); ok {
				reports++
			} else if h, ok := o.Payload.(*faultline.Heartbeat); ok && o.At.After(last) {
				last, _ = o.At, h
			}
		}
		waiting := 0
		for _, o := range journal {
			if _, ok := o.Payload.(*faultline.Report); ok && o.At.After(last.Add(-2*time.Minute)) {
				waiting++
			}
		}
		if cells+late > reports || cells+late < reports-waiting-60 {
			t.Fatalf("%d reports, %d in cells, %d late, %d may wait", reports, cells, late, waiting)
		}
	})
}

type sampleID struct {
	series faultline.Series
	start  time.Time
}

func before(a, b faultline.Sample) bool {
	if !a.Start.Equal(b.Start) {
		return a.Start.Before(b.Start)
	}
	x, y := a.Series, b.Series
	switch {
	case x.Service != y.Service:
		return x.Service < y.Service
	case x.Level != y.Level:
		return x.Level < y.Level
	case x.Country != y.Country:
		return x.Country < y.Country
	case x.ASN != y.ASN:
		return x.ASN < y.ASN
	}
	return slices.Index(faultline.Symptoms(), x.Symptom) < slices.Index(faultline.Symptoms(), y.Symptom) ||
		slices.Index(faultline.Surfaces(), x.Surface) < slices.Index(faultline.Surfaces(), y.Surface)
}

func TestTheSameJournalGivesTheSameOutput(t *testing.T) {
	journal := day(7, 5000)
	if !reflect.DeepEqual(run(series.New(series.Config{}), journal), run(series.New(series.Config{}), journal)) {
		t.Error("two runs differ")
	}
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	room := series.New(series.Config{})
	run(room, day(1, 500))
	b, _ := room.MarshalBinary()
	for name, bad := range map[string][]byte{
		"cut": b[:len(b)/2], "empty": nil, "of another version": append([]byte{99}, b[1:]...), "too long": append(bytes.Clone(b), 0),
	} {
		if err := series.New(series.Config{}).UnmarshalBinary(bad); err == nil {
			t.Errorf("a snapshot that is %s was taken", name)
		}
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	room := series.New(series.Config{Services: []faultline.ServiceID{"x"}})
	run(room, day(1, 300))
	b, _ := room.MarshalBinary()
	f.Add(b)
	f.Add([]byte{1})
	f.Add([]byte{1, 1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		room := series.New(series.Config{})
		if room.UnmarshalBinary(b) != nil {
			return
		}
		if _, err := room.MarshalBinary(); err != nil {
			t.Error(err)
		}
	})
}

// A surge: many people in many networks, a heartbeat every ten seconds.
func BenchmarkStep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	journal := make([]faultline.Observation, 0, 1<<20)
	for i := range 1 << 20 {
		at := t0.Add(time.Duration(i) * 10 * time.Millisecond)
		var p faultline.Payload = report([]string{"US", "GB", "JP"}[r.IntN(3)], faultline.ASN(r.IntN(30)), r.Uint64N(1<<18), r.Uint64())
		if i%1000 == 0 {
			p = &faultline.Heartbeat{Collector: faultline.CollectorReports, From: at.Add(-10 * time.Second)}
		}
		journal = append(journal, faultline.Observation{Position: faultline.Position{Frame: uint64(i)}, At: at, Payload: p})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(journal) == 0 {
			b.StopTimer()
			room = series.New(series.Config{})
			b.StartTimer()
		}
		room.Step(&journal[i%len(journal)])
	}
}

var room *series.Room
