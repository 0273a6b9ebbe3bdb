package settings_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"faultline/internal/settings"
)

// networks reads itself, as a list of words.
type networks []string

func (n *networks) UnmarshalYAML(decode func(any) error) error {
	var words []string
	if err := decode(&words); err != nil {
		return err
	}
	for _, w := range words {
		if strings.HasPrefix(w, "!") {
			return fmt.Errorf("%q is no network", w)
		}
	}
	*n = words
	return nil
}

// host reads itself from one text or from its keys.
type host struct {
	URL string `yaml:"url"`
}

func (h *host) UnmarshalYAML(decode func(any) error) error {
	if decode(&h.URL) == nil {
		return nil
	}
	type plain host
	return decode((*plain)(h))
}

type Kept struct {
	Days time.Duration `yaml:"days"`
}

type rich struct {
	Listen string `yaml:"listen"`
	Probe  struct {
		Interval time.Duration     `yaml:"interval"`
		Count    int               `yaml:"count"`
		Share    float64           `yaml:"share"`
		On       bool              `yaml:"on"`
		Names    []string          `yaml:"names"`
		Trusted  networks          `yaml:"trusted"`
		Hosts    []host            `yaml:"hosts"`
		Labels   map[string]string `yaml:"labels"`
		Kept     `yaml:",inline"`
	} `yaml:"probe"`
}

