package app

import (
	"reflect"
	"slices"
	"testing"

	"faultline"
)

// What is not told is lost to the pages, so a new field of Output is told, or
// stands here with what never is.
func TestWhatIsTold(t *testing.T) {
	silent := []string{"At", "Late", "Folded", "Full", "CommandID", "CommandAt"}
	full := map[string]any{
		"Samples": make([]faultline.Sample, 1), "Cells": make([]faultline.Cell, 1), "Readings": make([]faultline.Reading, 1),
		"Events": make([]faultline.Event, 1), "Incidents": make([]faultline.Incident, 1), "Statuses": make([]faultline.Status, 1),
		"Command": &faultline.Command{}, "Refused": "unknown", "Quality": &faultline.Quality{},
	}
	for f := range reflect.TypeFor[Output]().Fields() {
		var out Output
		if v, ok := full[f.Name]; ok {
			reflect.ValueOf(&out).Elem().FieldByName(f.Name).Set(reflect.ValueOf(v))
		}
		if out.tells() == slices.Contains(silent, f.Name) {
			t.Errorf("an output with %s alone: told %t", f.Name, out.tells())
		}
	}
}
