package report

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The file of keys: a first line, then "day 2026-03-10 HEX" and
// "week 2026-03-09 HEX" (the Monday).
const keyFileHead = "faultline reporter keys 1"

// errKeyFile never quotes the file: it may hold keys.
var errKeyFile = errors.New("not a file of reporter keys")

func loadKeys(path string, log *slog.Logger) ([]*secret, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := closeToOthers(path, log); err != nil {
		return nil, err
	}
	secrets, err := parseKeys(b)
	if err != nil {
		log.Warn("file of reporter keys is damaged and will be replaced: people who reported today count anew", slog.String("file", path))
		return nil, nil
	}
	return secrets, nil
}

func closeToOthers(path string, log *slog.Logger) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 == 0 {
		return nil
	}
	log.Warn("file of reporter keys was open to others; now it is not", slog.String("file", path))
	return os.Chmod(path, 0o600)
}

func parseKeys(b []byte) ([]*secret, error) {
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if lines[0] != keyFileHead {
		return nil, errKeyFile
	}
	var secrets []*secret
	for _, line := range lines[1:] {
		x, err := parseKey(line)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, x)
	}
	return secrets, nil
}

func parseKey(line string) (*secret, error) {
	f := strings.Split(line, " ")
	if len(f) != 3 || f[0] != string(day) && f[0] != string(week) {
		return nil, errKeyFile
	}
	s := span(f[0])
	start, err := time.Parse(time.DateOnly, f[1])
	if err != nil || !s.start(start).Equal(start) {
		return nil, errKeyFile
	}
	key, err := hex.DecodeString(f[2])
	if err != nil || len(key) != 32 {
		return nil, errKeyFile
	}
	return &secret{span: s, start: start, key: [32]byte(key)}, nil
}

func formatKeys(secrets []*secret) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, keyFileHead)
	for _, x := range secrets {
		fmt.Fprintf(&b, "%s %s %x\n", x.span, x.start.Format(time.DateOnly), x.key)
	}
	return b.Bytes()
}

// saveKeys replaces the file and then overwrites the old one's bytes, which
// hold the destroyed keys. If the new file cannot be written (a full disk) and
// keys in the old one must go, the old one is overwritten all the same. A file
// system that keeps old versions may still have them; that is for the
// operator to know.
func saveKeys(path string, secrets []*secret, mustGo bool) error {
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		defer old.Close()
	}
	err = replace(path, formatKeys(secrets))
	if old != nil && (err == nil || mustGo) {
		err = errors.Join(err, wipe(old))
	}
	return err
}

func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func wipe(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, st.Size()), 0); err != nil {
		return err
	}
	return f.Sync()
}
