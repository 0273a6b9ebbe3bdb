//go:build unix && !netbsd && !openbsd && !solaris && !illumos && !aix

package jetstream

import "syscall"

// freeBytes is how much an ordinary user may still write on the disk of dir.
func freeBytes(dir string) (uint64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	//nolint:unconvert // signed on some systems
	return uint64(st.Bavail) * uint64(st.Bsize), true
}
