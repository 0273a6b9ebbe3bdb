package duckdb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/store"
)

// archived are the tables of an hour's files: what picks the hour, what orders
// the rows, so that the same rows make the same bytes.
var archived = []struct{ kind, table, time, order string }{
	{"reports", "reports", "at_us", "part, frame, idx"},
	{"others", "others", "at_us", "part, frame, idx"},
	{"samples", "samples", "start", "start, metric, service, level, country, asn, vantage, target, revision"},
	{"cells", "cells", "start", "start, service, country, asn, symptom, surface, works, n"},
}

// hourDir is where an hour lies: DIR/date=2025-03-10/hour=14.
func hourDir(dir string, hour time.Time) string {
	return filepath.Join(dir, "date="+hour.Format(time.DateOnly), "hour="+hour.Format("15"))
}

// Archive implements store.Archiver. Files are written aside and renamed, the
// manifest last: an hour without a manifest is not archived.
func (s *Store) Archive(ctx context.Context, dir string, hour time.Time) (store.Manifest, error) {
	hour = hour.UTC().Truncate(time.Hour)
	m := store.Manifest{Hour: hour, Revision: 1, Written: true}
	target := hourDir(dir, hour)
	old, err := readManifest(target)
	if err == nil {
		m.Revision = old.Revision + 1
	}
	if err := os.MkdirAll(target, 0o700); err != nil {
		return m, diskFull(fmt.Errorf("archive %s: %w", hour.Format(time.RFC3339), err))
	}
	for _, a := range archived {
		f, err := s.archiveFile(ctx, target, a.kind, fmt.Sprintf(`SELECT * FROM %s WHERE %s >= %d AND %s < %d ORDER BY %s`,
			a.table, a.time, hour.UnixMicro(), a.time, hour.Add(time.Hour).UnixMicro(), a.order), m.Revision)
		if err != nil {
			return m, diskFull(fmt.Errorf("archive %s: %w", hour.Format(time.RFC3339), err))
		}
		m.Files = append(m.Files, f)
	}
	f, err := s.archiveRecords(ctx, target, hour, m.Revision)
	if err != nil {
		return m, diskFull(fmt.Errorf("archive %s: %w", hour.Format(time.RFC3339), err))
	}
	m.Files = append(m.Files, f)
	if sameContent(old.Files, m.Files) {
		old.Written = false
		return old, removeFiles(target, m.Files)
	}
	if err := writeManifest(target, m); err != nil {
		return m, diskFull(err)
	}
	return m, removeFiles(target, old.Files)
}

// archiveFile copies rows into a Parquet file.
func (s *Store) archiveFile(ctx context.Context, dir, kind, query string, revision int) (store.ArchivedFile, error) {
	name := fmt.Sprintf("%s-r%d.parquet", kind, revision)
	path := filepath.Join(dir, name)
	var rows int
	row := s.db.QueryRowContext(ctx, fmt.Sprintf(`COPY (%s) TO '%s' (FORMAT parquet, COMPRESSION zstd)`, query, strings.ReplaceAll(path, "'", "''")))
	if err := row.Scan(&rows); err != nil {
		return store.ArchivedFile{}, fmt.Errorf("write %s: %w", name, err)
	}
	return describe(path, kind, rows)
}

// archiveRecords writes the hour's control records as JSON lines.
func (s *Store) archiveRecords(ctx context.Context, dir string, hour time.Time, revision int) (store.ArchivedFile, error) {
	all, err := s.Records(ctx, store.RecordFilter{Since: hour})
	if err != nil {
		return store.ArchivedFile{}, err
	}
	path := filepath.Join(dir, fmt.Sprintf("records-r%d.ndjson", revision))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return store.ArchivedFile{}, err
	}
	enc, rows := json.NewEncoder(f), 0
	for i := range all {
		if all[i].At.Before(hour.Add(time.Hour)) {
			err = errors.Join(err, enc.Encode(all[i]))
			rows++
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return store.ArchivedFile{}, fmt.Errorf("write %s: %w", path, err)
	}
	return describe(path, "records", rows)
}

