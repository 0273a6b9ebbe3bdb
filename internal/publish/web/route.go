package web

import (
	"net/http"
	"net/url"
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
}

// route finds what an address means that is not kept.
func (s *Site) route(w http.ResponseWriter, r *http.Request, path string) {
	if path == "" {
		http.Redirect(w, r, s.d.Base+"/", http.StatusMovedPermanently)
		return
	}
	if strings.HasPrefix(path, "/console") && s.d.Console != nil && (path == "/console" || path[8] == '/') {
		s.console(w, r, path)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.wrongMethod(w, r, path)
		return
	}
	if f := s.static[path]; f != nil {
		s.send(w, r, f)
		return
	}
	if path == "/events" {
		s.streams.serve(w, r, s)
		return
	}
	if s.perReader(w, r, path) {
		return
	}
	t, ok := s.find(path, r.URL.Query())
	if !ok {
		s.notFound(w, r)
		return
	}
	e := &entry{draw: t.draw, contentType: t.contentType, robots: !t.noindex && s.d.Replay == nil}
	s.serve(w, r, s.cache.put(key(path, r.URL.RawQuery), e)) // kept before it is drawn, so that a crowd waits for one drawing
}

// wrongMethod refuses what is no GET. A report to a replay has its own words.
func (s *Site) wrongMethod(w http.ResponseWriter, r *http.Request, path string) {
	if s.d.Replay != nil && strings.HasSuffix(path, "/report") {
		s.d.Metrics.refused.Inc(refusedReplayPost)
		s.Problem(w, r, http.StatusForbidden, "This is a replay, so it takes no reports", "What you see happened on another day. Report a problem of now on the live site.")
		return
	}
	s.d.Metrics.refused.Inc(refusedMethod)
	w.Header().Set("Allow", "GET, HEAD")
	s.Problem(w, r, http.StatusMethodNotAllowed, "This address can only be read", "Use GET. Reports go to the report page of a service.")
}

// perReader serves the pages that depend on who reads: search and report.
func (s *Site) perReader(w http.ResponseWriter, r *http.Request, path string) bool {
	if path == "/" && r.URL.Query().Has("q") {
		s.search(w, r)
		return true
	}
	if slug, ok := strings.CutSuffix(path, "/report"); ok && strings.HasPrefix(slug, "/s/") {
		s.report(w, r, faultline.ServiceID(slug[3:]))
		return true
	}
	return false
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

// find says what an address means. A query is only known where a page has one.
func (s *Site) find(path string, q url.Values) (target, bool) {
	segments, form := split(path)
	if len(q) > 0 && (len(segments) != 2 || segments[0] != "s" || len(q) != 1 || !q.Has("country")) {
		q = nil // tracking parameters and the like: the page without them
	}
	switch len(segments) {
	case 0:
		return s.homeTarget(form)
	case 1:
		return s.topTarget(segments[0], form)
	case 2:
		switch segments[0] {
		case "s":
			return s.serviceTarget(faultline.ServiceID(segments[1]), form, faultline.Country(strings.ToUpper(q.Get("country"))))
		case "i":
			return s.incidentTarget(segments[1], form)
		}
	case 3:
		if segments[0] == "s" && segments[2] == "thanks" && form == "" {
			return s.thanksTarget(faultline.ServiceID(segments[1]))
		}
	}
	if len(segments) > 1 && segments[0] == "docs" && form == "" {
		return s.docTarget(strings.Join(segments[1:], "/"))
	}
	return target{}, false
}

func (s *Site) homeTarget(form string) (target, bool) {
	switch form {
	case "":
		return target{draw: s.drawHome, contentType: typeHTML}, true
	case "json":
		return target{draw: s.homeJSON, contentType: typeJSON}, true
	case "atom":
		return target{draw: s.nowAtom(false), contentType: typeAtom}, true
	}
	return target{}, false
}

func (s *Site) topTarget(name, form string) (target, bool) {
	if name == "possible" && form == "atom" {
		return target{draw: s.nowAtom(true), contentType: typeAtom}, true
	}
	html := map[string]draw{
		"services": s.drawServices, "incidents": s.drawIncidents, "method": s.drawMethod, "data": s.drawData,
		"privacy": s.drawPrivacy, "corrections": s.drawCorrections,
	}
	json := map[string]draw{
		"services": s.servicesJSON, "incidents": s.incidentsJSON, "method": s.methodJSON, "data": s.dataJSON, "corrections": s.correctionsJSON,
	}
	switch {
	case form == "" && name == "docs":
		return s.docTarget("")
	case form == "" && html[name] != nil:
		return target{draw: html[name], contentType: typeHTML}, true
	case form == "json" && json[name] != nil:
		return target{draw: json[name], contentType: typeJSON}, true
	}
	return target{}, false
}

func (s *Site) serviceTarget(id faultline.ServiceID, form string, c faultline.Country) (target, bool) {
	if !id.Valid() || s.d.View().Service(id) == nil {
		return target{}, false
	}
	if c != "" && s.d.View().Service(id).Country(c) == nil && !c.Valid() {
		c = ""
	}
	with := func(f func(*live.View, *live.Service, faultline.Country) ([]byte, error)) draw {
		return func(v *live.View) ([]byte, error) {
			svc := v.Service(id)
			if svc == nil {
				return nil, errGone
			}
			return f(v, svc, c)
		}
	}
	switch form {
	case "":
		return target{draw: with(s.drawService), contentType: typeHTML, noindex: c != ""}, true
	case "json":
		return target{draw: with(s.serviceJSON), contentType: typeJSON}, true
	case "atom":
		return target{draw: with(s.serviceAtom), contentType: typeAtom}, true
	}
	return target{}, false
}

// incidentTarget reads "x-2025-03-10" and "x-2025-03-10@7".
func (s *Site) incidentTarget(name, form string) (target, bool) {
	id, number, pinned := strings.Cut(name, "@")
	n := 0
	if pinned {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 1 || strconv.Itoa(n) != number {
			return target{}, false
		}
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
	switch form {
	case "":
		return target{draw: with(s.drawIncident), contentType: typeHTML, noindex: pinned}, true
	case "json":
		return target{draw: with(s.incidentJSON), contentType: typeJSON}, true
	case "atom":
		return target{draw: with(s.incidentAtom), contentType: typeAtom}, true
	case "csv":
		return target{draw: with(s.incidentCSV), contentType: typeCSV}, true
	}
	return target{}, false
}

func (s *Site) thanksTarget(id faultline.ServiceID) (target, bool) {
	if !id.Valid() || s.d.View().Service(id) == nil {
		return target{}, false
	}
	return target{noindex: true, contentType: typeHTML, draw: func(v *live.View) ([]byte, error) {
		svc := v.Service(id)
		if svc == nil {
			return nil, errGone
		}
		return s.drawThanks(v, svc)
	}}, true
}
