package faultline

import (
	"net/netip"
	"time"
)

// Measurement is one check of one target from one vantage point. It measures
// and does not judge: a failed check is a value, never an error.
type Measurement struct {
	Service  ServiceID `json:"service"`
	Target   string    `json:"target"` // URL, or scheme://host:port for tcp, tls and dns
	Probe    string    `json:"probe"`  // kind of probe: http, tcp, tls, dns
	Vantage  Vantage   `json:"vantage"`
	Attempt  int       `json:"attempt"` // 1, or 2 for the second opinion a second after a failure
	Due      time.Time `json:"due"`     // when its slot began
	Start    time.Time `json:"start"`   // when it began; Start−Due is the vantage's own lag
	Runtime  Seconds   `json:"runtime_s"`
	Interval Seconds   `json:"interval_s"` // to the next check of this target
	Steps    []Step    `json:"steps"`
	Status   int       `json:"status,omitempty"` // HTTP status of the last answer; 0: none
	Bytes    int64     `json:"bytes,omitempty"`  // of the body, at most the cap
	Failure  Failure   `json:"failure"`          // "" is success
	// ReadLate is how much later the program read the first byte than the
	// kernel received it: the vantage's own lag. HasReadLate tells 0 from
	// "the platform could not say".
	ReadLate    Seconds `json:"read_late_s"`
	HasReadLate bool    `json:"has_read_late"`
	// Impaired is why this vantage could not be trusted at the time; "" means
	// it could. Impaired results are kept, shown grey, and never counted.
	Impaired Impairment `json:"impaired,omitempty"`
}

// Kind is KindMeasurement.
func (*Measurement) Kind() Kind { return KindMeasurement }

// Reached says whether the service answered. Refused-to-us (a challenge page,
// 403 or 429) is not down, but it is not an answer either: see Counts.
func (m *Measurement) Reached() bool { return m.Failure == "" }

// Counts says whether the measurement may be used to judge the service. What
// our own address rules refused was not asked, so it says nothing of an answer.
func (m *Measurement) Counts() bool {
	switch m.Failure {
	case RefusedToUs, AddressForbidden, ProbeFault:
		return false
	}
	return m.Impaired == ""
}

// Vantage is a place that measures.
type Vantage struct {
	ID      string `json:"id"`
	Network string `json:"network,omitempty"` // name of the network, if the host lets us say it
	Place
}

// Step is one operation of a check, timed by our own code on the monotonic
// clock. Steps of different redirect hops are never added up.
type Step struct {
	Op      Op             `json:"op"`
	Hop     int            `json:"hop"`              // redirect hop, from 0
	T0      Seconds        `json:"t0_s"`             // offset from the measurement's start
	Runtime Seconds        `json:"runtime_s"`        // how long it took
	Address netip.AddrPort `json:"address,omitzero"` // the address it was tried on
	Failure Failure        `json:"failure,omitempty"`
}

// Op names an operation of a check.
type Op string

// The phases of a check, in their order.
const (
	OpResolve Op = "resolve"
	OpConnect Op = "connect"
	OpTLS     Op = "tls"
	OpSend    Op = "send" // first write to last write
	OpWait    Op = "wait" // last write to first byte
	OpBody    Op = "body" // first byte to last byte
)

// Failure says how a check failed, in the words of OONI's df-007 where it has
// one. The empty string is success.
type Failure string

// Failures. Those above the line are OONI's; those below are ours.
const (
	ConnectionRefused     Failure = "connection_refused"
	ConnectionReset       Failure = "connection_reset"
	DNSNXDomain           Failure = "dns_nxdomain_error"
	DNSServFail           Failure = "dns_servfail_error"
	DNSRefused            Failure = "dns_refused_error"
	DNSNoAnswer           Failure = "dns_no_answer"
	DNSTemporary          Failure = "dns_temporary_failure"
	EOFError              Failure = "eof_error"
	GenericTimeout        Failure = "generic_timeout_error"
	HostUnreachable       Failure = "host_unreachable"
	NetworkUnreachable    Failure = "network_unreachable"
	NetworkDown           Failure = "network_down"
	SSLInvalidCertificate Failure = "ssl_invalid_certificate"
	SSLInvalidHostname    Failure = "ssl_invalid_hostname"
	SSLUnknownAuthority   Failure = "ssl_unknown_authority"
	SSLFailedHandshake    Failure = "ssl_failed_handshake"
	UnknownFailure        Failure = "unknown_failure"

	HTTPServerError  Failure = "http_server_error" // 5xx
	HTTPClientError  Failure = "http_client_error" // 4xx other than those of RefusedToUs
	HTTPInvalid      Failure = "http_invalid_response"
	TooManyRedirects Failure = "too_many_redirects"
	RefusedToUs      Failure = "refused_to_us"     // 401, 403, 429 or a challenge page: not down
	AddressForbidden Failure = "address_forbidden" // the address rules refused the target
	AssertionFailed  Failure = "assertion_failed"
	ProbeFault       Failure = "probe_fault" // our own mistake; never counted
)

// Impairment is why a vantage cannot be trusted.
type Impairment string

// Reasons for an impairment.
const (
	NoRoute       Impairment = "no_route"       // the machine has no way out
	NoResolver    Impairment = "no_resolver"    // no resolver answers
	AllFail       Impairment = "all_fail"       // all unrelated targets fail at once
	ControlsFail  Impairment = "controls_fail"  // the control targets fail
	LocalCPU      Impairment = "local_cpu"      // too busy to measure
	CaptivePortal Impairment = "captive_portal" // something answers in everybody's name
)
