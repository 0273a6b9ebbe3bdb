package jetstream_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"faultline/internal/journal/journaltest"
)

// mount puts a file system of its own under a folder, or skips the test where
// that is not possible. What is given after the target are mount's options.
func mount(t *testing.T, source, target string, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a file system")
	}
	if err := os.MkdirAll(target, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("mount", append(args, source, target)...).CombinedOutput()
	if err != nil {
		t.Skipf("cannot mount here (no loop device?): %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", target).CombinedOutput(); err != nil && !strings.Contains(string(out), "not mounted") {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// The power goes while callers append: the disk's image is copied while it is
// mounted, so that the copy has what reached the disk and nothing of what
// waited in memory.
func TestAPowerCutLosesNothing(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 256<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("no mkfs.ext4: %v: %s", err, out)
	}
	disk := filepath.Join(dir, "disk")
	mount(t, image, disk, "-o", "loop,commit=600")
	acked := map[uint64]bool{}
	cmd, lines := startChild(t, filepath.Join(disk, "journal"), 0)
	after := filepath.Join(dir, "after.img")
	var copied []byte
	var copyErr error
	before := map[uint64]bool{}
	collect(t, lines, acked, 3000, func() {
		for key := range acked {
			before[key] = true
		}
		_ = cmd.Process.Signal(syscall.SIGSTOP) // a power cut is one moment; a copy is not
		copied, copyErr = exec.Command("cp", "--sparse=always", image, after).CombinedOutput()
		_ = cmd.Process.Kill()
	})
	_ = cmd.Wait() // killed
	if copyErr != nil {
		t.Fatalf("copy the image: %v: %s", copyErr, copied)
	}
	cut := filepath.Join(dir, "cut")
	mount(t, after, cut, "-o", "loop")
	j := mustOpen(t, options(filepath.Join(cut, "journal")))
	defer j.Close()
	journaltest.Once(t, j, before)
	t.Logf("%d were acknowledged before the cut", len(before))
}
