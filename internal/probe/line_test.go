package probe_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"faultline"
	"faultline/internal/probe"
)

func TestLine(t *testing.T) {
	us := func(n int) faultline.Seconds { return faultline.Seconds(time.Duration(n) * time.Microsecond) }
	start := time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)
	to := netip.MustParseAddrPort("93.184.215.14:443")
	m := faultline.Measurement{
		Target: "https://example.org/", Probe: "http", Attempt: 1, Due: start.Add(-700 * time.Microsecond), Start: start, Runtime: us(51300), Status: 200, HasReadLate: true, ReadLate: us(12),
		Steps: []faultline.Step{
			{Op: faultline.OpResolve, Runtime: us(999)},
			{Op: faultline.OpConnect, Hop: 1, Runtime: us(2000), Failure: faultline.GenericTimeout},
			{Op: faultline.OpConnect, Hop: 1, Runtime: us(90), Address: to},
			{Op: faultline.OpTLS, Hop: 1, Runtime: us(800)},
			{Op: faultline.OpSend, Hop: 1, Runtime: us(5)},
			{Op: faultline.OpWait, Hop: 1, Runtime: us(50210)},
			{Op: faultline.OpBody, Hop: 1, Runtime: us(20)},
		},
	}
	const want = `{"target":"https://example.org/","ok":true,"status":200,"start":"2026-11-25T04:00:00Z","attempt":1,"hops":1,"dns_us":0,"connect_us":90,"tls_us":800,"send_us":5,"ttfb_us":50210,"body_us":20,"total_us":51300,"lag_us":700,"read_late_us":12}` + "\n"
	if got := string(probe.AppendLine(nil, &m)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	failed := faultline.Measurement{Failure: faultline.ConnectionRefused, Impaired: faultline.NoRoute}
	var l probe.Line
	if err := json.Unmarshal(probe.AppendLine(nil, &failed), &l); err != nil || l.OK || l.ReadLate != nil || l.Failure != failed.Failure || l.Impaired != failed.Impaired {
		t.Errorf("%+v, %v", l, err)
	}
}
