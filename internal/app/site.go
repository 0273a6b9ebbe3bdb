package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"faultline"
	"faultline/docs"
	"faultline/internal/intake/report"
	"faultline/internal/journal"
	"faultline/internal/publish/live"
	"faultline/internal/publish/web"
	"faultline/internal/store"
	"faultline/internal/telemetry"
)

// openIntake opens the report intake and teaches it the retries of the last
// day, so that a request that was answered before a crash is answered alike.
func (a *App) openIntake(ctx context.Context) (err error) {
	if a.keys, err = report.OpenKeys(a.folder.Path("secret", "reporter-keys"), a.log); err != nil {
		return err
	}
	if err := a.keys.Rotate(a.opts.Now()); err != nil {
		return err
	}
	a.intake, err = report.New(a.opts.Config.Intake.Report, report.Deps{
		Append: a.appendReports, Lookup: a.geo.Lookup, Catalogue: a.catalogue, Keys: a.keys, Now: a.opts.Now,
		Logger: a.log, Registry: a.registry, Admit: a.keeper.admit, RenderProblem: a.renderProblem,
	})
	if err != nil {
		return fmt.Errorf("intake.report: %w", err)
	}
	a.obs.each = a.intake.Remember
	return a.store.Observations(ctx, store.Filter{Kind: faultline.KindReport, Since: a.opts.Now().Add(-24 * time.Hour), KeepHash: true},
		func(o *faultline.Observation) error { a.intake.Remember(o); return nil })
}

// appendReports says in the intake's words why the journal refused.
func (a *App) appendReports(ctx context.Context, obs ...*faultline.Observation) error {
	err := a.journal.Append(ctx, obs...)
	a.tellRoom(err)
	switch {
	case errors.Is(err, journal.ErrFull):
		return fmt.Errorf("%w: %w", report.ErrFull, err)
	case errors.Is(err, journal.ErrBusy):
		return fmt.Errorf("%w: %w", report.ErrBusy, err)
	case errors.Is(err, journal.ErrUnknown): // it may be written: the key must stay known
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

// renderProblem is the page that the sender of a refused form sees.
func (a *App) renderProblem(w http.ResponseWriter, r *http.Request, p report.Problem) {
	a.site.Problem(w, r, web.Problem{Status: p.Status, Reason: p.Reason, Field: p.Field, Title: "Your report was not taken", Detail: p.Detail})
}

// openSites makes the live site and the one of the replay, and puts everything
// that is served under one handler.
func (a *App) openSites() ([]*web.Site, error) {
	metrics := web.NewMetrics(a.registry)
	token, err := a.opts.consoleToken()
	if err != nil {
		return nil, err
	}
	deps := web.Deps{
		View: a.model.View, History: history{a.store}, Docs: docs.FS, Search: func(q string) []faultline.Service { return a.catalogue.Search(q, 20) },
		Clock: a.opts.Now, Logger: telemetry.Room(a.log, "publish"), Metrics: metrics, Version: a.opts.Version,
		Place: a.intake.Place, Origin: a.opts.Config.Site.Origin, Contact: a.opts.Config.Site.Contact,
		Attribution: a.attribution(), Retention: a.retention(), Rules: methodRules(a.opts.Config), Console: a.console(token),
	}
	var sites []*web.Site
	mux := http.NewServeMux()
	if a.replay != nil {
		site, err := a.openReplaySite(mux, deps)
		if err != nil {
			return nil, err
		}
		sites = append(sites, site)
		deps.Replays = []web.Link{{Href: a.replay.base() + "/", Title: a.replay.scenario.Title, Note: a.replay.scenario.Notice}}
	}
	if a.site, err = web.New(deps); err != nil {
		return nil, err
	}
	sites = append(sites, a.site)
	health(mux, a.unready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}))
	mux.Handle("/api/v1/reports", a.intake.API())
	mux.Handle("POST /s/{slug}/report", a.intake.Form())
	out := newExporter(a.store, a.registry, a.token, token)
	mux.Handle("GET /console/export", out)
	mux.Handle("GET /console/explain", out.explain(deps.Rules))
	mux.Handle("/", a.site)
	a.handler = guarded(mux, a.log)
	return sites, nil
}

