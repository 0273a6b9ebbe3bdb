package settings

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// walker goes through a document and the type that it is to fill side by side.
// The decoder alone stops at its first error, and words it for programmers.
type walker struct {
	places  *Places
	anchors map[string]ast.Node
	root    reflect.Type
	errs    []error
	depth   int
}

// maxDepth bounds how deep values stand in each other: an alias may point at
// what it stands in.
const maxDepth = 32

func (w *walker) say(n ast.Node, key, format string, args ...any) {
	w.errs = append(w.errs, &Error{File: w.places.file, Line: lineOf(n), Key: key, What: fmt.Sprintf(format, args...)})
}

func lineOf(n ast.Node) int {
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position.Line
	}
	return 0
}

// document checks all of a file; there is one document in it.
func (w *walker) document(f *ast.File, t reflect.Type) {
	w.root = t
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.NullType && d.Body.Type() != ast.DirectiveType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) > 1 {
		w.say(bodies[1], "", "a second document begins here, and would not be read: keep everything in one, without a line of ---")
	}
	if len(bodies) > 0 {
		w.value("", bodies[0], t)
	}
}

// value checks one value against the type that it is to fill.
func (w *walker) value(key string, n ast.Node, t reflect.Type) {
	if w.depth++; w.depth > maxDepth {
		w.say(n, key, "stands in itself")
	} else {
		w.bare(key, n, t)
	}
	w.depth--
}

func (w *walker) bare(key string, n ast.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		w.anchors[n.Name.GetToken().Value] = n.Value
		w.value(key, n.Value, t)
	case *ast.AliasNode:
		w.alias(key, n, t)
	case *ast.TagNode:
		w.value(key, n.Value, t)
	case *ast.NullNode:
		w.nothing(key, n, t)
	default:
		w.something(key, n, t)
	}
}

func (w *walker) alias(key string, n *ast.AliasNode, t reflect.Type) {
	name := n.Value.GetToken().Value
	to, ok := w.anchors[name]
	if !ok {
		w.say(n, key, "*%s: there is no &%s before it", name, name)
		return
	}
	w.value(key, to, t)
}

// nothing is a key without a value. A section or a list whose lines are all
// commented out is as good as absent; a single value is most likely forgotten.
func (w *walker) nothing(key string, n ast.Node, t reflect.Type) {
	switch {
	case strings.HasSuffix(key, "]"):
		w.say(n, key, "is empty: give %s, or remove the item", wanted(t))
	case !isSection(t) && t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
		w.say(n, key, "has no value: give %s, or remove the key", wanted(t))
	}
}

func (w *walker) something(key string, n ast.Node, t reflect.Type) {
	switch m := n.(type) {
	case ast.MapNode:
		if isSection(t) {
			w.section(key, m, t)
			return
		}
		if t.Kind() == reflect.Map {
			w.mapping(key, m, t)
			return
		}
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			w.list(key, m, t)
			return
		}
	}
	if readsItself(t) {
		w.custom(key, n, n, t)
		return
	}
	if why := unfit(n, t); why != "" {
		w.say(n, key, "%s", why)
	}
}

// list checks the items. Those of a type that reads itself are given to it one
// by one, so that the one which is wrong is named.
func (w *walker) list(key string, n *ast.SequenceNode, t reflect.Type) {
	for i, item := range n.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		w.places.lines[at] = lineOf(item)
		if !readsItself(t) {
			w.value(at, item, t.Elem())
			continue
		}
		if _, empty := item.(*ast.NullNode); empty {
			w.nothing(at, item, t.Elem())
			continue
		}
		one := *n
		one.Values = []ast.Node{item}
		w.custom(at, &one, item, t)
	}
}

func (w *walker) mapping(key string, n ast.MapNode, t reflect.Type) {
	for i := n.MapRange(); i.Next(); {
		name := i.Key().GetToken().Value
		w.places.lines[join(key, name)] = lineOf(i.Key())
		w.value(join(key, name), i.Value(), t.Elem())
	}
}

// section checks the keys of a struct.
func (w *walker) section(key string, n ast.MapNode, t reflect.Type) {
	known, seen := fields(t), map[string]int{}
	for i := n.MapRange(); i.Next(); {
		if i.Key().IsMergeKey() {
			w.value(key, i.Value(), t)
			continue
		}
		name, line := i.Key().GetToken().Value, lineOf(i.Key())
		if first, twice := seen[name]; twice {
			w.say(i.Key(), join(key, name), "is there twice: it stands in line %d too", first)
			continue
		}
		seen[name] = line
		field, ok := known[name]
		if !ok {
			w.unknown(i.Key(), name, t)
			continue
		}
		w.places.lines[join(key, name)] = line
		w.value(join(key, name), i.Value(), field)
	}
}

// unknown names the nearest key beside the unknown one, or else the nearest
// anywhere, with the section that it belongs to.
func (w *walker) unknown(n ast.Node, name string, t reflect.Type) {
	near := Nearest(name, names(t))
	if near == "" {
		near = elsewhere(name, w.root)
	}
	w.errs = append(w.errs, &Error{File: w.places.file, Line: lineOf(n), What: fmt.Sprintf("unknown key %q", name), Near: near})
}

// custom lets a type that reads itself read the value. Its own words are kept,
// those of the decoder are not.
func (w *walker) custom(key string, n, at ast.Node, t reflect.Type) {
	err := yaml.NodeToValue(n, reflect.New(t).Interface(), yaml.Strict())
	var decoders yaml.Error
	switch {
	case err == nil || hasAlias(n): // aliases are the decoder's to follow
	case errors.As(err, &decoders):
		w.say(at, key, "cannot be read: give %s", wanted(t))
	default:
		w.say(at, key, "%v", err)
	}
}

func hasAlias(n ast.Node) (found bool) {
	ast.Walk(visitor(func(n ast.Node) {
		_, is := n.(*ast.AliasNode)
		found = found || is
	}), n)
	return found
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }
