package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "faultline.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(file)
}

func TestTheSitesAddressAndContact(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"an address and a mail address": {"site: {origin: 'https://status.example.org', contact: 'corrections@example.org'}", ""},
		"a port and a URL":              {"site: {origin: 'http://status.example.org:8080', contact: 'https://example.org/corrections'}", ""},
		"an address with a path":        {"site: {origin: 'https://example.org/status'}", "site.origin"},
		"an address with a slash":       {"site: {origin: 'https://example.org/'}", "site.origin"},
		"no address":                    {"site: {origin: 'example.org'}", "site.origin"},
		"another scheme":                {"site: {origin: 'javascript://example.org'}", "site.origin"},
		"a contact that is neither":     {"site: {contact: 'javascript:alert(1)'}", "site.contact"},
		"a contact with a name":         {"site: {contact: 'Ada <ada@example.org>'}", "site.contact"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
				t.Errorf("says %v, want %q", err, c.says)
			}
		})
	}
}

func TestFormsMayComeFromThePublicAddress(t *testing.T) {
	c, err := load(t, "site: {origin: 'https://status.example.org'}")
	if err != nil || !slices.Equal(c.Intake.Report.Origins, []string{"https://status.example.org"}) {
		t.Errorf("%v: origins %v", err, c.Intake.Report.Origins)
	}
}
