package report

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// client finds the address that a request comes from, and whether a trusted
// proxy passed it on. Behind a trusted proxy it is the right-most address of
// X-Forwarded-For that is not trusted itself (the left-most, if all are): what
// a client writes there itself stands further left and is never read. If an
// entry cannot be read before that one was found, the proxy is not set up as
// we were told, and the request is refused rather than counted as the proxy's.
func (h *Handler) client(r *http.Request) (a netip.Addr, proxied bool, p *Problem) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return a, false, bad(ReasonClientAddress, "", "the connection has no internet address to look up")
	}
	a = clean(peer.Addr())
	if !h.config.TrustedProxies.contain(a) {
		return a, false, nil
	}
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			var last string
			rest, last, more = cutLast(rest)
			next, ok := parseForwarded(last)
			if !ok {
				return a, true, bad(ReasonClientAddress, "X-Forwarded-For", "the header holds something that is no address: have the proxy append the client's address, and nothing else")
			}
			if a = next; !h.config.TrustedProxies.contain(a) {
				return a, true, nil
			}
		}
	}
	return a, true, nil
}

func cutLast(list string) (before, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// parseForwarded reads an address, with a port or without.
func parseForwarded(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return clean(a), true
	}
	ap, err := netip.ParseAddrPort(s)
	return clean(ap.Addr()), err == nil
}

// clean gives one person one form: no zone, no IPv4 dressed as IPv6.
func clean(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// crossSite refuses what another site's page sent in its reader's name. A
// browser tells by Sec-Fetch-Site, which no page can forge, and by Origin.
// Programs send neither and are free.
//
// Origin must be this host, with two exceptions that only a browser's own
// "same-origin" opens: the origin "null" (a page with a strict referrer
// policy), and a trusted proxy that changed the Host header.
func (h *Handler) crossSite(r *http.Request, proxied bool) *Problem {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	ours := site == "same-origin"
	if site != "" && site != "none" && !ours {
		return refusal(http.StatusForbidden, ReasonCrossSite, "Sec-Fetch-Site", "another site's page sent this; reports are taken from this site's own pages and from programs")
	}
	if origin == "" || h.ownOrigin(origin, r, proxied) || ours && (proxied || origin == "null") {
		return nil
	}
	return refusal(http.StatusForbidden, ReasonCrossSite, "Origin", "another site's page sent this; reports are taken from this site's own pages and from programs")
}

func (h *Handler) ownOrigin(origin string, r *http.Request, proxied bool) bool {
	host, ok := hostOf(origin)
	if !ok {
		return false
	}
	if host == bareHost(r.Host) || h.hosts[host] {
		return true
	}
	forwarded := r.Header.Get("X-Forwarded-Host")
	return proxied && forwarded != "" && host == bareHost(forwarded)
}

// hostOf is the host of an origin, without the scheme's own port.
func hostOf(origin string) (string, bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return bareHost(u.Host), true
}

// bareHost drops the ports that browsers leave out.
func bareHost(host string) string {
	host = strings.ToLower(host)
	if h, port, err := net.SplitHostPort(host); err == nil && (port == "80" || port == "443") {
		if strings.Contains(h, ":") {
			return "[" + h + "]"
		}
		return h
	}
	return host
}

func hostsOf(origins []string) (map[string]bool, error) {
	hosts := map[string]bool{}
	for _, o := range origins {
		h, ok := hostOf(o)
		if !ok {
			return nil, fmt.Errorf("origins: %q is not an address as https://status.example.org", o)
		}
		hosts[h] = true
	}
	return hosts, nil
}
