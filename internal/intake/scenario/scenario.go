package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"faultline"
	"faultline/internal/settings"
)

// Scenario is an opened folder. It is immutable and may be shared.
type Scenario struct {
	Name string
	Head
	Services []faultline.Service
	Figures  []Figure // published figures, in the order of the table
	Waves    []Wave

	tables tables
	plan   plan
}

// Head is what scenario.yaml says about the scenario as a whole.
type Head struct {
	Title   string
	Day     time.Time // midnight of the day that it is about
	From    time.Time // first minute with observations
	To      time.Time // end; whole minutes, as From
	Start   time.Time // where the clock of a live demonstration begins
	Seed    uint64
	Origin  faultline.Origin
	Notice  string // to be shown wherever the scenario is shown
	Source  string
	Licence string
}

// manifest is scenario.yaml. Keys beside Head's: noise is r of the negative
// binomial (variance = mean + mean²/r), works_share the number of "works for
// me" per problem report, since_share the share of a wave's reporters who say
// since when.
type manifest struct {
	Title      string              `yaml:"title"`
	Day        string              `yaml:"day"`
	From       string              `yaml:"from"`
	To         string              `yaml:"to"`
	ClockStart string              `yaml:"clock_start"`
	Seed       uint64              `yaml:"seed"`
	Origin     string              `yaml:"origin"`
	Notice     string              `yaml:"notice"`
	Source     string              `yaml:"source"`
	Licence    string              `yaml:"licence"`
	Noise      int                 `yaml:"noise"`
	WorksShare float64             `yaml:"works_share"`
	SinceShare float64             `yaml:"since_share"`
	Services   []faultline.Service `yaml:"services"`
}

// Limits of a scenario, so that a hostile folder cannot ask for more memory
// than a day of the world needs.
const (
	maxSpan     = 60 * 24 * time.Hour
	maxFile     = 4 << 20 // bytes of one file
	maxRows     = 2_000   // of one table
	maxPeak     = 500_000 // reports per 15 minutes in one row
	maxRate     = 200.0   // usual reports per minute in one row
	maxReports  = 20_000_000
	maxServices = 100
	maxMinute   = 60_000 // observations of one minute: a position's index has 16 bits
)

// Open reads the scenario in folder dir of fsys. Errors name file and line.
func Open(fsys fs.FS, dir string) (*Scenario, error) {
	m, head, err := readManifest(fsys, path.Join(dir, "scenario.yaml"))
	if err != nil {
		return nil, err
	}
	s := &Scenario{Name: path.Base(dir), Head: head, Services: m.Services}
	r := &reader{fsys: fsys, dir: dir, s: s}
	r.readAll()
	r.collected()
	if r.err != nil {
		return nil, r.err
	}
	s.tables.works, s.tables.since = basisPoints(m.WorksShare), basisPoints(m.SinceShare)
	s.plan, err = newPlan(s, m.Noise)
	return s, err
}

// Find opens a scenario by path if path has a scenario.yaml, else by its name
// among the shipped ones.
func Find(nameOrPath string, shipped fs.FS) (*Scenario, error) {
	if _, err := os.Stat(filepath.Join(nameOrPath, "scenario.yaml")); err == nil {
		abs, err := filepath.Abs(nameOrPath)
		if err != nil {
			return nil, fmt.Errorf("open scenario: %w", err)
		}
		return Open(os.DirFS(filepath.Dir(abs)), filepath.Base(abs))
	}
	if !fs.ValidPath(nameOrPath) {
		return nil, fmt.Errorf("open scenario %q: no scenario.yaml there", nameOrPath)
	}
	if _, err := fs.Stat(shipped, path.Join(nameOrPath, "scenario.yaml")); err != nil {
		return nil, fmt.Errorf("open scenario %q: neither a folder with a scenario.yaml nor one of the shipped ones (%s)", nameOrPath, shippedNames(shipped))
	}
	return Open(shipped, nameOrPath)
}

func shippedNames(shipped fs.FS) string {
	names, _ := fs.Glob(shipped, "*/scenario.yaml") // the pattern is fixed
	list := ""
	for i, n := range names {
		if i > 0 {
			list += ", "
		}
		list += path.Dir(n)
	}
	return list
}

func readManifest(fsys fs.FS, file string) (m manifest, h Head, err error) {
	m.Noise = 50
	b, err := readFile(fsys, file)
	if err != nil {
		return m, h, err
	}
	if err := settings.Decode(file, b, &m); err != nil {
		return m, h, err
	}
	h, key, err := m.head()
	if err != nil {
		err = &settings.Error{File: file, Line: lineOf(b, key), What: err.Error()}
	}
	return m, h, err
}

