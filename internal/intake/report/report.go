// Package report takes people's reports in: a JSON API and an HTML form.
//
// In: POST /api/v1/reports (an object or an array of at most 100) and
// POST /s/SLUG/report (a form, without JavaScript). Out: Observations, given to
// [Deps].Append, and an answer: 202 with the ids, or 303 to the thanks page.
//
// Promises:
//
//   - An accepted report is durable: the answer is written after Append.
//   - A retry with the same Idempotency-Key gets the same ids, also while the
//     first is under way and after a restart ([Handler.Remember]). An array is
//     accepted or refused as a whole.
//   - A refusal is an RFC 9457 problem that names the field and a reason of a
//     closed set, and is counted under that reason. Nothing of it is kept.
//   - The client's address is looked up, hashed with a key ([Keys]) and
//     forgotten: it is in no observation, log, metric, error or answer.
//   - Another site's page cannot make its readers report: see crossSite.
//
// It does not judge: how many people a crowd of reports is worth is decided by
// the series room, from Reporter and Network.
package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/intake/catalogue"
	"faultline/internal/settings"
	"faultline/internal/telemetry"
)

// Errors by which Append says that nothing was written; what it returns must
// match them with errors.Is.
var (
	ErrFull = errors.New("no room for reports")
	ErrBusy = errors.New("too many reports are waiting")
)

// Config is what an operator may set of the report intake.
type Config struct {
	// TrustedProxies are addresses or networks that may speak for others in
	// X-Forwarded-For. The right-most address that is none of them is the
	// client's.
	TrustedProxies Prefixes `yaml:"trusted_proxies"`
	// Origins are further addresses of this site, as https://status.example.org,
	// for a proxy in front that changes the Host header.
	Origins []string `yaml:"origins"`
	// RatePerMinute is how many reports one network (IPv4 /24, IPv6 /56) may
	// send in the long run; 0 is no limit. The default keeps one laptop from
	// filling a disk (about 100 MB a day) and leaves room for a carrier's NAT in
	// a crowd. It does not decide what counts: series caps each network.
	RatePerMinute float64 `yaml:"rate_per_minute"`
	// Burst is how many reports a network may send at once.
	Burst int `yaml:"burst"`
	// RateNetworks bounds the networks whose rate is remembered, 12 bytes each.
	// When there are more, those that used least of their allowance are forgotten.
	RateNetworks int `yaml:"rate_networks"`
	// IdempotencyKeys bounds the retries that are recognised: the newest so many
	// keys of the last 24 hours, about 60 bytes each.
	IdempotencyKeys int `yaml:"idempotency_keys"`
}

// DefaultConfig is what runs without a file.
func DefaultConfig() Config {
	return Config{RatePerMinute: 600, Burst: 1200, RateNetworks: 65536, IdempotencyKeys: 1_000_000}
}

// Check looks for values that make no sense. What it returns is a
// [settings.Faults] with keys below the section.
func (c *Config) Check() error {
	var f settings.Faults
	settings.NothingOr(&f, "rate_per_minute", "no limit", c.RatePerMinute, 1e-3, 1e9)
	least := 1
	if c.RatePerMinute == 0 {
		least = 0 // nothing is held back
	}
	settings.Between(&f, "burst", c.Burst, least, 1_000_000_000)
	settings.Between(&f, "rate_networks", c.RateNetworks, 0, 100_000_000)
	settings.Between(&f, "idempotency_keys", c.IdempotencyKeys, 0, 100_000_000)
	for i, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			f.Say(fmt.Sprintf("trusted_proxies[%d]", i), "%s trusts everybody: whoever likes could choose their own address; name the proxies", p)
		}
	}
	for i, o := range c.Origins {
		if _, ok := hostOf(o); !ok || strings.Count(strings.TrimSuffix(o, "/"), "/") > 2 {
			f.Say(fmt.Sprintf("origins[%d]", i), "%q is not an address as https://status.example.org: give scheme and host only", o)
		}
	}
	return f.Err()
}

// Prefixes is a list of networks; a single address is one.
type Prefixes []netip.Prefix

