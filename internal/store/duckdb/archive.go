package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"faultline"
	"faultline/internal/store"
)

// archived are the tables of an hour's files: what picks the hour, what orders
// the rows, so that the same rows make the same bytes. Rows of observations
// have a position; an archived one is never lost, even if the store has
// dropped it. The others follow from observations.
var archived = []struct {
	kind, time, order string
	positions         bool
}{
	{"reports", "at_us", "part, frame, idx", true},
	{"others", "at_us", "part, frame, idx", true},
	{"samples", "start", "start, metric, service, level, country, asn, vantage, target, revision", false},
	{"cells", "start", "start, service, country, asn, symptom, surface, works, origin, n", false},
}

// Archive implements store.Archiver. Files are written aside under names of
// their own, synced, and put into force by the manifest, which is renamed into
// its place last: an hour without a manifest is not archived, and a crash
// leaves the hour as it was.
func (s *Store) Archive(ctx context.Context, dir string, hour time.Time) (store.Manifest, error) {
	hour = hour.UTC().Truncate(time.Hour)
	m, err := s.archiveHour(ctx, dir, hour)
	if err != nil {
		return m, diskFull(fmt.Errorf("archive %s: %w", hour.Format(time.RFC3339), err))
	}
	return m, nil
}

func (s *Store) archiveHour(ctx context.Context, dir string, hour time.Time) (store.Manifest, error) {
	target := hourDir(dir, hour)
	old, err := readManifest(target)
	if err != nil {
		return old, err
	}
	m := store.Manifest{Hour: hour, Revision: old.Revision + 1, Written: true}
	if err := os.MkdirAll(target, 0o700); err != nil {
		return m, err
	}
	changed := old.Revision == 0
	for i := range archived {
		f, fresh, err := s.archiveTable(ctx, target, i, m, fileOf(old, archived[i].kind))
		if err != nil {
			return m, err
		}
		m.Files, changed = append(m.Files, f), changed || fresh
	}
	f, fresh, err := s.archiveRecords(ctx, target, m, fileOf(old, "records"))
	if err != nil {
		return m, err
	}
	if m.Files, changed = append(m.Files, f), changed || fresh; !changed {
		old.Written = false
		return old, nil
	}
	if err := writeManifest(dir, m); err != nil {
		return m, err
	}
	return m, tidy(target, m)
}

// fileOf is the file of a kind, or one without a name.
func fileOf(m store.Manifest, kind string) store.ArchivedFile {
	for _, f := range m.Files {
		if f.Kind == kind {
			return f
		}
	}
	return store.ArchivedFile{Kind: kind}
}

// archiveTable writes one table's rows of the hour, unless the old file has
// them all.
func (s *Store) archiveTable(ctx context.Context, dir string, table int, m store.Manifest, old store.ArchivedFile) (f store.ArchivedFile, fresh bool, err error) {
	a := archived[table]
	cond := fmt.Sprintf(`%s >= %d AND %s < %d`, a.time, m.Hour.UnixMicro(), a.time, m.Hour.Add(time.Hour).UnixMicro())
	has, err := s.hourHas(ctx, table, cond)
	if err != nil {
		return f, false, err
	}
	// Rows are only ever added, and dropped from the old end: an hour with no
	// more rows than the file, none of them later, has nothing new.
	if old.Name != "" && has.Rows <= old.Rows && (!a.positions || comparePositions(has.Last, old.Last) <= 0) {
		return old, false, nil
	}
	from := `SELECT * FROM ` + a.kind + ` WHERE ` + cond
	if a.positions && old.Rows > 0 {
		file := parquet(filepath.Join(dir, old.Name))
		from = `SELECT * FROM ` + file + ` UNION ALL (` + from + ` AND NOT EXISTS (SELECT 1 FROM ` + file + ` AS had
WHERE had.part = ` + a.kind + `.part AND had.frame = ` + a.kind + `.frame AND had.idx = ` + a.kind + `.idx))`
	}
	f, err = s.writeParquet(ctx, dir, fmt.Sprintf("%s-r%d.parquet", a.kind, m.Revision), `SELECT * FROM (`+from+`) ORDER BY `+a.order)
	f.Kind = a.kind
	if a.positions && err == nil {
		err = s.ends(ctx, parquet(filepath.Join(dir, f.Name)), &f)
	}
	return f, true, err
}

// hourHas counts the store's rows of an hour, and finds the last one.
func (s *Store) hourHas(ctx context.Context, table int, cond string) (f store.ArchivedFile, err error) {
	a := archived[table]
	err = s.query(ctx, "count "+a.kind, `SELECT count(*) FROM `+a.kind+` WHERE `+cond, nil, func(rows *sql.Rows) error { return rows.Scan(&f.Rows) })
	if err != nil || !a.positions {
		return f, err
	}
	return f, s.ends(ctx, a.kind+` WHERE `+cond, &f)
}

