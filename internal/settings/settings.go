// Package settings reads the one configuration file strictly: a misspelt key
// is an error that names its line and the nearest key there is.
//
// In: YAML. Out: a filled struct, or an error a person can act on. It knows
// nothing of what the settings mean; each room owns its own struct, and the
// defaults are what the struct holds before it is decoded into.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// An Error says where a file is wrong.
type Error struct {
	File string
	Line int // from 1; 0 when the file as a whole is meant
	What string
	Near string // the nearest known key, or ""
}

// Error gives "file:line: what (did you mean …?)".
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	s += ": " + e.What
	if e.Near != "" {
		s += fmt.Sprintf(" (did you mean %q?)", e.Near)
	}
	return s
}

// Decode fills into, a pointer to a struct, from YAML. Keys that are absent
// keep the value that they have; file is the name used in errors.
func Decode(file string, data []byte, into any) error {
	defaults := reflect.New(reflect.TypeOf(into).Elem()).Elem()
	defaults.Set(reflect.ValueOf(into).Elem())
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into)
	if errors.Is(err, io.EOF) { // nothing is set: for a file of comments the decoder clears the struct
		reflect.ValueOf(into).Elem().Set(defaults)
		return nil
	}
	if err != nil {
		return explain(file, err, into)
	}
	return nil
}

// explain turns the decoder's error into ours.
func explain(file string, err error, into any) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return &Error{File: file, What: err.Error()}
	}
	e := &Error{File: file, What: at.GetMessage()}
	if tk := at.GetToken(); tk != nil && tk.Position != nil {
		e.Line = tk.Position.Line
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		key := unknown.Token.Value
		e.What = fmt.Sprintf("unknown key %q", key)
		e.Near = Nearest(key, keys(reflect.TypeOf(into), map[reflect.Type]bool{}))
	}
	return e
}

// keys lists the YAML keys of a struct type and of everything in it.
func keys(t reflect.Type, seen map[reflect.Type]bool) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return keys(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if seen[t] {
		return nil
	}
	seen[t] = true
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if name := Key(f); name != "" {
			names = append(names, name)
		}
		names = append(names, keys(f.Type, seen)...)
	}
	return names
}

// Key is the YAML key of a struct field, or "" for one that no file may set.
func Key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	switch {
	case name == "-" || !f.IsExported() || f.Anonymous && name == "":
		return ""
	case name == "":
		return strings.ToLower(f.Name)
	}
	return name
}

// Nearest is the candidate with the smallest edit distance to word, if it is
// near enough to be what was meant, else "". Of equals the first one wins.
func Nearest(word string, candidates []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: insert, delete, replace,
// or swap of two neighbours, each for one.
func distance(a, b string) int {
	two, one, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(b)]
}
