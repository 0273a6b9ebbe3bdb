// Package duckdb keeps the store in one DuckDB file, inside this process.
//
// In and out are those of package store. One connection writes; readers have
// their own and see what was committed. Rows leave in pages, so that what a
// question costs in memory does not grow with its answer, and no lock is held
// while a caller looks at a row.
//
// A disk without room is store.ErrDiskFull; the next call tries again. DuckDB
// gives up a database whose checkpoint failed: the store then opens the file
// again by itself, as soon as that works.
//
// Memory is bounded by Options.MemoryMB while it works, and given back when
// batches are small again (see idle.go).
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"faultline/internal/store"
)

// Options say where the file is and how much it may use.
type Options struct {
	Path       string                // of the file; its folder is made; no "?" or "%" in it
	MemoryMB   int                   // bound of DuckDB's own memory while it works, in 10⁶ bytes; default 256
	Registerer prometheus.Registerer // of the store's metrics; nil: nobody looks
}

// readers bounds the connections that read at the same time.
const readers = 8

// Store is a store in DuckDB.
type Store struct {
	options Options
	metrics *metrics
	broken  atomic.Bool // DuckDB gave the database up, or it is not open

	// mu serialises those who write. gate is held shared by whoever uses db,
	// and alone to open the file again; mu is taken before gate.
	mu    sync.Mutex
	gate  sync.RWMutex
	db    *sql.DB
	write *sql.Conn
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file. Its errors are store.ErrBroken, ErrNewer,
// ErrInUse, ErrDiskFull, or what the file system says.
func Open(ctx context.Context, o Options) (*Store, error) {
	if strings.ContainsAny(o.Path, "?%") {
		return nil, fmt.Errorf("store %s: DuckDB cannot open a path with ? or %% in it: choose another data folder", o.Path)
	}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, diskFull(fmt.Errorf("make folder of store: %w", err))
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 256
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	s := &Store{options: o}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(o.Registerer)
	return s, nil
}

// connect opens the file and makes or checks its tables. The caller is alone.
// DuckDB gets no threads of its own: with one, the writer spins while that works,
// which costs a commit a third more processor time, and no page is faster.
func (s *Store) connect(ctx context.Context) error {
	o := s.options
	c, err := duckdb.NewConnector(o.Path+"?threads=1&memory_limit="+strconv.Itoa(o.MemoryMB)+"MB&autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return openError(o.Path, err)
	}
	s.db = sql.OpenDB(c)
	s.db.SetMaxOpenConns(1 + readers)
	if s.write, err = s.db.Conn(ctx); err == nil {
		if err = s.prepare(ctx, o.Path); err == nil {
			_, err = s.write.ExecContext(ctx, session)
		}
	}
	if err != nil {
		return errors.Join(err, s.disconnect())
	}
	return nil
}

func (s *Store) disconnect() error {
	if s.db == nil {
		return nil
	}
	if s.write != nil {
		_ = s.write.Close()
	}
	err := s.db.Close()
	s.db, s.write = nil, nil
	return err
}

// openError says what an error of opening means for the operator.
func openError(path string, err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "set lock on file"):
		return fmt.Errorf("%w: %s: %w: stop the other program, or name another data folder", store.ErrInUse, path, err)
	case strings.Contains(text, "version number"):
		return fmt.Errorf("%w: %s: %w: use the newer program, or %s", store.ErrNewer, path, err, rebuild)
	case isDiskFull(err):
		return diskFull(fmt.Errorf("open store %s: %w", path, err))
	case strings.Contains(text, "Permission denied"):
		return fmt.Errorf("open store %s: %w", path, err)
	}
	return fmt.Errorf("%w: %s: %w: %s", store.ErrBroken, path, err, rebuild)
}

// rebuild is what to do about a store that this program cannot use.
const rebuild = "run `faultline rebuild` on its data folder, which fills a new store from archive and journal and keeps this file as before-rebuild.duckdb"

// prepare makes the tables, or checks that they are ours to read.
func (s *Store) prepare(ctx context.Context, path string) error {
	var n int
	if err := s.write.QueryRowContext(ctx, `SELECT count(*) FROM information_schema.tables WHERE table_name = 'meta'`).Scan(&n); err != nil {
		return openError(path, err)
	}
	if n == 0 {
		return s.inTx(ctx, func() error {
			_, err := s.write.ExecContext(ctx, schema+`INSERT INTO meta VALUES ('version', '`+strconv.Itoa(schemaVersion)+`')`)
			return err
		})
	}
	var version int
	if err := s.write.QueryRowContext(ctx, `SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'version'`).Scan(&version); err != nil {
		return fmt.Errorf("%w: %s has no version: %w: %s", store.ErrBroken, path, err, rebuild)
	}
	if version > schemaVersion {
		return fmt.Errorf("%w: %s is version %d, this program reads %d: use the newer program, or %s", store.ErrNewer, path, version, schemaVersion, rebuild)
	}
	return nil
}

// heal opens the file again if DuckDB gave it up. The caller holds mu.
func (s *Store) heal(ctx context.Context) error {
	if !s.broken.Load() {
		return nil
	}
	s.gate.Lock()
	defer s.gate.Unlock()
	_ = s.disconnect() // what is broken has nothing to say when it is closed
	if err := s.connect(ctx); err != nil {
		return err
	}
	s.broken.Store(false)
	s.metrics.reopened.Inc()
	return nil
}

// writing runs f as the only writer, on a database that is open.
func (s *Store) writing(ctx context.Context, f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.heal(ctx); err != nil {
		return err
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.db == nil {
		return store.ErrClosed
	}
	return s.seen(f())
}

// reading runs f beside others, on a database that is open.
func (s *Store) reading(ctx context.Context, f func(*sql.DB) error) error {
	if s.broken.Load() {
		if err := s.writing(ctx, func() error { return nil }); err != nil {
			return err
		}
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.db == nil {
		return store.ErrClosed
	}
	return s.seen(f(s.db))
}

// seen notes an error after which DuckDB answers nothing any more.
func (s *Store) seen(err error) error {
	if err != nil && (strings.Contains(err.Error(), "FATAL Error") || strings.Contains(err.Error(), "has been invalidated")) {
		s.broken.Store(true)
	}
	return err
}

// inTx runs f in a transaction of the writing connection. The caller is the
// only writer.
func (s *Store) inTx(ctx context.Context, f func() error) error {
	if _, err := s.write.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return diskFull(fmt.Errorf("begin: %w", err))
	}
	err := f()
	if err == nil {
		if _, err = s.write.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	// The first error says why. When a failed commit has undone itself already,
	// there is nothing to roll back, and that does not matter.
	_, _ = s.write.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return diskFull(err)
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		strings.Contains(err.Error(), "No space left") || strings.Contains(err.Error(), "quota exceeded")
}

// diskFull gives an error that means no room its type.
func diskFull(err error) error {
	if err != nil && isDiskFull(err) && !errors.Is(err, store.ErrDiskFull) {
		return fmt.Errorf("%w: %w", store.ErrDiskFull, err)
	}
	return err
}

// Close implements store.Store. It folds the write-ahead log into the file,
// or leaves it for the next Open when there is no room.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate.Lock()
	defer s.gate.Unlock()
	s.broken.Store(false)
	return s.disconnect()
}
