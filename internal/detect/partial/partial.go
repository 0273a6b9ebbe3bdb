// Package partial judges the checks of one target from one vantage point in two
// ways: failures in a row (package reach), and checks that fail now and then.
//
// In: what reach takes. Out: what reach gives, and beside it revisions of at most one
// open Event of kind drop: the share of checks that reach the service fell below what
// is usual from here. Its values are shares, and its excess is in checks.
//
// For that it adds up checks in bins of five minutes, or as long as the interval of
// the first check if that is more, because while something is wrong checks come more
// often; a bin is closed by the first check after it, and package bbscan judges it. A
// failure counts when its second attempt failed too. A check that does not count for
// reach does not count here, and nor does one while failures in a row have an event
// open: that says it all.
//
// It promises what every detector does. It says nothing about failures in its first
// day, and never that a service is down. An operator's new normal changes nothing:
// checks that fail are not a matter of habit, though what lasts for 48 hours is taken
// as usual.
package partial

import (
	"encoding/binary"
	"fmt"
	"time"

	"faultline"
	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/reach"
	"faultline/internal/kind"
)

// Config is the settings of both ways.
type Config struct {
	Reach reach.Config  `yaml:"in_a_row"`
	Scan  bbscan.Config `yaml:"now_and_then"`
}

// Defaults are those of both.
func Defaults() Config { return Config{Reach: reach.Defaults(), Scan: bbscan.Defaults()} }

// Kind is the detector as a part that the binary may be built with.
var Kind = kind.Of("partial", "Counts failed checks in a row, and finds checks that fail now and then.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

// Detector watches one target from one vantage point.
type Detector struct {
	series faultline.Series
	reach  *reach.Detector
	scan   *bbscan.Detector
	st     state
}

// state is the bin that fills; of fixed size.
type state struct {
	Version   uint16
	Width     int64 // of a bin, seconds; 0 before the first check
	Start     int64 // of the bin, Unix seconds
	K, N      float64
	Newest    int64 // start of the newest check, Unix nanoseconds: its second attempt may still come
	Counted   bool  // whether it is in N, and in K
	Reached   bool
	Origin    uint8
	Partition uint16
	Frame     uint64
	Index     uint16
}

const (
	stateVersion = 1
	leastWidth   = 300 // seconds of a bin
)

// New watches a series that nothing is known of.
func New(s faultline.Series, c Config) *Detector {
	return &Detector{series: s, reach: reach.New(s, c.Reach), scan: bbscan.New(s, c.Scan), st: state{Version: stateVersion}}
}

// Step takes a check or the second attempt of the newest one.
func (d *Detector) Step(s *faultline.Sample) (faultline.Reading, []faultline.Event) {
	reading, events := d.reach.Step(s)
	if reading.At.IsZero() {
		return reading, events
	}
	if ended := d.enter(s); ended != nil {
		_, found := d.scan.Step(ended)
		for i := range found {
			if found[i].Kind == faultline.Drop {
				events = append(events, found[i])
			}
		}
	}
	d.count(s)
	return reading, events
}

// enter goes to the bin of a check and gives the one that it ends, if any.
func (d *Detector) enter(s *faultline.Sample) (ended *faultline.Sample) {
	st := &d.st
	began := st.Width != 0
	if !began {
		st.Width = max(leastWidth, int64(time.Duration(s.Width)/time.Second))
	}
	start := s.Start.Unix() - mod(s.Start.Unix(), st.Width)
	if began && start <= st.Start {
		return nil
	}
	if began {
		ended = d.bin()
	}
	st.Start, st.K, st.N, st.Counted = start, 0, 0, false
	return ended
}

func mod(a, n int64) int64 { return ((a % n) + n) % n }

// bin is the bin that fills. One in which no check counted is unknown, since N is 0.
func (d *Detector) bin() *faultline.Sample {
	st := &d.st
	return &faultline.Sample{
		Series: d.series, Start: detector.Unix(st.Start), Width: faultline.Seconds(time.Duration(st.Width) * time.Second),
		Value: st.K, N: st.N, Complete: 1, Revision: 1, Origin: detector.OriginOf(st.Origin),
		Last: faultline.Position{Partition: st.Partition, Frame: st.Frame, Index: st.Index},
	}
}

// count puts a check into its bin; a second attempt replaces the first.
func (d *Detector) count(s *faultline.Sample) {
	st := &d.st
	if at := s.Start.UnixNano(); at != st.Newest {
		st.Newest = at
	} else if st.Counted {
		st.N--
		if st.Reached {
			st.K--
		}
	}
	st.Reached = s.Value > 0
	st.Counted = detector.Unheard(s) == "" && (st.Reached || s.Confirmed) && !d.reach.Failing()
	if st.Counted {
		st.N++
		if st.Reached {
			st.K++
		}
	}
	st.Origin = detector.OriginCode(s.Origin)
	st.Partition, st.Frame, st.Index = s.Last.Partition, s.Last.Frame, s.Last.Index
}

// MarshalBinary writes the bin that fills and both detectors, each behind its length.
func (d *Detector) MarshalBinary() ([]byte, error) {
	b, err := binary.Append(nil, binary.LittleEndian, &d.st)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	for _, part := range []detector.Detector{d.reach, d.scan} {
		body, err := part.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(body))), body...)
	}
	return b, nil
}

// UnmarshalBinary continues where MarshalBinary left off.
func (d *Detector) UnmarshalBinary(b []byte) error {
	var st state
	n, err := binary.Decode(b, binary.LittleEndian, &st)
	if err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("restore %s: state of version %d, want %d", d.series, st.Version, stateVersion)
	}
	b = b[n:]
	for _, part := range []detector.Detector{d.reach, d.scan} {
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return fmt.Errorf("restore %s: the state is cut short", d.series)
		}
		n := binary.LittleEndian.Uint32(b)
		if err := part.UnmarshalBinary(b[4 : 4+n]); err != nil {
			return err
		}
		b = b[4+n:]
	}
	if len(b) != 0 {
		return fmt.Errorf("restore %s: %d bytes too many", d.series, len(b))
	}
	d.st = st
	return nil
}
