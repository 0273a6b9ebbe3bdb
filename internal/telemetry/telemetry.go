// Package telemetry makes the logger and the metrics registry that every room
// is given. Nothing here is global: what a room may count or say, it receives.
//
// Metrics are named faultline_ROOM_WHAT_UNIT. Every way to refuse input is a
// counter with a closed set of reasons, each of which stands at zero from the
// start, so that a graph shows the first refusal and not a new line.
package telemetry

import (
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewLogger writes logs as text or, with json, as a JSON object a line.
func NewLogger(w io.Writer, level slog.Level, json bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Room is the logger of one room.
func Room(l *slog.Logger, name string) *slog.Logger { return l.With(slog.String("room", name)) }

// NewRegistry makes a registry with the runtime's own metrics in it.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Refusals is a counter with a closed set of reasons, all of them at zero.
type Refusals struct{ vec *prometheus.CounterVec }

// NewRefusals registers faultline_ROOM_refused_total{reason}.
func NewRefusals(r prometheus.Registerer, room, help string, reasons ...string) *Refusals {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "faultline", Subsystem: room, Name: "refused_total", Help: help,
	}, []string{"reason"})
	r.MustRegister(vec)
	for _, reason := range reasons {
		vec.WithLabelValues(reason)
	}
	return &Refusals{vec}
}

// Inc counts one refusal for the reason.
func (c *Refusals) Inc(reason string) { c.vec.WithLabelValues(reason).Inc() }

// Add counts n refusals for the reason.
func (c *Refusals) Add(reason string, n int) {
	if n > 0 {
		c.vec.WithLabelValues(reason).Add(float64(n))
	}
}

// Counter registers and returns faultline_ROOM_NAME.
func Counter(r prometheus.Registerer, room, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "faultline", Subsystem: room, Name: name, Help: help})
	r.MustRegister(c)
	return c
}

// Gauge registers and returns faultline_ROOM_NAME.
func Gauge(r prometheus.Registerer, room, name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "faultline", Subsystem: room, Name: name, Help: help})
	r.MustRegister(g)
	return g
}
