package duckdb

import (
	"context"
	"database/sql"
	"fmt"

	"faultline/internal/store"
)

// A replay or a rebuild brings batches of thousands of rows, and DuckDB keeps
// what it touched in memory up to its bound, for ever. A live program brings
// small ones: after a small batch, what it holds above idleMB is given back.
const (
	smallBatch = 2_000
	idleMB     = 24
)

// rest gives memory back when there is little to do. DuckDB lets go of cached
// blocks only when its bound shrinks, so the bound goes down and up again;
// readers wait those few tens of milliseconds, or they might meet it.
func (s *Store) rest(ctx context.Context, b *store.Batch) {
	if len(b.Observations)+len(b.Samples)+len(b.Readings) > smallBatch {
		return
	}
	if held, err := s.held(ctx); err != nil || held <= (idleMB+8)*1_000_000 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.write == nil {
		return
	}
	// That it could not shrink is no harm, and it must not stay small.
	for _, mb := range []int{idleMB, s.options.MemoryMB} {
		_, _ = s.write.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf(`SET memory_limit = '%dMB'`, mb))
	}
}

// held is what DuckDB says it holds in memory, in bytes.
func (s *Store) held(ctx context.Context) (n int64, err error) {
	err = s.reading(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()`).Scan(&n)
	})
	return n, err
}
