// Package api holds the contract with programs: openapi.yaml describes the
// report interface and the JSON twin of every page. It is written by hand, before
// it is relied on; tests hold the running site's answers against it, and no field
// may be in an answer that it does not name.
//
// It imports nothing of the house.
package api

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

// YAML is openapi.yaml as it was written.
//
//go:embed openapi.yaml
var YAML []byte

// JSON is the same document in JSON, in the same order.
func JSON() ([]byte, error) {
	b, err := yaml.YAMLToJSON(YAML)
	if err != nil {
		return nil, fmt.Errorf("read api/openapi.yaml: %w", err)
	}
	return b, nil
}
