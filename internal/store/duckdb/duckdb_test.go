package duckdb_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

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

func BenchmarkApply(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "store.duckdb"))
	defer s.Close()
	batch := storetest.Batch(1)
	for len(batch.Observations) < 50_000 {
		batch.Observations = append(batch.Observations, batch.Observations[:60]...)
	}
	rows := 0
	for n := uint64(1); b.Loop(); n++ {
		batch.First, batch.Last = n, n
		if err := s.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		rows += len(batch.Observations)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
