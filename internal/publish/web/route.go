package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"faultline"
	"faultline/internal/publish/live"
)

const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeAtom = "application/atom+xml; charset=utf-8"
	typeCSV  = "text/csv; charset=utf-8"
)

// target is what an address means: how its page is drawn.
type target struct {
	draw        draw
	contentType string
	noindex     bool
	byCountry   bool             // it can be had for one country
	each        http.HandlerFunc // instead of draw: the page depends on who reads, and is not kept
}

// address is a kind of page. A part of the pattern in braces stands for any
// segment, and one that ends in "…" for the rest. find gets what they stand for
// and the form that is asked for: "", json, atom or csv.
type address struct {
	pattern string
	find    func(args []string, form string, c faultline.Country) (target, bool)
}

// table lists the kinds of pages. Each has a JSON twin; a test walks it.
func (s *Site) table() []address {
	return []address{
		fixed("/", forms{s.drawHome, s.homeJSON, s.nowAtom(false)}),
		fixed("/possible", forms{atom: s.nowAtom(true)}),
		fixed("/services", forms{html: s.drawServices, json: s.servicesJSON}),
		fixed("/incidents", forms{html: s.drawIncidents, json: s.incidentsJSON}),
		{"/map", s.mapTarget},
		{"/map/{service}", s.mapTarget},
		fixed("/method", forms{html: s.drawMethod, json: s.methodJSON}),
		fixed("/data", forms{html: s.drawData, json: s.dataJSON}),
		fixed("/privacy", forms{html: s.drawPrivacy, json: s.privacyJSON}),
		fixed("/corrections", forms{html: s.drawCorrections, json: s.correctionsJSON}),
		{"/s/{service}", s.serviceTarget},
		{"/s/{service}/report", s.reportTarget},
		{"/s/{service}/thanks", s.thanksTarget},
		{"/s/{service}/longest", s.rankingTarget(&measures[0])},
		{"/s/{service}/worst", s.rankingTarget(&measures[1])},
		{"/i/{incident}", s.incidentTarget},
		{"/docs", s.docTarget},
		{"/docs/{document…}", s.docTarget},
	}
}

// forms are the ways in which a page can be had; nil: it can't.
type forms struct{ html, json, atom draw }

// fixed is a page without a name in its address.
func fixed(pattern string, f forms) address {
	return address{pattern, func(_ []string, form string, _ faultline.Country) (target, bool) { return f.target(form) }}
}

func (f forms) target(form string) (target, bool) {
	t := map[string]target{"": {draw: f.html, contentType: typeHTML}, "json": {draw: f.json, contentType: typeJSON}, "atom": {draw: f.atom, contentType: typeAtom}}[form]
	return t, t.draw != nil
}

// match gives what the pattern's names stand for in an address.
func (a *address) match(segments []string) (args []string, ok bool) {
	pattern, _ := split(a.pattern)
	for i, p := range pattern {
		switch {
		case i < len(segments) && strings.HasSuffix(p, "…}"):
			return append(args, strings.Join(segments[i:], "/")), true
		case i >= len(segments) || p[0] != '{' && p != segments[i]:
			return nil, false
		case p[0] == '{':
			args = append(args, segments[i])
		}
	}
	return args, len(pattern) == len(segments)
}

// split takes an address apart into its segments and its form: "/s/x.json" is
// [s x], json. An incident's revision is not a form.
func split(path string) (segments []string, form string) {
	path = strings.TrimPrefix(path, "/")
	for _, f := range []string{"json", "atom", "csv"} {
		if p, ok := strings.CutSuffix(path, "."+f); ok {
			path, form = p, f
			break
		}
	}
	if path == "index" || path == "" {
		return nil, form
	}
	return strings.Split(path, "/"), form
}

// find says what an address means.
func (s *Site) find(path string, c faultline.Country) (target, bool) {
	segments, form := split(path)
	for i := range s.addresses {
		if args, ok := s.addresses[i].match(segments); ok {
			return s.addresses[i].find(args, form, c)
		}
	}
	return target{}, false
}

// route finds what an address means that is not kept.
func (s *Site) route(w http.ResponseWriter, r *http.Request, path string, c faultline.Country) {
	f := s.static[path]
	switch {
	case path == "":
		http.Redirect(w, r, s.d.Base+"/", http.StatusMovedPermanently)
	case strings.HasPrefix(path, "/console") && s.d.Console != nil && (path == "/console" || path[8] == '/'):
		s.console(w, r, path)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.wrongMethod(w, r, path)
	case f != nil:
		s.send(w, r, f)
	case path == "/events":
		s.streams.serve(w, r, s)
	case path == "/" && c == "" && r.URL.Query().Has("q"):
		s.search(w, r)
	default:
		s.answer(w, r, path, c)
	}
}

