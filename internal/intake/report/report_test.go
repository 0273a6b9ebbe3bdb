package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/intake/catalogue"
	"faultline/internal/intake/report"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// memory is a journal that forgets at the end of the test.
type memory struct {
	mu   sync.Mutex
	obs  []faultline.Observation
	fail error
	hook func() // runs before an append
}

func (m *memory) Append(_ context.Context, obs ...*faultline.Observation) error {
	if m.hook != nil {
		m.hook()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	frame := uint64(len(m.obs)) + 1
	for i, o := range obs {
		o.Position = faultline.Position{Frame: frame, Index: uint16(i)}
		m.obs = append(m.obs, *o)
	}
	return nil
}

func (m *memory) all() []faultline.Observation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.obs)
}

// rig is an intake with everything around it.
type rig struct {
	*report.Handler
	journal  *memory
	registry *prometheus.Registry
	log      *bytes.Buffer
	now      time.Time
	admit    error
	mux      *http.ServeMux
}

type setup struct {
	config func(*report.Config)
	deps   func(*report.Deps)
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	g := &rig{journal: &memory{}, registry: prometheus.NewRegistry(), log: &bytes.Buffer{}, now: noon}
	c := report.DefaultConfig()
	c.TrustedProxies = report.Prefixes{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if s.config != nil {
		s.config(&c)
	}
	services, err := catalogue.New(faultline.Service{ID: "bar", Name: "Bar"})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys, err := report.OpenKeys("", log)
	if err != nil {
		t.Fatal(err)
	}
	d := report.Deps{
		Append: g.journal.Append, Catalogue: services, Keys: keys, Logger: log, Registry: g.registry,
		Lookup: lookup, Now: func() time.Time { return g.now }, Admit: func() error { return g.admit },
	}
	if s.deps != nil {
		s.deps(&d)
	}
	if g.Handler, err = report.New(c, d); err != nil {
		t.Fatal(err)
	}
	g.mux = http.NewServeMux()
	g.mux.Handle("/api/v1/reports", g.API())
	g.mux.Handle("/s/{slug}/report", g.Form())
	g.mux.Handle("/replay/{case}/api/v1/reports", g.Replay())
	return g
}

// lookup knows 81.0.0.0/8 and 2a00::/16 as British, the rest as nobody's.
func lookup(a netip.Addr) faultline.Place {
	if netip.MustParsePrefix("81.0.0.0/8").Contains(a) || netip.MustParsePrefix("2a00::/16").Contains(a) {
		return faultline.Place{Country: "GB", ASN: 2856}
	}
	return faultline.Place{Country: faultline.UnknownCountry}
}

const good = `{"service":"x","symptom":"cannot_load","surface":"web"}`

type header map[string]string

func (g *rig) send(method, path, body string, h header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "status.example"
	r.RemoteAddr = "81.2.3.4:5678"
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/s/") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range h {
		if k == "peer" {
			r.RemoteAddr = v
			continue
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	g.mux.ServeHTTP(w, r)
	return w
}

func (g *rig) post(body string, h header) *httptest.ResponseRecorder {
	return g.send("POST", "/api/v1/reports", body, h)
}

func (g *rig) count(t testing.TB, name, reason string) float64 {
	t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if reason == "" || m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s{%s}", name, reason)
	return 0
}

// ids reads a receipt.
func ids(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	if w.Code != http.StatusAccepted || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var r struct {
		ID  string   `json:"id"`
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.ID != "" {
		return []string{r.ID}
	}
	return r.IDs
}

func payload(t testing.TB, o *faultline.Observation) *faultline.Report {
	t.Helper()
	r, ok := o.Payload.(*faultline.Report)
	if !ok {
		t.Fatalf("payload is a %T", o.Payload)
	}
	return r
}

func TestAReportBecomesAnObservation(t *testing.T) {
	g := newRig(t, setup{})
	w := g.post(`{"service":"x","symptom":"feed_not_refreshing","surface":"app","since":"2026-03-10T12:45:30.5+01:00","country":"gb"}`, nil)
	if got := ids(t, w); !slices.Equal(got, []string{"0-1-0"}) {
		t.Errorf("ids %v", got)
	}
	o := g.journal.all()[0]
	r := payload(t, &o)
	want := faultline.Report{
		Service: "x", Symptom: "feed_not_refreshing", Surface: "app", Since: noon.Add(-14*time.Minute - 30*time.Second),
		Place: faultline.Place{Country: "GB", ASN: 2856}, Reporter: r.Reporter, Network: r.Network,
	}
	if *r != want || r.Reporter == 0 || r.Network == 0 {
		t.Errorf("report %+v, want %+v", *r, want)
	}
	if !o.At.Equal(noon) || !o.Received.Equal(noon) || o.Origin != faultline.Measured {
		t.Errorf("observation %+v", o)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	if g.count(t, "faultline_intake_reports_total", "") != 1 {
		t.Error("not counted")
	}
}

func TestAnArrayIsTakenAsAWhole(t *testing.T) {
	g := newRig(t, setup{})
	if got := ids(t, g.post("["+good+","+`{"service":"bar","works":true,"surface":"app"}]`, nil)); !slices.Equal(got, []string{"0-1-0", "0-1-1"}) {
		t.Errorf("ids %v", got)
	}
	if r := payload(t, &g.journal.all()[1]); !r.Works || r.Symptom != "" {
		t.Errorf("second report %+v", r)
	}
	if got := ids(t, g.post("["+good+"]", nil)); len(got) != 1 {
		t.Errorf("ids %v", got)
	}
	if w := g.post("["+good+`,{"service":"bar","symptom":"sad","surface":"app"}]`, nil); w.Code != 422 || !strings.Contains(w.Body.String(), `"field":"[1].symptom"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := len(g.journal.all()); n != 3 {
		t.Errorf("%d in the journal: half of an array was kept", n)
	}
	if w := g.post("["+strings.Repeat(good+",", 99)+good+"]", nil); len(ids(t, w)) != 100 {
		t.Error("a hundred were refused")
	}
}

// refusals has a case for each reason: what is sent, and what the problem says.
var refusals = map[string]struct {
	set     setup
	prepare func(*rig)
	method  string
	path    string
	body    string
	header  header
	status  int
	field   string
	detail  string
	retry   bool
}{
	report.ReasonMethod:         {method: "GET", status: 405, detail: "POST"},
	report.ReasonCrossSite:      {body: good, header: header{"Origin": "https://evil.example"}, status: 403, field: "Origin", detail: "another site"},
	report.ReasonContentType:    {body: good, header: header{"Content-Type": "text/plain"}, status: 415, field: "Content-Type", detail: "send application/json"},
	report.ReasonClientAddress:  {body: good, header: header{"peer": "127.0.0.1:1", "X-Forwarded-For": "81.2.3.4, unknown"}, status: 400, field: "X-Forwarded-For", detail: "proxy"},
	report.ReasonRate:           {set: setup{config: func(c *report.Config) { c.Burst = 1 }}, prepare: func(g *rig) { g.post(good, nil) }, body: good, status: 429, detail: "your network", retry: true},
	report.ReasonBudget:         {prepare: func(g *rig) { g.admit = errors.New("90 % of the budget is used") }, body: good, status: 503, detail: "no room", retry: true},
	report.ReasonFull:           {prepare: func(g *rig) { g.journal.fail = fmt.Errorf("append: %w", report.ErrFull) }, body: good, status: 503, detail: "no room", retry: true},
	report.ReasonBusy:           {prepare: func(g *rig) { g.journal.fail = report.ErrBusy }, body: good, status: 503, detail: "very many", retry: true},
	report.ReasonJournal:        {prepare: func(g *rig) { g.journal.fail = errors.New("closed") }, body: good, status: 503, detail: "could not be kept", retry: true},
	report.ReasonUnsure:         {prepare: func(g *rig) { g.journal.fail = context.DeadlineExceeded }, body: good, status: 503, detail: "not known", retry: true},
	report.ReasonIdempotencyKey: {body: good, header: header{"Idempotency-Key": "a b"}, status: 400, field: "Idempotency-Key", detail: "UUID"},
	report.ReasonKeyReused: {
		prepare: func(g *rig) { g.post(good, header{"Idempotency-Key": "k"}) },
		body:    `{"service":"bar","symptom":"slow","surface":"web"}`, header: header{"Idempotency-Key": "k"}, status: 422, field: "Idempotency-Key", detail: "another report",
	},
	report.ReasonGone:           {method: "torn", body: good, status: 400, detail: "did not arrive"},
	report.ReasonTooLarge:       {body: `{"service":"` + strings.Repeat("x", 64<<10) + `"}`, status: 413, detail: "65536 bytes"},
	report.ReasonMalformed:      {body: `{"service":"x",}`, status: 400, detail: "byte 15"},
	report.ReasonUnknownField:   {body: `{"service":"x","symptoms":"slow"}`, status: 400, field: "symptoms", detail: `no field "symptoms"`},
	report.ReasonType:           {body: `{"service":"x","works":"yes"}`, status: 400, field: "works", detail: "true or false"},
	report.ReasonBatch:          {body: "[" + strings.Repeat(good+",", 100) + good + "]", status: 422, detail: "more than 100"},
	report.ReasonMissing:        {body: `{"service":"x","symptom":"slow"}`, status: 422, field: "surface", detail: "app, web or api"},
	report.ReasonService:        {body: `{"service":"twiter","symptom":"slow","surface":"web"}`, status: 422, field: "service", detail: "did you mean x?"},
	report.ReasonSymptom:        {body: `{"service":"x","symptom":"sad","surface":"web"}`, status: 422, field: "symptom", detail: "cannot_load, feed_not_refreshing"},
	report.ReasonSurface:        {body: `{"service":"x","symptom":"slow","surface":"tv"}`, status: 422, field: "surface", detail: `"tv"`},
	report.ReasonWorks:          {body: `{"service":"x","symptom":"slow","surface":"web","works":true}`, status: 422, field: "works", detail: "leave one"},
	report.ReasonSince:          {body: `{"service":"x","symptom":"slow","surface":"web","since":"yesterday"}`, status: 422, field: "since", detail: "RFC 3339"},
	report.ReasonFuture:         {body: `{"service":"x","symptom":"slow","surface":"web","since":"2026-03-10T12:05:01Z"}`, status: 422, field: "since", detail: "about 5 minutes from now: give a time between 2026-03-09T12:00:00Z and 2026-03-10T12:05:00Z"},
	report.ReasonOld:            {body: `{"service":"x","symptom":"slow","surface":"web","since":"2026-03-09T11:59:59Z"}`, status: 422, field: "since", detail: "too long ago, about a day: give a time between 2026-03-09T12:00:00Z"},
	report.ReasonCountry:        {body: `{"service":"x","symptom":"slow","surface":"web","country":"Britain"}`, status: 422, field: "country", detail: "ISO 3166-1"},
	report.ReasonCountryUnknown: {body: `{"service":"x","symptom":"slow","surface":"web","country":"QQ"}`, status: 422, field: "country", detail: "ISO 3166-1"},
	report.ReasonReplay:         {path: "/replay/2025-03-10-x/api/v1/reports", body: good, status: 403, detail: "replay"},
}

func TestEachRefusalIsAProblemAndIsCounted(t *testing.T) {
	for _, reason := range report.Reasons() {
		t.Run(reason, func(t *testing.T) {
			c, ok := refusals[reason]
			if !ok {
				t.Fatal("no case for this reason")
			}
			g := newRig(t, c.set)
			if g.count(t, "faultline_intake_refused_total", reason) != 0 {
				t.Error("the counter does not begin at zero")
			}
			if c.prepare != nil {
				c.prepare(g)
			}
			before := len(g.journal.all())
			w := g.refuse(c.method, c.path, c.body, c.header)
			var p report.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != c.status || p.Status != c.status || p.Title != http.StatusText(c.status) || p.Type != "about:blank" || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("status %d, problem %+v, headers %v", w.Code, p, w.Header())
			}
			if p.Reason != reason || p.Field != c.field || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("problem %+v; want field %q and %q", p, c.field, c.detail)
			}
			if got := w.Header().Get("Retry-After"); (got != "") != c.retry || got == "0" {
				t.Errorf("Retry-After %q", got)
			}
			if n := g.count(t, "faultline_intake_refused_total", reason); n != 1 {
				t.Errorf("counted %v times", n)
			}
			if len(g.journal.all()) != before {
				t.Error("something was kept")
			}
		})
	}
}

// refuse sends a request; the method "torn" is a POST whose body breaks off.
func (g *rig) refuse(method, path, body string, h header) *httptest.ResponseRecorder {
	if path == "" {
		path = "/api/v1/reports"
	}
	if method == "torn" {
		r := httptest.NewRequest("POST", path, io.MultiReader(strings.NewReader(body[:9]), brokenReader{}))
		r.RemoteAddr = "81.2.3.4:5678"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		g.mux.ServeHTTP(w, r)
		return w
	}
	if method == "" {
		method = "POST"
	}
	return g.send(method, path, body, h)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestAFullJournalRecoversByItself(t *testing.T) {
	g := newRig(t, setup{})
	g.journal.fail = report.ErrFull
	if w := g.post(good, header{"Idempotency-Key": "k"}); w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
	g.journal.fail = nil
	if got := ids(t, g.post(good, header{"Idempotency-Key": "k"})); len(got) != 1 {
		t.Errorf("ids %v", got)
	}
}

func TestSinceAtTheEdges(t *testing.T) {
	g := newRig(t, setup{})
	for since, status := range map[string]int{
		"2026-03-10T12:05:00Z": 202, "2026-03-09T12:00:00Z": 202, "2026-03-10T12:00:00+14:00": 202,
		"2026-03-10": 422, "": 422, "0000-01-01T00:00:00Z": 422, "2026-03-10T25:00:00Z": 422, "2026-03-10 12:00:00Z": 422,
	} {
		if w := g.post(`{"service":"x","symptom":"slow","surface":"web","since":"`+since+`"}`, nil); w.Code != status {
			t.Errorf("since %q: %d %s", since, w.Code, w.Body)
		}
	}
}

func TestMalformedBodies(t *testing.T) {
	g := newRig(t, setup{})
	for name, c := range map[string]struct{ body, reason string }{
		"nothing":                     {"", "malformed"},
		"a number":                    {"5", "malformed"},
		"a text":                      {`"x"`, "malformed"},
		"trailing garbage":            {good + "x", "malformed"},
		"two objects":                 {good + good, "malformed"},
		"a zero byte after it":        {good + "\x00", "malformed"},
		"no end":                      {`{"service":"x"`, "malformed"},
		"an open text":                {`{"service":"x`, "malformed"},
		"an open escape":              {`{"service":"x\`, "malformed"},
		"a wrong escape":              {`{"service":"\q"}`, "malformed"},
		"a newline in a text":         {"{\"service\":\"x\n\"}", "malformed"},
		"no UTF-8":                    {"{\"service\":\"\xff\"}", "malformed"},
		"a field twice":               {`{"service":"x","service":"bar","symptom":"slow","surface":"web"}`, "malformed"},
		"a name without quotes":       {`{service:"x"}`, "malformed"},
		"a comma too many in a list":  {"[" + good + ",]", "malformed"},
		"a list of numbers":           {"[1]", "malformed"},
		"a list in a list":            {"[[" + good + "]]", "malformed"},
		"an empty list":               {"[]", "batch_size"},
		"an empty object":             {"{}", "missing_field"},
		"a name in capitals":          {`{"Service":"x"}`, "unknown_field"},
		"a number for a text":         {`{"service":5}`, "wrong_type"},
		"an object for a text":        {`{"service":{"id":"x"}}`, "wrong_type"},
		"half a word":                 {`{"works":tru}`, "wrong_type"},
		"null for what must be there": {`{"service":null,"symptom":"slow","surface":"web"}`, "missing_field"},
		"an unknown field in a list":  {`[{"service":"x","from":"me"}]`, "unknown_field"},
	} {
		t.Run(name, func(t *testing.T) {
			w := g.post(c.body, nil)
			if !strings.Contains(w.Body.String(), `"reason":"`+c.reason+`"`) || w.Code < 400 || w.Code >= 500 {
				t.Errorf("%d %s; want %s", w.Code, w.Body, c.reason)
			}
		})
	}
	for _, body := range []string{
		" \n{ \"service\" : \"x\" , \"symptom\" : \"slow\" , \"surface\" : \"web\" } \r\n",
		`{"ser\u0076ice":"\u0078","symptom":"slow","surface":"web","since":null,"works":false,"country":null}`,
		`{"service":"x","symptom":null,"surface":"web","works":true}`,
	} {
		ids(t, g.post(body, nil))
	}
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	proxied := header{"peer": "127.0.0.1:1", "X-Forwarded-For": "81.2.3.4"}
	for name, c := range map[string]struct {
		header header
		proxy  bool
		status int
	}{
		"a program says nothing":                            {header{}, false, 202},
		"this site's page":                                  {header{"Origin": "https://status.example", "Sec-Fetch-Site": "same-origin"}, false, 202},
		"this site's page in an old browser":                {header{"Origin": "http://STATUS.example:80"}, false, 202},
		"an address typed by a person":                      {header{"Sec-Fetch-Site": "none"}, false, 202},
		"another site":                                      {header{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false, 403},
		"another site without Origin":                       {header{"Sec-Fetch-Site": "cross-site"}, false, 403},
		"a sister site":                                     {header{"Sec-Fetch-Site": "same-site"}, false, 403},
		"a word nobody knows":                               {header{"Sec-Fetch-Site": "perhaps"}, false, 403},
		"another port":                                      {header{"Origin": "https://status.example:8443"}, false, 403},
		"a sandboxed frame":                                 {header{"Origin": "null"}, false, 403},
		"this site's page that hides where it is":           {header{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, false, 202},
		"another origin that says it is ours, directly":     {header{"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, false, 403},
		"a proxy that changed Host, seen by a browser":      {header{"Origin": "https://public.example", "Sec-Fetch-Site": "same-origin"}, true, 202},
		"a proxy that changed Host, and says so":            {header{"Origin": "https://public.example", "X-Forwarded-Host": "public.example"}, true, 202},
		"a stranger's X-Forwarded-Host":                     {header{"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, false, 403},
		"a proxy that changed Host, with an unknown origin": {header{"Origin": "https://evil.example"}, true, 403},
		"a configured origin":                               {header{"Origin": "https://known.example"}, false, 202},
		"no origin but nonsense":                            {header{"Origin": "status.example"}, false, 403},
		"another scheme with the right host":                {header{"Origin": "ftp://status.example"}, false, 403},
		"a name that only begins as ours":                   {header{"Origin": "https://status.example.evil.example"}, false, 403},
		"a user name that looks like us":                    {header{"Origin": "https://status.example@evil.example"}, false, 403},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, setup{config: func(c *report.Config) { c.Origins = []string{"https://known.example"} }})
			h := header{}
			for k, v := range c.header {
				h[k] = v
			}
			if c.proxy {
				for k, v := range proxied {
					h[k] = v
				}
			}
			if w := g.post(good, h); w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
		})
	}
	g := newRig(t, setup{})
	if w := g.send("OPTIONS", "/api/v1/reports", "", header{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}); w.Code != 405 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

func TestTheClientsAddress(t *testing.T) {
	british, unknown := faultline.Country("GB"), faultline.UnknownCountry
	for name, c := range map[string]struct {
		peer, forwarded string
		want            faultline.Country
	}{
		"comes from the connection":                   {"81.2.3.4:1", "", british},
		"comes from the connection, IPv6":             {"[2a00::1]:1", "", british},
		"mapped IPv4 is IPv4":                         {"[::ffff:81.2.3.4]:1", "", british},
		"a stranger's header is not believed":         {"99.0.0.1:1", "81.2.3.4", unknown},
		"a trusted proxy's header is":                 {"127.0.0.1:1", "81.2.3.4", british},
		"a trusted proxy over mapped IPv6":            {"[::ffff:127.0.0.1]:1", "81.2.3.4", british},
		"the right-most untrusted one counts":         {"127.0.0.1:1", "99.0.0.1, 81.2.3.4, 127.0.0.2", british},
		"what a client wrote is never read":           {"127.0.0.1:1", "rubbish, 81.2.3.4", british},
		"with a port":                                 {"127.0.0.1:1", "81.2.3.4:999", british},
		"IPv6 in brackets":                            {"127.0.0.1:1", "[2a00::1]", british},
		"IPv6 in brackets with a port":                {"127.0.0.1:1", "[2a00::1]:999", british},
		"a proxy without the header speaks of itself": {"127.0.0.1:1", "", unknown},
		"all trusted: the left-most":                  {"127.0.0.1:1", "127.0.0.9, 127.0.0.8", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, setup{})
			h := header{"peer": c.peer}
			if c.forwarded != "" {
				h["X-Forwarded-For"] = c.forwarded
			}
			ids(t, g.post(good, h))
			if r := payload(t, &g.journal.all()[0]); r.Country != c.want {
				t.Errorf("country %s, want %s", r.Country, c.want)
			}
		})
	}
	g := newRig(t, setup{})
	r := httptest.NewRequest("POST", "/api/v1/reports", strings.NewReader(good))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {"99.0.0.1", "81.2.3.4"}}
	ids(t, g.serve(r))
	if r := payload(t, &g.journal.all()[0]); r.Country != british {
		t.Errorf("of two header lines the first counts: country %s", r.Country)
	}
	for _, peer := range []string{"@", "", "pipe"} {
		if w := g.post(good, header{"peer": peer}); w.Code != 400 {
			t.Errorf("peer %q: %d", peer, w.Code)
		}
	}
}

func TestTheLookedUpCountryWins(t *testing.T) {
	g := newRig(t, setup{})
	body := func(country string) string {
		return `{"service":"x","symptom":"slow","surface":"web","country":"` + country + `"}`
	}
	ids(t, g.post(body("FR"), nil))
	ids(t, g.post(body("GB"), nil))
	ids(t, g.post(body("FR"), header{"peer": "99.0.0.1:1"}))
	var got []faultline.Country
	for _, o := range g.journal.all() {
		got = append(got, payload(t, &o).Country)
	}
	if !slices.Equal(got, []faultline.Country{"GB", "GB", "FR"}) {
		t.Errorf("countries %v", got)
	}
	if n := g.count(t, "faultline_intake_country_disagreements_total", ""); n != 1 {
		t.Errorf("%v disagreements counted", n)
	}
}

func (g *rig) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.mux.ServeHTTP(w, r)
	return w
}

func serviceID(s string) faultline.ServiceID { return faultline.ServiceID(s) }

func TestABatchCostsWhatItsReportsCost(t *testing.T) {
	g := newRig(t, setup{config: func(c *report.Config) { c.Burst = 5 }})
	three := "[" + good + "," + good + "," + good + "]"
	ids(t, g.post(three, nil))
	if w := g.post(three, nil); w.Code != 429 {
		t.Errorf("six reports with an allowance of five: %d", w.Code)
	}
	if n := len(g.journal.all()); n != 3 {
		t.Errorf("%d in the journal", n)
	}
}
