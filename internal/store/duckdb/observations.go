package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"faultline"
	"faultline/internal/store"
)

// Columns of the two tables of observations, read into the same shape.
const (
	reportColumns = `part, frame, idx, at_us, received, origin, 'report' AS kind, service, symptom, surface, works, since, country, asn, reporter, network, key, NULL AS body`
	otherColumns  = `part, frame, idx, at_us, received, origin, kind, service, NULL AS symptom, NULL AS surface, NULL AS works, NULL AS since, NULL AS country, NULL AS asn, NULL AS reporter, NULL AS network, NULL AS key, body`
)

// Observations implements store.Reader.
func (s *Store) Observations(ctx context.Context, f store.Filter, fn func(*faultline.Observation) error) error {
	parts, err := s.partitions(ctx, f.After.Partition)
	if err != nil {
		return err
	}
	n := 0
	for _, part := range parts {
		p := observationPager(f, part)
		err := pages(ctx, s, p, 0, scanObservation, func(o *faultline.Observation) error {
			if part == f.After.Partition && !o.Position.After(f.After) {
				return nil
			}
			if r, ok := o.Payload.(*faultline.Report); ok && !f.KeepHash {
				r.Reporter, r.Network, r.Key = 0, 0, 0
			}
			if n++; f.Limit > 0 && n > f.Limit {
				return errEnough
			}
			return fn(o)
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errEnough ends a walk over pages.
var errEnough = errors.New("enough")

// partitions lists those that have rows, from one on.
func (s *Store) partitions(ctx context.Context, from uint16) (parts []uint16, err error) {
	err = s.query(ctx, "list partitions", `SELECT part FROM positions WHERE part >= ? ORDER BY part`, []any{from}, func(rows *sql.Rows) error {
		var p uint16
		err := rows.Scan(&p)
		parts = append(parts, p)
		return err
	})
	return parts, err
}

// observationPager pages through one partition by frames.
func observationPager(f store.Filter, part uint16) *pager {
	var w where
	w.add("part = ?", part)
	w.filter(store.Filter{Service: f.Service, Since: f.Since, Until: f.Until}, "at_us")
	var from []source
	if f.Kind == "" || f.Kind == faultline.KindReport {
		from = append(from, source{reportColumns, "reports", w})
	}
	if f.Kind != faultline.KindReport {
		if f.Kind != "" {
			w.add("kind = ?", string(f.Kind))
		}
		from = append(from, source{otherColumns, "others", w})
	}
	p := framePager("read observations", from)
	if part == f.After.Partition {
		p.lo = int64(f.After.Frame)
	}
	return p
}

// source is where observations of one partition lie.
type source struct {
	columns, from string
	where         where
}

// framePager pages through sources by frames, in order of position.
func framePager(what string, from []source) *pager {
	p := &pager{what: what, column: "frame", width: pageRows / 1000} // a frame has a thousand rows at most
	union := func(cond string, columns func(source) string) string {
		parts := make([]string, len(from))
		for i, f := range from {
			parts[i] = `SELECT ` + columns(f) + ` FROM ` + f.from + f.where.and(cond)
		}
		return strings.Join(parts, " UNION ALL ")
	}
	p.first = func(cond string) string {
		return `SELECT CAST(min(frame) AS BIGINT) FROM (` + union(cond, func(source) string { return "frame" }) + `)`
	}
	p.rows = func(cond string) string {
		return union(cond, func(f source) string { return f.columns }) + ` ORDER BY frame, idx`
	}
	for _, f := range from {
		p.args = append(p.args, f.where.args...)
	}
	return p
}

func scanObservation(rows *sql.Rows) (*faultline.Observation, error) {
	var (
		o                               faultline.Observation
		at                              int64
		received                        sql.NullInt64
		kind, service                   string
		symptom, surface, country, body sql.NullString
		works                           sql.NullBool
		since, asn                      sql.NullInt64
		reporter, network, key          sql.Null[uint64]
	)
	p := &o.Position
	if err := rows.Scan(&p.Partition, &p.Frame, &p.Index, &at, &received, &o.Origin, &kind, &service, &symptom, &surface, &works, &since,
		&country, &asn, &reporter, &network, &key, &body); err != nil {
		return nil, err
	}
	if o.At = timeOf(at); received.Valid {
		o.Received = timeOf(received.Int64)
	}
	if kind != string(faultline.KindReport) {
		var err error
		o.Payload, err = payload(faultline.Kind(kind), body.String)
		return &o, err
	}
	r := &faultline.Report{
		Service: faultline.ServiceID(service), Symptom: faultline.Symptom(symptom.String), Surface: faultline.Surface(surface.String), Works: works.Bool,
		Place:    faultline.Place{Country: faultline.Country(country.String), ASN: faultline.ASN(asn.Int64)},
		Reporter: reporter.V, Network: network.V, Key: key.V,
	}
	if since.Valid {
		r.Since = timeOf(since.Int64)
	}
	o.Payload = r
	return &o, nil
}

// payload reads a payload from its JSON.
func payload(kind faultline.Kind, body string) (faultline.Payload, error) {
	var p faultline.Payload
	switch kind {
	case faultline.KindMeasurement:
		p = &faultline.Measurement{}
	case faultline.KindHeartbeat:
		p = &faultline.Heartbeat{}
	case faultline.KindCommand:
		p = &faultline.Command{}
	default:
		return nil, fmt.Errorf("unknown kind of observation %q: was this written by a newer version?", kind)
	}
	if err := json.Unmarshal([]byte(body), p); err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	return p, nil
}
