package duckdb

import (
	"path/filepath"
	"testing"

	"faultline"
	"faultline/internal/store"
	"faultline/internal/store/storetest"
)

// What DuckDB holds is asked of DuckDB: the process's own memory also has what
// the C library keeps, which is not ours to give back.
func TestMemoryIsGivenBackWhenBatchesAreSmall(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "s.duckdb")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	apply := func(b *store.Batch) (held int64) {
		t.Helper()
		if err := s.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if held, err = s.held(t.Context()); err != nil {
			t.Fatal(err)
		}
		return held
	}
	const most = (idleMB + 8) * 1_000_000
	n, busy := uint64(0), int64(0)
	for busy <= most {
		if n++; n > 400 {
			t.Fatalf("two million rows, and only %d bytes are held: this test says nothing", busy)
		}
		busy = apply(manyReports(n, 5000))
	}
	if idle := apply(manyReports(n+1, 10)); idle > most {
		t.Errorf("%d MB held after a small batch, %d MB before; at most %d MB are to be kept", idle>>20, busy>>20, most>>20)
	}
}

// manyReports is a batch of rows that do not compress to nothing.
func manyReports(frame uint64, rows uint16) *store.Batch {
	b := &store.Batch{First: frame, Last: frame}
	x := frame * 0x9e3779b97f4a7c15
	for i := range rows {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.Observations = append(b.Observations, faultline.Observation{
			Position: faultline.Position{Frame: frame, Index: i}, At: storetest.Noon, Received: storetest.Noon, Origin: faultline.Measured,
			Payload: &faultline.Report{Service: "x", Symptom: faultline.Slow, Surface: faultline.App, Reporter: x, Network: x >> 20, Key: x * 7},
		})
	}
	return b
}
