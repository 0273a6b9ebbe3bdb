package probe_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"faultline"
	"faultline/internal/probe"
)

// world is a pretend network: a prober and an environment in one, in virtual
// time. What it is not told otherwise succeeds at once at a public address of
// its own.
type world struct {
	mu      sync.Mutex
	fail    map[string]faultline.Failure // by target
	takes   map[string]time.Duration
	addr    map[string]string // "" after all: the name is not resolved
	steps   map[string][]faultline.Step
	noRoute bool
	noDNS   bool
	asked   map[string]int // checks, controls included
	got     []faultline.Measurement
	emit    func(context.Context, faultline.Measurement)
	engine  *probe.Engine
	metrics *prometheus.Registry
}

func newWorld() *world {
	return &world{
		fail: map[string]faultline.Failure{}, takes: map[string]time.Duration{}, addr: map[string]string{}, steps: map[string][]faultline.Step{},
		asked: map[string]int{}, metrics: prometheus.NewRegistry(),
	}
}

func (w *world) Route(netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noRoute {
		return errors.New("no route")
	}
	return nil
}

func (w *world) Resolve(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noDNS {
		return errors.New("no resolver")
	}
	return nil
}

func (w *world) Probe(ctx context.Context, job probe.Job) faultline.Measurement {
	w.mu.Lock()
	name := job.Target.Name
	w.asked[name]++
	fail, takes, steps := w.fail[name], w.takes[name], w.steps[name]
	addr, ok := w.addr[name]
	if !ok {
		h := 0
		for _, c := range name {
			h = h*31 + int(c)
		}
		addr = fmt.Sprintf("93.%d.%d.1", h&255, h>>8&255)
	}
	w.mu.Unlock()
	start := time.Now()
	select {
	case <-ctx.Done():
		fail = faultline.ProbeFault
	case <-time.After(min(takes, job.Timeout)):
	}
	if takes > job.Timeout {
		fail = faultline.GenericTimeout
	}
	if fail == "panic" {
		panic("a prober's mistake")
	}
	if steps == nil {
		steps = []faultline.Step{{Op: faultline.OpConnect, Failure: fail}}
		if addr == "" {
			steps[0].Op = faultline.OpResolve
		} else {
			steps[0].Address = netip.AddrPortFrom(netip.MustParseAddr(addr), 443)
		}
	}
	return faultline.Measurement{
		Service: job.Service, Target: name, Probe: "tcp", Attempt: job.Attempt, Due: job.Due, Start: start,
		Runtime: faultline.Seconds(time.Since(start)), Steps: steps, Failure: fail,
	}
}

// start runs an engine in the world; the result stops it.
func (w *world) start(t *testing.T, change func(*probe.Config)) (stop func()) {
	t.Helper()
	cfg := probe.Defaults()
	if change != nil {
		change(&cfg)
	}
	e, err := probe.New(cfg, probe.Parts{
		Probers: map[string]probe.Prober{"tcp": w}, Environment: w, Log: slog.New(slog.DiscardHandler), Metrics: w.metrics,
		Emit: func(ctx context.Context, m faultline.Measurement) {
			w.mu.Lock()
			w.got = append(w.got, m)
			w.mu.Unlock()
			if w.emit != nil {
				w.emit(ctx, m)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.engine = e
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (w *world) set(t *testing.T, services ...faultline.Service) {
	t.Helper()
	if err := w.engine.Set(services); err != nil {
		t.Fatal(err)
	}
}

// results gives what came since the last call, in order of starting.
func (w *world) results() []faultline.Measurement {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	slices.SortStableFunc(got, func(a, b faultline.Measurement) int { return a.Start.Compare(b.Start) })
	return got
}

func (w *world) say(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

// services makes n services with one target each.
func services(n int) []faultline.Service {
	var all []faultline.Service
	for i := range n {
		all = append(all, faultline.Service{ID: faultline.ServiceID(fmt.Sprintf("s%d", i)), Targets: []faultline.Target{{URL: target(i)}}})
	}
	return all
}

func target(i int) string { return fmt.Sprintf("tcp://s%d.example:443", i) }

// gaps are the times between starts, first attempts only.
func gaps(all []faultline.Measurement) (d []time.Duration) {
	var last time.Time
	for _, m := range all {
		if m.Attempt == 1 {
			if !last.IsZero() {
				d = append(d, m.Start.Sub(last))
			}
			last = m.Start
		}
	}
	return d
}

func TestTargetsAreSpreadEvenlyAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.set(t, services(6)...)
		time.Sleep(time.Second)
		if first := w.results(); len(first) != 6 {
			t.Fatalf("%d of 6 new targets were checked in the first second", len(first))
		}
		time.Sleep(59 * time.Second) // the rest of the first minute: what is not yet on its slot gets there
		w.results()
		time.Sleep(10 * time.Minute)
		all := w.results()
		if len(all) != 60 {
			t.Fatalf("%d checks of 6 targets in 10 minutes", len(all))
		}
		for i, d := range gaps(all) {
			if d != 10*time.Second {
				t.Errorf("gap %d is %v", i, d)
			}
		}
		for _, m := range all {
			if !m.Start.Equal(m.Due) || m.Interval != faultline.Seconds(time.Minute) || m.Vantage.ID != "local" {
				t.Errorf("%+v", m)
			}
		}
		if n := testutil.ToFloat64(counter(t, w, "faultline_probe_missed_slots_total")); n != 0 {
			t.Errorf("%v slots missed", n)
		}
	})
}

func TestAFailureIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.fail[target(0)] = faultline.ConnectionRefused
		w.set(t, services(1)...)
		time.Sleep(25 * time.Second)
		all := w.results()
		var got []string
		for _, m := range all {
			got = append(got, fmt.Sprintf("%d@%v", m.Attempt, m.Start.Sub(all[0].Start)))
		}
		if s := strings.Join(got, " "); s != "1@0s 2@1s 1@10s 2@11s 1@20s 2@21s" {
			t.Errorf("checks %s", s)
		}
		if all[0].Interval != faultline.Seconds(10*time.Second) {
			t.Errorf("the next check is in %v", all[0].Interval)
		}
		w.say(func() { delete(w.fail, target(0)) })
		time.Sleep(10 * time.Second)
		if back := w.results(); len(back) != 1 || back[0].Failure != "" || back[0].Attempt != 1 || back[0].Interval != faultline.Seconds(time.Minute) {
			t.Errorf("after it came back: %+v", back)
		}
	})
}

