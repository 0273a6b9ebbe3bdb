package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/intake/catalogue"
	"faultline/internal/intake/report"
	"faultline/internal/journal"
	"faultline/internal/journal/jetstream"
	"faultline/internal/netinfo"
	"faultline/internal/probe"
	"faultline/internal/publish/live"
	"faultline/internal/publish/web"
	"faultline/internal/store"
	"faultline/internal/store/duckdb"
	"faultline/internal/telemetry"
)

// Options are what a program is made of.
type Options struct {
	Config       Config
	Dir          string   // the data folder
	Watch        []string // URLs typed on the command line
	Demo         *Demo    // a recorded day beside live input; nil for none
	Version      string
	ConsoleToken string // from the environment; a token file wins
	Log          *slog.Logger
	Now          func() time.Time
	// Journal replaces the journal that the configuration names; for benches.
	Journal journal.Journal
}

// App is the whole program. New makes it without starting anything; Run runs
// it until its context ends or a part fails.
type App struct {
	// OnListen is called with the address once it is served.
	OnListen func(url string)
	// Reload makes Run read the services of the configuration again.
	Reload     <-chan os.Signal
	ReadConfig func() (Config, error)

	opts     Options
	typed    []faultline.Service
	log      *slog.Logger
	registry *prometheus.Registry
	folder   *Folder
	stops    *stops

	journal   journal.Journal
	store     store.Store
	geo       *netinfo.DB
	catalogue *catalogue.Catalogue
	model     *live.Model
	obs       *observatory
	keeper    *keeper
	engine    *probe.Engine
	urgent    urgency
	full      atomic.Bool // the journal had no room for the newest append
	reloads   *telemetry.Refusals
	lost      prometheus.Counter // measurements that were not written
	replay    *replayed
	intake    *report.Handler
	keys      *report.Keys
	site      *web.Site
	token     string // of the data folder's owner
	handler   http.Handler
	closing   sync.Once
}

// New checks the options. Nothing is opened yet.
func New(o Options) (*App, error) {
	typed, err := watched(o.Watch, o.Config.Services)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Config.Services = append(o.Config.Services[:len(o.Config.Services):len(o.Config.Services)], typed...)
	if err := o.Config.Probe.Validate(); err != nil {
		return nil, err
	}
	if _, err := o.consoleToken(); err != nil {
		return nil, err
	}
	return &App{opts: o, typed: typed, log: o.Log, registry: telemetry.NewRegistry(), stops: &stops{log: o.Log}}, nil
}

