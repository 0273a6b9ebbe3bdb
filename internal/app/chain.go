package app

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"time"

	"faultline"
	"faultline/internal/detect"
	"faultline/internal/incident"
	"faultline/internal/series"
)

// ChainConfig is the settings of the three pure rooms.
type ChainConfig struct {
	Series   series.Config
	Detect   detect.Config
	Incident incident.Config
}

// Chain is the way from an observation to an incident: series, detect and
// incident, one after the other. It is a pure function of the observations it
// was given; the same observations give the same outputs, byte for byte.
type Chain struct {
	series   *series.Room
	detect   *detect.Room
	incident *incident.Room
	at       time.Time // data time: the newest heartbeat
}

// Output is what one observation led to. At is data time; most observations
// lead to nothing until a heartbeat closes their minute.
type Output struct {
	At        time.Time
	Samples   []faultline.Sample
	Cells     []faultline.Cell
	Readings  []faultline.Reading
	Events    []faultline.Event
	Incidents []faultline.Incident
	Statuses  []faultline.Status
	// Quality is what the detectors counted about themselves, every quarter of an
	// hour; nil between.
	Quality *faultline.Quality
	// Reports that changed no sample, or not every one: they came too late, their
	// country or network has no series of its own, or a table was full.
	Late, Folded, Full int
	// Command is what an operator asked for with this observation, CommandID
	// its place in the journal; Refused is why it was not carried out.
	Command   *faultline.Command
	CommandID faultline.Position
	CommandAt time.Time
	Refused   string
}

// tells says whether there is anything in an output but data time and counts of
// reports that changed nothing.
func (o *Output) tells() bool {
	return len(o.Samples)+len(o.Cells)+len(o.Readings)+len(o.Events)+len(o.Incidents)+len(o.Statuses) > 0 ||
		o.Command != nil || o.Refused != "" || o.Quality != nil
}

// NewChain makes an empty chain.
func NewChain(c ChainConfig) *Chain {
	return &Chain{series: series.New(c.Series), detect: detect.New(c.Detect), incident: incident.New(c.Incident)}
}

// Watch gives services a status from the next heartbeat on.
func (c *Chain) Watch(services ...faultline.ServiceID) {
	c.series.Watch(services...)
	c.incident.Watch(services...)
}

// Know replaces what is known of the services: who carries whom.
func (c *Chain) Know(catalogue []faultline.Service) { c.incident.Know(catalogue) }

// Step takes the next observation of the journal.
func (c *Chain) Step(o *faultline.Observation) Output {
	s := c.series.Step(o)
	out := Output{Samples: s.Samples, Cells: s.Cells, Late: s.Late, Folded: s.Folded, Full: s.Full}
	in, before := incident.Input{}, c.at
	switch p := o.Payload.(type) {
	case *faultline.Heartbeat:
		if o.At.After(c.at) {
			c.at = o.At
		}
	case *faultline.Command:
		in.Command, in.CommandAt = p, o.Position
		out.Command, out.CommandID, out.CommandAt = p, o.Position, o.At
		if p.Action == faultline.NewNormal {
			c.detect.Accept(p.Service, o.At)
		}
		if o.At.After(c.at) {
			c.at = o.At
		}
	case *faultline.Report:
		out.At = c.at
		if len(s.Samples) == 0 {
			return out // a report alone changes nothing before its minute closes
		}
	}
	out.At, in.At = c.at, c.at
	d := c.detect.Step(s.Samples)
	out.Readings, out.Events = d.Readings, d.Events
	if c.at.Truncate(qualityEvery).After(before) {
		out.Quality = c.quality()
	}
	in.Samples, in.Readings, in.Events = s.Samples, d.Readings, d.Events
	i := c.incident.Step(in)
	out.Incidents, out.Statuses, out.Refused = i.Incidents, i.Statuses, i.Refused
	return out
}

// qualityEvery is how often, in data time, the detectors' record of themselves is
// told: it counts no more often.
const qualityEvery = 15 * time.Minute

func (c *Chain) quality() *faultline.Quality {
	q := c.detect.Quality(c.at)
	return &q
}

// Present is what the chain said last of each service and of itself: what a reader
// misses who comes after UnmarshalBinary.
func (c *Chain) Present() Output {
	return Output{At: c.at, Statuses: c.incident.Statuses(), Quality: c.quality()}
}

// chainState is a snapshot of the rooms. A field's change needs a new version,
// so that an older snapshot is not read as something it is not.
type chainState struct {
	Version                  int
	At                       time.Time
	Series, Detect, Incident []byte
}

const chainStateVersion = 1

// MarshalBinary writes the state of all rooms.
func (c *Chain) MarshalBinary() ([]byte, error) {
	st := chainState{Version: chainStateVersion, At: c.at}
	var err error
	if st.Series, err = c.series.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("snapshot series: %w", err)
	}
	if st.Detect, err = c.detect.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("snapshot detect: %w", err)
	}
	if st.Incident, err = c.incident.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("snapshot incident: %w", err)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(st); err != nil {
		return nil, fmt.Errorf("snapshot chain: %w", err)
	}
	return b.Bytes(), nil
}

// UnmarshalBinary continues where MarshalBinary left off.
func (c *Chain) UnmarshalBinary(b []byte) error {
	var st chainState
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&st); err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	if st.Version != chainStateVersion {
		return fmt.Errorf("read snapshot: version %d, want %d", st.Version, chainStateVersion)
	}
	if err := c.series.UnmarshalBinary(st.Series); err != nil {
		return fmt.Errorf("restore series: %w", err)
	}
	if err := c.detect.UnmarshalBinary(st.Detect); err != nil {
		return fmt.Errorf("restore detect: %w", err)
	}
	if err := c.incident.UnmarshalBinary(st.Incident); err != nil {
		return fmt.Errorf("restore incident: %w", err)
	}
	c.at = st.At
	return nil
}
