package faultline

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Observation is one thing learnt from outside, as the journal keeps it.
type Observation struct {
	Position Position  `json:"id"`       // its place in the journal, its identity
	At       time.Time `json:"at"`       // when it happened
	Received time.Time `json:"received"` // when it reached us
	Origin   Origin    `json:"origin"`
	Payload  Payload   `json:"payload"`
}

// Payload is what was observed: *Report, *Measurement, *Heartbeat or *Command.
type Payload interface {
	// Kind names the payload in subjects, files and counters.
	Kind() Kind
}

// Kind names a kind of observation.
type Kind string

// The kinds of observation that this version knows.
const (
	KindReport      Kind = "report"
	KindMeasurement Kind = "measurement"
	KindHeartbeat   Kind = "heartbeat"
	KindCommand     Kind = "command"
)

// Position is a place in the journal: a partition's frame (from 1, in order)
// and a record in it (from 0). Positions of one partition are totally ordered.
type Position struct {
	Partition uint16
	Frame     uint64
	Index     uint16
}

// String gives "partition-frame-index", for example "0-1482-17".
func (p Position) String() string {
	return strconv.FormatUint(uint64(p.Partition), 10) + "-" + strconv.FormatUint(p.Frame, 10) + "-" + strconv.FormatUint(uint64(p.Index), 10)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return Position{}, fmt.Errorf("position %q: want partition-frame-index", s)
	}
	var n [3]uint64
	for i, bits := range []int{16, 64, 16} {
		v, err := strconv.ParseUint(parts[i], 10, bits)
		if err != nil {
			return Position{}, fmt.Errorf("position %q: %w", s, err)
		}
		n[i] = v
	}
	return Position{uint16(n[0]), n[1], uint16(n[2])}, nil
}

// MarshalText lets JSON write a position as its string.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a position from its string.
func (p *Position) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePosition(string(b))
	return err
}

// IsZero says whether p is no place at all: frames count from 1.
func (p Position) IsZero() bool { return p.Frame == 0 }

// After says whether p comes later than q in their common partition.
func (p Position) After(q Position) bool {
	if p.Frame != q.Frame {
		return p.Frame > q.Frame
	}
	return p.Index > q.Index
}

// Heartbeat says that a collector was awake from From to the observation's At,
// and that everything it accepted in that time stands before this record in
// the journal. It is the clock of the pure rooms, and the difference between
// "no reports" and "nobody was listening".
type Heartbeat struct {
	Collector string    `json:"collector"` // "reports", or "probe:VANTAGE"
	From      time.Time `json:"from"`
}

// Kind is KindHeartbeat.
func (*Heartbeat) Kind() Kind { return KindHeartbeat }

// CollectorReports is the collector that a report's heartbeat names.
const CollectorReports = "reports"

// CollectorProbe is the collector of the measurements of one vantage.
func CollectorProbe(vantage string) string { return "probe:" + vantage }