// OpenOffline opens a data folder that nobody runs on, catches up with its
// journal, and answers through Handler until Close. It takes reports, but
// listens, probes and keeps house no more than it must.
func OpenOffline(ctx context.Context, o Options) (*App, error) {
	a, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	follow := start(context.WithoutCancel(ctx), func(error) {}, a.obs.follow)
	a.stops.add("chain", follow.stop)
	if _, err := a.openSites(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Close stops what was started, in reverse order.
func (a *App) Close() (err error) {
	a.closing.Do(func() { err = a.stops.run() })
	return err
}

// Handler serves pages and API.
func (a *App) Handler() http.Handler { return a.handler }

// IsFolder says whether dir looks like a data folder, or why that cannot be
// seen.
func IsFolder(dir string) (bool, error) {
	_, err := os.Stat(lockPath(dir))
	if errors.Is(err, fs.ErrPermission) {
		return false, notOurs(dir)
	}
	return err == nil, nil
}

// open opens all parts that hold something, and reads the journal to its end.
func (a *App) open(ctx context.Context) error {
	var err error
	if a.folder, err = TakeFolder(a.opts.Dir); err != nil {
		return err
	}
	a.stops.add("data folder", func(context.Context) error { return a.folder.Close() })
	if a.token, err = newLocalToken(a.opts.Dir); err != nil {
		return err
	}
	if a.journal = a.opts.Journal; a.journal == nil {
		if a.journal, err = openJournal(ctx, a.opts, a.folder, a.registry); err != nil {
			return err
		}
	}
	a.stops.add("journal", func(context.Context) error { return a.journal.Close() })
	if a.store, err = openStore(ctx, a.opts, a.folder.Path("store", "faultline.duckdb"), a.registry); err != nil {
		return err
	}
	a.stops.add("store", func(context.Context) error { return a.store.Close() })
	if err := a.openPlaces(); err != nil {
		return err
	}
	a.model = live.New(live.Limits{})
	a.model.SetServices(a.catalogue.All())
	a.obs = newObservatory(a.journal, a.store, a.opts.chainConfig(), both{modelSink{a.model}, &a.urgent}, telemetry.Room(a.log, "chain"), newChainMetrics(a.registry))
	a.keeper = &keeper{
		journal: a.journal, store: a.store, folder: a.folder, config: a.opts.Config.Store.KeepConfig,
		log: telemetry.Room(a.log, "housekeeping"), now: a.opts.Now, m: newKeeperMetrics(a.registry),
	}
	if err := a.openIntake(ctx); err != nil {
		return err
	}
	if err := a.remember(ctx); err != nil {
		return err
	}
	return a.obs.open(ctx)
}

// openPlaces opens the tables of addresses and the list of services.
func (a *App) openPlaces() (err error) {
	if a.geo, err = netinfo.Open(netinfo.Options{File: a.opts.Config.Geo.File}); err != nil {
		return err
	}
	a.catalogue, err = catalogue.New(a.opts.Config.Services...)
	return err
}

func openJournal(ctx context.Context, o Options, f *Folder, r prometheus.Registerer) (journal.Journal, error) {
	return jetstream.Open(ctx, jetstream.Options{
		Dir: f.Path("journal"), URL: o.Config.Journal.URL, Replicas: replicas(o.Config.Journal),
		MaxBytes: int64(o.Config.Journal.MaxGB * 1e9), Logger: telemetry.Room(o.Log, "journal"), Registry: r,
	})
}

// replicas is 1 for the embedded journal: there is one node.
func replicas(c JournalConfig) int {
	if c.URL == "" {
		return 1
	}
	return c.Replicas
}

func openStore(ctx context.Context, o Options, path string, r prometheus.Registerer) (store.Store, error) {
	return duckdb.Open(ctx, duckdb.Options{Path: path, MemoryMB: o.Config.Store.MemoryMB, Registerer: r})
}

// Run opens everything, serves, and blocks until ctx ends or a part fails.
// Then it stops in reverse order and drains what was accepted.
func (a *App) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	l, err := listen(ctx, a.opts.Config.Listen)
	if err != nil {
		return err
	}
	a.stops.add("listener", func(context.Context) error { return closed(l) })
	if err := a.open(ctx); err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	run := func(name string, f func(context.Context) error) {
		// Tasks outlive ctx: they are stopped one by one, in reverse order.
		t := start(context.WithoutCancel(ctx), func(err error) { fail(fmt.Errorf("%s: %w", name, err)) }, f)
		a.stops.add(name, t.stop)
	}
	run("chain", a.obs.follow)
	run("housekeeping", a.keeper.run)
	if a.opts.Demo != nil {
		if a.replay, err = a.openReplay(ctx, *a.opts.Demo, a.stops); err != nil {
			return err
		}
		run("chain of the replay", a.replay.follow)
		run("replay", a.replay.feed)
	}
	sites, err := a.openSites()
	if err != nil {
		return err
	}
	for _, s := range sites {
		run("event streams", s.Run)
	}
	if err := a.startEngine(run); err != nil {
		return err
	}
	a.reloads = telemetry.NewRefusals(a.registry, "config", "Configurations that were not taken on SIGHUP, by reason; the old one stays.", refusedFile, refusedServices)
	run("heartbeat", a.beat)
	run("keys of reporters", func(ctx context.Context) error { a.keys.Run(ctx, a.opts.Now, a.log); return nil })
	server := newServer(a.handler, a.log)
	url := "http://" + l.Addr().String()
	if err := a.folder.Announce(url); err != nil {
		return err
	}
	served := start(context.WithoutCancel(ctx), fail, func(context.Context) error { return serve(server, l) })
	a.stops.add("server", func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		return errors.Join(err, served.stop(ctx))
	})
	if a.OnListen != nil {
		a.OnListen(url)
	}
	a.log.Info("listening", slog.String("url", url), slog.String("data", a.opts.Dir), slog.Int("services", len(a.opts.Config.Services)))
	return a.wait(ctx)
}

// wait reloads on the signal, and returns when ctx ends: nil when that was
// asked for, else why.
func (a *App) wait(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return nil
		case <-a.Reload:
			a.reload()
		}
	}
}

// Reasons for which a configuration is not taken again.
const (
	refusedFile     = "file"     // it cannot be read
	refusedServices = "services" // its services contradict those of the command line, or cannot be checked
)

