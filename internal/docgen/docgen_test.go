package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"faultline/internal/cli"
)

// What is generated has to be what the code says now.
func TestReferencePagesAreCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	configuration, err := Configuration(abs)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"configuration.md": configuration, "commands.md": cli.Reference()} {
		got, err := os.ReadFile(filepath.Join(root, "docs", "reference", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/reference/%s is not current: run make generate", name)
		}
	}
}
