package duckdb

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"faultline"
	"faultline/internal/store"
)

// Apply implements store.Writer.
func (s *Store) Apply(ctx context.Context, b *store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	pos, err := s.position(ctx, b.Partition)
	if err != nil {
		return err
	}
	if b.Last <= pos {
		return nil
	}
	if b.First != pos+1 {
		return fmt.Errorf("%w: it has %d, the batch is %d to %d", store.ErrGap, pos, b.First, b.Last)
	}
	return s.inTx(ctx, func() error {
		if err := s.appendAll(ctx, b); err != nil {
			return err
		}
		if _, err := s.write.ExecContext(ctx, `INSERT OR REPLACE INTO positions VALUES (?, ?)`, b.Partition, b.Last); err != nil {
			return fmt.Errorf("write position: %w", err)
		}
		if b.State != nil {
			if _, err := s.write.ExecContext(ctx, `INSERT OR REPLACE INTO states VALUES (?, ?, ?)`, b.Partition, b.Last, b.State); err != nil {
				return fmt.Errorf("write state: %w", err)
			}
		}
		return nil
	})
}

// appendAll writes the rows of all tables.
func (s *Store) appendAll(ctx context.Context, b *store.Batch) error {
	for _, t := range []struct {
		table string
		rows  int // at most; an appender for none costs as much as one for many
		fill  func(*store.Batch, adder) error
	}{
		{"reports", len(b.Observations), reports}, {"others", len(b.Observations), others},
		{"samples", len(b.Samples), samples}, {"cells", len(b.Cells), cells}, {"readings", len(b.Readings), readings},
	} {
		if t.rows == 0 {
			continue
		}
		if err := s.appendRows(t.table, func(add adder) error { return t.fill(b, add) }); err != nil {
			return err
		}
	}
	return s.upsertRecords(ctx, b.Records)
}

type adder func(...driver.Value) error

// appendRows opens DuckDB's bulk appender on the transaction's connection.
func (s *Store) appendRows(table string, fill func(adder) error) error {
	return s.write.Raw(func(conn any) error {
		a, err := duckdb.NewAppenderFromConn(conn.(driver.Conn), "", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		err = fill(func(row ...driver.Value) error { return a.AppendRow(row...) })
		if err = errors.Join(err, a.Close()); err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		return nil
	})
}

// micros is a time as it stands in a table; the zero time is NULL.
func micros(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func reports(b *store.Batch, add adder) error {
	for i := range b.Observations {
		o := &b.Observations[i]
		r, ok := o.Payload.(*faultline.Report)
		if !ok {
			continue
		}
		p := o.Position
		if err := add(p.Partition, p.Frame, p.Index, micros(o.At), micros(o.Received), string(o.Origin),
			string(r.Service), string(r.Symptom), string(r.Surface), r.Works, micros(r.Since),
			string(r.Country), uint32(r.ASN), r.Reporter, r.Network, r.Key); err != nil {
			return err
		}
	}
	return nil
}

// others are measurements, heartbeats and commands: few, and kept as JSON.
func others(b *store.Batch, add adder) error {
	for i := range b.Observations {
		o := &b.Observations[i]
		service := faultline.ServiceID("")
		switch p := o.Payload.(type) {
		case *faultline.Report:
			continue
		case *faultline.Measurement:
			service = p.Service
		case *faultline.Command:
			service = p.Service
		}
		body, err := json.Marshal(o.Payload)
		if err != nil {
			return fmt.Errorf("observation %s: %w", o.Position, err)
		}
		p := o.Position
		if err := add(p.Partition, p.Frame, p.Index, micros(o.At), micros(o.Received), string(o.Origin),
			string(o.Payload.Kind()), string(service), string(body)); err != nil {
			return err
		}
	}
	return nil
}

// seriesColumns are the columns of a series, in the order of the tables.
func seriesColumns(s faultline.Series) []driver.Value {
	return []driver.Value{string(s.Metric), string(s.Service), uint8(s.Level), string(s.Country), uint32(s.ASN), s.Vantage, s.Target}
}

func samples(b *store.Batch, add adder) error {
	for i := range b.Samples {
		v := &b.Samples[i]
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("sample of %s: %w", v.Series, err)
		}
		if err := add(append(seriesColumns(v.Series), micros(v.Start), int64(time.Duration(v.Width)/time.Microsecond),
			v.Value, v.N, int32(v.Raw), int32(v.Works), v.Complete, int32(v.Revision), string(body))...); err != nil {
			return err
		}
	}
	return nil
}

func readings(b *store.Batch, add adder) error {
	for i := range b.Readings {
		v := &b.Readings[i]
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("reading of %s: %w", v.Series, err)
		}
		if err := add(append(seriesColumns(v.Series), micros(v.At), int64(time.Duration(v.Width)/time.Microsecond),
			v.Expected, v.Low, v.High, string(body))...); err != nil {
			return err
		}
	}
	return nil
}

func cells(b *store.Batch, add adder) error {
	for i := range b.Cells {
		c := &b.Cells[i]
		if err := add(string(c.Service), micros(c.Start), string(c.Country), uint32(c.ASN), string(c.Symptom), string(c.Surface),
			c.Works, int32(c.N), string(c.Origin)); err != nil {
			return err
		}
	}
	return nil
}

// upsertRecords writes revisions that are not there yet: a rebuild brings
// records of the control log and of the chain together.
func (s *Store) upsertRecords(ctx context.Context, records []faultline.Record) error {
	for i := range records {
		r := &records[i]
		_, err := s.write.ExecContext(ctx, `
INSERT INTO records SELECT coalesce((SELECT max(seq) FROM records), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM records WHERE kind = ? AND id = ? AND revision = ?)`,
			string(r.Kind), r.ID, r.Revision, string(r.Service), r.At.UnixMicro(), r.By, string(r.Origin), string(r.Body),
			string(r.Kind), r.ID, r.Revision)
		if err != nil {
			return fmt.Errorf("write record %s revision %d: %w", r.ID, r.Revision, err)
		}
	}
	return nil
}

// Position implements store.Writer.
func (s *Store) Position(ctx context.Context, partition uint16) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position(ctx, partition)
}

func (s *Store) position(ctx context.Context, partition uint16) (frame uint64, err error) {
	err = s.write.QueryRowContext(ctx, `SELECT coalesce(max(frame), 0) FROM positions WHERE part = ?`, partition).Scan(&frame)
	if err != nil {
		return 0, fmt.Errorf("read position: %w", err)
	}
	return frame, nil
}

// State implements store.Writer.
func (s *Store) State(ctx context.Context, partition uint16) (frame uint64, state []byte, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT frame, state FROM states WHERE part = ?`, partition)
	if err != nil {
		return 0, nil, fmt.Errorf("read state: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&frame, &state)
	}
	if err = errors.Join(err, rows.Err()); err != nil {
		return 0, nil, fmt.Errorf("read state: %w", err)
	}
	return frame, state, nil
}
