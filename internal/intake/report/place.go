package report

import (
	"net/http"

	"faultline"
)

// Place is where a request seems to come from, found as a report's is: behind a
// trusted proxy it is the reader's place and not the proxy's. Nothing is kept.
// A request without a readable address comes from nowhere in particular.
func (h *Handler) Place(r *http.Request) faultline.Place {
	a, _, p := h.client(r)
	if p != nil {
		return faultline.Place{Country: faultline.UnknownCountry}
	}
	return h.Lookup(a)
}
