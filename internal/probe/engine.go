package probe

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/probe/wire"
)

// Emit takes a result over. It is called from several goroutines at once, and
// may block: the check's place is taken until it returns, so a slow reader
// shows as late and missed slots and never as a growing queue.
type Emit func(ctx context.Context, m faultline.Measurement)

// Parts are what an engine is made of.
type Parts struct {
	Probers     map[string]Prober // by name of kind; see Open
	Environment Environment       // nil: this machine
	Emit        Emit
	Log         *slog.Logger
	Metrics     prometheus.Registerer
}

// Engine checks targets on a schedule. Its methods may be called at any time
// and from any goroutine.
type Engine struct {
	cfg     Config
	parts   Parts
	metrics *metrics
	health  *health
	changed chan struct{} // something to look at; holds at most one
	checks  sync.WaitGroup

	mu       sync.Mutex
	slots    map[string]*slot
	queue    queue
	urgent   map[faultline.ServiceID]bool
	inFlight int
	awake    awake
}

// New makes an engine that is not running and has no targets.
func New(cfg Config, parts Parts) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if parts.Environment == nil {
		parts.Environment = System(nil)
	}
	e := &Engine{
		cfg: cfg, parts: parts, metrics: newMetrics(parts.Metrics, parts.Probers),
		changed: make(chan struct{}, 1), slots: map[string]*slot{}, urgent: map[faultline.ServiceID]bool{},
	}
	e.health = newHealth(cfg, parts.Environment, e.control)
	return e, e.needProbers(cfg.controls())
}

// Set replaces the targets. A target that stays keeps its place in time and
// what is known of it; a new one is checked within seconds. When one target
// cannot be read, nothing changes.
func (e *Engine) Set(services []faultline.Service) error {
	slots, err := readServices(services)
	if err != nil {
		return err
	}
	if err := e.needProbers(slots); err != nil {
		return err
	}
	e.mu.Lock()
	e.replace(slots, time.Now())
	e.mu.Unlock()
	e.health.know(slots)
	e.metrics.targets.Set(float64(len(slots)))
	e.wake()
	return nil
}

func (e *Engine) needProbers(slots []*slot) error {
	for _, s := range slots {
		if name := KindOf(s.target.URL.Scheme); e.parts.Probers[name] == nil {
			return fmt.Errorf("target %q needs the prober %q, which this program was built without", s.target.Name, name)
		}
	}
	return nil
}

// firstSpacing keeps the first checks of many new targets apart.
const firstSpacing = 20 * time.Millisecond

func (e *Engine) replace(slots []*slot, now time.Time) {
	old := e.slots
	e.slots = make(map[string]*slot, len(slots))
	fresh := 0
	for _, s := range slots {
		if was := old[s.key]; was != nil {
			was.share = s.share
			e.slots[s.key] = was
			delete(old, s.key)
			continue
		}
		e.slots[s.key] = s
		first := now.Add(time.Duration(fresh) * firstSpacing)
		if grid := gridAfter(now, e.cfg.Interval, s.share); grid.Before(first) {
			first = grid
		}
		e.queue.set(s, first)
		fresh++
	}
	for _, s := range old {
		s.gone = true
		e.queue.remove(s)
	}
}

// SetUrgent says whether an episode of the service is open. While it is, its
// targets are checked every Urgent.
func (e *Engine) SetUrgent(service faultline.ServiceID, urgent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.urgent[service] == urgent {
		return
	}
	if !urgent {
		delete(e.urgent, service)
		return
	}
	e.urgent[service] = true
	now := time.Now()
	for _, s := range e.slots {
		if s.service != service || s.place < 0 {
			continue
		}
		soon := s.last.Add(e.cfg.urgent())
		if soon.Before(now) {
			soon = now
		}
		if soon.Before(s.due) {
			e.queue.set(s, soon)
		}
	}
	e.wake()
}

func (e *Engine) wake() {
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// Run checks until ctx ends, and returns when the last check is over. A check
// that is cut short by the end gives no result. Run may be called once.
func (e *Engine) Run(ctx context.Context) error {
	e.start()
	defer e.stop()
	if keep, err := wire.KeepStamps(); err == nil {
		defer keep.Close()
	} else {
		e.parts.Log.Info("no receive time stamps", slog.Any("error", err))
	}
	defer e.checks.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var due time.Time
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-e.changed:
		}
		due = e.startDue(ctx)
		timer.Reset(time.Until(due))
	}
}

// lookAgain is the longest the engine sleeps. Waking late from it is how the
// engine notices that the machine has no time for it.
const lookAgain = time.Second

// startDue starts what is due and there is room for, and says when to look
// again. A place that becomes free wakes the engine by itself.
func (e *Engine) startDue(ctx context.Context) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.health.woke(now)
	next := now.Add(lookAgain)
	for len(e.queue) > 0 && e.queue[0].due.Before(next) {
		s := e.queue[0]
		if s.due.After(now) {
			next = s.due
			break
		}
		if e.inFlight >= e.cfg.Concurrency {
			break
		}
		heap.Pop(&e.queue)
		e.begin(ctx, s, now)
	}
	e.health.sleeps(next)
	return next
}

func (e *Engine) begin(ctx context.Context, s *slot, now time.Time) {
	due, missed := skip(s.due, now, e.interval(s))
	e.metrics.missed.Add(float64(missed))
	s.last, s.started, s.running = due, now, true
	e.inFlight++
	e.metrics.inFlight.Set(float64(e.inFlight))
	e.checks.Go(func() { e.check(ctx, s) })
}

// interval is the time between two checks of a target as things stand.
func (e *Engine) interval(s *slot) time.Duration {
	if s.failing || e.urgent[s.service] {
		return e.cfg.urgent()
	}
	return e.cfg.Interval
}
