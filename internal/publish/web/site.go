// Package web serves the observatory's pages, and each page's twin for
// programs.
//
// In: snapshots of the read model ([live.View]), history, documents. Out: HTML
// that is complete without JavaScript, JSON, Atom and CSV, and a stream of
// events that says which pages changed. A [Site] is one tree of addresses: the
// live one at "/", and one for each replay under its own base, labelled as a
// replay in every title, banner, chart, feed and document.
//
// Pages are drawn at most once a tick and sent to everybody as they lie there,
// compressed, with an ETag: a flash crowd costs map lookups. The package asks
// no database while somebody waits for a page in that cache, sets no cookie for
// readers, refers to no other host, and takes no reports: the forms post to
// intake. It decides nothing about services; words come from package words.
package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/telemetry"
)

// Tick is how often a page is drawn at most.
const Tick = 5 * time.Second

// History answers for what the read model no longer holds: reports of the world
// or a country. Answers are oldest first, in bins of step that begin at whole
// multiples of it; a bin that nobody watched is missing, or has Complete 0.
type History interface {
	Series(ctx context.Context, s faultline.Series, from, to time.Time, step time.Duration) ([]live.Bin, error)
}

// ReachHistory is what a History may also be: it gives the checks of all
// vantage points of a service together. Without it, pages about more than 24
// hours ago have no lane of checks.
type ReachHistory interface {
	Reach(ctx context.Context, service faultline.ServiceID, from, to time.Time, step time.Duration) ([]live.Reach, error)
}

// Retention is a row of the page about data.
type Retention struct{ What, Kept, Licence string }

// Replay labels a site whose records did not happen now.
type Replay struct {
	Case   string // "2025-03-10-x"
	Title  string // "Replay of 10 March 2025"
	Notice string // "reconstructed from published figures, not measured"
}

// Link is a link with a note, such as a replay on the live home page.
type Link struct{ Href, Title, Note string }

// Deps are what a site is given.
type Deps struct {
	View    func() *live.View
	History History // may be nil
	Docs    fs.FS   // Markdown; may be nil
	// Search finds services by name, alias or address, best first.
	Search func(q string) []faultline.Service
	// Place looks up where a reader seems to be; may be nil. Nothing is kept.
	Place func(*http.Request) faultline.Place
	// Clock is the wall clock, for replays too: it decides when pages are drawn
	// and when an operator's session ends. Times on pages come from the data.
	Clock       func() time.Time
	Logger      *slog.Logger
	Metrics     *Metrics
	Base        string  // "" or "/replay/CASE", without a slash at the end
	Origin      string  // "https://example.org", without a slash at the end; may be empty
	Replay      *Replay // nil: the live site
	Replays     []Link  // shown on the live home page
	Version     string
	Attribution []string
	Retention   []Retention
	Rules       Rules  // in effect, for the page about method; zero: DefaultRules
	Contact     string // where corrections go; may be empty
	Console     *Console
	MaxStreams  int // readers' event streams; 0: 2000
}

// Metrics are shared by all sites of a program.
type Metrics struct {
	renders, hits, notModified prometheus.Counter
	streams                    prometheus.Gauge
	refused                    *telemetry.Refusals
}

// Reasons for which the site refuses.
const (
	refusedNotFound   = "not_found"
	refusedMethod     = "method"
	refusedQuery      = "query"
	refusedStreams    = "too_many_streams"
	refusedToken      = "console_token"
	refusedRate       = "console_rate"
	refusedCSRF       = "console_csrf"
	refusedOrigin     = "console_origin"
	refusedAction     = "console_action"
	refusedRender     = "render_failed"
	refusedReplayPost = "replay"
	refusedCountry    = "unknown_country"
	refusedNoFilter   = "not_by_country"
)

// NewMetrics registers faultline_publish_….
func NewMetrics(r prometheus.Registerer) *Metrics {
	const room = "publish"
	return &Metrics{
		renders:     telemetry.Counter(r, room, "renders_total", "Pages drawn."),
		hits:        telemetry.Counter(r, room, "cache_hits_total", "Pages sent as they lay there."),
		notModified: telemetry.Counter(r, room, "not_modified_total", "Answers 304: the reader had the page."),
		streams:     telemetry.Gauge(r, room, "event_streams", "Readers' event streams that are open."),
		refused: telemetry.NewRefusals(r, room, "Requests refused, by reason.", refusedNotFound, refusedMethod, refusedQuery, refusedStreams,
			refusedToken, refusedRate, refusedCSRF, refusedOrigin, refusedAction, refusedRender, refusedReplayPost, refusedCountry, refusedNoFilter),
	}
}

// Site serves one tree of pages. Make it with New; Run keeps its event
// streams going.
type Site struct {
	d       Deps
	pages   map[string]*template.Template
	static  map[string]*rendered
	names   map[string]string // "style.css" → its address
	cache   cache
	streams *streams
	world   *chart.World

	addresses []address
}

// New makes a site. It fails when a template or a static file is broken.
func New(d Deps) (*Site, error) {
	if d.View == nil || d.Clock == nil || d.Logger == nil || d.Metrics == nil {
		return nil, errors.New("make site: View, Clock, Logger and Metrics are needed")
	}
	if d.Base != "" && (!strings.HasPrefix(d.Base, "/") || strings.HasSuffix(d.Base, "/")) {
		return nil, fmt.Errorf("make site: base %q: want a leading slash and none at the end", d.Base)
	}
	if d.Console != nil {
		if err := d.Console.Check(); err != nil {
			return nil, fmt.Errorf("make site: %w", err)
		}
	}
	if d.MaxStreams == 0 {
		d.MaxStreams = 2000
	}
	if d.Rules == (Rules{}) {
		d.Rules = DefaultRules()
	}
	if d.Search == nil {
		d.Search = func(string) []faultline.Service { return nil }
	}
	s := &Site{d: d, streams: newStreams(d.MaxStreams, d.Metrics)}
	s.addresses = s.table()
	var err error
	if s.static, s.names, err = loadStatic(d.Base); err != nil {
		return nil, fmt.Errorf("make site: %w", err)
	}
	if s.world, err = loadWorld(); err != nil {
		return nil, fmt.Errorf("make site: %w", err)
	}
	if err = s.loadContract(); err != nil {
		return nil, fmt.Errorf("make site: %w", err)
	}
	if s.pages, err = loadTemplates(s); err != nil {
		return nil, fmt.Errorf("make site: %w", err)
	}
	return s, nil
}

// Run tells readers' event streams which pages changed, until ctx ends; then
// it closes them.
func (s *Site) Run(ctx context.Context) error { return s.streams.run(ctx, s) }

// ServeHTTP answers a request under the site's base.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, s.d.Base)
	if !ok || (path != "" && path[0] != '/') {
		s.notFound(w, r)
		return
	}
	c, p := faultline.Country(""), (*Problem)(nil)
	if reading(r) && r.URL.RawQuery != "" {
		c, p = s.country(r.URL.RawQuery)
	}
	if p != nil {
		s.refuse(w, r, *p)
		return
	}
	asks := path == "/" && strings.Contains(r.URL.RawQuery, "q=") // a search
	if reading(r) && !asks {
		if e := s.cache.get(key(path, c)); e != nil {
			s.serve(w, r, e)
			return
		}
	}
	s.route(w, r, path, c)
}
