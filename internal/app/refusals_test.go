package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"faultline"
	"faultline/internal/intake/report"
	"faultline/internal/journal"
	"faultline/internal/series"
	"faultline/internal/telemetry"
)

func TestAnExportIsRefusedWithAReasonThatIsCounted(t *testing.T) {
	for reason, c := range map[string]struct {
		token, query string
		status       int
	}{
		"unauthorized": {"wrong", "kind=reports", http.StatusUnauthorized},
		"bad_time":     {"right", "kind=reports&since=yesterday", http.StatusBadRequest},
		"bad_kind":     {"right", "kind=lies", http.StatusBadRequest},
	} {
		t.Run(reason, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			e := newExporter(nil, registry, "", "right")
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/export?"+c.query, nil)
			r.Header.Set("Authorization", "Bearer "+c.token)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s, want %d and a problem", w.Code, w.Header(), c.status)
			}
			if n := refusals(t, registry, reason); n != 1 {
				t.Errorf("counted %v times", n)
			}
		})
	}
	if (&exporter{tokens: []string{""}}).allowed(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)) {
		t.Error("no token is a token")
	}
}

func refusals(t *testing.T, r *prometheus.Registry, reason string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// failing is a journal whose appends end with an error.
type failing struct {
	journal.Journal
	err error
}

func (j failing) Append(context.Context, ...*faultline.Observation) error { return j.err }

func TestTheIntakeIsToldWhyTheJournalRefused(t *testing.T) {
	for _, c := range []struct{ from, to error }{
		{journal.ErrFull, report.ErrFull},
		{journal.ErrBusy, report.ErrBusy},
		{journal.ErrUnknown, context.DeadlineExceeded}, // may be written: a retry must not be taken for new
	} {
		a := &App{journal: failing{err: c.from}}
		if err := a.appendReports(t.Context(), &faultline.Observation{}); !errors.Is(err, c.to) || !errors.Is(err, c.from) {
			t.Errorf("%v became %v, want %v", c.from, err, c.to)
		}
	}
}

func TestAMeasurementThatIsNotWrittenIsCounted(t *testing.T) {
	a := &App{journal: failing{err: journal.ErrFull}, log: quiet(), opts: Options{Now: time.Now}}
	a.lost = telemetry.Counter(prometheus.NewRegistry(), "probe", "unwritten_total", "x")
	a.emit(t.Context(), faultline.Measurement{})
	if n := testutil.ToFloat64(a.lost); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

// What a report does not change is counted by why.
func TestReportsThatChangeNoSampleAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newChainMetrics(registry)
	chain := NewChain(ChainConfig{Series: series.Config{MaxSeries: 2, MaxReporters: 3}})
	start := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	frame := uint64(0)
	step := func(at time.Time, p faultline.Payload) {
		frame++
		o := faultline.Observation{Position: faultline.Position{Frame: frame}, At: at, Received: at, Origin: faultline.Measured, Payload: p}
		out := chain.Step(&o)
		m.observe(&o, &out)
	}
	person := func(at time.Time, n uint64) {
		place := faultline.Place{Country: faultline.Country([]byte{'A' + byte(n), 'Z'}), ASN: faultline.ASN(n)}
		step(at, &faultline.Report{Service: "x", Symptom: faultline.Slow, Surface: faultline.App, Place: place, Reporter: n, Network: n})
	}
	step(start, &faultline.Heartbeat{Collector: faultline.CollectorReports, From: start})
	for n := uint64(10); n < 20; n += 2 { // five people in one window of ten minutes
		person(start.Add(time.Second), n*10)
	}
	for n := uint64(1); n < 4; n++ { // three countries, and room for two series
		person(start.Add(time.Duration(11*n)*time.Minute), n)
	}
	step(start.Add(40*time.Minute), &faultline.Heartbeat{Collector: faultline.CollectorReports, From: start.Add(39 * time.Minute)})
	step(start.Add(2*time.Hour), &faultline.Heartbeat{Collector: faultline.CollectorReports, From: start.Add(119 * time.Minute)})
	person(start.Add(time.Minute), 9)
	for _, reason := range []string{"late", "folded", "full"} {
		if refusals(t, registry, reason) == 0 {
			t.Errorf("%s was not counted", reason)
		}
	}
}
