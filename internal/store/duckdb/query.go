package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
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

func (w *where) add(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

func (w *where) series(s faultline.Series) {
	w.add("metric = ? AND service = ? AND level = ? AND country = ? AND asn = ? AND vantage = ? AND target = ?",
		string(s.Metric), string(s.Service), uint8(s.Level), string(s.Country), uint32(s.ASN), s.Vantage, s.Target)
}

func (w *where) span(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", from.UnixMicro())
	}
	if !to.IsZero() {
		w.add(column+" < ?", to.UnixMicro())
	}
}

// query runs a query and calls scan for each row.
func (s *Store) query(ctx context.Context, what, q string, args []any, scan func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, q, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

// Series implements store.Reader. Of a sample's revisions the last one counts.
// Hours that were rolled up serve the spans whose minutes are gone.
func (s *Store) Series(ctx context.Context, q store.SeriesQuery) ([]store.Point, error) {
	if q.Step == 0 {
		q.Step = store.Step(q.To.Sub(q.From))
	}
	step := q.Step.Microseconds()
	var w, r where
	w.series(q.Series)
	w.span("start", q.From, q.To)
	r.series(q.Series)
	r.span("at_us - 1", q.From, q.To) // a reading stands at the end of its minute
	text := `
WITH newest AS (SELECT start, arg_max(value, revision) AS value, arg_max(n, revision) AS n, arg_max(raw, revision) AS raw,
    arg_max(works, revision) AS works, arg_max(complete, revision) AS complete FROM samples` + w.String() + ` GROUP BY start
  UNION ALL SELECT start, value, n, raw, works, complete FROM hours` + w.String() + `),
points AS (SELECT start // ? AS bin, sum(value) AS value, sum(n) AS n, sum(raw) AS raw, sum(works) AS works, avg(complete) AS complete
  FROM newest GROUP BY bin),
usual AS (SELECT (at_us - 1) // ? AS bin, avg(expected / width) AS expected, avg(low / width) AS low, avg(high / width) AS high
  FROM readings` + r.String() + ` AND width > 0 GROUP BY bin)
SELECT points.bin, value, n, CAST(raw AS BIGINT), CAST(works AS BIGINT), complete, expected, low, high
FROM points LEFT JOIN usual USING (bin) ORDER BY points.bin`
	args := append(append(append(append(append([]any{}, w.args...), w.args...), step), step), r.args...)
	var out []store.Point
	err := s.query(ctx, "read series", text, args, func(rows *sql.Rows) error {
		var bin int64
		var p store.Point
		var expected, low, high sql.NullFloat64
		if err := rows.Scan(&bin, &p.Value, &p.N, &p.Raw, &p.Works, &p.Complete, &expected, &low, &high); err != nil {
			return err
		}
		p.Start, p.HasUsual = timeOf(bin*step), expected.Valid
		p.Expected, p.Low, p.High = expected.Float64*float64(step), low.Float64*float64(step), high.Float64*float64(step)
		out = append(out, p)
		return nil
	})
	return out, err
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

// Samples implements store.Reader.
func (s *Store) Samples(ctx context.Context, f store.Filter, fn func(*faultline.Sample) error) error {
	var w where
	w.filter(f, "start")
	text := `SELECT arg_max(body, revision) FROM samples` + w.String() + `
GROUP BY start, metric, service, level, country, asn, vantage, target ORDER BY start, metric, service, level, country, asn, vantage, target`
	return s.query(ctx, "read samples", text, w.args, func(rows *sql.Rows) error {
		var v faultline.Sample
		if err := scanJSON(rows, &v); err != nil {
			return err
		}
		return fn(&v)
	})
}

// Readings implements store.Reader.
func (s *Store) Readings(ctx context.Context, f store.Filter, fn func(*faultline.Reading) error) error {
	var w where
	w.filter(f, "at_us")
	text := `SELECT body FROM readings` + w.String() + ` ORDER BY at_us, metric, service, level, country, asn, vantage, target`
	return s.query(ctx, "read readings", text, w.args, func(rows *sql.Rows) error {
		var v faultline.Reading
		if err := scanJSON(rows, &v); err != nil {
			return err
		}
		return fn(&v)
	})
}

func scanJSON(rows *sql.Rows, into any) error {
	var body string
	if err := rows.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), into)
}

// Records implements store.Reader.
func (s *Store) Records(ctx context.Context, f store.RecordFilter) ([]faultline.Record, error) {
	var w where
	for column, v := range map[string]string{"kind": string(f.Kind), "id": f.ID, "service": string(f.Service)} {
		if v != "" {
			w.add(column+" = ?", v)
		}
	}
	w.span("at_us", f.Since, time.Time{})
	text := `SELECT kind, id, revision, service, at_us, made_by, origin, body FROM records` + w.String()
	if f.Latest {
		text += ` QUALIFY row_number() OVER (PARTITION BY kind, id ORDER BY revision DESC) = 1`
	}
	var out []faultline.Record
	err := s.query(ctx, "read records", text+` ORDER BY at_us, seq`, w.args, func(rows *sql.Rows) error {
		var r faultline.Record
		var at int64
		var body string
		err := rows.Scan(&r.Kind, &r.ID, &r.Revision, &r.Service, &at, &r.By, &r.Origin, &body)
		r.At, r.Body = timeOf(at), json.RawMessage(body)
		out = append(out, r)
		return err
	})
	return out, err
}
