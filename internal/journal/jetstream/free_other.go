//go:build !unix || netbsd || openbsd || solaris || illumos || aix

package jetstream

// freeBytes cannot say here; MaxBytes is the only bound then.
func freeBytes(string) (uint64, bool) { return 0, false }
