// Package detect is the room that tells the unusual from the usual.
//
// In: samples of many series, in the order in which the series room closed
// them (per bin sorted by series, wide before narrow); a bin may come again
// with a higher revision when late data changed it. Out: a Reading for each
// sample that changed something, and revisions of Events.
//
// It promises: the same samples give the same output, byte for byte; a sample
// seen twice changes nothing; what is not known is cannot_tell and never
// fine. Each series has a detector of its own, made by the kind that is
// configured for its metric; narrow series lean on the season of the next
// wider one. The room is pure: no clock, no file, no goroutine, and the order
// of its maps is never seen.
//
// It does not: compare vantage points, join series to incidents, or say why.
package detect

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"faultline"
	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/gauge"
	"faultline/internal/detect/nbscan"
	"faultline/internal/detect/partial"
	"faultline/internal/detect/reach"
)

// Kinds are the detectors that this version has.
func Kinds() detector.Table {
	return detector.Table{bbscan.Kind, gauge.Kind, nbscan.Kind, partial.Kind, reach.Kind}
}

// Config says which factory watches the series of which metric. The zero
// Config means the defaults: nbscan for reports, partial for checks: failures
// in a row, and now and then.
type Config struct {
	Detectors map[faultline.Metric]detector.Factory
}

// Output is what a step led to.
type Output struct {
	Readings []faultline.Reading
	Events   []faultline.Event
}

// Room keeps a detector for each series.
type Room struct {
	factories map[faultline.Metric]detector.Factory
	watched   map[faultline.Series]*watched
	record    calibrate.Record
}

// New makes a room that has seen nothing.
func New(cfg Config) *Room {
	f := cfg.Detectors
	if f == nil {
		f = defaults()
	}
	return &Room{factories: f, watched: map[faultline.Series]*watched{}}
}

func defaults() map[faultline.Metric]detector.Factory {
	scan, checks := nbscan.Defaults(), partial.Defaults()
	return map[faultline.Metric]detector.Factory{
		faultline.MetricReports: func(s faultline.Series) detector.Detector { return nbscan.New(s, scan) },
		faultline.MetricReach:   func(s faultline.Series) detector.Detector { return partial.New(s, checks) },
	}
}

// Step takes samples in their order. Samples of a metric that nobody watches
// lead to nothing.
func (r *Room) Step(samples []faultline.Sample) Output {
	var out Output
	for i := range samples {
		d := r.of(samples[i].Series)
		if d == nil {
			continue
		}
		reading, events := d.Step(&samples[i])
		if !reading.At.IsZero() {
			r.count(d, &reading)
			out.Readings = append(out.Readings, reading)
		}
		out.Events = append(out.Events, events...)
	}
	return out
}

// Accept makes the present level of all series of a service its usual one, as
// an operator decided at a moment. Events that are open close with the reason
// new_normal at the next sample of their series.
func (r *Room) Accept(service faultline.ServiceID, at time.Time) {
	for s, d := range r.watched {
		if a, ok := d.Detector.(detector.Accepter); ok && s.Service == service {
			a.Accept(at)
		}
	}
}

// of is the detector of a series; nil if nobody watches its metric.
func (r *Room) of(s faultline.Series) *watched {
	if d := r.watched[s]; d != nil {
		return d
	}
	make := r.factories[s.Metric]
	if make == nil {
		return nil
	}
	d := &watched{Detector: make(s)}
	r.watched[s] = d
	r.lean(s, d.Detector)
	return d
}

// lean lets a detector use the season of the next wider series.
func (r *Room) lean(s faultline.Series, d detector.Detector) {
	child, ok := d.(detector.Shaper)
	if !ok || s.Parent() == s {
		return
	}
	if parent, ok := r.of(s.Parent()).Detector.(detector.Shaper); ok {
		child.Under(parent)
	}
}

// Series lists what is watched, wide before narrow.
func (r *Room) Series() []faultline.Series {
	all := make([]faultline.Series, 0, len(r.watched))
	for s := range r.watched {
		all = append(all, s)
	}
	slices.SortFunc(all, order)
	return all
}

func order(a, b faultline.Series) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Level, b.Level),
		cmp.Compare(a.Country, b.Country), cmp.Compare(a.ASN, b.ASN), cmp.Compare(a.Vantage, b.Vantage), cmp.Compare(a.Target, b.Target),
		cmp.Compare(a.Symptom, b.Symptom), cmp.Compare(a.Surface, b.Surface))
}

const snapshotVersion = 2

// MarshalBinary writes a version, the room's record of itself, and all detectors,
// wide series first: a count, and for each the series as JSON, what it showed
// lately and the detector's state, each behind its length.
func (r *Room) MarshalBinary() ([]byte, error) {
	all := r.Series()
	b, err := appendFixed([]byte{snapshotVersion}, &r.record)
	if err != nil {
		return nil, err
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(all)))
	for _, s := range all {
		name, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("snapshot %s: %w", s, err)
		}
		state, err := r.watched[s].MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(name))), name...)
		if b, err = appendFixed(b, &r.watched[s].stretch); err != nil {
			return nil, err
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(state))), state...)
	}
	return b, nil
}

// UnmarshalBinary continues where MarshalBinary left off. On an error the room
// is unchanged.
func (r *Room) UnmarshalBinary(b []byte) error {
	if len(b) < 1 || b[0] != snapshotVersion {
		return fmt.Errorf("restore detect: not a snapshot of version %d: rebuild from the journal", snapshotVersion)
	}
	fresh := &Room{factories: r.factories, watched: map[faultline.Series]*watched{}}
	b, err := readFixed(b[1:], &fresh.record)
	if err != nil {
		return err
	}
	if len(b) < 4 {
		return errShort
	}
	n, b := binary.LittleEndian.Uint32(b), b[4:]
	for range n {
		if b, err = fresh.restore(b); err != nil {
			return err
		}
	}
	if len(b) != 0 {
		return fmt.Errorf("restore detect: %d bytes too many", len(b))
	}
	*r = *fresh
	return nil
}

// restore reads one series, and gives what is behind it.
func (r *Room) restore(b []byte) (rest []byte, err error) {
	name, b, err := part(b)
	if err != nil {
		return nil, err
	}
	var s faultline.Series
	if err := json.Unmarshal(name, &s); err != nil {
		return nil, fmt.Errorf("restore detect: series: %w", err)
	}
	d := r.of(s)
	if d == nil {
		return nil, fmt.Errorf("restore %s: no detector is configured for its metric", s)
	}
	if b, err = readFixed(b, &d.stretch); err != nil {
		return nil, err
	}
	state, rest, err := part(b)
	if err != nil {
		return nil, err
	}
	return rest, d.UnmarshalBinary(state)
}

var errShort = errors.New("restore detect: the snapshot is cut short")

// part cuts a piece behind its length off b.
func part(b []byte) (piece, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	n := binary.LittleEndian.Uint32(b)
	return b[4 : 4+n], b[4+n:], nil
}
