package faultline

import (
	"encoding/json"
	"time"
)

// Service is something that people use and that can fail.
type Service struct {
	ID       ServiceID `json:"id" yaml:"id"`
	Name     string    `json:"name" yaml:"name"`
	Aliases  []string  `json:"aliases,omitempty" yaml:"aliases"`
	Category string    `json:"category,omitempty" yaml:"category"` // "social network", "bank", …
	Targets  []Target  `json:"targets,omitempty" yaml:"targets"`   // only what the operator listed
	Parents  []Parent  `json:"parents,omitempty" yaml:"parents"`   // the services that carry it
	ASNs     []ASN     `json:"asns,omitempty" yaml:"asns"`         // the access networks that it runs, if it is a provider
}

// Target is something to probe. The scheme of its URL picks the probe: http,
// https, tcp, tls, dns.
type Target struct {
	URL string `json:"url" yaml:"url"`
	// Typed is set for a target that the operator typed on the command line:
	// permission to probe that host even at a private address.
	Typed bool `json:"-" yaml:"-"`
}

// UnmarshalYAML takes a bare URL as well as a mapping.
func (t *Target) UnmarshalYAML(decode func(any) error) error {
	var s string
	if decode(&s) == nil {
		t.URL = s
		return nil
	}
	type plain Target
	return decode((*plain)(t))
}

// Record is one line of the control log, which is kept for ever: a revision of
// an incident or an event, an operator's action. Memory and store are read
// models of it.
type Record struct {
	Kind     RecordKind      `json:"kind"`
	ID       string          `json:"id"`
	Revision int             `json:"revision"`
	Service  ServiceID       `json:"service,omitempty"`
	At       time.Time       `json:"at"`
	By       string          `json:"by"` // rule and version, or the operator's name
	Origin   Origin          `json:"origin"`
	Body     json.RawMessage `json:"body"` // the Incident, Event or Command, as JSON
}

// RecordKind names what a control record holds.
type RecordKind string

// Kinds of control records.
const (
	RecordIncident RecordKind = "incident"
	RecordEvent    RecordKind = "event"
	RecordCommand  RecordKind = "command"
)