// reload takes the services of the configuration again. A file that is wrong
// changes nothing.
func (a *App) reload() {
	c, err := a.ReadConfig()
	if err != nil {
		a.reloads.Inc(refusedFile)
		a.log.Error("configuration not reloaded, the old one stays", slog.Any("error", err))
		return
	}
	services := append(c.Services, a.typed...)
	if err := a.setServices(services); err != nil {
		a.reloads.Inc(refusedServices)
		a.log.Error("services not reloaded, the old ones stay", slog.Any("error", err))
		return
	}
	a.log.Info("services reloaded", slog.Int("services", len(services)))
}

// setServices replaces the services everywhere, or nowhere.
func (a *App) setServices(services []faultline.Service) error {
	next, err := catalogue.New(services...)
	if err != nil {
		return err
	}
	// The pages come first: what the vantage finds of a service that they do not
	// know is not kept, and a status is told only when it changes.
	a.model.SetServices(next.All())
	if err = a.engine.Set(services); err == nil {
		err = a.catalogue.Set(services)
	}
	if err != nil {
		a.model.SetServices(a.catalogue.All())
		return err
	}
	a.obs.watch(ids(services))
	a.obs.know(next.All())
	return nil
}

// urgency tells the vantage which services to look at more often. It remembers
// them until there is a vantage: incidents outlive a restart.
type urgency struct {
	mu     sync.Mutex
	engine *probe.Engine
	open   map[faultline.ServiceID]bool
}

func (u *urgency) Apply(out Output) {
	if len(out.Statuses) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range out.Statuses {
		u.tell(out.Statuses[i].Service, out.Statuses[i].State.Open())
	}
}

func (u *urgency) tell(id faultline.ServiceID, open bool) {
	if u.engine != nil {
		u.engine.SetUrgent(id, open)
		return
	}
	if u.open == nil {
		u.open = map[faultline.ServiceID]bool{}
	}
	u.open[id] = open
}

// start hands over to the vantage.
func (u *urgency) start(e *probe.Engine) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.engine = e
	for id, open := range u.open {
		u.tell(id, open)
	}
	u.open = nil
}

// both gives outputs to two sinks, in this order.
type both [2]sink

func (b both) Apply(out Output) { b[0].Apply(out); b[1].Apply(out) }

// modelSink gives the chain's outputs to the pages' model.
type modelSink struct{ model *live.Model }

func (s modelSink) Apply(out Output) {
	d := live.Delta{
		At: out.At, Samples: out.Samples, Cells: out.Cells, Readings: out.Readings, Events: out.Events,
		Incidents: out.Incidents, Statuses: out.Statuses, Quality: out.Quality,
	}
	if out.Command != nil {
		d.Commands = []live.Command{{At: out.CommandAt, ID: out.CommandID.String(), Refused: out.Refused, Command: *out.Command}}
	}
	s.model.Apply(d)
}

// remember fills the pages' model from the store: what the chain will not see
// again because its snapshot is newer.
func (a *App) remember(ctx context.Context) error {
	now := a.opts.Now().UTC()
	var past live.Past
	world, country, vantage := faultline.World, faultline.InCountry, faultline.AtVantage
	for _, level := range []*faultline.Level{&world, &country, &vantage} {
		f := store.Filter{Level: level, Since: now.Add(-24 * time.Hour)}
		if err := a.store.Samples(ctx, f, func(s *faultline.Sample) error { past.Samples = append(past.Samples, *s); return nil }); err != nil {
			return err
		}
		if err := a.store.Readings(ctx, f, func(r *faultline.Reading) error { past.Readings = append(past.Readings, *r); return nil }); err != nil {
			return err
		}
	}
	var err error
	if past.Records, err = a.store.Records(ctx, store.RecordFilter{}); err != nil {
		return err
	}
	return a.model.Load(past)
}

// beat appends the heartbeat of the reports' collector. One that cannot be
// written leaves a gap, and a gap means "nobody was listening": so it was.
func (a *App) beat(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	from := a.opts.Now()
	for {
		now := a.opts.Now()
		if err := a.append(ctx, faultline.Observation{At: now, Payload: &faultline.Heartbeat{Collector: faultline.CollectorReports, From: from}}); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			a.log.Error("heartbeat not written", slog.Any("error", err))
		}
		from = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// append stamps and appends one observation of our own.
func (a *App) append(ctx context.Context, o faultline.Observation) error {
	now := a.opts.Now().UTC().Truncate(time.Microsecond)
	o.At, o.Received = o.At.UTC().Truncate(time.Microsecond), now
	o.Origin, o.Position = faultline.Measured, faultline.Position{Partition: partition}
	err := a.journal.Append(ctx, &o)
	a.tellRoom(err)
	return err
}
