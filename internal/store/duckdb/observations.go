package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

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
	var w where
	w.filter(f, "at_us")
	text, args := "", []any{}
	if f.Kind == "" || f.Kind == faultline.KindReport {
		text, args = `SELECT `+reportColumns+` FROM reports`+w.String(), append(args, w.args...)
	}
	if f.Kind != faultline.KindReport {
		if f.Kind != "" {
			w.add("kind = ?", string(f.Kind))
		}
		if text != "" {
			text += " UNION ALL "
		}
		text, args = text+`SELECT `+otherColumns+` FROM others`+w.String(), append(args, w.args...)
	}
	return s.observations(ctx, text, args, f.KeepHash, fn)
}

// observations runs a query over the common columns, in order of position.
func (s *Store) observations(ctx context.Context, text string, args []any, keep bool, fn func(*faultline.Observation) error) error {
	return s.query(ctx, "read observations", text+` ORDER BY part, frame, idx`, args, func(rows *sql.Rows) error {
		o, err := scanObservation(rows)
		if err != nil {
			return err
		}
		if r, ok := o.Payload.(*faultline.Report); ok && !keep {
			r.Reporter, r.Network, r.Key = 0, 0, 0
		}
		return fn(o)
	})
}

func scanObservation(rows *sql.Rows) (*faultline.Observation, error) {
	var (
		o                               faultline.Observation
		at, received                    int64
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
	o.At, o.Received = timeOf(at), timeOf(received)
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
