package probe_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/probe"
)

func TestParseTarget(t *testing.T) {
	for url, want := range map[string]string{ // host, or what the error says
		"https://example.org/":          "example.org",
		" http://example.org:8080/x?y ": "example.org",
		"https://bücher.example/":       "xn--bcher-kva.example",
		"https://bücher.example:8443/":  "xn--bcher-kva.example",
		"tcp://[2606:4700::1]:443":      "2606:4700::1",
		"tls://example.org:993":         "example.org",
		"dns://9.9.9.9/example.org":     "9.9.9.9",
		"dns:example.org":               "",
		"http://0177.0.0.1/":            "0177.0.0.1", // refused when it is checked
		"example.org":                   "! the scheme must be",
		"ftp://example.org/":            "! the scheme must be",
		"https:///path":                 "! a host is missing",
		"https://user:pw@example.org/":  "! must not hold a user name or password",
		"tcp://example.org":             "! a port is missing",
		"https://example.org:0/":        `! port "0"`,
		"https://example.org:70000/":    `! port "70000"`,
		"dns://9.9.9.9/":                "! a name to ask for is missing",
		"dns: example.org":              "! a name to ask for is missing or not a name",
		"http://exa mple/":              "! not an address",
		"http://a\r\nb/":                "! not an address",
		"https://ex\u00adample.\u2260/": "! is no name",
	} {
		got, err := probe.ParseTarget(faultline.Target{URL: url, Typed: true})
		what, bad := strings.CutPrefix(want, "! ")
		switch {
		case bad && (err == nil || !strings.Contains(err.Error(), what)):
			t.Errorf("%q: %v, want %q", url, err, what)
		case !bad && (err != nil || got.URL.Hostname() != want || got.Permit.Host != want || !got.Permit.Typed || got.Name != strings.TrimSpace(url)):
			t.Errorf("%q: %+v, %v", url, got, err)
		}
	}
}

func TestAPasswordIsNotInTheError(t *testing.T) {
	_, err := probe.ParseTarget(faultline.Target{URL: "https://user:hunter2@example.org/"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func TestUserAgent(t *testing.T) {
	for _, c := range [][3]string{
		{"1.2", "", "faultline/1.2 (outage observatory)"},
		{"1.2", "https://example.org/bot", "faultline/1.2 (outage observatory; +https://example.org/bot)"},
		{"1.2", "a)\r\nX: y", "faultline/1.2 (outage observatory; +aX: y)"},
	} {
		if got := probe.UserAgent(c[0], c[1]); got != c[2] {
			t.Errorf("%q, want %q", got, c[2])
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"https://example.org/", "dns:x", "tcp://[::1%25lo]:1", "http://%zz/", "//x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := probe.ParseTarget(faultline.Target{URL: s}); err == nil && (got.URL.User != nil || strings.ContainsAny(got.URL.Host+got.URL.RequestURI(), "\r\n ")) {
			t.Errorf("%q became %q", s, got.URL)
		}
	})
}
