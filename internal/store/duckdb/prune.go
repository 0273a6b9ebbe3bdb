package duckdb

import (
	"context"
	"fmt"
	"time"

	"faultline/internal/store"
)

// Prune implements store.Archiver. Minutes become hours in the same
// transaction in which they go.
func (s *Store) Prune(ctx context.Context, r store.Retention, now time.Time) error {
	const hour = int64(time.Hour / time.Microsecond)
	before := func(age time.Duration) int64 { return now.Add(-age).Truncate(time.Hour).UnixMicro() }
	steps := []struct {
		text string
		args []any
	}{
		{`DELETE FROM reports WHERE at_us < ?`, []any{before(r.Reports)}},
		{`DELETE FROM others WHERE at_us < ?`, []any{before(r.Measurements)}},
		{`INSERT INTO hours SELECT metric, service, level, country, asn, vantage, target, start // ? * ? AS hour, sum(value), sum(n), sum(raw), sum(works), avg(complete)
FROM (SELECT metric, service, level, country, asn, vantage, target, start, arg_max(value, revision) AS value, arg_max(n, revision) AS n,
  arg_max(raw, revision) AS raw, arg_max(works, revision) AS works, arg_max(complete, revision) AS complete FROM samples WHERE start < ?
  GROUP BY ALL) GROUP BY metric, service, level, country, asn, vantage, target, hour`, []any{hour, hour, before(r.Minutes)}},
		{`DELETE FROM samples WHERE start < ?`, []any{before(r.Minutes)}},
		{`DELETE FROM readings WHERE at_us < ?`, []any{before(r.Minutes)}},
		{`INSERT INTO cell_hours SELECT service, start // ? * ? AS hour, country, asn, symptom, surface, works, sum(n), origin FROM cells WHERE start < ?
GROUP BY service, hour, country, asn, symptom, surface, works, origin`, []any{hour, hour, before(r.Minutes)}},
		{`DELETE FROM cells WHERE start < ?`, []any{before(r.Minutes)}},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inTx(ctx, func() error {
		for _, step := range steps {
			if _, err := s.write.ExecContext(ctx, step.text, step.args...); err != nil {
				return fmt.Errorf("prune: %w", err)
			}
		}
		return nil
	})
}
