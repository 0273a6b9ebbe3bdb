package probe

import (
	"errors"
	"fmt"
	"time"

	"faultline"
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

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	var errs []error
	least := func(name string, got, want time.Duration) {
		if got < want {
			errs = append(errs, fmt.Errorf("probe.%s is %s: it must be at least %s", name, got, want))
		}
	}
	least("interval", c.Interval, time.Second)
	least("urgent_interval", c.Urgent, time.Second)
	least("timeout", c.Timeout, 100*time.Millisecond)
	least("second_attempt_after", c.Second, 100*time.Millisecond)
	if c.Concurrency < 1 || c.Concurrency > 10_000 {
		errs = append(errs, fmt.Errorf("probe.concurrency is %d: it must be between 1 and 10000", c.Concurrency))
	}
	if c.Vantage.ID == "" {
		errs = append(errs, errors.New("probe: the vantage has no name"))
	}
	for _, t := range c.Controls {
		if _, err := ParseTarget(t); err != nil {
			errs = append(errs, fmt.Errorf("probe.controls: %w", err))
		}
	}
	return errors.Join(errs...)
}

// urgent is the interval while something is wrong.
func (c Config) urgent() time.Duration { return min(c.Urgent, c.Interval) }

// controls are the configured controls as slots that are never scheduled. They
// belong to no service, so they are unrelated to all of them.
func (c Config) controls() []*slot {
	slots, _ := readServices([]faultline.Service{{Targets: c.Controls}}) // Validate read them
	return slots
}
