package duckdb

import (
	"context"
	"database/sql"
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
	began := time.Now()
	err := s.writing(ctx, func() error { return s.apply(ctx, b) })
	if err != nil && s.broken.Load() {
		// DuckDB gave up while it closed the transaction: look what became of it.
		if pos, posErr := s.Position(ctx, b.Partition); posErr == nil && pos == b.Last {
			err = nil
		}
	}
	if err != nil {
		s.metrics.refuse(err)
		return err
	}
	s.metrics.apply.Observe(time.Since(began).Seconds())
	s.rest(ctx, b)
	return nil
}

func (s *Store) apply(ctx context.Context, b *store.Batch) error {
	pos, err := position(ctx, s.write, b.Partition)
	if err != nil {
		return err
	}
	if err := check(b); err != nil {
		return err
	}
	if b.Last <= pos {
		return nil
	}
	if b.First != pos+1 {
		return fmt.Errorf("%w: it has %d, the batch is %d to %d", store.ErrGap, pos, b.First, b.Last)
	}
	if err := s.inTx(ctx, func() error { return s.appendAll(ctx, b) }); err != nil {
		return err
	}
	s.metrics.count(b)
	return nil
}

// check says what is wrong with a batch that no position could make right.
func check(b *store.Batch) error {
	if b.First == 0 || b.Last < b.First {
		return fmt.Errorf("%w: frames %d to %d", store.ErrBatch, b.First, b.Last)
	}
	for i := range b.Observations {
		p := b.Observations[i].Position
		if p.Partition != b.Partition || p.Frame < b.First || p.Frame > b.Last {
			return fmt.Errorf("%w: observation %s in frames %d to %d of partition %d", store.ErrBatch, p, b.First, b.Last, b.Partition)
		}
	}
	return nil
}

// appendAll writes the rows of all tables, the position and the state.
func (s *Store) appendAll(ctx context.Context, b *store.Batch) error {
	for _, t := range []struct {
		table string
		rows  int // at most; an appender for none costs as much as one for many
		fill  func(*store.Batch, adder) error
	}{
		{"reports", len(b.Observations), reports},
		{"others", len(b.Observations), others},
		{"samples", len(b.Samples), samples},
		{"cells", len(b.Cells), cells},
		{"readings", len(b.Readings), readings},
	} {
		if t.rows == 0 {
			continue
		}
		if err := s.appendRows(t.table, func(add adder) error { return t.fill(b, add) }); err != nil {
			return err
		}
	}
	if err := s.addRecords(ctx, b.Records); err != nil {
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
	row := make([]driver.Value, 0, 16) // they come in crowds: used again for each
	for i := range b.Observations {
		o := &b.Observations[i]
		r, ok := o.Payload.(*faultline.Report)
		if !ok {
			continue
		}
		p := o.Position
		row = append(row[:0], p.Partition, p.Frame, p.Index, micros(o.At), micros(o.Received), string(o.Origin),
			string(r.Service), string(r.Symptom), string(r.Surface), r.Works, micros(r.Since),
			string(r.Country), uint32(r.ASN), r.Reporter, r.Network, r.Key)
		if err := add(row...); err != nil {
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

// addRecords writes revisions that are not there yet: a rebuild brings records
// of the control log and of the chain together.
func (s *Store) addRecords(ctx context.Context, records []faultline.Record) error {
	if len(records) == 0 {
		return nil
	}
	if _, err := s.write.ExecContext(ctx, `DELETE FROM incoming`); err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	if err := s.appendRows("incoming", func(add adder) error { return incoming(records, add) }); err != nil {
		return err
	}
	_, err := s.write.ExecContext(ctx, `
INSERT INTO records SELECT (SELECT coalesce(max(seq), 0) FROM records) + row_number() OVER (ORDER BY seq), kind, id, revision, service, at_us, made_by, origin, body
FROM incoming ANTI JOIN records USING (kind, id, revision)`)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return nil
}

// incoming are records, each revision once.
func incoming(records []faultline.Record, add adder) error {
	type key struct {
		kind     faultline.RecordKind
		id       string
		revision int
	}
	seen := make(map[key]bool, len(records))
	for i := range records {
		r := &records[i]
		k := key{r.Kind, r.ID, r.Revision}
		if seen[k] {
			continue
		}
		seen[k] = true
		if err := add(uint64(i), string(r.Kind), r.ID, int32(r.Revision), string(r.Service), r.At.UnixMicro(), r.By, string(r.Origin), string(r.Body)); err != nil {
			return err
		}
	}
	return nil
}

// Position implements store.Writer.
func (s *Store) Position(ctx context.Context, partition uint16) (frame uint64, err error) {
	err = s.reading(ctx, func(db *sql.DB) error {
		frame, err = position(ctx, db, partition)
		return err
	})
	return frame, err
}

// rower is a database or one of its connections.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func position(ctx context.Context, db rower, partition uint16) (frame uint64, err error) {
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(frame), 0) FROM positions WHERE part = ?`, partition).Scan(&frame)
	if err != nil {
		return 0, diskFull(fmt.Errorf("read position: %w", err))
	}
	return frame, nil
}

// State implements store.Writer.
func (s *Store) State(ctx context.Context, partition uint16) (frame uint64, state []byte, err error) {
	err = s.query(ctx, "read state", `SELECT frame, state FROM states WHERE part = ?`, []any{partition}, func(rows *sql.Rows) error {
		return rows.Scan(&frame, &state)
	})
	return frame, state, err
}
