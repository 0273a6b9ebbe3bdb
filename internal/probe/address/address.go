// Package address decides which addresses may be probed.
//
// In: an address that a check is about to connect to, and what the operator
// permitted. Out: nil, or a [Refusal] with one of [Reasons]. An observatory
// that fetches whatever a name or a redirect points at is a way into the
// network it runs in; the rules therefore look at the address of the
// connection itself, never at the name, and once more at every redirect.
//
// Addresses that carry another one inside (IPv4-mapped, IPv4-translated,
// NAT64, 6to4, Teredo, ISATAP) are judged by the one inside.
//
// The package does no I/O and resolves nothing.
package address

import (
	"fmt"
	"net/netip"
	"strings"
)

// Reason says why an address is refused. "" is a public address.
type Reason string

// The reasons, a closed set. Those from Unspecified on hold whatever the
// operator permits: there is no host behind such an address.
const (
	Loopback      Reason = "loopback"      // RFC 1122 §3.2.1.3, RFC 4291 §2.5.3
	Private       Reason = "private"       // RFC 1918
	Shared        Reason = "shared"        // RFC 6598, carrier-grade NAT
	UniqueLocal   Reason = "unique_local"  // RFC 4193, and the older site-local
	LinkLocal     Reason = "link_local"    // RFC 3927, RFC 4291 §2.5.6
	Documentation Reason = "documentation" // RFC 5737, RFC 3849, RFC 9637
	Benchmark     Reason = "benchmark"     // RFC 2544, RFC 5180
	Reserved      Reason = "reserved"      // other blocks of the IANA special-purpose registries
	Metadata      Reason = "metadata"      // a cloud's instance metadata service
	Unspecified   Reason = "unspecified"   // 0.0.0.0/8, ::
	Multicast     Reason = "multicast"
	Broadcast     Reason = "broadcast"
	OddForm       Reason = "odd_form" // a host that some resolvers read as an address, such as 0177.0.0.1
)

// Reasons is the closed set, for counters.
func Reasons() []string {
	return []string{
		string(Loopback), string(Private), string(Shared), string(UniqueLocal), string(LinkLocal),
		string(Documentation), string(Benchmark), string(Reserved), string(Metadata), string(Unspecified),
		string(Multicast), string(Broadcast), string(OddForm),
	}
}

// Local says whether an address of this kind is reached without the internet:
// on the machine itself or in a network beside it.
func (r Reason) Local() bool {
	switch r {
	case Loopback, Private, Shared, UniqueLocal, LinkLocal:
		return true
	}
	return false
}

type block struct {
	prefix netip.Prefix
	reason Reason
}

