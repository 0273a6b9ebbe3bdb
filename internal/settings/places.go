package settings

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Places says on which line of a file each key stands. The nil value is a
// program without a file: no key stands anywhere.
type Places struct {
	file  string
	lines map[string]int // "services[0].id" → line, from 1
}

// Sets says whether the file sets a key, as "probe.interval".
func (p *Places) Sets(key string) bool {
	if p == nil {
		return false
	}
	_, ok := p.lines[key]
	return ok
}

// Line is where a key stands, or where the nearest one around it does; 0 if
// none does.
func (p *Places) Line(key string) int {
	for p != nil && key != "" {
		if line, ok := p.lines[key]; ok {
			return line
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return 0
}

// keyOn is the last key that begins on a line: the innermost, if one stands in
// the other.
func (p *Places) keyOn(line int) (key string) {
	for k, at := range p.lines {
		if at == line && (len(k) > len(key) || len(k) == len(key) && k > key) {
			key = k
		}
	}
	return key
}

// Error is an error about one key, with its place.
func (p *Places) Error(key, what string) *Error {
	e := &Error{File: "configuration", Line: p.Line(key), Key: key, What: what}
	if p != nil {
		e.File = p.file
	}
	return e
}

// Locate gives each fault its place, in the order of the file; nil if there is
// none.
func (p *Places) Locate(all Faults) error {
	errs := make([]error, len(all))
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Fault) int { return cmp.Compare(p.Line(a.Key), p.Line(b.Key)) })
	for i, f := range sorted {
		errs[i] = p.Error(f.Key, f.What)
	}
	return errors.Join(errs...)
}

// join writes a key below another one.
func join(section, key string) string {
	switch {
	case section == "":
		return key
	case key == "" || strings.HasPrefix(key, "["):
		return section + key
	}
	return section + "." + key
}
