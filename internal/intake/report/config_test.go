package report_test

import (
	"net/netip"
	"strings"
	"testing"

	"faultline/internal/intake/report"
	"faultline/internal/settings"
)

func TestConfigurationFromAFile(t *testing.T) {
	c := report.DefaultConfig()
	err := settings.Decode("f.yaml", []byte("trusted_proxies: [\"127.0.0.0/8\", \"::1\", 10.1.2.3/8]\norigins: [https://status.example]\nrate_per_minute: 30\n"), &c)
	if err != nil {
		t.Fatal(err)
	}
	want := report.Prefixes{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8")}
	for i, p := range want {
		if i >= len(c.TrustedProxies) || c.TrustedProxies[i] != p {
			t.Errorf("trusted %v, want %v", c.TrustedProxies, want)
			break
		}
	}
	if c.RatePerMinute != 30 || c.Burst != report.DefaultConfig().Burst || c.Check() != nil {
		t.Errorf("got %+v, %v", c, c.Check())
	}
}

func TestWrongConfigurationIsAnErrorThatSaysWhat(t *testing.T) {
	for text, want := range map[string]string{
		"trusted_proxies: [proxy.example]": `"proxy.example" is neither`,
		"rate_per_minute: -1":              "rate_per_minute: -1",
		"burst: 0":                         "burst: 0",
		"rate_networks: -4":                "rate_networks",
		"origins: [status.example]":        `"status.example" is not an address`,
		"trusted_proxy: []":                "unknown key",
	} {
		c := report.DefaultConfig()
		err := settings.Decode("f.yaml", []byte(text+"\n"), &c)
		if err == nil {
			err = c.Check()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
