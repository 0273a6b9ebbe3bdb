package duckdb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/store"
	"faultline/internal/store/duckdb"
	"faultline/internal/store/storetest"
)

func mustOpen(t testing.TB, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "store.duckdb")
		return func(t *testing.T) store.Store { return mustOpen(t, path) }
	})
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.duckdb")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE meta SET value = '999' WHERE key = 'version'`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := duckdb.Open(t.Context(), duckdb.Options{Path: path}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

func TestAFileThatIsNoStoreIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.duckdb")
	if err := os.WriteFile(path, []byte("this is not a database, but it is long enough to look at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := duckdb.Open(t.Context(), duckdb.Options{Path: path}); !errors.Is(err, store.ErrBroken) {
		t.Errorf("got %v, want ErrBroken", err)
	}
}

func TestStepIsChosenFromTheSpan(t *testing.T) {
	for span, want := range map[time.Duration]time.Duration{
		time.Hour: time.Minute, 48 * time.Hour: time.Minute, 48*time.Hour + 1: 5 * time.Minute,
		14 * 24 * time.Hour: 5 * time.Minute, 90 * 24 * time.Hour: time.Hour,
	} {
		if got := store.Step(span); got != want {
			t.Errorf("step of %s is %s, want %s", span, got, want)
		}
	}
}

func TestAStoreThatIsOpenElsewhereIsInUseAndNotBroken(t *testing.T) {
	dir := t.TempDir()
	cmd, last := writer(t, dir, 1)
	_, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(dir, "store.duckdb")})
	if !errors.Is(err, store.ErrInUse) || errors.Is(err, store.ErrBroken) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	last()
}

func TestPathsThatDuckDBWouldMisread(t *testing.T) {
	for _, name := range []string{"a?b", "100%"} {
		if _, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(t.TempDir(), name, "s.duckdb")}); err == nil || !strings.Contains(err.Error(), "another data folder") {
			t.Errorf("%s: %v, want an error that says what to do", name, err)
		}
	}
	s := mustOpen(t, filepath.Join(t.TempDir(), "it's a folder", "s.duckdb"))
	defer s.Close()
	if err := s.Apply(t.Context(), storetest.Batch(1)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "it's an archive")
	if _, err := s.Archive(t.Context(), dir, storetest.Noon); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.ReadArchive(t.Context(), dir, func(*faultline.Observation) error { n++; return nil }); err != nil || n != 62 {
		t.Errorf("%d observations, %v", n, err)
	}
}

func TestEveryRefusalIsCounted(t *testing.T) {
	r := prometheus.NewRegistry()
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(t.TempDir(), "s.duckdb"), Registerer: r})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), storetest.Batch(1)); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		reason string
		ctx    context.Context
		batch  *store.Batch
	}{
		{"gap", t.Context(), storetest.Batch(3)},
		{"bad_batch", t.Context(), &store.Batch{First: 2, Last: 1}},
		{"engine", ended, storetest.Batch(2)},
	} {
		if err := s.Apply(c.ctx, c.batch); err == nil {
			t.Errorf("%s: no error", c.reason)
		}
		if n := metric(t, r, "faultline_store_refused_total", c.reason); n != 1 {
			t.Errorf("%s: counted %g times, want 1", c.reason, n)
		}
	}
	if n := metric(t, r, "faultline_store_rows_total", "reports"); n != 60 {
		t.Errorf("%g rows of reports, want 60", n)
	}
	if err := s.Apply(t.Context(), storetest.Batch(2)); err != nil {
		t.Errorf("after all that: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), storetest.Batch(3)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a closed store says %v, want ErrClosed", err)
	}
	if _, err := s.Position(t.Context(), 0); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a closed store says %v, want ErrClosed", err)
	}
}

// The same hour gives the same bytes, however many rows and threads.
func TestAnArchivedHourHasOneForm(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "s.duckdb"))
	defer s.Close()
	for n := uint64(1); n <= 26; n++ {
		if err := s.Apply(t.Context(), big(n)); err != nil {
			t.Fatal(err)
		}
	}
	var first store.Manifest
	for i := range 3 {
		m, err := s.Archive(t.Context(), t.TempDir(), storetest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = m
		}
		if diff := cmp.Diff(first, m); diff != "" {
			t.Errorf("round %d: %s", i, diff)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "store.duckdb"))
	defer s.Close()
	batch := big(1)
	for i := uint64(2); i <= 10; i++ {
		batch.Observations = append(batch.Observations, big(i).Observations...)
	}
	rows := 0
	for n := uint64(1); b.Loop(); n++ {
		batch.First, batch.Last = n, n
		for i := range batch.Observations {
			batch.Observations[i].Position = faultline.Position{Frame: n, Index: uint16(i)}
		}
		if err := s.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		rows += len(batch.Observations)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// What a live program writes every ten seconds.
func BenchmarkApplySmall(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "store.duckdb"))
	defer s.Close()
	for n := uint64(1); b.Loop(); n++ {
		if err := s.Apply(b.Context(), storetest.Batch(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// A page's chart of a day, from ninety days of a country's minutes.
func BenchmarkSeriesOfADay(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "store.duckdb"))
	defer s.Close()
	end := storetest.Noon.Add(90 * 24 * time.Hour)
	for n, at := uint64(1), storetest.Noon; at.Before(end); n, at = n+1, at.Add(24*time.Hour) {
		batch := &store.Batch{First: n, Last: n}
		for i := range 1440 {
			batch.Samples = append(batch.Samples, storetest.Sample(at.Add(time.Duration(i)*time.Minute), 5, 1))
		}
		if err := s.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	q := store.SeriesQuery{Series: storetest.Sample(end, 0, 1).Series, From: end.Add(-24 * time.Hour), To: end}
	for b.Loop() {
		if p, err := s.Series(b.Context(), q); err != nil || len(p) != 1440 {
			b.Fatalf("%d points, %v", len(p), err)
		}
	}
}

func BenchmarkObservations(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "store.duckdb"))
	defer s.Close()
	for n := uint64(1); n <= 100; n++ {
		if err := s.Apply(b.Context(), big(n)); err != nil {
			b.Fatal(err)
		}
	}
	rows := 0
	for b.Loop() {
		if err := s.Observations(b.Context(), store.Filter{}, func(*faultline.Observation) error { rows++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