// describe syncs a file to disk and takes its sum.
func describe(path, kind string, rows int) (store.ArchivedFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return store.ArchivedFile{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err = errors.Join(err, f.Sync()); err != nil {
		return store.ArchivedFile{}, fmt.Errorf("sync %s: %w", path, err)
	}
	return store.ArchivedFile{Name: filepath.Base(path), Kind: kind, Rows: rows, SHA256: hex.EncodeToString(h.Sum(nil)), Bytes: n}, nil
}

func sameContent(a, b []store.ArchivedFile) bool {
	return slices.EqualFunc(a, b, func(a, b store.ArchivedFile) bool { return a.Kind == b.Kind && a.SHA256 == b.SHA256 })
}

func removeFiles(dir string, files []store.ArchivedFile) error {
	var errs []error
	for _, f := range files {
		if err := os.Remove(filepath.Join(dir, f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

const manifestName = "manifest.json"

func readManifest(dir string) (m store.Manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", filepath.Join(dir, manifestName), err)
	}
	return m, nil
}

func writeManifest(dir string, m store.Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	aside := filepath.Join(dir, manifestName+".new")
	if err := os.WriteFile(aside, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if _, err := describe(aside, "", 0); err != nil {
		return err
	}
	if err := os.Rename(aside, filepath.Join(dir, manifestName)); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// ReadArchive implements store.Archiver.
func (s *Store) ReadArchive(ctx context.Context, dir string, fn func(*faultline.Observation) error) error {
	reports, others, err := checkedFiles(dir)
	if err != nil || len(reports)+len(others) == 0 {
		return err
	}
	var parts []string
	if len(reports) > 0 {
		parts = append(parts, `SELECT `+reportColumns+` FROM read_parquet([`+strings.Join(reports, ", ")+`])`)
	}
	if len(others) > 0 {
		parts = append(parts, `SELECT `+otherColumns+` FROM read_parquet([`+strings.Join(others, ", ")+`])`)
	}
	return s.observations(ctx, strings.Join(parts, " UNION ALL "), nil, true, fn)
}

// checkedFiles lists the archive's files of observations as SQL strings, after
// comparing every file with its sum.
func checkedFiles(dir string) (reports, others []string, err error) {
	manifests, err := filepath.Glob(filepath.Join(dir, "date=*", "hour=*", manifestName))
	if err != nil {
		return nil, nil, err
	}
	for _, path := range manifests {
		m, err := readManifest(filepath.Dir(path))
		if err != nil {
			return nil, nil, err
		}
		for _, f := range m.Files {
			file := filepath.Join(filepath.Dir(path), f.Name)
			got, err := describe(file, f.Kind, f.Rows)
			if err != nil {
				return nil, nil, fmt.Errorf("archive: %w", err)
			}
			if got != f {
				return nil, nil, fmt.Errorf("archive: %s is not what its manifest says (sha256 %s, want %s): restore that file from a copy", file, got.SHA256, f.SHA256)
			}
			quoted := "'" + strings.ReplaceAll(file, "'", "''") + "'"
			switch f.Kind {
			case "reports":
				reports = append(reports, quoted)
			case "others":
				others = append(others, quoted)
			}
		}
	}
	return reports, others, nil
}

// Hours implements store.Archiver.
func (s *Store) Hours(ctx context.Context) ([]time.Time, error) {
	const hour = int64(time.Hour / time.Microsecond)
	var out []time.Time
	err := s.query(ctx, "list hours", `SELECT DISTINCT at_us // ? AS h FROM (SELECT at_us FROM reports UNION ALL SELECT at_us FROM others) ORDER BY h`, []any{hour}, func(rows *sql.Rows) error {
		var h int64
		err := rows.Scan(&h)
		out = append(out, timeOf(h*hour))
		return err
	})
	return out, err
}

// FirstFrameAt implements store.Archiver.
func (s *Store) FirstFrameAt(ctx context.Context, partition uint16, t time.Time) (frame uint64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(min(frame), 0) FROM (SELECT frame FROM reports WHERE part = ? AND at_us >= ? UNION ALL SELECT frame FROM others WHERE part = ? AND at_us >= ?)`,
		partition, t.UnixMicro(), partition, t.UnixMicro()).Scan(&frame)
	if err != nil {
		return 0, fmt.Errorf("find first frame: %w", err)
	}
	return frame, nil
}
