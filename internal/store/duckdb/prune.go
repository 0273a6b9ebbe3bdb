package duckdb

import (
	"context"
	"fmt"
	"time"

	"faultline/internal/store"
)

const hourMicros = int64(time.Hour / time.Microsecond)

// Prune implements store.Archiver. Minutes become hours in the same
// transaction in which they go.
func (s *Store) Prune(ctx context.Context, r store.Retention, now time.Time) error {
	return s.writing(ctx, func() error {
		return s.inTx(ctx, func() error {
			for _, step := range pruneSteps(r, now) {
				if _, err := s.write.ExecContext(ctx, step.text, step.args...); err != nil {
					return fmt.Errorf("prune: %w", err)
				}
			}
			return nil
		})
	})
}

type step struct {
	text string
	args []any
}

func pruneSteps(r store.Retention, now time.Time) (steps []step) {
	// before is the end of the hours that go.
	before := func(age time.Duration) int64 { return now.Add(-age).Truncate(time.Hour).UnixMicro() }
	if r.Reports > 0 {
		steps = append(steps, step{`DELETE FROM reports WHERE at_us < ?`, []any{before(r.Reports)}})
	}
	if r.Measurements > 0 {
		steps = append(steps, step{`DELETE FROM others WHERE at_us < ?`, []any{before(r.Measurements)}})
	}
	if r.Minutes > 0 {
		b := before(r.Minutes)
		steps = append(steps,
			step{rollSamples, []any{hourMicros, hourMicros, hourMicros, b}},
			step{`DELETE FROM samples WHERE start < ?`, []any{b}},
			step{`DELETE FROM readings WHERE at_us <= ?`, []any{b}}, // a reading stands at the end of its minute
			step{rollCells, []any{hourMicros, hourMicros, b}},
			step{`DELETE FROM cells WHERE start < ?`, []any{b}})
	}
	return steps
}

// rollSamples sums the newest revisions of an hour. What is known of the hour
// is the part of it that samples cover, weighed by how complete they are.
const rollSamples = `
INSERT INTO hours SELECT metric, service, level, country, asn, vantage, target, start // ? * ? AS hour, sum(value), sum(n), sum(raw), sum(works),
  least(1, sum(complete * width) / ?)
FROM (SELECT metric, service, level, country, asn, vantage, target, start, arg_max(width, revision) AS width,
    arg_max(value, revision) AS value, arg_max(n, revision) AS n, arg_max(raw, revision) AS raw, arg_max(works, revision) AS works,
    arg_max(complete, revision) AS complete
  FROM samples WHERE start < ? GROUP BY ALL)
GROUP BY metric, service, level, country, asn, vantage, target, hour`

const rollCells = `
INSERT INTO cell_hours SELECT service, start // ? * ? AS hour, country, asn, symptom, surface, works, sum(n), origin
FROM cells WHERE start < ? GROUP BY service, hour, country, asn, symptom, surface, works, origin`
