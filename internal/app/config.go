package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"time"

	"faultline"
	"faultline/internal/incident"
	"faultline/internal/intake/catalogue"
	"faultline/internal/intake/report"
	"faultline/internal/probe"
	"faultline/internal/settings"
)

// Config is the one configuration file. Sections carry the names of rooms; it
// works with none.
type Config struct {
	// Services to watch, and to know by name; they add to the shipped catalogue
	// or override it. SIGHUP reads them again.
	Services []faultline.Service `yaml:"services"`
	// Listen is the address of the pages and the API.
	Listen string `yaml:"listen"`
	// Site is how readers know the site.
	Site SiteConfig `yaml:"site"`
	// Geo is where countries and networks of addresses are looked up.
	Geo struct {
		// File is a MaxMind DB or a CSV that replaces the shipped tables.
		File string `yaml:"file"`
	} `yaml:"geo"`
	Intake struct {
		Report report.Config `yaml:"report"`
	} `yaml:"intake"`
	Probe   probe.Config  `yaml:"probe"`
	Journal JournalConfig `yaml:"journal"`
	// Incident is the numbers of the rules.
	Incident IncidentConfig `yaml:"incident"`
	Store    StoreConfig    `yaml:"store"`
	Console  ConsoleConfig  `yaml:"console"`

	places *settings.Places // where each key stands in the file
}

// SiteConfig is how readers know the site.
type SiteConfig struct {
	// Origin is the public address, as https://status.example.org, without a
	// path: it stands in feeds, citations and canonical links, and forms may be
	// sent from it. Empty: links are relative, and a citation names the address
	// that the reader's browser shows.
	Origin string `yaml:"origin"`
	// Contact is where readers send corrections: a mail address or a URL.
	Contact string `yaml:"contact"`
}

// JournalConfig says where the journal is.
type JournalConfig struct {
	// URL of a NATS cluster with JetStream; empty is the embedded one.
	URL string `yaml:"url"`
	// Replicas of each stream in a cluster.
	Replicas int `yaml:"replicas"`
	// MaxGB bounds the observations kept; a full journal refuses with 503.
	MaxGB float64 `yaml:"max_gb"`
}

// StoreConfig says how much memory the store may use and how long things stay.
type StoreConfig struct {
	// MemoryMB bounds the engine's own memory.
	MemoryMB   int `yaml:"memory_mb"`
	KeepConfig `yaml:",inline"`
}

// IncidentConfig is what an operator may set of the incident rules; the method
// page shows what is in effect.
type IncidentConfig struct {
	// ConfirmWithOneVantage lets three failed checks of one healthy vantage
	// confirm an incident, for those who watch only their own services. The
	// page says "by one vantage".
	ConfirmWithOneVantage bool `yaml:"confirm_with_one_vantage"`
	// RecoverReports is how long reports have to be back to their usual number
	// before an incident is recovering.
	RecoverReports time.Duration `yaml:"recover_reports"`
	// RecoverChecks is how many checks in a row have to succeed for it.
	RecoverChecks int `yaml:"recover_checks"`
	// Resolve is how long an incident is recovering before it is resolved.
	Resolve time.Duration `yaml:"resolve"`
	// Reopen is how long after its end a new sign continues an incident.
	Reopen time.Duration `yaml:"reopen"`
}

// ConsoleConfig is the operator's console, which is off without a token.
type ConsoleConfig struct {
	// TokenFile holds the token, or FAULTLINE_CONSOLE_TOKEN does.
	TokenFile string `yaml:"token_file"`
	// Operator is the name under which what is done there is published.
	Operator string `yaml:"operator"`
	// Secure says that the console is reached over HTTPS only, so that its
	// cookie is never sent without it.
	Secure bool `yaml:"secure"`
}

// DefaultConfig is what runs without a file.
func DefaultConfig() Config {
	c := Config{Listen: "127.0.0.1:8080", Journal: JournalConfig{Replicas: 3, MaxGB: 8}}
	c.Intake.Report = report.DefaultConfig()
	c.Probe = probe.Defaults()
	c.Console.Operator = "operator"
	c.Incident = IncidentConfig{RecoverReports: 10 * time.Minute, RecoverChecks: 3, Resolve: 30 * time.Minute, Reopen: 6 * time.Hour}
	c.Store = StoreConfig{MemoryMB: 256, KeepConfig: DefaultKeepConfig()}
	return c
}

// LoadConfig reads a file over the defaults; "" is the defaults.
func LoadConfig(file string) (Config, error) {
	c := DefaultConfig()
	if file == "" {
		return c, nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("configuration file %s does not exist: name another with --config, or none to run with the defaults", file)
	}
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	places, err := settings.Read(file, b, &c)
	if err != nil {
		return c, err
	}
	c.places = places
	if err := c.check(); err != nil {
		return c, err
	}
	if c.Site.Origin != "" && !slices.Contains(c.Intake.Report.Origins, c.Site.Origin) {
		c.Intake.Report.Origins = append(c.Intake.Report.Origins, c.Site.Origin) // its forms are ours
	}
	return c, nil
}

// Targets counts the addresses to check.
func (c *Config) Targets() (n int) {
	for _, s := range c.Services {
		n += len(s.Targets)
	}
	return n
}

// watched makes services of URLs that were typed on the command line. The name
// is the host; typing a URL is permission to check that host wherever it is.
func watched(urls []string, taken []faultline.Service) ([]faultline.Service, error) {
	var out []faultline.Service
	for i, raw := range urls {
		if slices.Contains(urls[:i], raw) {
			return nil, fmt.Errorf("--watch %s is there twice: give each address once", raw)
		}
		t := faultline.Target{URL: raw, Typed: true}
		if _, err := probe.ParseTarget(t); err != nil {
			return nil, fmt.Errorf("--watch %s: %w", raw, err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("--watch %s: %w", raw, err)
		}
		name := u.Host
		id := slug(name)
		for n := 2; slices.ContainsFunc(slices.Concat(taken, out), func(s faultline.Service) bool { return s.ID == id }); n++ {
			id = slug(fmt.Sprintf("%s-%d", name, n))
		}
		out = append(out, faultline.Service{ID: id, Name: name, Category: "watched from here", Targets: []faultline.Target{t}})
	}
	return out, nil
}

// slug makes a service's id of a host name: "example.org:8443" is
// "example-org-8443".
func slug(name string) faultline.ServiceID {
	b := make([]byte, 0, len(name))
	for i := range min(len(name), 48) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case len(b) > 0 && b[len(b)-1] != '-':
			b = append(b, '-')
		}
	}
	for len(b) > 0 && b[len(b)-1] == '-' {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return "service"
	}
	return faultline.ServiceID(b)
}

// ChainConfigOf is the settings of the pure rooms, without services.
func ChainConfigOf(c Config) ChainConfig {
	i := c.Incident
	return ChainConfig{Incident: incident.Config{
		ConfirmWithOneVantage: i.ConfirmWithOneVantage, RecoverReports: i.RecoverReports, RecoverChecks: i.RecoverChecks, Resolve: i.Resolve, Reopen: i.Reopen,
	}}
}

// chainConfig adds the services whose series live from the start.
func (o *Options) chainConfig() ChainConfig {
	c := ChainConfigOf(o.Config)
	c.Series.Services, c.Incident.Services = ids(o.Config.Services), ids(o.Config.Services)
	if all, err := catalogue.New(o.Config.Services...); err == nil { // what is wrong with them was said when they were read
		c.Incident.Catalogue = all.All()
	}
	return c
}
