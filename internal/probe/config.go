package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"faultline"
	"faultline/internal/probe/address"
	"faultline/internal/settings"
)

// Config is the section probe of the configuration file.
type Config struct {
	// Vantage is this place. Its country and network are the app's to fill in.
	Vantage faultline.Vantage `yaml:"-"`
	// Interval is the time between two checks of a target. A thousand https
	// targets a minute cost about 3 % of a core.
	Interval time.Duration `yaml:"interval"`
	// Urgent is the time from a failure to the next check, and between two
	// checks while an episode is open. Never longer than Interval.
	Urgent time.Duration `yaml:"urgent_interval"`
	// Timeout is for one check as a whole, redirects included.
	Timeout time.Duration `yaml:"timeout"`
	// Second is how long after a failure the second opinion is asked for.
	Second time.Duration `yaml:"second_attempt_after"`
	// Concurrency bounds the checks that run at once; each costs about 50 kB
	// while it runs. Slots that come while all are busy start late, and say so.
	Concurrency int `yaml:"concurrency"`
	// AllowPrivate lets the file list targets at private addresses.
	AllowPrivate bool `yaml:"allow_private"`
	// Contact is an address or URL that targets see in our User-Agent.
	Contact string `yaml:"contact"`
	// Controls are targets of no interest in themselves: when one of them
	// answers, this vantage has a network. List some that have nothing to do
	// with the services, and whose owners do not mind.
	Controls []faultline.Target `yaml:"controls"`
}

// Defaults are the settings of a program that was told nothing.
func Defaults() Config {
	return Config{
		Vantage:  faultline.Vantage{ID: "local", Place: faultline.Place{Country: faultline.UnknownCountry}},
		Interval: time.Minute, Urgent: 10 * time.Second, Timeout: 10 * time.Second, Second: time.Second, Concurrency: 256,
	}
}

// Validate says what is wrong with the settings: a [settings.Faults] whose keys
// begin with "probe.".
func (c Config) Validate() error {
	var f settings.Faults
	settings.Between(&f, "interval", c.Interval, time.Second, 24*time.Hour)
	settings.Between(&f, "urgent_interval", c.Urgent, time.Second, 24*time.Hour)
	settings.Between(&f, "timeout", c.Timeout, 100*time.Millisecond, 5*time.Minute)
	settings.Between(&f, "second_attempt_after", c.Second, 100*time.Millisecond, 5*time.Minute)
	settings.Between(&f, "concurrency", c.Concurrency, 1, 10_000)
	if c.Vantage.ID == "" {
		f.Say("", "the vantage has no name")
	}
	c.Listed(&f, "controls", c.Controls)
	return f.Under("probe").Err()
}

// Listed looks at a list of targets that stands below key: whether each can be
// read, whether it is there twice, and, where the host is an address, whether
// the rules let it be checked. What a name points at is seen at each check.
func (c Config) Listed(f *settings.Faults, key string, targets []faultline.Target) {
	seen := map[string]int{}
	for i, t := range targets {
		at := fmt.Sprintf("%s[%d]", key, i)
		parsed, err := ParseTarget(t)
		if err == nil {
			err = c.permits(parsed)
		}
		if err != nil {
			f.Say(at, "%v", err)
			continue
		}
		if first, twice := seen[slotKey("", parsed)]; twice {
			f.Say(at, "%q is there twice: it is %s[%d] too", parsed.Name, key, first)
			continue
		}
		seen[slotKey("", parsed)] = i
	}
}

// permits is what the rules say of a target before anybody resolves its name.
func (c Config) permits(t Target) error {
	host := strings.TrimSuffix(strings.ToLower(t.URL.Hostname()), ".")
	rules := &address.Rules{AllowPrivate: c.AllowPrivate}
	if address.IsOddForm(host) {
		return fmt.Errorf("target %q: some resolvers read the host as an address, others as a name: write the address in its usual form, as 192.0.2.1", t.Name)
	}
	a, err := netip.ParseAddr(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3
		a, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if err != nil {
		return nil //nolint:nilerr // a name
	}
	var refused *address.Refusal
	if !errors.As(rules.Check(host, a, t.Permit), &refused) {
		return nil
	}
	if c.AllowPrivate {
		return fmt.Errorf("target %q: its address (%s) is never checked: there is no host of yours behind it", t.Name, refused.Reason)
	}
	return fmt.Errorf("target %q: its address (%s) is not of the public internet: set probe.allow_private: true to check it, or name it on the command line with --watch", t.Name, refused.Reason)
}

// urgent is the interval while something is wrong.
func (c Config) urgent() time.Duration { return min(c.Urgent, c.Interval) }

// controls are the configured controls as slots that are never scheduled. They
// belong to no service, so they are unrelated to all of them.
func (c Config) controls() []*slot {
	slots, _ := readServices([]faultline.Service{{Targets: c.Controls}}) // Validate read them
	return slots
}
