package settings_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"faultline/internal/settings"
)

type file struct {
	Probe struct {
		Interval time.Duration `yaml:"interval"`
		Hosts    []struct {
			URL string `yaml:"url"`
		} `yaml:"hosts"`
	} `yaml:"probe"`
	Secret string `yaml:"-"`
}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want settings.Error
	}{
		"an empty file changes nothing":          {"", settings.Error{}},
		"a comment alone changes nothing":        {"# nothing\n", settings.Error{}},
		"a known key is taken":                   {"probe:\n  interval: 30s\n", settings.Error{}},
		"a misspelt key names line and nearest":  {"probe:\n\n  intervall: 30s\n", settings.Error{Line: 3, What: `unknown key "intervall"`, Near: "interval"}},
		"swapped letters are found":              {"porbe:\n  interval: 30s\n", settings.Error{Line: 1, What: `unknown key "porbe"`, Near: "probe"}},
		"a key inside a list has its own line":   {"probe:\n  hosts:\n    - url: a\n    - ulr: b\n", settings.Error{Line: 4, What: `unknown key "ulr"`, Near: "url"}},
		"nothing near is suggested for nonsense": {"zzzzzz: 1\n", settings.Error{Line: 1, What: `unknown key "zzzzzz"`}},
	} {
		t.Run(name, func(t *testing.T) {
			var f file
			err := settings.Decode("x.yaml", []byte(c.yaml), &f)
			if c.want == (settings.Error{}) {
				if err != nil {
					t.Fatalf("unexpected error: %v", err)
				}
				return
			}
			var got *settings.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want *settings.Error", err)
			}
			c.want.File = "x.yaml"
			if *got != c.want {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
		})
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	var f file
	f.Probe.Interval = time.Minute
	if err := settings.Decode("x.yaml", []byte("probe:\n  hosts: [{url: a}]\n"), &f); err != nil {
		t.Fatal(err)
	}
	if f.Probe.Interval != time.Minute || len(f.Probe.Hosts) != 1 {
		t.Errorf("got %+v", f)
	}
}

func TestDecodeKeepsDefaultsWhenNothingIsSet(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n", "probe:\n"} {
		var f file
		f.Probe.Interval = time.Minute
		if err := settings.Decode("x.yaml", []byte(text), &f); err != nil || f.Probe.Interval != time.Minute {
			t.Errorf("%q: interval %v, error %v; want the default, a minute", text, f.Probe.Interval, err)
		}
	}
}

func TestDecodeSaysWhereAValueIsWrong(t *testing.T) {
	var f file
	var got *settings.Error
	err := settings.Decode("x.yaml", []byte("probe:\n  interval: [1]\n"), &f)
	if !errors.As(err, &got) || got.Line != 2 {
		t.Errorf("got %v, want line 2", err)
	}
	err = settings.Decode("x.yaml", []byte("probe:\n\tinterval: 1s\n"), &f)
	if !errors.As(err, &got) || got.Line == 0 {
		t.Errorf("a tab: got %v, want a line", err)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"up", "status", "out", "url", "completion", "--listen"}
	for word, want := range map[string]string{
		"statsu": "status", "stauts": "status", "uo": "up", "xy": "", "port": "", "ulr": "url", "completoin": "completion", "wholly": "", "": "", "STATUS": "status", "--lisen": "--listen",
	} {
		if got := settings.Nearest(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"probe:\n  interval: 30s\n", "a: &x [*x]\n", "probe: &p\n  <<: *p\n", "probe: {hosts: [{url: a}], trusted: [a]}", "listen: !!binary x", "? [a]\n: b", "---\n---\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v rich
		if err := settings.Decode("fuzz.yaml", b, &v); err != nil && (strings.Contains(err.Error(), "unmarshal") || strings.Contains(err.Error(), "reflect")) {
			t.Errorf("%q: words for programmers: %v", b, err)
		}
	})
}