// openReplaySite makes the site of the replay under its own base. Reports that
// are filed there are refused by the intake, with that reason.
func (a *App) openReplaySite(mux *http.ServeMux, live web.Deps) (*web.Site, error) {
	r := a.replay
	d := live
	d.View, d.History, d.Base, d.Console = r.model.View, history{r.obs.store}, r.base(), nil
	d.Replay = &web.Replay{Case: r.scenario.Name, Title: "Replay: " + r.scenario.Title, Notice: r.scenario.Notice}
	site, err := web.New(d)
	if err != nil {
		return nil, err
	}
	mux.Handle("POST "+r.base()+"/s/{slug}/report", a.intake.Replay())
	mux.Handle("POST "+r.base()+"/api/v1/reports", a.intake.Replay())
	mux.Handle(r.base()+"/", site)
	return site, nil
}

func (r *replayed) base() string { return "/replay/" + r.scenario.Name }

// history answers the pages' questions about what is no longer in memory.
type history struct{ store store.Reader }

// Series implements web.History.
func (h history) Series(ctx context.Context, s faultline.Series, from, to time.Time, step time.Duration) ([]live.Bin, error) {
	points, err := h.store.Series(ctx, store.SeriesQuery{Series: s, From: from, To: to, Step: step})
	if err != nil {
		return nil, err
	}
	bins := make([]live.Bin, len(points))
	for i, p := range points {
		bins[i] = live.Bin{Start: p.Start, Value: p.Value, Expected: p.Expected, Low: p.Low, High: p.High, Complete: p.Complete, Band: p.HasUsual}
	}
	return bins, nil
}

// Reach implements web.History: the checks of all vantage points together.
func (h history) Reach(ctx context.Context, service faultline.ServiceID, from, to time.Time, step time.Duration) ([]live.Reach, error) {
	level := faultline.AtVantage
	var bins []live.Reach // samples come oldest first
	err := h.store.Samples(ctx, store.Filter{Service: service, Level: &level, Since: from, Until: to}, func(s *faultline.Sample) error {
		start := s.Start.Truncate(step)
		if n := len(bins); n == 0 || !bins[n-1].Start.Equal(start) {
			bins = append(bins, live.Reach{Start: start})
		}
		b := &bins[len(bins)-1]
		if s.N == 0 {
			b.Impaired++
		}
		b.N += int(s.N)
		b.OK += int(s.Value)
		return nil
	})
	return bins, err
}

// console is the operator's, or nil without a token.
func (a *App) console(token string) *web.Console {
	if token == "" {
		return nil
	}
	return &web.Console{
		Operators: map[string]string{a.opts.Config.Console.Operator: token},
		Secure:    a.opts.Config.Console.Secure,
		Do: func(ctx context.Context, c faultline.Command) error {
			return a.append(ctx, faultline.Observation{At: a.opts.Now(), Payload: &c})
		},
	}
}

// attribution is what the licences of the shipped tables ask for.
func (a *App) attribution() (lines []string) {
	for _, x := range a.geo.Attribution() {
		lines = append(lines, x.Text+": "+x.URL)
	}
	return lines
}

// retention is the table of the page about data.
func (a *App) retention() []web.Retention {
	k := a.opts.Config.Store.KeepConfig
	days := func(d time.Duration) string { return kept(d, "for ever") }
	journal := func(d time.Duration) string { return kept(d, "until they are in the archive") }
	return []web.Retention{
		{What: "Raw reports (operator only)", Kept: days(k.Rows.Reports) + " in the store, " + days(k.ArchiveReports) + " in the archive"},
		{What: "Measurements", Kept: days(k.Rows.Measurements) + " in the store, then in the archive", Licence: "CC BY 4.0"},
		{What: "Counts per minute", Kept: days(k.Rows.Minutes), Licence: "CC BY 4.0"},
		{What: "Counts per hour, incidents, corrections", Kept: "for ever", Licence: "CC BY 4.0"},
		{What: "Journal (operator only)", Kept: fmt.Sprintf("reports %s, measurements %s, never before they are in the archive", journal(k.JournalReports), journal(k.JournalMeasurements))},
		{What: "Readers' addresses", Kept: "not at all"},
	}
}

// kept writes an age in days, or in hours below two days; none is what it means.
func kept(age time.Duration, none string) string {
	switch {
	case age == 0:
		return none
	case age < 48*time.Hour:
		return fmt.Sprintf("%.0f hours", age.Hours())
	}
	return fmt.Sprintf("%.0f days", age.Hours()/24)
}

// guarded turns a panic of a handler into a 500 that says no more than that,
// and names it in the log.
func guarded(h http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // a panic's value, not an error chain
				log.Error("handler panicked", slog.String("route", strings.SplitN(r.URL.Path, "?", 2)[0]), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
				problem(w, http.StatusInternalServerError, "internal", "something went wrong here; it has been noted")
			}
		}()
		h.ServeHTTP(w, r)
	})
}
