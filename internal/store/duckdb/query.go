package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline"
	"faultline/internal/store"
)

// where collects conditions and their arguments.
type where struct {
	conds []string
	args  []any
}

// add adds a condition; a copy of w made before does not see it.
func (w *where) add(cond string, args ...any) {
	w.conds = append(slices.Clip(w.conds), cond)
	w.args = append(slices.Clip(w.args), args...)
}

func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

func (w *where) span(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", from.UnixMicro())
	}
	if !to.IsZero() {
		w.add(column+" < ?", to.UnixMicro())
	}
}

// query runs a query with a bounded answer and calls scan for each row.
func (s *Store) query(ctx context.Context, what, q string, args []any, scan func(*sql.Rows) error) error {
	return s.reading(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, q, args...)
		if err != nil {
			return diskFull(fmt.Errorf("%s: %w", what, err))
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
		if err := rows.Err(); err != nil {
			return diskFull(fmt.Errorf("%s: %w", what, err))
		}
		return nil
	})
}

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

// seriesQuery sums the newest revision of each sample into steps. Hours that
// were rolled up stand for themselves where the step is shorter. What is known
// of a step is measured against the part of it that was asked for.
const seriesQuery = `
WITH newest AS (
  SELECT start // $step * $step AS bin, $step AS unit, arg_max(width, revision) AS width, arg_max(value, revision) AS value, arg_max(n, revision) AS n,
    arg_max(raw, revision) AS raw, arg_max(works, revision) AS works, arg_max(complete, revision) AS complete
  FROM samples WHERE %[1]s AND start >= $from AND start < $to GROUP BY start
  UNION ALL
  SELECT start // greatest($step, $hour) * greatest($step, $hour), greatest($step, $hour), $hour, value, n, raw, works, complete
  FROM hours WHERE %[1]s AND start >= $from AND start < $to),
points AS (
  SELECT bin, unit, sum(value) AS value, sum(n) AS n, CAST(sum(raw) AS BIGINT) AS raw, CAST(sum(works) AS BIGINT) AS works,
    least(1, sum(complete * width) / (least(bin + unit, $to) - greatest(bin, $from))) AS complete
  FROM newest GROUP BY bin, unit),
usual AS (
  SELECT (at_us - 1) // $step * $step AS bin, avg(expected / width) AS expected, avg(low / width) AS low, avg(high / width) AS high
  FROM readings WHERE %[1]s AND at_us > $from AND at_us <= $to AND width > 0 GROUP BY bin)
SELECT bin, unit, value, n, raw, works, complete, expected * unit, low * unit, high * unit
FROM points LEFT JOIN usual USING (bin) ORDER BY bin, unit`

const isSeries = `metric = $metric AND service = $service AND level = $level AND country = $country AND asn = $asn AND vantage = $vantage AND target = $target`

// Series implements store.Reader.
func (s *Store) Series(ctx context.Context, q store.SeriesQuery) ([]store.Point, error) {
	if q.Step == 0 {
		q.Step = store.Step(q.To.Sub(q.From))
	}
	if q.Step < time.Microsecond || !q.From.Before(q.To) {
		return nil, fmt.Errorf("read series %s: %s to %s in steps of %s is no span", q.Series, q.From, q.To, q.Step)
	}
	args := []any{
		sql.Named("step", q.Step.Microseconds()), sql.Named("hour", hourMicros), sql.Named("from", q.From.UnixMicro()), sql.Named("to", q.To.UnixMicro()),
		sql.Named("metric", string(q.Series.Metric)), sql.Named("service", string(q.Series.Service)), sql.Named("level", uint8(q.Series.Level)),
		sql.Named("country", string(q.Series.Country)), sql.Named("asn", uint32(q.Series.ASN)), sql.Named("vantage", q.Series.Vantage), sql.Named("target", q.Series.Target),
	}
	var out []store.Point
	err := s.query(ctx, "read series", fmt.Sprintf(seriesQuery, isSeries), args, func(rows *sql.Rows) error {
		p, err := scanPoint(rows)
		out = append(out, p)
		return err
	})
	return out, err
}

func scanPoint(rows *sql.Rows) (p store.Point, err error) {
	var bin, unit int64
	var expected, low, high sql.NullFloat64
	err = rows.Scan(&bin, &unit, &p.Value, &p.N, &p.Raw, &p.Works, &p.Complete, &expected, &low, &high)
	p.Start, p.Width, p.HasUsual = timeOf(bin), time.Duration(unit)*time.Microsecond, expected.Valid
	p.Expected, p.Low, p.High = expected.Float64, low.Float64, high.Float64
	return p, err
}

// allCells are the cells of minutes and of hours that were rolled up.
const allCells = `(SELECT service, start, country, asn, symptom, surface, works, n FROM cells
  UNION ALL SELECT service, start, country, asn, symptom, surface, works, n FROM cell_hours)`

