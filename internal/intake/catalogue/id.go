package catalogue

import (
	"fmt"
	"slices"

	"faultline"
)

// reserved words are the site's own, at its root or below a service's page. An
// id that equals one of them would make an address mean two things.
var reserved = []string{
	"api", "c", "causes", "claimants", "console", "corrections", "data", "docs", "events", "healthz", "i", "incidents", "index",
	"map", "method", "metrics", "possible", "privacy", "readyz", "replay", "report", "s", "score", "services", "static", "thanks", "vantages",
}

// Reserved lists the words that no service may have as its id, in order.
func Reserved() []string { return slices.Clone(reserved) }

// CheckID says why an id cannot be a service's, or nil.
func CheckID(id faultline.ServiceID) error {
	if !id.Valid() {
		return fmt.Errorf("service id %q: use 1 to 48 of a-z, 0-9 and -", clipped(string(id)))
	}
	if _, taken := slices.BinarySearch(reserved, string(id)); taken {
		return fmt.Errorf("service id %q is a word of the site's own addresses: choose another, for example %q", id, id+"-service")
	}
	return nil
}

// clipped keeps what a stranger typed from filling an error or a log.
func clipped(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
