package probe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/probe/address"
	"faultline/internal/telemetry"
)

// metrics are the room's counters, all at zero from the start.
type metrics struct {
	checks   *prometheus.CounterVec
	controls *prometheus.CounterVec
	missed   prometheus.Counter
	inFlight prometheus.Gauge
	targets  prometheus.Gauge
	lag      prometheus.Histogram
	readLate prometheus.Histogram
}

// The results that checks are counted by.
const (
	resultOK       = "ok"
	resultFailed   = "failed"
	resultRefused  = "refused_to_us"
	resultImpaired = "impaired"
	resultForbid   = "address_forbidden"
	resultFault    = "probe_fault"
)

func newMetrics(r prometheus.Registerer, probers map[string]Prober) *metrics {
	name := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "faultline", Subsystem: "probe", Name: n, Help: help}
	}
	histogram := func(n, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "faultline", Subsystem: "probe", Name: n, Help: help,
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10},
		})
	}
	m := &metrics{
		checks:   prometheus.NewCounterVec(prometheus.CounterOpts(name("checks_total", "Checks by kind of prober and result.")), []string{"kind", "result"}),
		controls: prometheus.NewCounterVec(prometheus.CounterOpts(name("controls_total", "Extra checks made to learn whether this vantage has a network.")), []string{"result"}),
		missed:   telemetry.Counter(r, "probe", "missed_slots_total", "Slots that passed without a check."),
		inFlight: telemetry.Gauge(r, "probe", "in_flight", "Checks that are running."),
		targets:  telemetry.Gauge(r, "probe", "targets", "Targets in the schedule."),
		lag:      histogram("lag_seconds", "From the beginning of a slot to that of its check."),
		readLate: histogram("read_late_seconds", "From the kernel's receiving a first byte to our reading it."),
	}
	r.MustRegister(m.checks, m.controls, m.lag, m.readLate)
	for kind := range probers {
		for _, result := range []string{resultOK, resultFailed, resultRefused, resultImpaired, resultForbid, resultFault} {
			m.checks.WithLabelValues(kind, result)
		}
	}
	m.controls.WithLabelValues(resultOK)
	m.controls.WithLabelValues(resultFailed)
	return m
}

// Refused registers the counter of address refusals,
// faultline_probe_refused_total, and gives what NewDeps wants.
func Refused(r prometheus.Registerer) func(reason string) {
	return telemetry.NewRefusals(r, "probe", "Addresses that were not contacted, by reason.", address.Reasons()...).Inc
}

func (m *metrics) count(r *faultline.Measurement) {
	m.checks.WithLabelValues(r.Probe, resultOf(r)).Inc()
	m.lag.Observe(max(0, r.Start.Sub(r.Due).Seconds()))
	if r.HasReadLate {
		m.readLate.Observe(time.Duration(r.ReadLate).Seconds())
	}
}

func (m *metrics) control(ok bool) {
	result := resultFailed
	if ok {
		result = resultOK
	}
	m.controls.WithLabelValues(result).Inc()
}

func resultOf(m *faultline.Measurement) string {
	switch {
	case m.Failure == "":
		return resultOK
	case m.Failure == faultline.ProbeFault:
		return resultFault
	case m.Failure == faultline.AddressForbidden:
		return resultForbid
	case m.Failure == faultline.RefusedToUs:
		return resultRefused
	case m.Impaired != "":
		return resultImpaired
	}
	return resultFailed
}
