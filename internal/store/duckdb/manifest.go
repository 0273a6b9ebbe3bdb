package duckdb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"faultline/internal/store"
)

const manifestName = "manifest.json"

// hourDir is where an hour lies: DIR/date=2025-03-10/hour=14.
func hourDir(dir string, hour time.Time) string {
	return filepath.Join(dir, "date="+hour.Format(time.DateOnly), "hour="+hour.Format("15"))
}

// readManifest reads the manifest of an hour; without one, its revision is 0.
func readManifest(dir string) (m store.Manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if m, err = parseManifest(b); err != nil {
		return m, fmt.Errorf("%w: %s: %w: restore that file from a copy", store.ErrArchive, filepath.Join(dir, manifestName), err)
	}
	return m, nil
}

// parseManifest reads a manifest, which may come from anywhere: its names must
// be of files beside it.
func parseManifest(b []byte) (m store.Manifest, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return store.Manifest{}, err
	}
	if m.Revision < 1 || m.Hour.IsZero() {
		return store.Manifest{}, errors.New("no revision or no hour")
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(f.Name) || filepath.Base(f.Name) != f.Name || f.Name == manifestName || f.Name == "." {
			return store.Manifest{}, fmt.Errorf("file name %q", f.Name)
		}
	}
	return m, nil
}

// manifests reads all manifests below dir, oldest hour first.
func manifests(dir string) ([]store.Manifest, error) {
	paths, err := fs.Glob(os.DirFS(dir), "date=*/hour=*/"+manifestName)
	if err != nil {
		return nil, err
	}
	out := make([]store.Manifest, 0, len(paths))
	for _, path := range paths {
		at := filepath.Join(dir, filepath.Dir(path))
		m, err := readManifest(at)
		if err != nil {
			return nil, err
		}
		if hourDir(dir, m.Hour) != at {
			return nil, fmt.Errorf("%w: %s is the manifest of %s", store.ErrArchive, filepath.Join(dir, path), m.Hour.Format(time.RFC3339))
		}
		out = append(out, m)
	}
	return out, nil
}

// writeManifest puts a manifest in force: it is whole on the disk, and so are
// the names of its files, before anything of an older one may go.
func writeManifest(dir string, m store.Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	target := hourDir(dir, m.Hour)
	aside := filepath.Join(target, manifestName+".new")
	if err := os.WriteFile(aside, append(b, '\n'), 0o600); err != nil {
		return err
	}
	if err := errors.Join(syncFile(aside), syncFile(target)); err != nil {
		return err
	}
	if err := os.Rename(aside, filepath.Join(target, manifestName)); err != nil {
		return err
	}
	return errors.Join(syncFile(target), syncFile(filepath.Dir(target)), syncFile(dir))
}

// tidy removes what an hour's manifest does not name: files of older
// revisions, and what a crash left behind.
func tidy(dir string, m store.Manifest) error {
	keep := map[string]bool{manifestName: true}
	for _, f := range m.Files {
		keep[f.Name] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if keep[e.Name()] || e.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// seal makes a new file private and durable, and takes its sum.
func seal(path string, f *store.ArchivedFile) error {
	if err := errors.Join(os.Chmod(path, 0o600), syncFile(path)); err != nil {
		return err
	}
	return sum(path, f)
}

// sum sets a file's size and SHA-256.
func sum(path string, f *store.ArchivedFile) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	h := sha256.New()
	if f.Bytes, err = io.Copy(h, in); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return nil
}

// syncFile waits until a file, or the names in a folder, are on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
