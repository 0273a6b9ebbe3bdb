package probe

import (
	"encoding/json"
	"time"

	"faultline"
)

// Line is a measurement as one JSON object a line, for other programs. Times
// are whole microseconds. The phases are those of the last redirect hop and of
// the connection that was used, never sums over several; a phase that did not
// happen is 0.
type Line struct {
	Target  string            `json:"target"`
	OK      bool              `json:"ok"`
	Failure faultline.Failure `json:"failure,omitempty"`
	Status  int               `json:"status,omitempty"`
	Start   time.Time         `json:"start"`
	Attempt int               `json:"attempt"`
	Hops    int               `json:"hops"`       // redirects that were followed
	DNS     int64             `json:"dns_us"`     // resolve
	Connect int64             `json:"connect_us"` // to the address that answered
	TLS     int64             `json:"tls_us"`
	Send    int64             `json:"send_us"`
	TTFB    int64             `json:"ttfb_us"` // request written to first byte received
	Body    int64             `json:"body_us"`
	Total   int64             `json:"total_us"` // start to end of the body
	Lag     int64             `json:"lag_us"`   // slot to start
	// ReadLate is missing where the platform cannot tell.
	ReadLate *int64               `json:"read_late_us,omitempty"`
	Impaired faultline.Impairment `json:"impaired,omitempty"`
}

// LineOf makes the line of a measurement.
func LineOf(m *faultline.Measurement) Line {
	l := Line{
		Target: m.Target, OK: m.Failure == "", Failure: m.Failure, Status: m.Status, Start: m.Start, Attempt: m.Attempt,
		Total: micros(m.Runtime), Lag: max(0, m.Start.Sub(m.Due).Microseconds()), Impaired: m.Impaired,
	}
	if m.HasReadLate {
		late := micros(m.ReadLate)
		l.ReadLate = &late
	}
	if n := len(m.Steps); n > 0 {
		l.Hops = m.Steps[n-1].Hop
	}
	for _, s := range m.Steps {
		if phase := l.phase(s.Op); phase != nil && s.Hop == l.Hops {
			*phase = micros(s.Runtime) // the last attempt is the one that was used
		}
	}
	return l
}

func (l *Line) phase(op faultline.Op) *int64 {
	switch op {
	case faultline.OpResolve:
		return &l.DNS
	case faultline.OpConnect:
		return &l.Connect
	case faultline.OpTLS:
		return &l.TLS
	case faultline.OpSend:
		return &l.Send
	case faultline.OpWait:
		return &l.TTFB
	case faultline.OpBody:
		return &l.Body
	}
	return nil
}

// AppendLine appends the line and its end to b.
func AppendLine(b []byte, m *faultline.Measurement) []byte {
	line, _ := json.Marshal(LineOf(m)) // has no value that JSON lacks
	return append(append(b, line...), '\n')
}

func micros(s faultline.Seconds) int64 { return time.Duration(s).Microseconds() }