// Places implements store.Reader.
func (s *Store) Places(ctx context.Context, q store.PlacesQuery) ([]store.PlaceCount, error) {
	var w where
	w.add("service = ?", string(q.Service))
	w.span("start", q.From, q.To)
	asn := "CAST(0 AS UINTEGER)"
	if q.Country != "" {
		w.add("country = ?", string(q.Country))
		asn = "asn"
	}
	text := `SELECT country, ` + asn + ` AS network, CAST(sum(CASE WHEN works THEN 0 ELSE n END) AS BIGINT) AS problems,
  CAST(sum(CASE WHEN works THEN n ELSE 0 END) AS BIGINT) FROM ` + allCells + w.String() + ` GROUP BY country, network ORDER BY problems DESC, country, network`
	var out []store.PlaceCount
	err := s.query(ctx, "read places", text, w.args, func(rows *sql.Rows) error {
		var p store.PlaceCount
		err := rows.Scan(&p.Country, &p.ASN, &p.N, &p.Works)
		out = append(out, p)
		return err
	})
	return out, err
}

// Mix implements store.Reader.
func (s *Store) Mix(ctx context.Context, service faultline.ServiceID, from, to time.Time) ([]store.MixCount, error) {
	var w where
	w.add("service = ?", string(service))
	w.span("start", from, to)
	text := `SELECT symptom, surface, works, CAST(sum(n) AS BIGINT) AS total FROM ` + allCells + w.String() +
		` GROUP BY symptom, surface, works ORDER BY total DESC, symptom, surface`
	var out []store.MixCount
	err := s.query(ctx, "read mix", text, w.args, func(rows *sql.Rows) error {
		var m store.MixCount
		err := rows.Scan(&m.Symptom, &m.Surface, &m.Works, &m.N)
		out = append(out, m)
		return err
	})
	return out, err
}

func (w *where) filter(f store.Filter, column string) {
	if f.Service != "" {
		w.add("service = ?", string(f.Service))
	}
	if f.Level != nil {
		w.add("level = ?", uint8(*f.Level))
	}
	w.span(column, f.Since, f.Until)
}

// tenMinutes is the first window of samples and readings.
const tenMinutes = int64(10 * time.Minute / time.Microsecond)

const seriesOrder = `metric, service, level, country, asn, vantage, target`

// Samples implements store.Reader.
func (s *Store) Samples(ctx context.Context, f store.Filter, fn func(*faultline.Sample) error) error {
	var w where
	w.filter(f, "start")
	p := &pager{
		what: "read samples", column: "start", args: w.args, width: tenMinutes,
		first: func(cond string) string { return `SELECT min(start) FROM samples` + w.and(cond) },
		rows: func(cond string) string {
			return `SELECT arg_max(body, revision) FROM samples` + w.and(cond) + ` GROUP BY start, ` + seriesOrder + ` ORDER BY start, ` + seriesOrder
		},
	}
	return pages(ctx, s, p, f.Limit, scanJSON[faultline.Sample], fn)
}

// Readings implements store.Reader.
func (s *Store) Readings(ctx context.Context, f store.Filter, fn func(*faultline.Reading) error) error {
	var w where
	w.filter(f, "at_us")
	p := &pager{
		what: "read readings", column: "at_us", args: w.args, width: tenMinutes,
		first: func(cond string) string { return `SELECT min(at_us) FROM readings` + w.and(cond) },
		rows: func(cond string) string {
			return `SELECT body FROM readings` + w.and(cond) + ` ORDER BY at_us, ` + seriesOrder
		},
	}
	return pages(ctx, s, p, f.Limit, scanJSON[faultline.Reading], fn)
}

func scanJSON[T any](rows *sql.Rows) (*T, error) {
	var body string
	if err := rows.Scan(&body); err != nil {
		return nil, err
	}
	v := new(T)
	return v, json.Unmarshal([]byte(body), v)
}

// Records implements store.Reader.
func (s *Store) Records(ctx context.Context, f store.RecordFilter) ([]faultline.Record, error) {
	var w where
	for column, v := range map[string]string{"kind": string(f.Kind), "id": f.ID, "service": string(f.Service)} {
		if v != "" {
			w.add(column+" = ?", v)
		}
	}
	w.span("at_us", f.Since, f.Until)
	text := `SELECT kind, id, revision, service, at_us, made_by, origin, body FROM records` + w.String()
	if f.Latest {
		text += ` QUALIFY row_number() OVER (PARTITION BY kind, id ORDER BY revision DESC) = 1`
	}
	text += ` ORDER BY at_us DESC, seq DESC`
	if f.Limit > 0 {
		text += ` LIMIT ` + strconv.Itoa(f.Limit)
	}
	var out []faultline.Record
	err := s.query(ctx, "read records", text, w.args, func(rows *sql.Rows) error {
		var r faultline.Record
		var at int64
		var body string
		err := rows.Scan(&r.Kind, &r.ID, &r.Revision, &r.Service, &at, &r.By, &r.Origin, &body)
		r.At, r.Body = timeOf(at), json.RawMessage(body)
		out = append(out, r)
		return err
	})
	slices.Reverse(out)
	return out, err
}
