package journal

import (
	"errors"
	"fmt"
	"net/netip"

	"google.golang.org/protobuf/encoding/protowire"

	"faultline"
)

// decoder reads the records of one frame. Their payloads lie in one block of
// memory, and words that come again and again are made once.
type decoder struct {
	kind         faultline.Kind
	reports      []faultline.Report
	measurements []faultline.Measurement
	words        map[string]string
}

// Words longer than maxWord, and more than maxWords of them, are not shared.
const (
	maxWord  = 64
	maxWords = 512
)

func newDecoder(kind faultline.Kind, count int) *decoder {
	d := &decoder{kind: kind, words: make(map[string]string, 16)}
	switch kind {
	case faultline.KindReport:
		d.reports = make([]faultline.Report, count)
	case faultline.KindMeasurement:
		d.measurements = make([]faultline.Measurement, count)
	}
	return d
}

// take gives the next of a block; bad input may ask for more than there are.
func take[T any](block *[]T) *T {
	if len(*block) == 0 {
		return new(T)
	}
	p := &(*block)[0]
	*block = (*block)[1:]
	return p
}

func (d *decoder) str(v val) string {
	if len(v.bytes) == 0 || len(v.bytes) > maxWord {
		return string(v.bytes)
	}
	if s, ok := d.words[string(v.bytes)]; ok {
		return s
	}
	s := string(v.bytes)
	if len(d.words) < maxWords {
		d.words[s] = s
	}
	return s
}

// consumeSized reads what appendSized wrote and gives back the rest.
func (d *decoder) consumeSized(b []byte, o *faultline.Observation) ([]byte, error) {
	msg, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return nil, protowire.ParseError(n)
	}
	if err := d.decodeObservation(msg, o); err != nil {
		return nil, err
	}
	if o.Payload == nil {
		return nil, errors.New("no payload")
	}
	if o.Payload.Kind() != d.kind {
		return nil, fmt.Errorf("a %s in a frame of %s", o.Payload.Kind(), d.kind)
	}
	return b[n:], nil
}

func (d *decoder) decodeObservation(b []byte, o *faultline.Observation) error {
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
			o.Payload, err = d.decodeReport(v.bytes)
		case fieldMeasurement:
			o.Payload, err = d.decodeMeasurement(v.bytes)
		case fieldHeartbeat:
			o.Payload, err = d.decodeHeartbeat(v.bytes)
		case fieldCommand:
			o.Payload, err = d.decodeCommand(v.bytes)
		}
		return err
	})
}

func (d *decoder) decodeReport(b []byte) (*faultline.Report, error) {
	r := take(&d.reports)
	return r, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			r.Service = faultline.ServiceID(d.str(v))
		case 2:
			r.Symptom = faultline.Symptom(d.str(v))
		case 3:
			r.Surface = faultline.Surface(d.str(v))
		case 4:
			r.Works = v.num != 0
		case 5:
			r.Since = v.time()
		case 6:
			r.Country = faultline.Country(d.str(v))
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

func (d *decoder) decodeMeasurement(b []byte) (*faultline.Measurement, error) {
	m := take(&d.measurements)
	return m, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			m.Service = faultline.ServiceID(d.str(v))
		case 2:
			m.Target = d.str(v)
		case 3:
			m.Probe = d.str(v)
		case 4:
			m.Vantage.ID = d.str(v)
		case 5:
			m.Vantage.Network = d.str(v)
		case 6:
			m.Vantage.Country = faultline.Country(d.str(v))
		case 7:
			m.Vantage.ASN = faultline.ASN(v.num)
		case 8:
			m.Attempt = int(int32(v.num))
		case 9:
			m.Due = v.time()
		case 10:
			m.Start = v.time()
		case 11:
			m.Runtime = faultline.Seconds(v.signed())
		case 12:
			m.Interval = faultline.Seconds(v.signed())
		case 13:
			s, err := d.decodeStep(v.bytes)
			if err != nil {
				return err
			}
			m.Steps = append(m.Steps, s)
		case 14:
			m.Status = int(int32(v.num))
		case 15:
			m.Bytes = v.signed()
		case 16:
			m.Failure = faultline.Failure(d.str(v))
		case 17:
			m.ReadLate = faultline.Seconds(v.signed())
		case 18:
			m.HasReadLate = v.num != 0
		case 19:
			m.Impaired = faultline.Impairment(d.str(v))
		}
		return nil
	})
}

func (d *decoder) decodeStep(b []byte) (s faultline.Step, err error) {
	err = fields(b, func(num protowire.Number, v val) (err error) {
		switch num {
		case 1:
			s.Op = faultline.Op(d.str(v))
		case 2:
			s.Hop = int(int32(v.num))
		case 3:
			s.T0 = faultline.Seconds(v.signed())
		case 4:
			s.Runtime = faultline.Seconds(v.signed())
		case 5:
			if s.Address, err = netip.ParseAddrPort(d.str(v)); err != nil {
				return fmt.Errorf("address of a step: %w", err)
			}
		case 6:
			s.Failure = faultline.Failure(d.str(v))
		}
		return nil
	})
	return s, err
}

func (d *decoder) decodeHeartbeat(b []byte) (*faultline.Heartbeat, error) {
	h := &faultline.Heartbeat{}
	return h, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			h.Collector = d.str(v)
		case 2:
			h.From = v.time()
		}
		return nil
	})
}

func (d *decoder) decodeCommand(b []byte) (*faultline.Command, error) {
	c := &faultline.Command{}
	return c, fields(b, func(num protowire.Number, v val) error {
		switch num {
		case 1:
			c.Operator = d.str(v)
		case 2:
			c.Action = faultline.Action(d.str(v))
		case 3:
			c.Incident = d.str(v)
		case 4:
			c.Into = d.str(v)
		case 5:
			c.Service = faultline.ServiceID(d.str(v))
		case 6:
			c.Text = d.str(v)
		}
		return nil
	})
}
