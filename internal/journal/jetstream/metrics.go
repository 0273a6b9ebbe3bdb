package jetstream

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"faultline/internal/journal"
	"faultline/internal/telemetry"
)

type metrics struct {
	records, frames, control, corrupt, restarts prometheus.Counter
	capacity                                    prometheus.Gauge
	publish                                     prometheus.Histogram
	refused                                     *telemetry.Refusals
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		records:  telemetry.Counter(r, "journal", "records_total", "Observations made durable."),
		frames:   telemetry.Counter(r, "journal", "frames_total", "Frames made durable."),
		control:  telemetry.Counter(r, "journal", "control_records_total", "Control records made durable."),
		corrupt:  telemetry.Counter(r, "journal", "corrupt_frames_total", "Frames and control records that could not be read and were skipped, each time they were."),
		restarts: telemetry.Counter(r, "journal", "server_restarts_total", "Times that the embedded server was started again after a failure."),
		capacity: telemetry.Gauge(r, "journal", "waiting_capacity_records", "Observations that may wait before more are refused as busy."),
		publish: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "faultline", Subsystem: "journal", Name: "publish_seconds", Help: "Time until a frame was durable.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 2, 14),
		}),
		refused: telemetry.NewRefusals(r, "journal", "Appends refused, by reason.", reasons...),
	}
	r.MustRegister(m.publish)
	return m
}

// watch registers what is counted only when somebody asks.
func (m *metrics) watch(r prometheus.Registerer, lanes []*lane) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "faultline", Subsystem: "journal",
		Name: "waiting_records", Help: "Observations that wait to be made durable.",
	}, func() (n float64) {
		for _, l := range lanes {
			n += float64(l.backlog())
		}
		return n
	}))
}

// The reasons of a refusal. Left means that the caller did not wait.
const (
	refusedFull    = "full"
	refusedBusy    = "busy"
	refusedClosed  = "closed"
	refusedInvalid = "invalid"
	refusedUnknown = "unknown"
	refusedLeft    = "left"
	refusedFailed  = "failed"
)

var reasons = []string{refusedFull, refusedBusy, refusedClosed, refusedInvalid, refusedUnknown, refusedLeft, refusedFailed}

func reason(err error) string {
	for _, c := range []struct {
		err  error
		name string
	}{
		{journal.ErrFull, refusedFull},
		{journal.ErrBusy, refusedBusy},
		{journal.ErrClosed, refusedClosed},
		{journal.ErrInvalid, refusedInvalid},
		{journal.ErrUnknown, refusedUnknown},
		{context.Canceled, refusedLeft},
		{context.DeadlineExceeded, refusedLeft},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return refusedFailed
}
