package app

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
)

// The store has no column for symptoms: rows of their series would be taken for
// one another. Their events and the cells are kept.
func TestTheStoreKeepsNoRowsOfSymptomsAndSurfaces(t *testing.T) {
	o := newObservatory(nil, nil, ChainConfigOf(DefaultConfig()), nowhere{}, quiet(), newChainMetrics(prometheus.NewRegistry()))
	step := func(p faultline.Payload, at time.Time, n int) {
		t.Helper()
		if err := o.step(t.Context(), &faultline.Observation{Position: faultline.Position{Frame: uint64(n)}, At: at, Received: at, Payload: p}, true); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2025, 3, 10, 13, 0, 5, 0, time.UTC)
	step(&faultline.Report{Service: "x", Symptom: faultline.CannotLogIn, Surface: faultline.App, Place: faultline.Place{Country: "GB", ASN: 2856}, Reporter: 1, Network: 1}, at, 1)
	step(&faultline.Heartbeat{Collector: faultline.CollectorReports, From: at}, at.Add(3*time.Minute), 2)
	for _, s := range o.batch.Samples {
		if s.Series.Level.What() {
			t.Errorf("sample of %s", s.Series)
		}
	}
	for _, r := range o.batch.Readings {
		if r.Series.Level.What() {
			t.Errorf("reading of %s", r.Series)
		}
	}
	if len(o.batch.Samples) < 3 || len(o.batch.Readings) < 3 || len(o.batch.Cells) != 1 || o.batch.Cells[0].Symptom != faultline.CannotLogIn {
		t.Errorf("%d samples, %d readings, cells %+v", len(o.batch.Samples), len(o.batch.Readings), o.batch.Cells)
	}
}
