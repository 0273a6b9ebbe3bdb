package dns

import "faultline/internal/probe"

// Parse is for the fuzzer.
var Parse = parse

// Name is the name that a target asks for.
func Name(t probe.Target) (string, error) {
	q, err := readQuestion(t)
	return q.name, err
}
