package jetstream_test

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/journal/jetstream"
	"faultline/internal/journal/journaltest"
)

func options(dir string) jetstream.Options {
	return jetstream.Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry()}
}

func mustOpen(t testing.TB, o jetstream.Options) *jetstream.Journal {
	t.Helper()
	j, err := jetstream.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Opener {
		dir := t.TempDir()
		return func(t *testing.T) journal.Journal { return mustOpen(t, options(dir)) }
	})
}

func TestAFullJournalRefusesAndKeepsWhatItHas(t *testing.T) {
	o := options(t.TempDir())
	reg := prometheus.NewRegistry()
	o.MaxBytes, o.Registry = 20_000, reg
	j := mustOpen(t, o)
	defer j.Close()
	written := 0
	for ; written < 10_000; written++ {
		if err := j.Append(t.Context(), journaltest.Report(written)); err != nil {
			if !errors.Is(err, journal.ErrFull) {
				t.Fatalf("got %v, want ErrFull", err)
			}
			break
		}
	}
	if n := len(journaltest.ReadAll(t, j, 0)); n != written || n == 10_000 {
		t.Errorf("%d records of %d acknowledged", n, written)
	}
	if got := counter(t, reg, "faultline_journal_refused_total", "full"); got != 1 {
		t.Errorf("refusals counted: %v, want 1", got)
	}
	if err := j.Trim(t.Context(), 0, "report", uint64(written)); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), journaltest.Report(0)); err != nil {
		t.Errorf("append after room was made: %v", err)
	}
}

func counter(t *testing.T, reg *prometheus.Registry, name, reason string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no counter %s{reason=%q}", name, reason)
	return 0
}

func BenchmarkAppend(b *testing.B) {
	j := mustOpen(b, options(b.TempDir()))
	defer j.Close()
	b.SetParallelism(256)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if err := j.Append(b.Context(), journaltest.Report(n)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkRead(b *testing.B) {
	j := mustOpen(b, options(b.TempDir()))
	defer j.Close()
	const total = 200
	obs := make([]*faultline.Observation, journal.MaxRecords)
	for i := range obs {
		obs[i] = journaltest.Report(i)
	}
	for range total {
		if err := j.Append(b.Context(), obs...); err != nil {
			b.Fatal(err)
		}
	}
	records := 0
	for b.Loop() {
		if err := j.Read(b.Context(), 0, 0, func(f *journal.Frame) error { records += len(f.Records); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
