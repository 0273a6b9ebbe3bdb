package http

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// readers are reused: a check would otherwise spend 4 kB for a minute's idling.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}

// hostHeader is the authority without a zone, which means nothing elsewhere
// (RFC 6874 §4).
func hostHeader(u *url.URL) string {
	if i, j := strings.IndexByte(u.Host, '%'), strings.IndexByte(u.Host, ']'); i >= 0 && i < j {
		return u.Host[:i] + u.Host[j:]
	}
	return u.Host
}

func appendCookies(b []byte, cookies []*http.Cookie) []byte {
	for i, c := range cookies {
		if i == 0 {
			b = append(b, "Cookie: "...)
		} else {
			b = append(b, "; "...)
		}
		b = append(b, c.Name+"="+c.Value...)
	}
	if len(cookies) > 0 {
		b = append(b, "\r\n"...)
	}
	return b
}

// pageSize is how much of a page we look at. Of a page that could not be a
// challenge: nothing.
func pageSize(status int) int64 {
	if status == http.StatusServiceUnavailable {
		return 8 << 10
	}
	return 0
}

// challengeMarks stand on pages that ask a visitor to prove that he is human
// and that come with status 503, which would otherwise be a failure. The same
// scripts on a page with another status prove nothing.
var challengeMarks = [][]byte{
	[]byte("<title>Just a moment...</title>"),
	[]byte("/cdn-cgi/challenge-platform/"),
	[]byte("_Incapsula_Resource"),
	[]byte("<title>DDoS-Guard</title>"),
	[]byte("/.well-known/sgcaptcha/"),
}

// isChallenge recognises a challenge by the headers that say so (Cloudflare's
// cf-mitigated, AWS WAF's x-amzn-waf-action) or by its page.
func isChallenge(resp *http.Response, page []byte) bool {
	if strings.EqualFold(resp.Header.Get("Cf-Mitigated"), "challenge") {
		return true
	}
	if a := resp.Header.Get("X-Amzn-Waf-Action"); strings.EqualFold(a, "challenge") || strings.EqualFold(a, "captcha") {
		return true
	}
	for _, mark := range challengeMarks {
		if bytes.Contains(page, mark) {
			return true
		}
	}
	return false
}
