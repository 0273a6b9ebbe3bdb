package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"faultline/internal/settings"
)

func TestWhatCannotWorkIsRefusedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no host and port":            {"listen: 8080", `:1: listen: "8080" is not host:port`},
		"a port beyond":               {"listen: '127.0.0.1:99999'", `:1: listen: "127.0.0.1:99999": the port "99999" is not a number`},
		"a scheme before the address": {"listen: http://127.0.0.1:80", `:1: listen: `},
		"an address with a path":      {"site:\n  origin: 'https://example.org/status'", ":2: site.origin: "},
		"a port of no site":           {"site:\n  origin: 'https://example.org:99999'", ":2: site.origin: "},
		"a contact that is neither":   {"site: {contact: 'javascript:alert(1)'}", ":1: site.contact: "},
		"half a contact":              {"site: {contact: 'https://'}", ":1: site.contact: "},
		"everybody as a proxy":        {"intake:\n  report:\n    trusted_proxies: [10.0.0.1, 0.0.0.0/0]", ":3: intake.report.trusted_proxies[1]: 0.0.0.0/0 trusts everybody"},
		"a network that is none":      {"intake:\n  report:\n    trusted_proxies:\n      - 10.0.0.0/33", `:4: intake.report.trusted_proxies[0]: "10.0.0.0/33" is neither an address nor a network`},
		"an origin without a scheme":  {"intake: {report: {origins: [status.example.org]}}", ":1: intake.report.origins[0]: "},
		"an origin with a path":       {"intake: {report: {origins: ['https://example.org/x']}}", ":1: intake.report.origins[0]: "},
		"no burst":                    {"intake: {report: {burst: 0}}", ":1: intake.report.burst: 0: give 1 to 1000000000"},
		"an interval of nothing":      {"probe:\n  interval: 0s", ":2: probe.interval: 0s: give 1s to 24h"},
		"an urgent one that is rarer": {"probe:\n  interval: 5s\n  urgent_interval: 10s", ":3: probe.urgent_interval: 10s is longer than probe.interval, 5s"},
		"a control twice":             {"probe:\n  controls: [https://a.example, https://a.example]", `:2: probe.controls[1]: "https://a.example" is there twice`},
		"a control at home":           {"probe: {controls: ['http://10.0.0.1/']}", ":1: probe.controls[0]: "},
		"a contact with a line break": {"probe: {contact: \"a\\nb\"}", ":1: probe.contact: "},
		"another journal":             {"journal: {url: 'http://nats.example.org'}", ":1: journal.url: "},
		"a second journal of another": {"journal: {url: 'nats://a.example:4222, ftp://b.example'}", ":1: journal.url: "},
		"six replicas":                {"journal: {replicas: 6}", ":1: journal.replicas: 6: give 1 to 5"},
		"no checks to recover":        {"incident:\n  recover_checks: 0", ":2: incident.recover_checks: 0: give 1 to 1000"},
		"resolved at once":            {"incident: {resolve: 0s}", ":1: incident.resolve: 0s: give 1m to 168h"},
		"rows before the archive":     {"store: {rows: {reports: 1h}}", ":1: store.rows.reports: 1h: give 0 (for ever), or 48h to 876000h"},
		"a negative age":              {"store: {journal_others: -1h}", ":1: store.journal_others: -1h: give 0 (once it is in the archive), or 1h to 876000h"},
		"no operator":                 {"console: {operator: ''}", ":1: console.operator: "},
		"an operator with a slash":    {"console: {operator: a/b}", ":1: console.operator: "},
		"a word of the site":          {"services:\n  - {id: report}", ":2: services[0].id: "},
		"no id":                       {"services:\n  - name: Bar", `:2: services[0].id: service id ""`},
		"an id twice":                 {"services:\n  - id: bar\n  - id: bar", `:3: services[1].id: "bar" is there twice: services[0] has it too`},
		"a parent that is nobody":     {"services:\n  - id: bar\n    parents: [moon]", `:3: services[0].parents: parent "moon" is no service`},
		"its own parent":              {"services:\n  - {id: bar, parents: [bar]}", `:2: services[0].parents: "bar" is named as its own parent`},
		"an empty alias":              {"services:\n  - id: bar\n    aliases: ['']", ":3: services[0].aliases[0]: "},
		"an alias twice":              {"services:\n  - id: bar\n    aliases:\n      - b\n      - b", `:5: services[0].aliases[1]: "b" is there twice`},
		"another's id as an alias":    {"services:\n  - id: bar\n  - id: foo\n    aliases: [Bar]", `:4: services[1].aliases[0]: "Bar" is a word of the service "bar" too`},
		"another's name as a name":    {"services:\n  - {id: bar, name: The Bar}\n  - {id: foo, name: the bar}", `:3: services[1].name: "the bar" is a word of the service "bar" too`},
		"a name in two lines":         {"services:\n  - {id: bar, name: \"a\\nb\"}", ":2: services[0].name: "},
		"another scheme":              {"services:\n  - id: bar\n    targets:\n      - gopher://bar.example/", ":4: services[0].targets[0]: "},
		"an empty target":             {"services:\n  - id: bar\n    targets: ['']", ":3: services[0].targets[0]: "},
		"a target twice":              {"services:\n  - id: bar\n    targets: [https://a.example, https://a.example]", ":3: services[0].targets[1]: "},
		"a target with a password":    {"services:\n  - id: bar\n    targets: ['https://me:hunter2@a.example']", ":3: services[0].targets[0]: "},
		"loopback":                    {"services:\n  - id: bar\n    targets: ['http://127.0.0.1:8000/']", `:3: services[0].targets[0]: target "http://127.0.0.1:8000/": its address (loopback) is not of the public internet: set probe.allow_private: true`},
		"loopback by name":            {"services: [{id: bar, targets: ['tcp://LocalHost.:25']}]", "services[0].targets[0]: "},
		"loopback, mapped":            {"services: [{id: bar, targets: ['http://[::ffff:127.0.0.1]/']}]", "services[0].targets[0]: "},
		"loopback, oddly written":     {"services: [{id: bar, targets: ['http://2130706433/']}]", "services[0].targets[0]: "},
		"a name server at home":       {"services: [{id: bar, targets: ['dns://192.168.1.1/example.org']}]", "services[0].targets[0]: "},
		"multicast, though permitted": {"probe: {allow_private: true}\nservices: [{id: bar, targets: ['http://224.0.0.1/']}]", ":2: services[0].targets[0]: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			var at *settings.Error
			if !errors.As(err, &at) || at.Line == 0 || !strings.Contains(err.Error(), "faultline.yaml"+c.says) && !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, want %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("tells a secret: %v", err)
			}
		})
	}
}