// A check that fails by its time-out takes longer than the interval. Nothing
// is done twice at once, and nothing is missed by our own rules.
func TestATimeoutDelaysTheNextCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.takes[target(0)] = time.Hour
		w.set(t, services(1)...)
		time.Sleep(45 * time.Second)
		var got []string
		all := w.results()
		for _, m := range all {
			got = append(got, fmt.Sprintf("%d@%v", m.Attempt, m.Start.Sub(all[0].Start)))
		}
		if s := strings.Join(got, " "); s != "1@0s 2@11s 1@22s 2@33s" {
			t.Errorf("checks %s", s)
		}
	})
}

func TestAnUrgentServiceIsCheckedMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.set(t, services(2)...)
		time.Sleep(2 * time.Minute)
		w.results()
		w.engine.SetUrgent("s0", true)
		time.Sleep(time.Minute)
		n := map[string]int{}
		for _, m := range w.results() {
			n[m.Target]++
		}
		if n[target(0)] < 6 || n[target(0)] > 7 || n[target(1)] != 1 {
			t.Errorf("in a minute: %v", n)
		}
		w.engine.SetUrgent("s0", false)
		time.Sleep(time.Minute)
		w.results()
		time.Sleep(10 * time.Minute)
		if all := w.results(); len(all) != 20 {
			t.Errorf("%d checks in ten minutes after it was over", len(all))
		}
	})
}

func TestWhoRefusesUsIsNotAskedMoreOften(t *testing.T) {
	for _, f := range []faultline.Failure{faultline.RefusedToUs, faultline.AddressForbidden} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			defer w.start(t, nil)()
			w.fail[target(0)] = f
			w.set(t, services(1)...)
			time.Sleep(10*time.Minute + time.Second)
			if all := w.results(); len(all) > 12 {
				t.Errorf("%s: %d checks in 10 minutes", f, len(all))
			}
		})
	}
}

func TestSlotsThatCannotBeKeptAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, func(c *probe.Config) { c.Interval, c.Concurrency = 10*time.Second, 1 })()
		for i := range 4 {
			w.takes[target(i)] = 5 * time.Second
		}
		w.set(t, services(4)...)
		time.Sleep(10 * time.Minute)
		all := w.results()
		missed := testutil.ToFloat64(counter(t, w, "faultline_probe_missed_slots_total"))
		if n := float64(len(all)) + missed; len(all) < 118 || len(all) > 120 || n < 236 || n > 244 {
			t.Errorf("%d checks of 120 possible, %v slots missed of 240", len(all), missed)
		}
		late := 0
		for _, m := range all {
			if m.Start.After(m.Due) {
				late++
			}
			if lag := m.Start.Sub(m.Due); lag >= 10*time.Second || lag < 0 {
				t.Errorf("a check that is %v late belongs to a later slot", lag)
			}
		}
		if late == 0 {
			t.Error("no check says that it was late")
		}
	})
}

func TestTargetsAreReplacedWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.set(t, services(2)...)
		time.Sleep(90 * time.Second)
		w.results()
		w.set(t, services(3)[1:]...)
		time.Sleep(2 * time.Second)
		if fresh := w.results(); len(fresh) < 1 || fresh[0].Target != target(2) {
			t.Errorf("the new target was not checked at once: %+v", fresh)
		}
		time.Sleep(5 * time.Minute)
		n := map[string]int{}
		for _, m := range w.results() {
			n[m.Target]++
		}
		if n[target(0)] != 0 || n[target(1)] < 4 || n[target(2)] < 4 {
			t.Errorf("in five minutes: %v", n)
		}
		err := w.engine.Set([]faultline.Service{{ID: "x", Targets: []faultline.Target{{URL: "nonsense"}, {URL: "https://example.org/"}}}})
		if err == nil || !strings.Contains(err.Error(), "service x: target \"nonsense\"") {
			t.Errorf("a target that cannot be read: %v", err)
		}
		if err := w.engine.Set([]faultline.Service{{ID: "x", Targets: []faultline.Target{{URL: "https://example.org/"}}}}); err == nil {
			t.Error("a target was taken that no prober can check")
		}
		time.Sleep(2 * time.Minute)
		if len(w.results()) < 4 {
			t.Error("a refused list of targets replaced the good one")
		}
	})
}

func TestAPanicIsAProbeFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.start(t, nil)()
		w.fail[target(0)] = "panic"
		w.set(t, services(1)...)
		time.Sleep(time.Second)
		if all := w.results(); len(all) == 0 || all[0].Failure != faultline.ProbeFault || all[0].Counts() || all[0].Service != "s0" {
			t.Errorf("%+v", all)
		}
	})
}

func TestStoppingGivesNoResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		stop := w.start(t, nil)
		w.takes[target(0)] = 5 * time.Second
		w.set(t, services(1)...)
		time.Sleep(time.Second)
		stop() // in the middle of the check
		if all := w.results(); len(all) != 0 {
			t.Errorf("a check that was cut short gave %+v", all)
		}
		if from, to := w.engine.Alive(); !from.IsZero() || !to.IsZero() {
			t.Error("alive after it was stopped")
		}
	})
}

func TestStoppingWaitsForWhoTakesAResultOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var ended time.Duration
		w.emit = func(ctx context.Context, _ faultline.Measurement) { // never takes it
			begun := time.Now()
			<-ctx.Done()
			ended = time.Since(begun)
		}
		stop := w.start(t, nil)
		w.set(t, services(1)...)
		time.Sleep(time.Second)
		begun := time.Now()
		stop()
		if d := time.Since(begun); d != 5*time.Second || ended != 6*time.Second {
			t.Errorf("stopped after %v, the reader was told after %v", d, ended)
		}
	})
}

func TestAliveEndsBeforeResultsThatAreStillToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		begun := time.Now()
		defer w.start(t, nil)()
		time.Sleep(20 * time.Second)
		if from, to := w.engine.Alive(); !from.Equal(begun) || !to.Equal(begun.Add(20*time.Second)) {
			t.Errorf("alive from %v to %v", from.Sub(begun), to.Sub(begun))
		}
		w.takes[target(0)] = 8 * time.Second
		w.set(t, services(1)...)
		time.Sleep(5 * time.Second)
		if _, to := w.engine.Alive(); !to.Equal(begun.Add(20 * time.Second)) {
			t.Errorf("alive to %v, with a result to come for %v", to.Sub(begun), 20*time.Second)
		}
		time.Sleep(5 * time.Second)
		if _, to := w.engine.Alive(); !to.Equal(begun.Add(30 * time.Second)) {
			t.Errorf("alive to %v after the result came", to.Sub(begun))
		}
	})
}

func TestSettingsAreLookedAt(t *testing.T) {
	for want, change := range map[string]func(*probe.Config){
		"probe.interval":    func(c *probe.Config) { c.Interval = 100 * time.Millisecond },
		"probe.timeout":     func(c *probe.Config) { c.Timeout = 0 },
		"probe.concurrency": func(c *probe.Config) { c.Concurrency = 0 },
		"probe.controls":    func(c *probe.Config) { c.Controls = []faultline.Target{{URL: "x"}} },
		"no name":           func(c *probe.Config) { c.Vantage.ID = "" },
	} {
		cfg := probe.Defaults()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := probe.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func counter(t *testing.T, w *world, name string, labels ...string) prometheus.Collector {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "x"})
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var got []string
			for _, l := range m.GetLabel() {
				got = append(got, l.GetName()+"="+l.GetValue())
			}
			if f.GetName() == name && (len(labels) == 0 || slices.Equal(got, labels)) {
				g.Add(m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()))
			}
		}
	}
	return g
}
