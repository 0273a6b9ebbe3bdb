// Package settings reads the one configuration file strictly: a key that is
// misspelt, twice there, or of the wrong kind is an error that names its line,
// and says in a person's words what is wanted.
//
// In: YAML. Out: a filled struct and the line of each key, or all errors at
// once, each one an [Error] a person can act on. It knows nothing of what the
// settings mean; each room owns its own struct and says what cannot work as
// [Faults], and the defaults are what the struct holds before it is decoded
// into.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// An Error says where a file is wrong.
type Error struct {
	File string
	Line int    // from 1; 0 when the file as a whole is meant
	Key  string // as "services[0].id"; "" when What names it, or no key is meant
	What string
	Near string // the nearest known key, or ""
}

// Error gives "file:line: key: what (did you mean …?)".
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	s += ": "
	if e.Key != "" {
		s += e.Key + ": "
	}
	s += e.What
	if e.Near != "" {
		s += fmt.Sprintf(" (did you mean %q?)", e.Near)
	}
	return s
}

// Decode is Read for those who need no lines afterwards.
func Decode(file string, data []byte, into any) error {
	_, err := Read(file, data, into)
	return err
}

// Read fills into, a pointer to a struct, from YAML. Keys that are absent keep
// the value that they have; file is the name used in errors. The error is an
// *Error, or several of them joined. The places are of use in both cases.
func Read(file string, data []byte, into any) (*Places, error) {
	w := &walker{places: &Places{file: file, lines: map[string]int{}}, anchors: map[string]ast.Node{}}
	parsed, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return w.places, explain(w.places, err)
	}
	w.document(parsed, reflect.TypeOf(into).Elem())
	if err := errors.Join(w.errs...); err != nil {
		return w.places, err
	}
	return w.places, w.places.decode(data, into)
}

// decode is the decoder's part. What it still has to say is about what the walk
// cannot see, such as a type that reads itself.
func (p *Places) decode(data []byte, into any) error {
	target := reflect.ValueOf(into).Elem()
	defaults := reflect.New(target.Type()).Elem()
	defaults.Set(target)
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into)
	if errors.Is(err, io.EOF) { // nothing is set: for a file of comments the decoder clears the struct
		target.Set(defaults)
		return nil
	}
	if err != nil {
		return explain(p, err)
	}
	return nil
}

// explain turns the error of the parser or the decoder into ours.
func explain(p *Places, err error) error {
	e := &Error{File: p.file, What: err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		e.What = at.GetMessage()
		if tk := at.GetToken(); tk != nil && tk.Position != nil {
			e.Line = tk.Position.Line
			e.Key = p.keyOn(e.Line)
		}
	}
	e.What = inWords(e.What)
	return e
}

// inWords keeps names of types in the program, and tabs, out of what a person
// reads.
func inWords(what string) string {
	switch {
	case strings.Contains(what, "character '\t'"):
		return "a tab stands where a key or value begins: indent with spaces"
	case strings.Contains(what, " Go "), strings.Contains(what, "cannot unmarshal"):
		return "cannot be read: it has another form than this key wants"
	}
	return strings.SplitN(what, "\n", 2)[0]
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
// near enough to be what was meant, else "": one slip in a short word, two in a
// longer one, a third of the letters in a long one. Of equals the first wins.
func Nearest(word string, candidates []string) string {
	best, least := "", max(2, len(word)/3)+1
	if len(word) <= 4 {
		least = 2
	}
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
