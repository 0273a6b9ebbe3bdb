//go:build !linux

package probetest

import "testing"

// BlackHole skips the test: it needs Linux.
func BlackHole(t testing.TB) string {
	t.Helper()
	t.Skip("a full listen queue swallows connections on Linux only")
	return ""
}

// Stamps says whether this platform's kernel tells when bytes were received.
const Stamps = false
