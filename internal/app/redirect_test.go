package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A watched address that redirects to a cloud's metadata service: the redirect
// is not followed, that is counted and shown, and it is no outage, however
// often it happens.
func TestARedirectToMetadataIsRefusedAndNotDown(t *testing.T) {
	t.Parallel()
	bait := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	t.Cleanup(bait.Close)
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Probe.Interval, c.Probe.Urgent = time.Second, time.Second
	p := runApp(t, Options{Config: c, Watch: []string{bait.URL}})
	id := slug(strings.TrimPrefix(bait.URL, "http://"))

	waitFor(t, 40*time.Second, func() error {
		if n := p.counter(`faultline_probe_refused_total{reason="metadata"}`); n < 4 {
			return fmt.Errorf("refused %v times", n)
		}
		if s := p.service(id); s.Reason != "address_forbidden" {
			return fmt.Errorf("state %s, reason %q", s.State, s.Reason)
		}
		return nil
	})
	if n := p.counter(`faultline_probe_checks_total{kind="http",result="address_forbidden"}`); n < 4 {
		t.Errorf("counted %v checks", n)
	}
	s := p.service(id)
	if s.State != "cannot_tell" || s.Incident != "" {
		t.Errorf("%+v, want cannot_tell without an incident", s)
	}
	page := string(p.get("/s/" + string(id)))
	for _, want := range []string{"can’t tell", "Not counted", "the address may not be probed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"169.254.169.254", "Disrupted", "Possible"} {
		if strings.Contains(page, never) {
			t.Errorf("the page says %q", never)
		}
	}
}
