// Package duckdb keeps the store in one DuckDB file, inside this process.
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
	"syscall"

	"github.com/duckdb/duckdb-go/v2"

	"faultline/internal/store"
)

// Options say where the file is and how much it may use.
type Options struct {
	Path     string // of the file; its folder is made
	MemoryMB int    // bound of DuckDB's own memory; default 256
}

// Store is a store in DuckDB.
type Store struct {
	db *sql.DB
	// write is the one connection that writes; mu serialises its users.
	mu    sync.Mutex
	write *sql.Conn
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of store: %w", err)
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 256
	}
	c, err := duckdb.NewConnector(o.Path+"?threads=2&memory_limit="+strconv.Itoa(o.MemoryMB)+"MB&autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w: move the file away and run `faultline rebuild`", store.ErrBroken, o.Path, err)
	}
	s := &Store{db: sql.OpenDB(c)}
	if s.write, err = s.db.Conn(ctx); err == nil {
		err = s.prepare(ctx, o.Path)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes the tables, or checks that they are ours to read.
func (s *Store) prepare(ctx context.Context, path string) error {
	var n int
	if err := s.write.QueryRowContext(ctx, `SELECT count(*) FROM information_schema.tables WHERE table_name = 'meta'`).Scan(&n); err != nil {
		return fmt.Errorf("%w: %s: %w", store.ErrBroken, path, err)
	}
	if n == 0 {
		return s.inTx(ctx, func() error {
			_, err := s.write.ExecContext(ctx, schema+`INSERT INTO meta VALUES ('version', '`+strconv.Itoa(schemaVersion)+`')`)
			return err
		})
	}
	var version int
	if err := s.write.QueryRowContext(ctx, `SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'version'`).Scan(&version); err != nil {
		return fmt.Errorf("%w: %s has no version: %w: move it away and run `faultline rebuild`", store.ErrBroken, path, err)
	}
	if version > schemaVersion {
		return fmt.Errorf("%w: %s is version %d, this program reads %d: use the newer program, or move the file away and run `faultline rebuild`", store.ErrNewer, path, version, schemaVersion)
	}
	return nil
}

// inTx runs f in a transaction of the writing connection. The caller holds mu
// or is alone.
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
	// The first error says why; that a broken transaction can't be undone twice does not matter.
	_, _ = s.write.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return diskFull(err)
}

// diskFull recognises an error that means no room.
func diskFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "No space left") {
		return fmt.Errorf("%w: %w", store.ErrDiskFull, err)
	}
	return err
}

// Close implements store.Store. It folds the write-ahead log into the file.
func (s *Store) Close() error {
	if s.write != nil {
		_ = s.write.Close()
	}
	return s.db.Close()
}