// UnmarshalYAML reads addresses and networks.
func (p *Prefixes) UnmarshalYAML(decode func(any) error) error {
	var texts []string
	if err := decode(&texts); err != nil {
		return err
	}
	*p = nil
	for _, s := range texts {
		prefix, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); aerr == nil {
			prefix, err = netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a network, as 127.0.0.1 or 10.0.0.0/8", s)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

func (p Prefixes) contain(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// Deps is what the intake works with.
type Deps struct {
	// Append makes observations durable, all or none of them, and sets their
	// Positions. An error that is context.Canceled or DeadlineExceeded means
	// that the outcome is unknown; after any other nothing was written.
	Append    func(ctx context.Context, obs ...*faultline.Observation) error
	Lookup    func(netip.Addr) faultline.Place
	Catalogue *catalogue.Catalogue
	Keys      *Keys
	Now       func() time.Time
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	// Admit, if set, is asked before each request; an error (a disk budget
	// that is used up) is answered with 503 until it is nil again.
	Admit func() error
	// RenderProblem, if set, writes the page that a form's sender sees when it
	// was refused. It must send p.Status and the headers that are set already.
	RenderProblem func(w http.ResponseWriter, r *http.Request, p Problem)
}

// Handler is the report intake.
type Handler struct {
	Deps
	config   Config
	hosts    map[string]bool // of Config.Origins
	limits   *limiter
	patience patience
	receipts *receipts
	refused  *telemetry.Refusals
	accepted prometheus.Counter
	retried  prometheus.Counter
	disagree prometheus.Counter

	complained atomic.Int64 // when, Unix seconds
}

// New makes an intake. It starts nothing.
func New(c Config, d Deps) (*Handler, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	hosts, err := hostsOf(c.Origins)
	if err != nil {
		return nil, err
	}
	d.Logger = telemetry.Room(d.Logger, "intake")
	h := &Handler{Deps: d, config: c, hosts: hosts, limits: newLimiter(c), receipts: newReceipts(c.IdempotencyKeys)}
	h.refused = telemetry.NewRefusals(d.Registry, "intake", "Requests to report that were refused, by reason.", Reasons()...)
	h.accepted = telemetry.Counter(d.Registry, "intake", "reports_total", "Reports accepted: durable and acknowledged.")
	h.retried = telemetry.Counter(d.Registry, "intake", "retries_total", "Requests answered with the ids of an earlier one by their idempotency key.")
	h.disagree = telemetry.Counter(d.Registry, "intake", "country_disagreements_total", "Reports whose stated country is not the one looked up; the latter counts.")
	d.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "faultline", Subsystem: "intake",
		Name: "idempotency_keys", Help: "Idempotency keys remembered.",
	}, func() float64 { return float64(h.receipts.len()) }))
	return h, nil
}

// Remember teaches the intake a report that the journal holds, so that a retry
// is recognised. It is called in the journal's order: at start for all reports
// of the last 24 hours, before the first request, and then for each new one,
// which settles those whose append ended without an answer. Observations of
// other kinds, reports without a key and repetitions change nothing.
func (h *Handler) Remember(o *faultline.Observation) {
	if r, ok := o.Payload.(*faultline.Report); ok && r.Key != 0 {
		h.receipts.remember(r, o.Position, o.Received)
	}
}

// API handles POST /api/v1/reports.
func (h *Handler) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids, batch, p := h.fromJSON(w, r)
		if p != nil {
			h.refuse(w, r, p, writeProblem)
			return
		}
		writeIDs(w, ids, batch)
	})
}

// Form handles POST /s/{slug}/report, with the service's id as path value
// "slug".
func (h *Handler) Form() http.Handler {
	render := h.RenderProblem
	if render == nil {
		render = writeProblem
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := h.fromForm(w, r); p != nil {
			h.refuse(w, r, p, render)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", "/s/"+r.PathValue("slug")+"/thanks")
		w.WriteHeader(http.StatusSeeOther)
	})
}

// Replay refuses what is filed in a replay: the day is over, and nothing may
// slip from it into the live counts.
func (h *Handler) Replay() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		render := writeProblem
		if h.RenderProblem != nil && r.PathValue("slug") != "" {
			render = h.RenderProblem
		}
		h.refuse(w, r, refusal(http.StatusForbidden, ReasonReplay, "", "this is a replay of a past day; reports are taken on the live pages only"), render)
	})
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, p *Problem, render func(http.ResponseWriter, *http.Request, Problem)) {
	h.refused.Inc(p.Reason)
	w.Header().Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", seconds(p.retryAfter))
	}
	if p.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	render(w, r, *p)
}