// answer serves a page that is not kept yet, or never is.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, path string, c faultline.Country) {
	t, ok := s.find(path, c)
	switch {
	case !ok:
		s.notFound(w, r)
	case c != "" && !t.byCountry:
		s.refuse(w, r, *notByCountry(c))
	case t.each != nil:
		t.each(w, r)
	default:
		e := &entry{key: key(path, c), draw: t.draw, contentType: t.contentType, robots: !t.noindex && s.d.Replay == nil}
		s.serve(w, r, s.cache.put(e)) // kept before it is drawn, so that a crowd waits for one drawing
	}
}

// wrongMethod refuses what is no GET. A report to a replay has its own words.
func (s *Site) wrongMethod(w http.ResponseWriter, r *http.Request, path string) {
	if s.d.Replay != nil && strings.HasSuffix(path, "/report") {
		s.refuse(w, r, Problem{http.StatusForbidden, refusedReplayPost, "", "This is a replay, so it takes no reports", "What you see happened on another day. Report a problem of now on the live site."})
		return
	}
	w.Header().Set("Allow", "GET, HEAD")
	s.refuse(w, r, Problem{http.StatusMethodNotAllowed, refusedMethod, "", "This address can only be read", "Use GET. Reports go to the report page of a service."})
}

// ofService makes a drawing of a service's page, if there is the service.
func (s *Site) ofService(id faultline.ServiceID, f func(*live.View, *live.Service) ([]byte, error)) draw {
	if !id.Valid() || s.d.View().Service(id) == nil {
		return nil
	}
	return func(v *live.View) ([]byte, error) {
		svc := v.Service(id)
		if svc == nil {
			return nil, errGone
		}
		return f(v, svc)
	}
}

func (s *Site) serviceTarget(args []string, form string, c faultline.Country) (target, bool) {
	in := func(f func(*live.View, *live.Service, faultline.Country) ([]byte, error)) draw {
		return s.ofService(faultline.ServiceID(args[0]), func(v *live.View, svc *live.Service) ([]byte, error) { return f(v, svc, c) })
	}
	t, ok := forms{html: in(s.drawService), json: in(s.serviceJSON), atom: in(s.serviceAtom)}.target(form)
	t.byCountry = form != "atom"
	t.noindex = c != ""
	return t, ok
}

func (s *Site) thanksTarget(args []string, form string, _ faultline.Country) (target, bool) {
	id := faultline.ServiceID(args[0])
	t, ok := forms{html: s.ofService(id, s.drawThanks), json: s.ofService(id, s.thanksJSON)}.target(form)
	t.noindex = true
	return t, ok
}

func (s *Site) reportTarget(args []string, form string, _ faultline.Country) (target, bool) {
	id := faultline.ServiceID(args[0])
	if svc := s.d.View().Service(id); !id.Valid() || svc == nil || form != "" && form != "json" {
		return target{}, false
	}
	return target{each: func(w http.ResponseWriter, r *http.Request) { s.report(w, r, id, form) }}, true
}

// incidentTarget reads "x-2025-03-10" and "x-2025-03-10@7".
func (s *Site) incidentTarget(args []string, form string, c faultline.Country) (target, bool) {
	id, number, pinned := strings.Cut(args[0], "@")
	n, err := strconv.Atoi(number)
	if pinned && (err != nil || n < 1 || strconv.Itoa(n) != number) {
		return target{}, false
	}
	if i := s.d.View().Incident(id); i == nil || (pinned && i.Revision(n) == nil) {
		return target{}, false
	}
	with := func(f func(*live.View, *live.Incident, *faultline.Incident, bool) ([]byte, error)) draw {
		return func(v *live.View) ([]byte, error) {
			log := v.Incident(id)
			if log == nil {
				return nil, errGone
			}
			rev := log.Now()
			if pinned {
				if rev = log.Revision(n); rev == nil {
					return nil, errGone
				}
			}
			return f(v, log, rev, pinned)
		}
	}
	if form == "csv" {
		return target{draw: with(s.incidentCSV(c)), contentType: typeCSV, byCountry: true}, true
	}
	t, ok := forms{html: with(s.drawIncident), json: with(s.incidentJSON), atom: with(s.incidentAtom)}.target(form)
	t.noindex = pinned && form == ""
	return t, ok
}

// key is the address under which a page is kept. Parameters that mean nothing
// are not part of it, so they cannot fill the cache.
func key(path string, c faultline.Country) string {
	if c == "" {
		return path
	}
	return path + "?country=" + string(c)
}

// reading says whether a request only reads.
func reading(r *http.Request) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method)
}