func TestWhatWorksIsTaken(t *testing.T) {
	for _, text := range []string{
		"", "services:\n", "probe:\n#  interval: 1s\n",
		"listen: ':0'", "listen: 'localhost:8080'", "listen: '[::1]:8080'",
		"probe: {interval: 5s}", "probe: {interval: 1s, urgent_interval: 1s, timeout: 100ms}",
		"intake: {report: {rate_per_minute: 0, burst: 0}}",
		"probe: {allow_private: true}\nservices: [{id: bar, targets: ['http://127.0.0.1/', 'http://10.0.0.1/']}]",
		"journal: {url: 'nats://a.example:4222,tls://me:secret@b.example'}",
		"store: {archive_reports: 0s, journal_reports: 0s, rows: {minutes: 0s, reports: 48h}}",
		"services: [{id: bar, name: Bar, aliases: [bar, The Bar]}, {id: x, aliases: [Twitter]}]",
		"site: {contact: 'https://example.org/corrections', origin: 'http://status.example.org:8080'}",
	} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What config show prints is a file that can be read.
func TestTheConfigurationThatIsShownIsOne(t *testing.T) {
	b, err := yaml.Marshal(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	c, err := load(t, string(b))
	if err != nil {
		t.Fatal(err)
	}
	c.places = nil
	if again, err := yaml.Marshal(c); err != nil || string(again) != string(b) {
		t.Errorf("error %v; got\n%s\nwant\n%s", err, again, b)
	}
}

// leaf is a key of the configuration that holds one value or a list.
type leaf struct {
	path string
	kind reflect.Type
}

func leaves(t reflect.Type, prefix string) (all []leaf) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch key := settings.Key(f); {
		case strings.Contains(f.Tag.Get("yaml"), ",inline"):
			all = append(all, leaves(f.Type, prefix)...)
		case key == "":
		case f.Type.Kind() == reflect.Struct:
			all = append(all, leaves(f.Type, prefix+key+".")...)
		default:
			all = append(all, leaf{prefix + key, f.Type})
		}
	}
	return all
}

// in writes a file that sets one key.
func in(path, value string) string {
	parts := strings.Split(path, ".")
	var b strings.Builder
	for i, p := range parts {
		fmt.Fprintf(&b, "\n%s%s:", strings.Repeat("  ", i), p)
	}
	return b.String() + " " + value + "\n"
}

