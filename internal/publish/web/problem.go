package web

import (
	"encoding/json"
	"net/http"
	"strings"
)

type problemPage struct {
	Status        int
	Title, Detail string
}

// Problem answers with a page that says what is wrong, why and what to do, or
// with an RFC 9457 document for those who ask for JSON.
func (s *Site) Problem(w http.ResponseWriter, r *http.Request, status int, title, detail string) {
	if wantsJSON(r) {
		h := w.Header()
		secure(h)
		h.Set("Content-Type", "application/problem+json")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "status": status, "title": title, "detail": detail}) // a reader who left is no error
		return
	}
	s.now(w, r, status, "problem", frame{Title: title, Data: problemPage{status, title, detail}, Private: true})
}

// RenderProblem is Problem for intake's forms: the page a person sees when a
// report could not be taken.
func (s *Site) RenderProblem(w http.ResponseWriter, r *http.Request, status int, title, detail string) {
	s.now(w, r, status, "problem", frame{Title: title, Data: problemPage{status, title, detail}, Private: true})
}

func wantsJSON(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, ".json") || strings.Contains(r.Header.Get("Accept"), "application/json") || strings.Contains(r.Header.Get("Accept"), "application/problem+json")
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.d.Metrics.refused.Inc(refusedNotFound)
	s.Problem(w, r, http.StatusNotFound, "There is no such page", "The address may be misspelt, or the service or incident isn’t known here. Search for it, or begin at the list of services.")
}
