package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Problem is why a request was refused.
type Problem struct {
	Status int
	Reason string // of a closed set: the label of the counter, and "reason" in the document
	Field  string // what is wrong: the name of a parameter or of a header; may be empty
	Title  string // the headline of the page
	Detail string // why, and what to do
}

type problemPage struct {
	Problem
	World string // the same page for the world, after a wrong country; or empty
}

// Problem answers with a page that says what is wrong, why and what to do, or
// with an RFC 9457 document for programs. It counts nothing: refuse does, and
// intake has counted its own.
func (s *Site) Problem(w http.ResponseWriter, r *http.Request, p Problem) {
	if !wantsProblem(r) {
		p.Detail = sentence(p.Detail)
		page := problemPage{Problem: p}
		if p.Field == "country" && reading(r) {
			page.World = (&url.URL{Path: r.URL.Path}).EscapedPath()
		}
		s.now(w, r, p.Status, "problem", frame{Title: p.Title, Data: page, Private: true})
		return
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.document()) // a reader who left is no error
}

// refuse counts the refusal under its reason and answers with the problem.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, p Problem) {
	s.d.Metrics.refused.Inc(p.Reason)
	s.Problem(w, r, p)
}

// jsonProblem is the document. Its title is that of the status, as RFC 9457 asks
// of the type about:blank, so the detail says everything.
type jsonProblem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

func (p *Problem) document() jsonProblem {
	return jsonProblem{"about:blank", http.StatusText(p.Status), p.Status, p.Title + ". " + sentence(p.Detail), p.Field, p.Reason}
}

// sentence begins with a capital and ends with a stop; intake's details do not.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if !strings.ContainsAny(text[len(text)-1:], ".?!") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// wantsProblem says whether a program asks: by the form of the address, unless a
// person's browser opened a file or a feed, or by what it accepts.
func wantsProblem(r *http.Request) bool {
	accept, path := r.Header.Get("Accept"), r.URL.Path
	if strings.HasSuffix(path, ".json") || strings.Contains(accept, typeJSON) || strings.Contains(accept, "application/problem+json") {
		return true
	}
	file := strings.HasSuffix(path, ".csv") || strings.HasSuffix(path, ".atom") || strings.HasSuffix(path, "/events")
	return file && !strings.Contains(accept, "text/html")
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, Problem{http.StatusNotFound, refusedNotFound, "", "There is no such page", "The address may be misspelt, or the service or incident isn’t known here. Search for it, or begin at the list of services."})
}
