package duckdb

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/store"
	"faultline/internal/telemetry"
)

// Reasons for a batch not to go in.
const (
	reasonGap      = "gap"       // it does not follow
	reasonBatch    = "bad_batch" // it contradicts itself
	reasonDiskFull = "disk_full"
	reasonEngine   = "engine" // anything else that DuckDB says
)

type metrics struct {
	rows     *prometheus.CounterVec
	apply    prometheus.Histogram
	refused  *telemetry.Refusals
	reopened prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "faultline", Subsystem: "store", Name: "rows_total", Help: "Rows written, by table.",
		}, []string{"table"}),
		apply: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "faultline", Subsystem: "store", Name: "apply_seconds", Help: "Time to write a batch.",
			Buckets: []float64{.003, .01, .03, .1, .3, 1, 3, 10},
		}),
		refused:  telemetry.NewRefusals(r, "store", "Batches that did not go in, by reason.", reasonGap, reasonBatch, reasonDiskFull, reasonEngine),
		reopened: telemetry.Counter(r, "store", "reopened_total", "Times that the file was opened again after the engine had given it up."),
	}
	r.MustRegister(m.rows, m.apply)
	for _, t := range []string{"reports", "others", "samples", "cells", "readings", "records"} {
		m.rows.WithLabelValues(t)
	}
	return m
}

// count counts the rows of a batch that went in.
func (m *metrics) count(b *store.Batch) {
	reports := 0
	for i := range b.Observations {
		if b.Observations[i].Payload.Kind() == faultline.KindReport {
			reports++
		}
	}
	for table, n := range map[string]int{
		"reports": reports, "others": len(b.Observations) - reports, "samples": len(b.Samples),
		"cells": len(b.Cells), "readings": len(b.Readings), "records": len(b.Records),
	} {
		m.rows.WithLabelValues(table).Add(float64(n))
	}
}

// refuse counts why a batch did not go in.
func (m *metrics) refuse(err error) {
	reason := reasonEngine
	switch {
	case errors.Is(err, store.ErrGap):
		reason = reasonGap
	case errors.Is(err, store.ErrBatch):
		reason = reasonBatch
	case errors.Is(err, store.ErrDiskFull):
		reason = reasonDiskFull
	}
	m.refused.Inc(reason)
}
