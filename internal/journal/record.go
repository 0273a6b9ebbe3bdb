package journal

import (
	"errors"
	"fmt"

	"faultline"
)

// Field numbers of the payloads in an observation (record.proto).
const (
	fieldReport      = 10
	fieldMeasurement = 11
	fieldHeartbeat   = 12
	fieldCommand     = 13
)

var origins = []faultline.Origin{faultline.Measured, faultline.Reconstructed, faultline.Simulated}

// originCode is 0 for an observation without an origin: it was measured.
func originCode(o faultline.Origin) (uint64, bool) {
	for i, name := range origins {
		if name == o {
			return uint64(i), true
		}
	}
	return 0, o == ""
}

// checkObservation says what kind o is, or why it cannot be written: what is
// written must come back the same.
func checkObservation(o *faultline.Observation) (faultline.Kind, error) {
	if o == nil {
		return "", errors.New("no observation")
	}
	if _, ok := originCode(o.Origin); !ok {
		return "", fmt.Errorf("unknown origin %q", o.Origin)
	}
	var missing bool
	switch p := o.Payload.(type) {
	case *faultline.Report:
		missing = p == nil
	case *faultline.Measurement:
		missing = p == nil
	case *faultline.Heartbeat:
		missing = p == nil
	case *faultline.Command:
		missing = p == nil
	default:
		return "", fmt.Errorf("unknown payload %T", o.Payload)
	}
	if missing {
		return "", errors.New("no payload")
	}
	return o.Payload.Kind(), nil
}

// appendSized appends an observation with its length before it.
func appendSized(b []byte, o *faultline.Observation) []byte {
	e := enc{b}
	encodeObservation(&e, o)
	return insertLength(e.b, len(b))
}

func encodeObservation(e *enc, o *faultline.Observation) {
	e.time(1, o.At)
	e.time(2, o.Received)
	origin, _ := originCode(o.Origin)
	e.varint(3, origin)
	switch p := o.Payload.(type) {
	case *faultline.Report:
		e.message(fieldReport, func(e *enc) { encodeReport(e, p) })
	case *faultline.Measurement:
		e.message(fieldMeasurement, func(e *enc) { encodeMeasurement(e, p) })
	case *faultline.Heartbeat:
		e.message(fieldHeartbeat, func(e *enc) { e.str(1, p.Collector); e.time(2, p.From) })
	case *faultline.Command:
		e.message(fieldCommand, func(e *enc) { encodeCommand(e, p) })
	}
}

// number writes a small count; protobuf wants a negative one sign-extended.
func number(n int) uint64 { return uint64(int64(int32(n))) }

func encodeReport(e *enc, r *faultline.Report) {
	e.str(1, string(r.Service))
	e.str(2, string(r.Symptom))
	e.str(3, string(r.Surface))
	e.boolean(4, r.Works)
	e.time(5, r.Since)
	e.str(6, string(r.Country))
	e.varint(7, uint64(r.ASN))
	e.fixed(8, r.Reporter)
	e.fixed(9, r.Network)
	e.fixed(10, r.Key)
}

func encodeMeasurement(e *enc, m *faultline.Measurement) {
	e.str(1, string(m.Service))
	e.str(2, m.Target)
	e.str(3, m.Probe)
	e.str(4, m.Vantage.ID)
	e.str(5, m.Vantage.Network)
	e.str(6, string(m.Vantage.Country))
	e.varint(7, uint64(m.Vantage.ASN))
	e.varint(8, number(m.Attempt))
	e.time(9, m.Due)
	e.time(10, m.Start)
	e.signed(11, int64(m.Runtime))
	e.signed(12, int64(m.Interval))
	for i := range m.Steps {
		e.message(13, func(e *enc) { encodeStep(e, &m.Steps[i]) })
	}
	e.varint(14, number(m.Status))
	e.signed(15, m.Bytes)
	e.str(16, string(m.Failure))
	e.signed(17, int64(m.ReadLate))
	e.boolean(18, m.HasReadLate)
	e.str(19, string(m.Impaired))
}

func encodeStep(e *enc, s *faultline.Step) {
	e.str(1, string(s.Op))
	e.varint(2, number(s.Hop))
	e.signed(3, int64(s.T0))
	e.signed(4, int64(s.Runtime))
	if s.Address.IsValid() {
		e.str(5, s.Address.String())
	}
	e.str(6, string(s.Failure))
}

func encodeCommand(e *enc, c *faultline.Command) {
	e.str(1, c.Operator)
	e.str(2, string(c.Action))
	e.str(3, c.Incident)
	e.str(4, c.Into)
	e.str(5, string(c.Service))
	e.str(6, c.Text)
}
