package probe_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTLINE_TEST_NAMESPACE") != "" {
		// The standard resolver waits for its servers after it was called off.
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
