package settings

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	readers      = []reflect.Type{
		reflect.TypeFor[yaml.InterfaceUnmarshaler](), reflect.TypeFor[yaml.BytesUnmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
		reflect.TypeFor[yaml.InterfaceUnmarshalerContext](), reflect.TypeFor[yaml.BytesUnmarshalerContext](), reflect.TypeFor[yaml.NodeUnmarshaler](),
	}
)

// readsItself says whether a type has its own way to be read.
func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return slices.ContainsFunc(readers, func(r reflect.Type) bool { return p.Implements(r) })
}

// isSection says whether a type is filled key by key.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && len(fields(t)) > 0
}

// fields are the keys of a struct with their types; those of an inlined struct
// are among them.
func fields(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if isInline(f) {
			for name, in := range fields(f.Type) {
				all[name] = in
			}
		} else if name := Key(f); name != "" {
			all[name] = f.Type
		}
	}
	return all
}

func isInline(f reflect.StructField) bool {
	return f.Type.Kind() == reflect.Struct && strings.Contains(f.Tag.Get("yaml"), ",inline")
}

// names are the keys of a struct, in the order of its fields.
func names(t reflect.Type) (all []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if isInline(f) {
			all = append(all, names(f.Type)...)
		} else if name := Key(f); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// elsewhere is the full name of the key nearest to name in any section.
func elsewhere(name string, root reflect.Type) string {
	var paths, last []string
	every(root, "", 0, func(path, name string) { paths, last = append(paths, path), append(last, name) })
	if i := slices.Index(last, Nearest(name, last)); i >= 0 {
		return paths[i]
	}
	return ""
}

// every calls f for every key of a type and of what is in it.
func every(t reflect.Type, prefix string, depth int, f func(path, name string)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		if t.Kind() == reflect.Slice {
			prefix += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth > maxDepth {
		return
	}
	types := fields(t)
	for _, name := range names(t) {
		path := join(prefix, name)
		f(path, name)
		every(types[name], path, depth+1, f)
	}
}

// wanted says what a key takes, as words behind "give".
func wanted(t reflect.Type) string {
	switch k := t.Kind(); {
	case t == durationType:
		return "a duration such as 30s, 10m or 24h"
	case isSection(t) && readsItself(t):
		return "one text, or the keys " + strings.Join(names(t), ", ")
	case isSection(t):
		return "a section with the keys " + strings.Join(names(t), ", ")
	case k == reflect.Slice:
		return "a list, as [a, b]"
	case k == reflect.Map:
		return "keys with a value each"
	case k == reflect.Bool:
		return "true or false"
	case k >= reflect.Int && k <= reflect.Uintptr:
		return "a whole number"
	case k == reflect.Float64 || k == reflect.Float32:
		return "a number"
	}
	return "one text"
}

// unfit says why a value cannot fill a type, or "".
func unfit(n ast.Node, t reflect.Type) string {
	scalar, ok := n.(ast.ScalarNode)
	if !ok {
		return "is " + form(n) + ": give " + wanted(t)
	}
	text := strings.TrimSpace(fmt.Sprint(scalar.GetValue()))
	if _, literal := n.(*ast.LiteralNode); literal {
		text = strings.TrimSpace(n.(*ast.LiteralNode).Value.Value)
	}
	if fits(n, text, t) {
		return ""
	}
	return fmt.Sprintf("%q: give %s%s", clipped(text), wanted(t), hint(text, t))
}

// form names what stands where one value should.
func form(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a section with keys"
	}
	return "not a value"
}

func fits(n ast.Node, text string, t reflect.Type) bool {
	var err error
	switch k := t.Kind(); {
	case t == durationType:
		if _, number := n.(*ast.IntegerNode); number && text != "0" {
			return false // the decoder would take nanoseconds
		}
		_, err = time.ParseDuration(text)
	case k == reflect.Slice, k == reflect.Map, isSection(t):
		return false
	case k == reflect.Bool:
		_, is := n.(*ast.BoolNode)
		return is
	case k >= reflect.Int && k <= reflect.Int64:
		_, err = strconv.ParseInt(text, 10, t.Bits())
	case k >= reflect.Uint && k <= reflect.Uintptr:
		_, err = strconv.ParseUint(text, 10, t.Bits())
	case k == reflect.Float64 || k == reflect.Float32:
		f, e := strconv.ParseFloat(text, t.Bits())
		return e == nil && f-f == 0 // neither infinite nor NaN
	}
	return err == nil
}

// hint adds what people most often mean by a value of the wrong kind.
func hint(text string, t reflect.Type) string {
	number, err := strconv.ParseFloat(strings.TrimRight(text, "dw "), 64)
	switch {
	case t == durationType && err == nil && strings.HasSuffix(text, "d"):
		return fmt.Sprintf(" (%s is %gh)", text, number*24)
	case t == durationType && err == nil && strings.HasSuffix(text, "w"):
		return fmt.Sprintf(" (%s is %gh)", text, number*168)
	case t == durationType && err == nil:
		return fmt.Sprintf(" (with its unit, as %ss)", text)
	case t == durationType && strings.Trim(text, "-.0123456789hmnsuµ") == "" && strings.HasSuffix(text, "h"):
		return fmt.Sprintf(" (at most %dh)", int64(time.Duration(math.MaxInt64)/time.Hour))
	}
	return ""
}

// clipped keeps a long value from filling a terminal.
func clipped(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
