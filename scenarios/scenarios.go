// Package scenarios holds the recorded and reconstructed days that the binary
// ships: tables of facts and assumptions, nothing that was measured. README.md
// in this folder describes them; internal/intake/scenario makes observations
// of them.
package scenarios

import "embed"

// Files has one folder for each scenario: scenario.yaml, its tables, README.md.
// Golden files are not among them.
//
//go:embed */scenario.yaml */*.csv */README.md
var Files embed.FS