// Every key there is, also one that is new, refuses what it cannot use, and says
// where it stands.
func TestEveryKeyRefusesWhatItCannotUse(t *testing.T) {
	keys := leaves(reflect.TypeFor[Config](), "")
	if len(keys) < 35 {
		t.Fatalf("only %d keys are walked", len(keys))
	}
	for _, k := range keys {
		bad := []string{"{a: {b: c}}", "[[[1]]]", "[{}, 5]"}
		switch k.kind.Kind() {
		case reflect.Slice:
			bad = append(bad, "word", "5", "[~]", "['']", "['a b c://']")
		case reflect.Bool:
			bad = append(bad, "", "~", "5", "maybe")
		case reflect.String:
			bad = append(bad, "", "~")
			if k.path != "geo.file" && k.path != "console.token_file" {
				bad = append(bad, `"two\nlines"`, `" "`)
			}
		default:
			bad = append(bad, "", "~", "-1", "-1s", "word", "99999999999999999999", "1e300", ".nan", "876001h")
			if k.kind == reflect.TypeFor[time.Duration]() {
				bad = append(bad, "1ns", "30", "1d")
			}
		}
		for _, value := range bad {
			_, err := load(t, in(k.path, value))
			var at *settings.Error
			if !errors.As(err, &at) {
				t.Errorf("%s: %s is taken (%v)", k.path, value, err)
				continue
			}
			if at.Line != 2+strings.Count(k.path, ".") || !strings.HasPrefix(at.Key, k.path) && !strings.Contains(at.What, "unknown key") {
				t.Errorf("%s: %s: the error names line %d and key %q: %v", k.path, value, at.Line, at.Key, err)
			}
		}
	}
}

func TestTheTokensFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const token = "0123456789abcdef"
	for name, c := range map[string]struct{ file, says string }{
		"its owner's":             {write("fine", token+"\n", 0o600), ""},
		"its group's":             {write("group", token, 0o640), ""},
		"one that is not there":   {filepath.Join(dir, "nowhere"), "does not exist: write"},
		"one for all to read":     {write("open", token, 0o644), "is open to every user of this machine (mode 0644): chmod 600"},
		"one for all to write":    {write("writable", token, 0o602), "mode 0602"},
		"a folder":                {dir, "is not a file"},
		"one that is too short":   {write("short", "0123456789abcde", 0o600), "one line of 16 characters"},
		"one of two lines":        {write("lines", token+"\n"+token, 0o600), "one line of 16 characters"},
		"one that holds nothing":  {write("empty", "\n", 0o600), "one line of 16 characters"},
		"one that is far too big": {write("big", strings.Repeat("a b", 1<<20), 0o600), "one line of 16 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := load(t, "console:\n  token_file: "+c.file)
			if err != nil {
				t.Fatal(err)
			}
			err = CheckOptions(Options{Config: cfg})
			if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "faultline.yaml:2: console.token_file: ")) {
				t.Errorf("says %v, want %q", err, c.says)
			}
		})
	}
	if err := CheckOptions(Options{Config: DefaultConfig(), ConsoleToken: "short"}); err == nil || !strings.Contains(err.Error(), "FAULTLINE_CONSOLE_TOKEN") {
		t.Errorf("a short token in the environment: %v", err)
	}
}

func TestTheFileOfPlacesIsLookedAt(t *testing.T) {
	cfg, err := load(t, "geo:\n  file: /nowhere/geo.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckOptions(Options{Config: cfg}); err == nil || !strings.Contains(err.Error(), "faultline.yaml:2: geo.file: ") {
		t.Errorf("says %v", err)
	}
}

func TestAWordOfAShippedServiceIsAWarning(t *testing.T) {
	c, err := load(t, "services:\n  - id: bar\n    aliases: [twitter]")
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0], `faultline.yaml:3: services[0].aliases[0]: "twitter" is a word of the shipped service "x" too`) {
		t.Errorf("got %q", w)
	}
}

func TestHowLongThingsAreKeptIsToldAsItIs(t *testing.T) {
	for age, want := range map[time.Duration]string{0: "for ever", 24 * time.Hour: "24 hours", 48 * time.Hour: "2 days", 8760 * time.Hour: "365 days"} {
		if got := kept(age, "for ever"); got != want {
			t.Errorf("%s: got %q, want %q", age, got, want)
		}
	}
}
