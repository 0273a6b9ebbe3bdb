package faultline

import "time"

// Role is the part that a service has when several surge together.
type Role string

// Roles. Origin needs a measurement of the service itself: reports alone never
// give it. Collateral suffers, or is reported, because of what carries it.
// ProbablyBlamed is reported beside another and nothing ties it to the failure.
const (
	RoleOrigin       Role = "origin"
	RoleCollateral   Role = "collateral"
	RoleBlamed       Role = "probably_blamed"
	RoleUndetermined Role = "undetermined"
)

// Basis is what the naming of a party rests on, the strongest first.
type Basis string

// Bases. Measured: checks of the party itself fail, or vantage points inside
// it do while others succeed. Inferred: checks of several services fail that
// share the party. ReportsOnly: people's reports point to it.
const (
	BasisMeasured Basis = "measured"
	BasisInferred Basis = "inferred"
	BasisReports  Basis = "reports_only"
	BasisNone     Basis = "cannot_tell"
)

// Blame says whom a surge of several services points to, and what part the
// incident's service has in it. It is a value like the others: a later finding
// is a new revision of the incident.
type Blame struct {
	Role  Role  `json:"role"`
	Party Party `json:"party,omitzero"` // zero: cannot tell
	Basis Basis `json:"basis"`
	// P is the party's share of the weight of all explanations that were
	// weighed, 0 to 1, two decimals; of the best one when none is named.
	P     float64     `json:"p"`
	Since time.Time   `json:"since"`          // first onset among the services
	With  []ServiceID `json:"with,omitempty"` // the other services, by onset
	Text  string      `json:"text"`           // the finding in two or three sentences
	// For and Against are the evidence about the party (or the best
	// explanation), each a sentence with its numbers.
	For     []string `json:"for,omitempty"`
	Against []string `json:"against,omitempty"`
}

// Party is what a surge points to: a service, a network or a country's network
// as a whole. Exactly one of Service, ASN and Country is set, except that a
// network which the catalogue knows has its service and its ASN.
type Party struct {
	Service ServiceID `json:"service,omitempty"`
	ASN     ASN       `json:"asn,omitempty"`
	Country Country   `json:"country,omitempty"`
	Name    string    `json:"name"`
}

// IsZero says that nobody is named.
func (p Party) IsZero() bool { return p.Service == "" && p.ASN == 0 && p.Country == "" }

// Same says whether two parties are one, whatever they are called.
func (p Party) Same(q Party) bool {
	return p.Service == q.Service && p.Country == q.Country && (p.Service != "" || p.ASN == q.ASN)
}

// Parent is a service that carries another one.
type Parent struct {
	ID    ServiceID `json:"id" yaml:"id"`
	As    string    `json:"as,omitempty" yaml:"as"`       // cdn, cloud, dns, network, platform; empty: not said
	Known string    `json:"known,omitempty" yaml:"known"` // how it is known: operator, catalogue, or what a probe saw
}

// UnmarshalYAML takes a bare id as well as a mapping.
func (p *Parent) UnmarshalYAML(decode func(any) error) error {
	var id string
	if decode(&id) == nil {
		p.ID = ServiceID(id)
		return nil
	}
	type plain Parent
	return decode((*plain)(p))
}
