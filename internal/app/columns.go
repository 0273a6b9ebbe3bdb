package app

import (
	"encoding/json"
	"reflect"
	"strings"
)

// jsonColumns lists the JSON names of a struct's fields in their order, those
// of embedded structs among them.
func jsonColumns(v any) []string {
	var names []string
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			names = append(names, jsonColumns(reflect.Zero(f.Type).Interface())...)
		case name != "-" && name != "":
			names = append(names, name)
		}
	}
	return names
}

// jsonCells gives a value's fields as text, in the order of columns. Texts lose
// their quotes; what is a list or an object stays JSON.
func jsonCells(v any, columns []string) ([]string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, err
	}
	row := make([]string, len(columns))
	for i, c := range columns {
		raw := fields[c]
		if len(raw) > 0 && raw[0] == '"' {
			if err := json.Unmarshal(raw, &row[i]); err != nil {
				return nil, err
			}
			continue
		}
		row[i] = string(raw)
	}
	return row, nil
}
