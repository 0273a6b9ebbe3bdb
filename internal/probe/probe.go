// Package probe is the vantage point: it checks targets on a schedule and says
// what it saw, how late it was itself, and whether it could see at all.
//
// In: services with their targets, and which of them are urgent. Out:
// [faultline.Measurement] values through an [Emit] function, and the time up to
// which all of them have been handed over ([Engine.Alive]). It measures and
// never judges a service: a failed check is a value, never an error.
//
// Promises: slots are spread evenly over the interval; each result carries when
// its slot began and when the check began; a slot that could not be kept is
// counted; every attempt is a result of its own; a result that this vantage
// could not have got right is marked as impaired and handed over all the same;
// no address is contacted that the rules of package address refuse.
//
// It does not decide what is down, does not store anything, and does not retry
// in silence. Results of different targets come in no particular order.
package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"faultline"
	"faultline/internal/kind"
	"faultline/internal/probe/address"
	"faultline/internal/probe/wire"
)

// Prober does one check. It always answers, with a failure in the measurement
// when the check failed, and no later than the job's time-out (and sooner when
// ctx ends; the failure is then probe_fault). It fills in everything but
// Vantage, Interval and Impaired, which the engine knows.
type Prober interface {
	Probe(ctx context.Context, job Job) faultline.Measurement
}

// Job is one check to be done.
type Job struct {
	Service faultline.ServiceID
	Target  Target
	Attempt int           // 1, or 2 for the second opinion
	Due     time.Time     // when its slot began
	Timeout time.Duration // for the whole check, redirects included
}

// Begin starts the clock of a check. probe is the name of the prober's kind.
func (j Job) Begin(ctx context.Context, probe string) (context.Context, context.CancelFunc, *wire.Trace, faultline.Measurement) {
	t := wire.NewTrace()
	ctx, cancel := context.WithDeadline(ctx, t.Start.Add(j.Timeout))
	return ctx, cancel, t, faultline.Measurement{Service: j.Service, Target: j.Target.Name, Probe: probe, Attempt: j.Attempt, Due: j.Due.UTC()}
}

// Deps is what every prober is given.
type Deps struct {
	Dialer    *wire.Dialer
	Verifier  *wire.Verifier
	UserAgent string
}

// NewDeps makes what the probers need. roots may be nil: those of the system
// are trusted. refused is called with the reason of each address refusal.
func NewDeps(c Config, version string, roots *x509.CertPool, refused func(reason string)) Deps {
	return Deps{
		Dialer:    &wire.Dialer{Resolver: net.DefaultResolver, Rules: &address.Rules{AllowPrivate: c.AllowPrivate, Refused: refused}},
		Verifier:  &wire.Verifier{Roots: roots},
		UserAgent: UserAgent(version, c.Contact),
	}
}

// UserAgent is how we introduce ourselves: what we are, which version, and
// whom to write to.
func UserAgent(version, contact string) string {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' || r == '(' || r == ')' {
				return -1
			}
			return r
		}, s)
	}
	about := "outage observatory"
	if contact != "" {
		about += "; +" + clean(contact)
	}
	return "faultline/" + clean(version) + " (" + about + ")"
}

// Kind is a kind of prober, and Table those that a binary was built with.
type (
	Kind  = kind.Kind[Prober, Deps]
	Table = kind.Table[Prober, Deps]
)

// KindOf names the kind of prober that checks targets of a scheme.
func KindOf(scheme string) string {
	if scheme == "https" {
		return "http"
	}
	return scheme
}

// Open opens every kind of a table. decode may be nil, or give the settings of
// the kind that it is called with.
func Open(t Table, deps Deps, decode func(name string) func(into any) error) (map[string]Prober, error) {
	probers := make(map[string]Prober, len(t))
	for _, k := range t {
		var settings func(any) error
		if decode != nil {
			settings = decode(k.Name)
		}
		p, err := k.Open(deps, settings)
		if err != nil {
			return nil, fmt.Errorf("open prober: %w", err)
		}
		probers[k.Name] = p
	}
	return probers, nil
}

// Target is a target that was read and understood.
type Target struct {
	Name string   // as the operator wrote it
	URL  *url.URL // with its host in ASCII
	// Permit is what the address rules need to know.
	Permit address.Permit
}

// schemes are those that some prober checks.
var schemes = map[string]bool{"http": true, "https": true, "tcp": true, "tls": true, "dns": true}

// ParseTarget reads what an operator wrote. The host is not resolved, and its
// address is not judged: that happens at each check.
func ParseTarget(t faultline.Target) (Target, error) {
	raw := strings.TrimSpace(t.URL)
	u, err := readURL(raw)
	if err != nil {
		return Target{}, fmt.Errorf("target %q: %w", withoutSecret(raw), err)
	}
	return Target{Name: raw, URL: u, Permit: address.Permit{Host: u.Hostname(), Typed: t.Typed}}, nil
}

func readURL(raw string) (*url.URL, error) {
	if withoutSecret(raw) != raw {
		return nil, errors.New("a target is published with its results, so it must not hold a user name or password")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("not an address: %w", errors.Unwrap(err))
	}
	if err := ToASCII(u); err != nil {
		return nil, err
	}
	return u, usable(u)
}

// withoutSecret leaves out what stands before an @ in the authority of a URL.
func withoutSecret(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "//")
	if !ok {
		return raw
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return scheme + "//" + rest[i+1:]
	}
	return raw
}

func usable(u *url.URL) error {
	port, err := wire.Port(u.Port(), 1)
	switch {
	case !schemes[u.Scheme]:
		return errors.New("the scheme must be http, https, tcp, tls or dns, as in https://example.org/")
	case u.User != nil:
		return errors.New("a target must not hold a user name")
	case u.Scheme == "dns":
		name := u.Opaque + u.Path
		if strings.Trim(name, "/") == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' }) {
			return errors.New("a name to ask for is missing or not a name, as in dns://9.9.9.9/example.org?type=AAAA")
		}
	case u.Hostname() == "":
		return errors.New("a host is missing, as in https://example.org/")
	case (u.Scheme == "tcp" || u.Scheme == "tls") && u.Port() == "":
		return errors.New("a port is missing, as in tcp://example.org:25")
	}
	if err != nil || port == 0 {
		return fmt.Errorf("port %q is not between 1 and 65535", u.Port())
	}
	return nil
}

// ToASCII writes the host of a URL as it goes over the wire (RFC 5891).
func ToASCII(u *url.URL) error {
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || isASCII(host) {
		return nil
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return fmt.Errorf("host %q is no name: %w", host, err)
	}
	if u.Port() != "" {
		ascii = net.JoinHostPort(ascii, u.Port())
	}
	u.Host = ascii
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
