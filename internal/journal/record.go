package journal

import (
	"errors"
	"fmt"
	"net/netip"

	"google.golang.org/protobuf/encoding/protowire"

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

func originCode(o faultline.Origin) uint64 {
	for i, name := range origins {
		if name == o {
			return uint64(i)
		}
	}
	return 0 // an observation without an origin was measured
}

// appendSized appends an observation with its length before it.
func appendSized(b []byte, o *faultline.Observation) []byte {
	return protowire.AppendBytes(b, encodeObservation(o))
}

func encodeObservation(o *faultline.Observation) []byte {
	e := enc{make([]byte, 0, 128)}
	e.time(1, o.At)
	e.time(2, o.Received)
	e.varint(3, originCode(o.Origin))
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
	return e.b
}

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
	e.varint(8, uint64(m.Attempt))
	e.time(9, m.Due)
	e.time(10, m.Start)
	e.signed(11, int64(m.Runtime))
	e.signed(12, int64(m.Interval))
	for i := range m.Steps {
		e.message(13, func(e *enc) { encodeStep(e, &m.Steps[i]) })
	}
	e.varint(14, uint64(m.Status))
	e.signed(15, m.Bytes)
	e.str(16, string(m.Failure))
	e.signed(17, int64(m.ReadLate))
	e.boolean(18, m.HasReadLate)
	e.str(19, string(m.Impaired))
}

func encodeStep(e *enc, s *faultline.Step) {
	e.str(1, string(s.Op))
	e.varint(2, uint64(s.Hop))
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

// consumeSized reads what appendSized wrote and gives back the rest.
func consumeSized(b []byte, kind faultline.Kind, o *faultline.Observation) ([]byte, error) {
	msg, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return nil, protowire.ParseError(n)
	}
	if err := decodeObservation(msg, o); err != nil {
		return nil, err
	}
	if o.Payload == nil {
		return nil, errors.New("no payload")
	}
	if o.Payload.Kind() != kind {
		return nil, fmt.Errorf("a %s in a frame of %s", o.Payload.Kind(), kind)
	}
	return b[n:], nil
}

func decodeObservation(b []byte, o *faultline.Observation) error {
	o.Origin = faultline.Measured
	return fields(b, func(num protowire.Number, v val) (err error) {
		switch num {
		case 1:
			o.At = v.time()
		case 2:
			o.Received = v.time()
		case 3:
			if v.num >= uint64(len(origins)) {
				return fmt.Errorf("unknown origin %d", v.num)
			}
			o.Origin = origins[v.num]
		case fieldReport:
			o.Payload, err = decodeReport(v.bytes)
		case fieldMeasurement:
			o.Payload, err = decodeMeasurement(v.bytes)
		case fieldHeartbeat:
			o.Payload, err = decodeHeartbeat(v.bytes)
		case fieldCommand:
			o.Payload, err = decodeCommand(v.bytes)
		}
		return err
	})
}

func decodeReport(b []byte) (*faultline.Report, error) {
	r := &faultline.Report{}
	return r, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			r.Service = faultline.ServiceID(v.str())
		case 2:
			r.Symptom = faultline.Symptom(v.str())
		case 3:
			r.Surface = faultline.Surface(v.str())
		case 4:
			r.Works = v.num != 0
		case 5:
			r.Since = v.time()
		case 6:
			r.Country = faultline.Country(v.str())
		case 7:
			r.ASN = faultline.ASN(v.num)
		case 8:
			r.Reporter = v.num
		case 9:
			r.Network = v.num
		case 10:
			r.Key = v.num
		}
		return nil
	})
}

func decodeMeasurement(b []byte) (*faultline.Measurement, error) {
	m := &faultline.Measurement{}
	return m, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			m.Service = faultline.ServiceID(v.str())
		case 2:
			m.Target = v.str()
		case 3:
			m.Probe = v.str()
		case 4:
			m.Vantage.ID = v.str()
		case 5:
			m.Vantage.Network = v.str()
		case 6:
			m.Vantage.Country = faultline.Country(v.str())
		case 7:
			m.Vantage.ASN = faultline.ASN(v.num)
		case 8:
			m.Attempt = int(uint32(v.num))
		case 9:
			m.Due = v.time()
		case 10:
			m.Start = v.time()
		case 11:
			m.Runtime = faultline.Seconds(v.signed())
		case 12:
			m.Interval = faultline.Seconds(v.signed())
		case 13:
			s, err := decodeStep(v.bytes)
			if err != nil {
				return err
			}
			m.Steps = append(m.Steps, s)
		case 14:
			m.Status = int(uint32(v.num))
		case 15:
			m.Bytes = v.signed()
		case 16:
			m.Failure = faultline.Failure(v.str())
		case 17:
			m.ReadLate = faultline.Seconds(v.signed())
		case 18:
			m.HasReadLate = v.num != 0
		case 19:
			m.Impaired = faultline.Impairment(v.str())
		}
		return nil
	})
}

func decodeStep(b []byte) (s faultline.Step, err error) {
	err = fields(b, func(num protowire.Number, v val) (err error) {
		switch num {
		case 1:
			s.Op = faultline.Op(v.str())
		case 2:
			s.Hop = int(uint32(v.num))
		case 3:
			s.T0 = faultline.Seconds(v.signed())
		case 4:
			s.Runtime = faultline.Seconds(v.signed())
		case 5:
			if s.Address, err = netip.ParseAddrPort(v.str()); err != nil {
				return fmt.Errorf("address of a step: %w", err)
			}
		case 6:
			s.Failure = faultline.Failure(v.str())
		}
		return nil
	})
	return s, err
}

func decodeHeartbeat(b []byte) (*faultline.Heartbeat, error) {
	h := &faultline.Heartbeat{}
	return h, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			h.Collector = v.str()
		case 2:
			h.From = v.time()
		}
		return nil
	})
}

func decodeCommand(b []byte) (*faultline.Command, error) {
	c := &faultline.Command{}
	return c, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			c.Operator = v.str()
		case 2:
			c.Action = faultline.Action(v.str())
		case 3:
			c.Incident = v.str()
		case 4:
			c.Into = v.str()
		case 5:
			c.Service = faultline.ServiceID(v.str())
		case 6:
			c.Text = v.str()
		}
		return nil
	})
}
