package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
	assets "faultline/web"
)

// frame is what the layout needs, around a page's own Data.
type frame struct {
	Title   string
	Nav     string // which menu entry is current
	Path    string // without base, as events name it
	Say     string // what a screen reader is told when the page changed
	Live    bool   // the page follows events
	Twin    string // address of the JSON twin
	Feed    string
	Dock    *Link // the main action on a phone
	Now     time.Time
	Data    any
	Base    string
	Replay  *Replay
	Style   string
	Script  string
	Version string
	Credits []string
	Private bool   // never linked, never indexed
	Canon   string // the page's public address; empty when the site does not know its own
	Reader  string // address of the script that reads charts
}

func loadTemplates(s *Site) (map[string]*template.Template, error) {
	funcs := template.FuncMap{
		"clock":   words.Clock,
		"utc":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") + " UTC" },
		"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"dur":     func(d faultline.Seconds) string { return words.Duration(time.Duration(d)) },
		"count":   words.Count,
		"people":  words.People,
		"times":   words.Times,
		"number":  func(n int) string { return words.Count(float64(n)) },
		"percent": words.Percent,
		"things":  func(n int, one, many string) string { return words.Plural(float64(n), one, many) },
		"lasting": func(i *faultline.Incident, now time.Time) string {
			disrupted, _ := words.Lasting(i, now)
			return words.Duration(disrupted)
		},
		"span": func(i *faultline.Incident, now time.Time) string {
			_, span := words.Lasting(i, now)
			return words.Duration(span)
		},
		"severity": words.Severity,
		"users":    words.Users,
		"the":      words.The,
		"op":       words.Op,
		"reason":   words.Reason,
		"impaired": words.Impaired,
		"country":  words.Country,
		"state":    words.State,
		"shape":    words.Shape,
		"symptom":  words.Symptom,
		"surface":  words.Surface,
		"failure":  words.Failure,
		"lower":    strings.ToLower,
		"lines":    func(s string) []string { return strings.Split(s, "\n") },
		"join":     func(list []string) string { return strings.Join(list, ", ") },
		"dict":     dict,
		"linked":   linkify,
		"base":     func() string { return s.d.Base },
	}
	base, err := template.New("").Funcs(funcs).ParseFS(assets.Templates, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	list, err := fs.Glob(assets.Templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	pages := map[string]*template.Template{}
	for _, path := range list {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "templates/"), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(assets.Templates, path)
		}
		if err != nil {
			return nil, fmt.Errorf("read template %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// dict gives a part of a template several things: names and values by turns.
func dict(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// linkify makes the address at the end of an attribution a link.
func linkify(text string) template.HTML {
	at := strings.LastIndex(text, "https://")
	if at < 0 || strings.ContainsAny(text[at:], " \"<>") {
		return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
	}
	name, address := strings.TrimSuffix(text[:at], ": "), template.HTMLEscapeString(text[at:])
	return template.HTML(template.HTMLEscapeString(name) + `: <a href="` + address + `">` + strings.TrimPrefix(address, "https://") + `</a>`) //nolint:gosec // escaped
}

// page draws a template inside the layout.
func (s *Site) page(name string, f frame) ([]byte, error) {
	f.Base, f.Replay, f.Version, f.Credits = s.d.Base, s.d.Replay, s.d.Version, s.d.Attribution
	f.Style, f.Script, f.Reader = s.names["style.css"], s.names["live.js"], s.names["chart.js"]
	if s.d.Origin != "" && !f.Private {
		f.Canon = s.d.Origin + s.d.Base + f.Path
	}
	if f.Now.IsZero() {
		f.Now = s.d.View().At
	}
	if s.d.Replay != nil {
		f.Title, f.Dock = "Replay: "+f.Title, nil // a replay takes no reports
	}
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", f); err != nil {
		return nil, fmt.Errorf("draw %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// now writes a page for one reader: it is not kept, here or anywhere.
func (s *Site) now(w http.ResponseWriter, r *http.Request, status int, name string, f frame) {
	b, err := s.page(name, f)
	s.once(w, r, status, typeHTML, f.Private || s.d.Replay != nil || status >= 400, b, err)
}

// once writes what was drawn for one reader, or that it could not be drawn.
func (s *Site) once(w http.ResponseWriter, r *http.Request, status int, contentType string, noindex bool, b []byte, err error) {
	if err != nil {
		s.d.Metrics.refused.Inc(refusedRender) // no page about it: a page is what fails
		s.d.Logger.Error("page could not be drawn", slog.String("path", r.URL.Path), slog.Any("error", err))
		http.Error(w, "This page could not be drawn.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if noindex {
		h.Set("X-Robots-Tag", "noindex")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // a reader who left is no error
	}
}

// facts gathers what a verdict about a service rests on, now. With a country the
// newest reports are those from there; the state is the service's everywhere.
func (s *Site) facts(v *live.View, svc *live.Service, c faultline.Country) words.Facts {
	f := words.Facts{Name: svc.Name, Now: v.At, State: svc.Status.State, Reason: svc.Status.Reason, Awake: svc.Status.Awake, Origin: svc.Origin}
	if f.State == "" {
		f.State, f.Reason = faultline.Unclear, "too_few"
	}
	if i := svc.Open(); i != nil {
		f.Incident, _ = published(i.Now())
	} else if f.State == faultline.Resolved || f.State == faultline.Retracted { // of a service: the incident is over
		f.State = faultline.Fine
	}
	f.Country, f.Reports = c, reports(svc, c)
	f.Probes, f.Failing, f.Impaired = probes(v, svc)
	f.Sometimes = sometimes(v, svc)
	return f
}

// sometimes lists the vantage points whose checks fail now and then, and how many did
// since that began, in the last hour at most.
func sometimes(v *live.View, svc *live.Service) (out []words.Sometimes) {
	for i := range svc.Events {
		e := &svc.Events[i]
		if e.Kind != faultline.Drop || e.Series.Metric != faultline.MetricReach || e.State != faultline.EventOpen || !e.Recovered.IsZero() {
			continue
		}
		k := slices.IndexFunc(svc.Vantages, func(x live.Vantage) bool {
			return x.Vantage == e.Series.Vantage && x.Target == e.Series.Target && x.Fresh(v.At) && x.Counts
		})
		if k < 0 {
			continue
		}
		if s := failedSince(&svc.Vantages[k], e.Onset, v.At); s.Failed > 0 {
			out = alongside(out, s)
		}
	}
	return out
}

// alongside adds up the targets of a vantage point.
func alongside(list []words.Sometimes, s words.Sometimes) []words.Sometimes {
	for i := range list {
		if l := &list[i]; l.Vantage == s.Vantage {
			l.Failed, l.Of, l.Over = l.Failed+s.Failed, l.Of+s.Of, max(l.Over, s.Over)
			return list
		}
	}
	return append(list, s)
}

func failedSince(x *live.Vantage, onset, now time.Time) words.Sometimes {
	s, end := words.Sometimes{Vantage: x.Vantage}, now.Truncate(live.Step)
	for k := len(x.Bins) - 1; k >= 0; k-- {
		b := &x.Bins[k]
		if !b.Start.Add(live.Step).After(onset) || end.Sub(b.Start) > time.Hour {
			break
		}
		s.Failed, s.Of, s.Over = s.Failed+b.N-b.OK, s.Of+b.N, end.Sub(b.Start)
	}
	return s
}

// lineOf is the service's line of reports from a country, or of the world. Where
// somebody listens and nobody there ever spoke it is nil.
func lineOf(svc *live.Service, c faultline.Country) *live.Line {
	if c == "" {
		return &svc.World
	}
	return svc.Country(c)
}

// reports are the newest five minutes.
func reports(svc *live.Service, c faultline.Country) words.Reports {
	r := words.Reports{Known: svc.World.Now().Known(), Never: svc.World.Last.IsZero()}
	r.Early = !r.Never && !anyKnown(svc.World.Bins)
	if l := lineOf(svc, c); l != nil {
		b := l.Now()
		r.Known, r.Value, r.Band, r.Low, r.High = b.Known(), b.Value, b.Band, b.Low, b.High
	}
	return r
}

// probes counts the newest checks that are fresh.
func probes(v *live.View, svc *live.Service) (p words.Probes, failing faultline.Failure, impaired faultline.Impairment) {
	for i := range svc.Vantages {
		x := &svc.Vantages[i]
		switch {
		case !x.Fresh(v.At):
		case !x.Counts:
			p.Unhealthy++
			impaired = x.Impaired
			if p.Reaching == p.Healthy { // else a check that counts said how it fails
				failing = x.Failure
			}
		case x.Reached:
			p.Healthy++
			p.Reaching++
		default:
			p.Healthy++
			failing = x.Failure
		}
	}
	return p, failing, impaired
}

// about gathers the facts of a revision of an incident: those of its time.
func (s *Site) about(v *live.View, i *faultline.Incident, name string) words.Facts {
	i, _ = published(i)
	f := words.Facts{Name: name, Now: v.At, State: i.State, Incident: i, Awake: i.Instruments, Origin: i.Origin}
	if svc := v.Service(i.Service); svc != nil {
		f.Reports = reports(svc, "")
		f.Probes, f.Failing, f.Impaired = probes(v, svc)
	}
	return f
}

// name is what a service is called.
func name(v *live.View, id faultline.ServiceID) string {
	if s := v.Service(id); s != nil {
		return s.Name
	}
	return string(id)
}

// ratio is how many times the usual number a bin holds, for the drum. Below
// five reports it is 1, and what is usual counts as one at least: sixteen
// reports where hardly any are usual are no catastrophe.
func ratio(b live.Bin) float64 {
	switch {
	case !b.Known() || !b.Band:
		return chart.Unknown
	case b.Value < 5:
		return 1
	}
	return b.Value / max(b.Expected, 1)
}
