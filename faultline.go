// Package faultline is the vocabulary of an outage observatory: the things
// that people and vantage points tell us, and what follows from them.
//
// Data flows one way. An [Observation] (a report, a measurement, a heartbeat,
// an operator's command) is appended to a journal. From there on everything
// is a pure function of the journal, driven by the times in it:
//
//	Observation → Sample → Reading, Event → Incident, Status
//
// Conventions that hold for every type here:
//
//   - Times are UTC. At is when a thing happened, Received is when we learnt it.
//   - Durations that leave the program are seconds, and their names end in _s.
//   - Shares and probabilities are 0 to 1. LogP is −log10 of a probability.
//   - Unknown has a name: country "ZZ", ASN 0, [Failure] "unknown_failure".
//     Not measured is something else than zero: it is a missing Sample, a
//     Complete below 1, or a Reading whose verdict is cannot_tell.
//   - A correction is a new Revision of the same ID. Nothing is edited.
//
// The package imports the standard library only, and does no I/O, reads no
// clock and starts no goroutine.
package faultline

import (
	"encoding/json"
	"math"
	"time"
)

// ServiceID is the slug of a service: [a-z0-9-]{1,48}, for ever.
type ServiceID string

// Valid says whether the id may be used in addresses and subjects. Words that
// the site uses itself are refused by the catalogue, not here.
func (id ServiceID) Valid() bool {
	if len(id) == 0 || len(id) > 48 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Origin says how a record came to be.
type Origin string

// Measured is what our own instruments saw. Reconstructed records were made
// from published figures; they count as statements and are never shown as
// measurements. Simulated records come from a generator or a laboratory.
const (
	Measured      Origin = "measured"
	Reconstructed Origin = "reconstructed"
	Simulated     Origin = "simulated"
)

// Seconds is a duration that JSON writes as a number of seconds, rounded to
// microseconds.
type Seconds time.Duration

// MarshalJSON writes seconds with at most six decimals.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(Round(time.Duration(s).Seconds(), 6))
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*s = Seconds(math.Round(f*1e6) * 1e3)
	return nil
}

// Round rounds x to so many decimals. Floats are rounded where they leave a
// room, so that the same journal gives the same bytes on every machine. NaN
// and infinities become 0: JSON has no word for them, and neither do we.
func Round(x float64, decimals int) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	p := math.Pow10(decimals)
	return math.Round(x*p) / p
}
