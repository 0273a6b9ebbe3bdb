package web

import "net/http"

// Console is what the operator's console needs.
type Console struct{}

func (s *Site) console(w http.ResponseWriter, r *http.Request, _ string) { s.notFound(w, r) }
