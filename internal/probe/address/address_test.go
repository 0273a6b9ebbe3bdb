package address_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/probe/address"
)

func TestClassify(t *testing.T) {
	for addr, want := range map[string]address.Reason{
		"93.184.215.14": "", "2606:4700::6810:84e5": "", "172.32.0.1": "", "100.128.0.1": "", "169.253.0.1": "",
		"127.0.0.1": address.Loopback, "127.255.0.9": address.Loopback, "::1": address.Loopback,
		"10.0.0.1": address.Private, "172.16.0.1": address.Private, "172.31.255.255": address.Private, "192.168.1.1": address.Private,
		"100.64.0.1": address.Shared, "100.127.255.255": address.Shared,
		"fc00::1": address.UniqueLocal, "fd12:3456::1": address.UniqueLocal, "fec0::1": address.UniqueLocal,
		"169.254.0.1": address.LinkLocal, "fe80::1": address.LinkLocal, "fe80::1%eth0": address.LinkLocal,
		"192.0.2.1": address.Documentation, "198.51.100.7": address.Documentation, "203.0.113.9": address.Documentation, "2001:db8::1": address.Documentation, "3fff::1": address.Documentation,
		"198.18.0.1": address.Benchmark, "198.19.255.255": address.Benchmark, "2001:2::1": address.Benchmark,
		"169.254.169.254": address.Metadata, "169.254.170.2": address.Metadata, "100.100.100.200": address.Metadata, "168.63.129.16": address.Metadata, "fd00:ec2::254": address.Metadata,
		"0.0.0.0": address.Unspecified, "0.1.2.3": address.Unspecified, "::": address.Unspecified,
		"224.0.0.1": address.Multicast, "ff02::1": address.Multicast, "255.255.255.255": address.Broadcast,
		"240.0.0.1": address.Reserved, "192.0.0.8": address.Reserved, "64:ff9b:1::1": address.Reserved, "2001:20::1": address.Reserved,
		// Addresses inside addresses.
		"::ffff:127.0.0.1": address.Loopback, "::ffff:169.254.169.254": address.Metadata, "::ffff:8.8.8.8": "",
		"::127.0.0.1": address.Loopback, "::ffff:0:127.0.0.1": address.Loopback,
		"64:ff9b::7f00:1": address.Loopback, "64:ff9b::a9fe:a9fe": address.Metadata, "64:ff9b::808:808": "",
		"2002:7f00:1::": address.Loopback, "2002:a00:1::1": address.Private, "2002:808:808::1": "",
		"2001:0:4136:e378:8000:63bf:80ff:fffe": address.Loopback, // the client is 127.0.0.1
		"2001:0:4136:e378:8000:63bf:f7f7:f7f7": "",               // the client is 8.8.8.8
		"2001:0:7f00:1:8000:63bf:f7f7:f7f7":    address.Loopback, // the server is 127.0.0.1
		"2606:4700::5efe:a00:1":                address.Private, "2606:4700::200:5efe:808:808": "",
	} {
		if got := address.Classify(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if got := address.Classify(netip.Addr{}); got != address.Unspecified {
		t.Errorf("no address at all: %q", got)
	}
}

// Whatever form an IPv4 address hides in, the answer is the same.
func TestEveryFormOfAnAddressIsJudgedAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v4 := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
		want, b := address.Classify(v4), v4.As4()
		form := func(prefix string, at int) netip.Addr {
			full := netip.MustParseAddr(prefix).As16()
			copy(full[at:], b[:])
			return netip.AddrFrom16(full)
		}
		for _, a := range []netip.Addr{form("::ffff:0:0", 12), form("64:ff9b::", 12), form("::ffff:0:0:0", 12), form("2002::1", 2), form("2606::5efe:0:0", 12)} {
			if got := address.Classify(a); got != want {
				t.Fatalf("%s is %q, but %s is %q", a, got, v4, want)
			}
		}
	})
}

func TestIsOddForm(t *testing.T) {
	for host, want := range map[string]bool{
		"2130706433": true, "0x7f000001": true, "0177.0.0.1": true, "127.1": true, "0x7f.1": true, "1.2.3.4.5": true, "256.1.1.1": true, "2130706433.": true, "example.0x": true,
		"127.0.0.1": false, "example.org": false, "1.example": false, "::1": false, "fe80::1%1": false, "": false, "x0": false, "localhost": false,
	} {
		if got := address.IsOddForm(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	typed := func(h string) address.Permit { return address.Permit{Host: h, Typed: true} }
	for name, c := range map[string]struct {
		allow      bool
		permit     address.Permit
		host, addr string
		want       address.Reason
	}{
		"a public address is fine":                               {host: "example.org", addr: "93.184.215.14"},
		"a private one is refused":                               {host: "example.org", addr: "10.0.0.1", want: address.Private},
		"a listed private target is refused":                     {host: "10.0.0.1", addr: "10.0.0.1", permit: address.Permit{Host: "10.0.0.1"}, want: address.Private},
		"the configuration lifts the rule":                       {allow: true, host: "example.org", addr: "10.0.0.1"},
		"a typed host is permitted":                              {permit: typed("localhost"), host: "localhost", addr: "127.0.0.1"},
		"capital letters do not matter":                          {permit: typed("LocalHost"), host: "localhost", addr: "127.0.0.1"},
		"but no other host":                                      {permit: typed("localhost"), host: "127.0.0.1", addr: "127.0.0.1", want: address.Loopback},
		"a typed name may not lead to metadata":                  {permit: typed("example.org"), host: "example.org", addr: "169.254.169.254", want: address.Metadata},
		"a typed metadata address is meant":                      {permit: typed("169.254.169.254"), host: "169.254.169.254", addr: "169.254.169.254"},
		"lifting the rule does not open metadata":                {allow: true, permit: address.Permit{Host: "example.org"}, host: "169.254.169.254", addr: "169.254.169.254", want: address.Metadata},
		"nothing is behind 0.0.0.0, whoever typed it":            {allow: true, permit: typed("0.0.0.0"), host: "0.0.0.0", addr: "0.0.0.0", want: address.Unspecified},
		"a mapped form of a typed address is another host":       {permit: typed("127.0.0.1"), host: "::ffff:127.0.0.1", addr: "::ffff:127.0.0.1", want: address.Loopback},
		"nobody probes a multicast group, whatever is permitted": {allow: true, host: "x", addr: "224.0.0.1", want: address.Multicast},
	} {
		t.Run(name, func(t *testing.T) {
			var counted string
			rules := address.Rules{AllowPrivate: c.allow, Refused: func(r string) { counted = r }}
			err := rules.Check(c.host, netip.MustParseAddr(c.addr), c.permit)
			var refusal *address.Refusal
			if errors.As(err, &refusal); c.want == "" && err != nil || c.want != "" && (refusal == nil || refusal.Reason != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if counted != string(c.want) {
				t.Errorf("counted %q, want %q", counted, c.want)
			}
		})
	}
}

func TestEveryReasonHasACounter(t *testing.T) {
	for _, r := range []address.Reason{address.OddForm, address.Metadata, address.Broadcast, address.Reserved} {
		if !slices.Contains(address.Reasons(), string(r)) {
			t.Errorf("%s is missing", r)
		}
	}
	if err := new(address.Rules).CheckHost("0177.0.0.1"); err == nil {
		t.Error("an octal host was taken, and by rules that count nothing")
	}
}
