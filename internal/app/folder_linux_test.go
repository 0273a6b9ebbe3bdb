package app

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs f on a thread that reads and writes files as a user without any
// rights. The thread ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocks
		if os.Getuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				t.Errorf("become nobody: %v", err)
				return
			}
		}
		f()
	}()
	<-done
}

func TestAFolderOfAnotherUserIsNotAnEmptyOne(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // so that its owner can be seen
		t.Fatal(err)
	}
	f, err := TakeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for mode, where := range map[os.FileMode]string{0o700: "in the folder", 0o755: "in its lock"} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			is, seen := IsFolder(dir)
			_, err := TakeFolder(dir)
			for _, err := range []error{seen, err} {
				if err == nil && mode == 0o755 && is {
					continue // that it is one can be seen
				}
				if err == nil || !strings.Contains(err.Error(), "belongs to user root: run this as that user") {
					t.Errorf("%s: %v", where, err)
				}
			}
		})
	}
}
