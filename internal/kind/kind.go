// Package kind is one idea for all families of interchangeable parts (probes,
// detectors, stores, later causes and notifiers): a name, a sentence, default
// settings, and a way to open the part with them.
//
// A part declares its Kind as a value in its own file; internal/app lists the
// kinds that the binary was built with in a Table. There is no registration by
// import and no global map, so reference pages can be generated from the same
// values that run.
package kind

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is one part of a family: T is what it opens, D what the family gives it.
type Kind[T, D any] struct {
	Name     string // as in configuration files
	Doc      string // one sentence
	Defaults any    // a copy of its settings' defaults, for reference pages
	Open     func(deps D, decode func(into any) error) (T, error)
}

// Of makes a kind from its default settings and an open function. The settings
// are copied before the configuration is decoded over them.
func Of[T, D, C any](name, doc string, defaults C, open func(D, C) (T, error)) Kind[T, D] {
	return Kind[T, D]{Name: name, Doc: doc, Defaults: defaults, Open: func(deps D, decode func(any) error) (T, error) {
		c := defaults
		if decode != nil {
			if err := decode(&c); err != nil {
				var none T
				return none, fmt.Errorf("%s: %w", name, err)
			}
		}
		return open(deps, c)
	}}
}

// Table is a family: the kinds that the binary was built with.
type Table[T, D any] []Kind[T, D]

// Names lists the kinds in alphabetical order.
func (t Table[T, D]) Names() []string {
	names := make([]string, len(t))
	for i, k := range t {
		names[i] = k.Name
	}
	slices.Sort(names)
	return names
}

// Open opens the named kind. decode may be nil: the defaults are used then.
func (t Table[T, D]) Open(name string, deps D, decode func(any) error) (T, error) {
	for _, k := range t {
		if k.Name == name {
			return k.Open(deps, decode)
		}
	}
	var none T
	return none, fmt.Errorf("unknown kind %q (known: %s)", name, strings.Join(t.Names(), ", "))
}
