package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// DuckDB's driver holds the whole answer to a query before it hands out the
// first row. So long answers are asked for in windows of an integer column
// (frames, or times) along which the rows lie sorted: DuckDB skips what lies
// outside by the bounds that it keeps of each group of rows, sorts only what
// lies inside, and memory stays that of a page.

// pageRows is how many rows a page aims at.
const pageRows = 16_000

// pager asks in windows. Its two texts take a further condition, and args are
// the arguments of either.
type pager struct {
	what   string
	column string
	first  func(cond string) string // the smallest value of the column
	rows   func(cond string) string // the rows, sorted
	args   []any
	lo     int64 // of the next window
	width  int64
}

// pages calls fn for the rows of all windows, at most limit of them (0: all).
// No lock is held while fn runs.
func pages[T any](ctx context.Context, s *Store, p *pager, limit int, scan func(*sql.Rows) (T, error), fn func(T) error) error {
	for n := 0; ; {
		page, err := nextPage(ctx, s, p, scan)
		if err != nil || page == nil {
			return err
		}
		for _, row := range page {
			if err := fn(row); err != nil {
				return err
			}
			if n++; n == limit {
				return nil
			}
		}
	}
}

// nextPage is the rows of the next window that has any, or nil.
func nextPage[T any](ctx context.Context, s *Store, p *pager, scan func(*sql.Rows) (T, error)) (page []T, err error) {
	for again := false; ; again = true {
		hi := p.lo + min(p.width, math.MaxInt64-p.lo)
		text := p.rows(fmt.Sprintf("%s >= %d AND %s < %d", p.column, p.lo, p.column, hi))
		if err := s.query(ctx, p.what, text, p.args, func(rows *sql.Rows) error {
			v, err := scan(rows)
			page = append(page, v)
			return err
		}); err != nil {
			return nil, err
		}
		if len(page) > 0 || again {
			p.lo = hi
			p.adapt(len(page))
			return page, nil
		}
		if ok, err := p.seek(ctx, s); err != nil || !ok {
			return nil, err
		}
	}
}

// seek moves the next window to the next row, if there is any.
func (p *pager) seek(ctx context.Context, s *Store) (bool, error) {
	var lo sql.NullInt64
	first := p.first(fmt.Sprintf("%s >= %d", p.column, p.lo))
	err := s.query(ctx, p.what, first, p.args, func(rows *sql.Rows) error { return rows.Scan(&lo) })
	p.lo = lo.Int64
	return lo.Valid, err
}

// adapt makes the next window wider or narrower, so that pages come out near
// their size.
func (p *pager) adapt(rows int) {
	switch {
	case rows < pageRows/2 && p.width < math.MaxInt64/4:
		p.width *= 2
	case rows > pageRows*2 && p.width > 1:
		p.width /= 2
	}
}

// and is the conditions and one more, which has no arguments.
func (w *where) and(cond string) string {
	both := where{conds: append(append([]string{}, w.conds...), cond)}
	return both.String()
}
