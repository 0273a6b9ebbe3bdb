// Package apitest holds answers against the contract in package api.
//
// It knows the part of JSON Schema that the contract uses, and says so when the
// contract uses more: a keyword that is not checked would be a promise that
// nobody keeps. It is for tests.
package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"faultline/api"
)

type object = map[string]any

// Contract is the document, decoded.
type Contract struct{ doc object }

// Load reads the contract.
func Load(t testing.TB) *Contract {
	t.Helper()
	b, err := api.JSON()
	if err != nil {
		t.Fatal(err)
	}
	c := &Contract{}
	if err := json.Unmarshal(b, &c.doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// Paths lists the addresses that can be read, as "/s/{slug}.json".
func (c *Contract) Paths() []string {
	paths, _ := c.doc["paths"].(object)
	return slices.Sorted(maps.Keys(paths))
}

// Fields lists the names of a schema's properties, and those that are required.
func (c *Contract) Fields(schema string) (names, required []string) {
	s, _ := c.resolve("#/components/schemas/" + schema).(object)
	props, _ := s["properties"].(object)
	list, _ := s["required"].([]any)
	for _, r := range list {
		name, _ := r.(string)
		required = append(required, name)
	}
	slices.Sort(required)
	return slices.Sorted(maps.Keys(props)), required
}

// Check says what in a document breaks the schema of that name; nothing is good.
func (c *Contract) Check(schema string, document []byte) []string {
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		return []string{"is no JSON: " + err.Error()}
	}
	w := &walk{c: c}
	w.value("$", v, object{"$ref": "#/components/schemas/" + schema})
	return w.faults
}

func (c *Contract) resolve(ref string) any {
	var at any = c.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, ok := at.(object)
		if !ok {
			return nil
		}
		at = o[part]
	}
	return at
}

type walk struct {
	c      *Contract
	faults []string
}

func (w *walk) say(at, format string, args ...any) {
	w.faults = append(w.faults, at+" "+fmt.Sprintf(format, args...))
}

// value holds v against every keyword of a schema.
func (w *walk) value(at string, v any, schema object) {
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		if keyword == "$ref" {
			ref, _ := schema[keyword].(string)
			s, ok := w.c.resolve(ref).(object)
			if !ok {
				w.say(at, "refers to %s, which is not there", ref)
				continue
			}
			w.value(at, v, s)
			continue
		}
		if !w.keyword(keyword, at, v, schema) {
			w.say(at, "has the keyword %s, which this package does not check", keyword)
		}
	}
}

// keyword holds v against one keyword, and says whether it knows it. A check of
// one type leaves values of others alone.
func (w *walk) keyword(name, at string, v any, s object) bool {
	switch name {
	case "description", "example":
	case "type":
		w.typed(at, v, s)
	case "enum":
		w.enum(at, v, s)
	case "format":
		w.format(at, v, s)
	case "pattern":
		w.pattern(at, v, s)
	case "properties":
		w.properties(at, v, s)
	case "required":
		w.required(at, v, s)
	case "additionalProperties":
		w.additional(at, v, s)
	case "items":
		w.items(at, v, s)
	case "minimum", "minLength", "minItems", "maximum", "maxLength", "maxItems":
		w.bounds(at, v, s)
	default:
		return false
	}
	return true
}

func typeOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if x == math.Trunc(x) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func (w *walk) typed(at string, v any, s object) {
	want, is := s["type"], typeOf(v)
	list, ok := want.([]any)
	if !ok {
		list = []any{want}
	}
	if !slices.Contains(list, any(is)) && (is != "integer" || !slices.Contains(list, any("number"))) {
		w.say(at, "is %s, want %v", is, want)
	}
}

func (w *walk) enum(at string, v any, s object) {
	if list, _ := s["enum"].([]any); !slices.Contains(list, v) {
		w.say(at, "is %v, which is none of %v", v, list)
	}
}

func (w *walk) format(at string, v any, s object) {
	text, ok := v.(string)
	if !ok {
		return
	}
	if s["format"] != "date-time" {
		w.say(at, "has the format %v, which this package does not check", s["format"])
	}
	if t, err := time.Parse(time.RFC3339, text); err != nil || t.Year() < 1970 {
		w.say(at, "is no time: %q", text)
	}
}

func (w *walk) pattern(at string, v any, s object) {
	expression, _ := s["pattern"].(string)
	if text, ok := v.(string); ok && !regexp.MustCompile(expression).MatchString(text) {
		w.say(at, "is %q, which does not match %s", text, expression)
	}
}

func (w *walk) properties(at string, v any, s object) {
	o, _ := v.(object)
	props, _ := s["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		value, there := o[name]
		if schema, ok := props[name].(object); ok && there {
			w.value(at+"."+name, value, schema)
		}
	}
}

func (w *walk) required(at string, v any, s object) {
	o, ok := v.(object)
	list, _ := s["required"].([]any)
	for _, r := range list {
		name, _ := r.(string)
		if _, there := o[name]; ok && !there {
			w.say(at, "has no %s", name)
		}
	}
}

func (w *walk) additional(at string, v any, s object) {
	o, _ := v.(object)
	props, _ := s["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if _, known := props[name]; !known && s["additionalProperties"] == false {
			w.say(at, "has %s, which the contract does not name", name)
		}
	}
}

func (w *walk) items(at string, v any, s object) {
	list, _ := v.([]any)
	schema, _ := s["items"].(object)
	for i, x := range list {
		w.value(fmt.Sprintf("%s[%d]", at, i), x, schema)
	}
}

func (w *walk) bounds(at string, v any, s object) {
	var size float64
	low, high := "minLength", "maxLength"
	switch x := v.(type) {
	case float64:
		size, low, high = x, "minimum", "maximum"
	case string:
		size = float64(utf8.RuneCountInString(x))
	case []any:
		size, low, high = float64(len(x)), "minItems", "maxItems"
	default:
		return
	}
	if least, ok := s[low].(float64); ok && size < least {
		w.say(at, "is %v, below %s %v", size, low, least)
	}
	if most, ok := s[high].(float64); ok && size > most {
		w.say(at, "is %v, above %s %v", size, high, most)
	}
}