// lineOf is the line on which a key of the manifest stands, 0 if it does not.
func lineOf(yaml []byte, key string) int {
	n := 0
	for line := range bytes.Lines(yaml) {
		if n++; bytes.HasPrefix(line, []byte(key+":")) {
			return n
		}
	}
	return 0
}

func readFile(fsys fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("open scenario: %w", err)
	}
	if info.Size() > maxFile {
		return nil, &settings.Error{File: file, What: fmt.Sprintf("has %d bytes, at most %d are read", info.Size(), maxFile)}
	}
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("open scenario: %w", err)
	}
	return b, nil
}

// head checks the manifest as a whole; with an error comes the key at fault.
func (m *manifest) head() (h Head, key string, err error) {
	h = Head{Title: m.Title, Seed: m.Seed, Origin: faultline.Origin(m.Origin), Notice: m.Notice, Source: m.Source, Licence: m.Licence}
	if h.Day, err = time.Parse(time.DateOnly, m.Day); err != nil {
		return h, "day", fmt.Errorf("day %q: want YYYY-MM-DD", m.Day)
	}
	if h.From, err = wholeMinute(m.From); err != nil {
		return h, "from", fmt.Errorf("from %w", err)
	}
	if h.To, err = wholeMinute(m.To); err != nil {
		return h, "to", fmt.Errorf("to %w", err)
	}
	if h.Start, err = onDay(h.Day, m.ClockStart); err != nil {
		return h, "clock_start", fmt.Errorf("clock_start %w", err)
	}
	key, err = m.fault(&h)
	return h, key, err
}

// fault says what contradicts what in the manifest.
func (m *manifest) fault(h *Head) (key string, err error) {
	switch {
	case h.Title == "":
		return "title", errors.New("title is missing")
	case !h.To.After(h.From) || h.To.Sub(h.From) > maxSpan:
		return "to", fmt.Errorf("to must come after from, by at most %v", maxSpan)
	case h.Start.Before(h.From) || !h.Start.Before(h.To):
		return "clock_start", errors.New("clock_start on that day does not lie between from and to")
	case h.Origin != faultline.Reconstructed && h.Origin != faultline.Simulated:
		return "origin", fmt.Errorf("origin %q: a scenario is reconstructed or simulated", h.Origin)
	case h.Notice == "":
		return "notice", errors.New("notice is missing: readers must be told what they look at")
	case m.Noise < 1 || m.Noise > 1000:
		return "noise", errors.New("noise must be a whole number from 1 to 1000")
	case !share(m.WorksShare):
		return "works_share", errors.New("works_share is a share, from 0 to 1")
	case !share(m.SinceShare):
		return "since_share", errors.New("since_share is a share, from 0 to 1")
	}
	return "services", m.serviceFault()
}

func (m *manifest) serviceFault() error {
	if len(m.Services) == 0 || len(m.Services) > maxServices {
		return fmt.Errorf("services: want 1 to %d", maxServices)
	}
	seen := map[faultline.ServiceID]bool{}
	for _, s := range m.Services {
		if !s.ID.Valid() || seen[s.ID] {
			return fmt.Errorf("service id %q: want [a-z0-9-]{1,48}, each once", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

func share(x float64) bool { return x >= 0 && x <= 1 }

// wholeMinute reads an RFC 3339 time in UTC that begins a minute.
func wholeMinute(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q: want a time like 2025-03-10T09:47:00Z", s)
	}
	if t = t.UTC(); t.Second() != 0 || t.Nanosecond() != 0 {
		return t, fmt.Errorf("%q: want a whole minute", s)
	}
	return t, nil
}

// onDay is "HH:MM" of a day.
func onDay(day time.Time, clock string) (time.Time, error) {
	c, err := time.Parse("15:04", clock)
	if err != nil {
		return c, fmt.Errorf("%q: want HH:MM", clock)
	}
	return day.Add(time.Duration(c.Hour())*time.Hour + time.Duration(c.Minute())*time.Minute), nil
}

// basisPoints turns a share into ten-thousandths, so that chances are decided
// between whole numbers.
func basisPoints(share float64) uint64 { return uint64(float64(share*10_000) + 0.5) }

// minutes is how many minutes the scenario has.
func (s *Scenario) minutes() int { return int(s.To.Sub(s.From) / time.Minute) }

// minute is the number of the minute that t lies in; it may be outside.
func (s *Scenario) minute(t time.Time) int {
	d := t.Sub(s.From)
	if d < 0 {
		return -1
	}
	return int(d / time.Minute)
}
