package report_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"faultline/internal/intake/report"
)

// forms lists how an address could be written down.
func forms(a netip.Addr) []string {
	raw := a.AsSlice()
	all := []string{a.String(), a.StringExpanded(), string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), fmt.Sprint(raw)}
	if a.Is4() {
		all = append(all, strconv.FormatUint(uint64(binary.BigEndian.Uint32(raw)), 10), netip.AddrFrom16(a.As16()).String())
	}
	return all
}

// An address is planted as connection and as header; whatever leaves the
// intake, on every way out, is searched for it in every form.
func TestTheAddressNeverLeaves(t *testing.T) {
	for _, planted := range []string{"198.51.100.77", "2001:db8:dead:beef::77"} {
		a := netip.MustParseAddr(planted)
		left := everything(t, a)
		for _, form := range forms(a) {
			if at := strings.Index(left, form); at >= 0 {
				t.Errorf("%q came out: …%s…", form, left[max(0, at-60):min(len(left), at+60)])
			}
		}
	}
}

// everything sends one request for each refusal and one that is accepted, from
// an address, and gives back all that came out.
func everything(t *testing.T, a netip.Addr) string {
	t.Helper()
	var left strings.Builder
	for reason, c := range refusals {
		g := newRig(t, c.set)
		if c.prepare != nil {
			c.prepare(g)
		}
		h := header{"peer": netip.AddrPortFrom(a, 4711).String(), "Referer": "https://status.example/?from=" + a.String()}
		for k, v := range c.header {
			h[k] = v
		}
		if reason == report.ReasonClientAddress {
			h["X-Forwarded-For"] = a.String() + ", unknown"
		}
		left.WriteString(g.refuse(c.method, c.path, c.body, h).Body.String())
		left.WriteString(g.post(good, header{"peer": "127.0.0.1:1", "X-Forwarded-For": a.String()}).Body.String())
		g.collect(t, &left)
	}
	return left.String()
}

func (g *rig) collect(t *testing.T, into *strings.Builder) {
	t.Helper()
	for _, o := range g.journal.all() {
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(into, "%s\n%+v %+v\n", b, o, o.Payload)
		r := payload(t, &o)
		raw := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, r.Reporter), r.Network)
		into.Write(raw)
	}
	into.WriteString(g.log.String())
	families, err := g.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		into.WriteString(f.String())
	}
}

func TestTheSearchForAnAddressCanFail(t *testing.T) {
	a := netip.MustParseAddr("198.51.100.77")
	g := newRig(t, setup{})
	g.Logger.Info("a careless line", "from", a.String())
	var left strings.Builder
	g.collect(t, &left)
	if !strings.Contains(left.String(), forms(a)[0]) {
		t.Error("a logged address is not found")
	}
}
