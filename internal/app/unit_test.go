package app

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The shipped unit is one that systemd takes. That the program is not
// installed at its place on this machine is not the unit's fault.
func TestTheServiceUnitIsValid(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	out, _ := exec.Command(analyze, "verify", filepath.Join("..", "..", "deploy", "faultline.service")).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "faultline.service") && !strings.Contains(line, "is not executable") {
			t.Error(line)
		}
	}
}