func TestWhatCannotBeReadIsToldInWordsWithLineAndKey(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a word for a duration":         {"probe:\n  interval: ten", `f.yaml:2: probe.interval: "ten": give a duration such as 30s, 10m or 24h`},
		"a duration without its unit":   {"probe:\n  interval: 30", `f.yaml:2: probe.interval: "30": give a duration such as 30s, 10m or 24h (with its unit, as 30s)`},
		"a duration in days":            {"probe: {interval: 7d}", `f.yaml:1: probe.interval: "7d": give a duration such as 30s, 10m or 24h (7d is 168h)`},
		"a duration beyond measure":     {"probe: {interval: 99999999h}", `f.yaml:1: probe.interval: "99999999h": give a duration such as 30s, 10m or 24h (at most 2562047h)`},
		"an inlined key":                {"probe:\n  days: many", `f.yaml:2: probe.days: "many": give a duration such as 30s, 10m or 24h`},
		"a list for a text":             {"listen: [1,2]", `f.yaml:1: listen: is a list: give one text`},
		"a section for a text":          {"listen: {a: b}", `f.yaml:1: listen: is a section with keys: give one text`},
		"a text for a list":             {"probe:\n  names: a", `f.yaml:2: probe.names: "a": give a list, as [a, b]`},
		"a text for a section":          {"probe: 5", `f.yaml:1: probe: "5": give a section with the keys interval, count, share, on, names, trusted, hosts, labels, days`},
		"a list for a section":          {"probe:\n  - interval: 5s", `f.yaml:2: probe: is a list: give a section with the keys interval, count, share, on, names, trusted, hosts, labels, days`},
		"a fraction for a whole number": {"probe: {count: 1.5}", `f.yaml:1: probe.count: "1.5": give a whole number`},
		"a number beyond measure":       {"probe: {count: 99999999999999999999}", `f.yaml:1: probe.count: "99999999999999999999": give a whole number`},
		"a word for a number":           {"probe: {share: much}", `f.yaml:1: probe.share: "much": give a number`},
		"no finite number":              {"probe: {share: .inf}", `f.yaml:1: probe.share: "+Inf": give a number`},
		"not a number":                  {"probe: {share: .nan}", `f.yaml:1: probe.share: "NaN": give a number`},
		"a word for yes":                {"probe: {on: yes}", `f.yaml:1: probe.on: "yes": give true or false`},
		"a text for pairs":              {"probe: {labels: x}", `f.yaml:1: probe.labels: "x": give keys with a value each`},
		"a list among pairs":            {"probe:\n  labels:\n    x: [1]", `f.yaml:3: probe.labels.x: is a list: give one text`},
		"no value":                      {"listen:", `f.yaml:1: listen: has no value: give one text, or remove the key`},
		"an empty item":                 {"probe:\n  names:\n    - a\n    -", `f.yaml:4: probe.names[1]: is empty: give one text, or remove the item`},
		"a list among the items":        {"probe:\n  names:\n    - a\n    - [b]", `f.yaml:4: probe.names[1]: is a list: give one text`},
		"a key twice":                   {"listen: a\nprobe: {}\nlisten: b", `f.yaml:3: listen: is there twice: it stands in line 1 too`},
		"a second document":             {"listen: a\n---\nlisten: b", `f.yaml:3: a second document begins here, and would not be read: keep everything in one, without a line of ---`},
		"an item that reads itself":     {"probe:\n  trusted:\n    - a\n    - '!b'", `f.yaml:4: probe.trusted[1]: "!b" is no network`},
		"a list in what reads itself":   {"probe:\n  trusted: [[a]]", `f.yaml:2: probe.trusted[0]: cannot be read: give a list, as [a, b]`},
		"an empty item of such":         {"probe:\n  trusted:\n    -", `f.yaml:3: probe.trusted[0]: is empty: give one text, or remove the item`},
		"text for what reads itself":    {"probe: {trusted: {a: b}}", `f.yaml:1: probe.trusted: cannot be read: give a list, as [a, b]`},
		"a list for text or keys":       {"probe:\n  hosts: [[a]]", `f.yaml:2: probe.hosts[0]: cannot be read: give one text, or the keys url`},
		"a key of another section":      {"intervall: 5s", `f.yaml:1: unknown key "intervall" (did you mean "probe.interval"?)`},
		"a key of an item":              {"probe:\n  hosts:\n    - a\n    - ulr: b", `f.yaml:4: unknown key "ulr" (did you mean "url"?)`},
		"an alias of nothing":           {"listen: *nowhere", `f.yaml:1: listen: *nowhere: there is no &nowhere before it`},
		"a value in itself":             {"probe:\n  names: &n [*n]", `f.yaml:2: probe.names[0]: is a list: give one text`},
		"a value by an alias":           {"listen: &x ten\nprobe:\n  interval: *x", `f.yaml:1: probe.interval: "ten": give a duration such as 30s, 10m or 24h`},
		"a tab":                         {"probe:\n\tinterval: 1s", `f.yaml:2: a tab stands where a key or value begins: indent with spaces`},
		"a broken quote":                {"listen: 'a", `f.yaml:1: could not find end character of single-quoted text`},
	} {
		t.Run(name, func(t *testing.T) {
			var f rich
			err := settings.Decode("f.yaml", []byte(c.yaml+"\n"), &f)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestWhatCanBeRead(t *testing.T) {
	text := `
listen: 8080
probe: &p
  interval: 1m30s
  count: "7"
  share: 1
  on: true
  days: 48h
  names: [a, 5, true]
  trusted: [a, &b b, *b]
  hosts: [x, {url: y}]
  labels: {a: b}
`
	var f rich
	if err := settings.Decode("f.yaml", []byte(text), &f); err != nil {
		t.Fatal(err)
	}
	p := f.Probe
	if f.Listen != "8080" || p.Interval != 90*time.Second || p.Count != 7 || p.Share != 1 || !p.On || p.Days != 48*time.Hour ||
		fmt.Sprint(p.Names, p.Trusted, p.Hosts, p.Labels) != "[a 5 true] [a b b] [{x} {y}] map[a:b]" {
		t.Errorf("got %+v", f)
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	var f rich
	err := settings.Decode("f.yaml", []byte("listne: a\nprobe:\n  interval: ten\n  count: x\n"), &f)
	want := `f.yaml:1: unknown key "listne" (did you mean "listen"?)
f.yaml:3: probe.interval: "ten": give a duration such as 30s, 10m or 24h
f.yaml:4: probe.count: "x": give a whole number`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if f.Probe.Interval != 0 || f.Probe.Count != 0 {
		t.Errorf("a file that is wrong changes %+v", f)
	}
}

func TestPlacesOfKeys(t *testing.T) {
	var f rich
	p, err := settings.Read("f.yaml", []byte("listen: a\nprobe:\n  names:\n    - a\n    - b\n"), &f)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"listen": 1, "probe": 2, "probe.names[1]": 5, "probe.names[7]": 3, "probe.interval": 2, "nothing": 0} {
		if got := p.Line(key); got != want {
			t.Errorf("%s: line %d, want %d", key, got, want)
		}
	}
	if !p.Sets("probe.names") || p.Sets("probe.interval") || (*settings.Places)(nil).Sets("listen") {
		t.Error("cannot tell what a file sets")
	}
	e := (*settings.Places)(nil).Error("a.b", "is wrong")
	if e.Error() != "configuration: a.b: is wrong" {
		t.Errorf("without a file: %v", e)
	}
}

func TestFaultsAreToldInTheOrderOfTheFile(t *testing.T) {
	var f rich
	p, err := settings.Read("f.yaml", []byte("probe:\n  interval: 0s\n  share: 2\nlisten: a\n"), &f)
	if err != nil {
		t.Fatal(err)
	}
	var own, all settings.Faults
	settings.Between(&own, "interval", f.Probe.Interval, time.Second, 6*time.Hour)
	settings.NothingOr(&own, "share", "none", f.Probe.Share, 0.1, 1)
	settings.NothingOr(&own, "count", "none", f.Probe.Count, 1, 9) // 0 is fine
	all.Say("listen", "is %q", f.Listen)
	all.Take("probe", own.Err())
	all.Take("probe", errors.New("odd"))
	want := "f.yaml:1: probe: odd\nf.yaml:2: probe.interval: 0s: give 1s to 6h\nf.yaml:3: probe.share: 2: give 0 (none), or 0.1 to 1\nf.yaml:4: listen: is \"a\""
	if got := p.Locate(all); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
	if err := p.Locate(nil); err != nil {
		t.Errorf("nothing is wrong: %v", err)
	}
}