// rowGroup is how many rows a Parquet file keeps together: small enough that
// reading a page of them does not decompress much else.
const rowGroup = 20_480

// writeParquet copies rows into a file that is on the disk when it returns.
func (s *Store) writeParquet(ctx context.Context, dir, name, query string) (f store.ArchivedFile, err error) {
	path := filepath.Join(dir, name)
	text := fmt.Sprintf(`COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d)`, query, quote(path), rowGroup)
	if err := s.query(ctx, "write "+name, text, nil, func(rows *sql.Rows) error { return rows.Scan(&f.Rows) }); err != nil {
		return f, err
	}
	f.Name = name
	return f, seal(path, &f)
}

// ends notes the first and the last position among rows.
func (s *Store) ends(ctx context.Context, from string, f *store.ArchivedFile) error {
	for _, end := range []struct {
		order string
		into  *faultline.Position
	}{{"part, frame, idx", &f.First}, {"part DESC, frame DESC, idx DESC", &f.Last}} {
		text := `SELECT part, frame, idx FROM ` + from + ` ORDER BY ` + end.order + ` LIMIT 1`
		if err := s.query(ctx, "find ends of rows", text, nil, func(rows *sql.Rows) error {
			return rows.Scan(&end.into.Partition, &end.into.Frame, &end.into.Index)
		}); err != nil {
			return err
		}
	}
	return nil
}

// archiveRecords writes the hour's control records as JSON lines, unless the
// old file has as many: records are never dropped.
func (s *Store) archiveRecords(ctx context.Context, dir string, m store.Manifest, old store.ArchivedFile) (f store.ArchivedFile, fresh bool, err error) {
	all, err := s.Records(ctx, store.RecordFilter{Since: m.Hour, Until: m.Hour.Add(time.Hour)})
	if err != nil || old.Name != "" && len(all) <= old.Rows {
		return old, false, err
	}
	f = store.ArchivedFile{Kind: "records", Name: fmt.Sprintf("records-r%d.ndjson", m.Revision), Rows: len(all)}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	for i := range all {
		if err := enc.Encode(all[i]); err != nil {
			return f, false, fmt.Errorf("record %s: %w", all[i].ID, err)
		}
	}
	path := filepath.Join(dir, f.Name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return f, false, err
	}
	return f, true, seal(path, &f)
}

// quote makes a text a string of SQL.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// parquet reads a file; the names of its folders are no columns.
func parquet(path string) string {
	return `read_parquet(` + quote(path) + `, hive_partitioning = false)`
}

// PruneArchive implements store.Archiver.
func (s *Store) PruneArchive(ctx context.Context, dir string, before time.Time) (dropped int, err error) {
	hours, err := manifests(dir)
	if err != nil {
		return 0, err
	}
	for _, m := range hours {
		if err := ctx.Err(); err != nil {
			return dropped, err
		}
		if fileOf(m, "reports").Rows == 0 || m.Hour.Add(time.Hour).After(before) {
			continue
		}
		if err := dropReports(dir, m); err != nil {
			return dropped, diskFull(fmt.Errorf("prune archive of %s: %w", m.Hour.Format(time.RFC3339), err))
		}
		dropped++
	}
	return dropped, nil
}

// dropReports writes the next manifest without the reports.
func dropReports(dir string, m store.Manifest) error {
	next := store.Manifest{Hour: m.Hour, Revision: m.Revision + 1}
	for _, f := range m.Files {
		if f.Kind != "reports" {
			next.Files = append(next.Files, f)
		}
	}
	if err := writeManifest(dir, next); err != nil {
		return err
	}
	return tidy(hourDir(dir, m.Hour), next)
}

// Hours implements store.Archiver.
func (s *Store) Hours(ctx context.Context) ([]time.Time, error) {
	var out []time.Time
	err := s.query(ctx, "list hours", `SELECT DISTINCT at_us // ? AS h FROM (SELECT at_us FROM reports UNION ALL SELECT at_us FROM others) ORDER BY h`, []any{hourMicros}, func(rows *sql.Rows) error {
		var h int64
		err := rows.Scan(&h)
		out = append(out, timeOf(h*hourMicros))
		return err
	})
	return out, err
}

// FirstFrameAt implements store.Archiver.
func (s *Store) FirstFrameAt(ctx context.Context, partition uint16, t time.Time) (frame uint64, err error) {
	const text = `SELECT coalesce(min(frame), 0) FROM (SELECT frame FROM reports WHERE part = ? AND at_us >= ? UNION ALL SELECT frame FROM others WHERE part = ? AND at_us >= ?)`
	err = s.query(ctx, "find first frame", text, []any{partition, t.UnixMicro(), partition, t.UnixMicro()}, func(rows *sql.Rows) error { return rows.Scan(&frame) })
	return frame, err
}