// blocks are searched in order; the first match decides. They follow the IANA
// special-purpose address registries.
var blocks = func() (all []block) {
	for _, b := range []struct {
		reason   Reason
		prefixes string
	}{
		// AWS, Google, Azure, Oracle, DigitalOcean; ECS tasks; AWS time and
		// DNS; Alibaba; Azure's wire server; AWS and Google over IPv6.
		{Metadata, "169.254.169.254/32 169.254.170.2/32 169.254.170.23/32 169.254.169.253/32 169.254.169.123/32 100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::/112 fd20:ce::254/128"},
		{Unspecified, "0.0.0.0/8 ::/128"},
		{Loopback, "127.0.0.0/8 ::1/128"},
		{Private, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"},
		{Shared, "100.64.0.0/10"},
		{UniqueLocal, "fc00::/7 fec0::/10"},
		{LinkLocal, "169.254.0.0/16 fe80::/10"},
		{Documentation, "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"},
		{Benchmark, "198.18.0.0/15 2001:2::/48"},
		{Multicast, "224.0.0.0/4 ff00::/8"},
		{Broadcast, "255.255.255.255/32"},
		// 64:ff9b:1::/48 is NAT64 with a local prefix: what is behind it
		// cannot be told from the address. 2001::/23 holds protocol
		// assignments; Teredo in it is judged by what it carries.
		{Reserved, "192.0.0.0/24 192.88.99.0/24 240.0.0.0/4 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 5f00::/16"},
	} {
		for p := range strings.FieldsSeq(b.prefixes) {
			all = append(all, block{netip.MustParsePrefix(p), b.reason})
		}
	}
	return all
}()

// Classify gives the reason to refuse an address, or "" for a public one.
func Classify(a netip.Addr) Reason {
	if !a.IsValid() {
		return Unspecified
	}
	a = a.Unmap().WithZone("")
	for _, b := range blocks {
		if b.prefix.Contains(a) && (b.reason != Reserved || !teredo.Contains(a)) {
			return b.reason
		}
	}
	for _, in := range inside(a) {
		if r := Classify(in); r != "" {
			return r
		}
	}
	return ""
}

// The prefixes of addresses that carry an IPv4 address inside.
var (
	compatible = netip.MustParsePrefix("::/96")           // RFC 4291 §2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765, SIIT
	nat64      = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")       // RFC 4380
)

// inside lists the IPv4 addresses that an IPv6 address carries.
func inside(a netip.Addr) []netip.Addr {
	if a.Is4() {
		return nil
	}
	b := a.As16()
	v4 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case compatible.Contains(a), translated.Contains(a), nat64.Contains(a):
		return []netip.Addr{v4(12)}
	case sixToFour.Contains(a):
		return []netip.Addr{v4(2)}
	case teredo.Contains(a): // the server, and the client with its bits flipped
		return []netip.Addr{v4(4), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214 §6.1
		return []netip.Addr{v4(12)}
	}
	return nil
}

// IsOddForm says whether a host is a number, or ends in one, without being an
// address in its usual form: 2130706433, 0x7f.1, 0177.0.0.1, 127.1. Some
// resolvers read these as IPv4 addresses and some as names (WHATWG URL §3.5,
// "ends in a number"), so nobody can say what would be probed.
func IsOddForm(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// Refusal is the error of a refused address.
type Refusal struct {
	Host   string // as it stood in the target or the redirect
	Addr   netip.Addr
	Reason Reason
}

// Error says what was refused, why, and what the operator can do.
func (r *Refusal) Error() string {
	return fmt.Sprintf("address of %s may not be probed (%s): permit private addresses in the configuration, or name the host on the command line", r.Host, r.Reason)
}

// Rules are the operator's permissions. The zero value permits public
// addresses only.
type Rules struct {
	// AllowPrivate lifts the rule for everything that may have a host behind
	// it. Metadata services stay refused unless the target itself is one.
	AllowPrivate bool
	// Refused is called with the reason of each refusal; it may be nil.
	Refused func(reason string)
}

// Permit is what the operator said about one target.
type Permit struct {
	Host  string // of the target, in the form of Host
	Typed bool   // it stood on the command line
}

// Check decides about one address of a host. The permit of a typed host holds
// for that host alone, so a redirect elsewhere is judged by the rules.
func (r *Rules) Check(host string, a netip.Addr, p Permit) error {
	reason := Classify(a)
	if reason == "" || r.permits(host, reason, p) {
		return nil
	}
	return r.refuse(host, a, reason)
}

// CheckHost refuses a host whose form is odd, before anybody resolves it.
func (r *Rules) CheckHost(host string) error {
	if !IsOddForm(host) {
		return nil
	}
	return r.refuse(host, netip.Addr{}, OddForm)
}

func (r *Rules) permits(host string, reason Reason, p Permit) bool {
	own := strings.EqualFold(host, p.Host)
	switch reason {
	case Unspecified, Multicast, Broadcast:
		return false
	case Metadata:
		// A name that resolves there is an attack; an operator who means it
		// writes the address.
		_, err := netip.ParseAddr(host)
		return own && err == nil && (p.Typed || r.AllowPrivate)
	}
	return r.AllowPrivate || own && p.Typed
}

func (r *Rules) refuse(host string, a netip.Addr, reason Reason) error {
	if r.Refused != nil {
		r.Refused(string(reason))
	}
	return &Refusal{host, a, reason}
}
