package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
)

// qualityMetrics are the detectors' record of themselves. They are gauges: months
// leave the record, and a start takes it from the snapshot.
type qualityMetrics struct {
	readings, hits *prometheus.GaugeVec
	watched        prometheus.Gauge
}

// levels are the names of a curve's levels in labels.
var levels = map[faultline.Level]string{faultline.World: "world", faultline.InCountry: "country", faultline.InASN: "network"}

func newQualityMetrics(r prometheus.Registerer) *qualityMetrics {
	const room = "detect"
	m := &qualityMetrics{
		readings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "faultline", Subsystem: room, Name: "calibration_readings", Help: "Readings of reports outside of events, one a quarter of an hour, in the months that are counted (12 at most), by level and usual number in 15 minutes.",
		}, []string{"level", "usual"}),
		hits: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "faultline", Subsystem: room, Name: "calibration_hits", Help: "Of those, readings with this calibrated −log10 p or more. Right is 10^−log_p of all.",
		}, []string{"level", "usual", "log_p"}),
		watched: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "faultline", Subsystem: room, Name: "watched_series_seconds", Help: "For how long series of reports were watched well enough to tell, over the last 365 days, all series together.",
		}),
	}
	r.MustRegister(m.readings, m.hits, m.watched)
	for _, level := range levels { // so that every line stands at zero from the start
		for _, usual := range faultline.Classes() {
			m.curve(&faultline.Curve{Usual: usual, Hits: make([]int, faultline.Decades)}, level)
		}
	}
	return m
}

// set takes what was counted; nil is no news.
func (m *qualityMetrics) set(q *faultline.Quality) {
	if q == nil {
		return
	}
	for i := range q.Curves {
		m.curve(&q.Curves[i], levels[q.Curves[i].Level])
	}
	m.watched.Set(q.Weeks(365) * 7 * 24 * 3600)
}

func (m *qualityMetrics) curve(c *faultline.Curve, level string) {
	m.readings.WithLabelValues(level, string(c.Usual)).Set(float64(c.N))
	for k, n := range c.Hits {
		m.hits.WithLabelValues(level, string(c.Usual), strconv.Itoa(k+1)).Set(float64(n))
	}
}
