package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"faultline"
	"faultline/internal/store"
)

// ReadArchive implements store.Archiver. Hours overlap in positions where
// reports came late, so the files are merged. Only those that the walk has
// reached are open, with a page of each in memory.
func (s *Store) ReadArchive(ctx context.Context, dir string, fn func(*faultline.Observation) error) error {
	files, err := checkedFiles(ctx, dir)
	if err != nil {
		return err
	}
	m := merge{store: s, waiting: files}
	var last faultline.Position
	for n := 0; ; n++ {
		o, path, err := m.next(ctx)
		if err != nil || o == nil {
			return err
		}
		if n > 0 && comparePositions(o.Position, last) <= 0 {
			return fmt.Errorf("%w: %s holds %s a second time: remove the copy", store.ErrArchive, path, o.Position)
		}
		last = o.Position
		if err := fn(o); err != nil {
			return err
		}
	}
}

func comparePositions(a, b faultline.Position) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Index, b.Index))
}

// cursor walks through one partition's observations in one file.
type cursor struct {
	path  string
	first faultline.Position // not after the first observation
	pager *pager
	page  []*faultline.Observation
}

// checkedFiles makes cursors for the archive's files of observations, in the
// order of their first positions, after comparing every file with its sum.
func checkedFiles(ctx context.Context, dir string) (files []*cursor, err error) {
	hours, err := manifests(dir)
	if err != nil {
		return nil, err
	}
	for _, m := range hours {
		for _, f := range m.Files {
			path := filepath.Join(hourDir(dir, m.Hour), f.Name)
			if err := errors.Join(ctx.Err(), checkSum(path, f)); err != nil {
				return nil, err
			}
			files = append(files, cursors(path, f)...)
		}
	}
	slices.SortStableFunc(files, func(a, b *cursor) int { return comparePositions(a.first, b.first) })
	return files, nil
}

// checkSum compares a file with its manifest.
func checkSum(path string, want store.ArchivedFile) error {
	got := want
	err := sum(path, &got)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w: restore that file from a copy", store.ErrArchive, err)
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("%w: %s is not what its manifest says (sha256 %s, want %s): restore that file from a copy", store.ErrArchive, path, got.SHA256, want.SHA256)
	}
	return nil
}

// cursors are one for each partition that a file may hold; none if it holds no
// observations.
func cursors(path string, f store.ArchivedFile) (out []*cursor) {
	columns, ok := map[string]string{"reports": reportColumns, "others": otherColumns}[f.Kind]
	if !ok || f.Rows == 0 {
		return nil
	}
	for part := f.First.Partition; part <= f.Last.Partition; part++ {
		var w where
		w.add("part = ?", part)
		c := &cursor{path: path, first: faultline.Position{Partition: part}}
		if part == f.First.Partition {
			c.first = f.First
		}
		c.pager = framePager("read "+path, []source{{columns, parquet(path), w}})
		c.pager.lo = int64(c.first.Frame)
		if out = append(out, c); part == f.Last.Partition {
			break
		}
	}
	return out
}

// merge gives the observations of many cursors in one order. waiting is sorted
// by first, open by the first observation of the page.
type merge struct {
	store         *Store
	waiting, open []*cursor
}

// next is the next observation and where it lies; nil at the end.
func (m *merge) next(ctx context.Context) (*faultline.Observation, string, error) {
	for len(m.waiting) > 0 && (len(m.open) == 0 || comparePositions(m.waiting[0].first, m.open[0].page[0].Position) <= 0) {
		c := m.waiting[0]
		m.waiting = m.waiting[1:]
		if err := m.turn(ctx, c); err != nil {
			return nil, "", err
		}
	}
	if len(m.open) == 0 {
		return nil, "", nil
	}
	c := m.open[0]
	o := c.page[0]
	if c.page = c.page[1:]; len(c.page) > 0 {
		m.sink()
		return o, c.path, nil
	}
	m.open = m.open[1:]
	return o, c.path, m.turn(ctx, c)
}

// turn reads a cursor's next page and takes its place among those open; one
// that has no more is gone.
func (m *merge) turn(ctx context.Context, c *cursor) (err error) {
	if c.page, err = nextPage(ctx, m.store, c.pager, scanObservation); err != nil || len(c.page) == 0 {
		return err
	}
	m.open = append([]*cursor{c}, m.open...)
	m.sink()
	return nil
}

// sink moves the first of the open cursors to where it belongs.
func (m *merge) sink() {
	for i := 1; i < len(m.open) && comparePositions(m.open[i].page[0].Position, m.open[i-1].page[0].Position) < 0; i++ {
		m.open[i], m.open[i-1] = m.open[i-1], m.open[i]
	}
}
