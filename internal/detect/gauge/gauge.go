// Package gauge finds values that leave their usual range: latencies, loads,
// shares. It is simple on purpose; counts have a detector of their own.
//
// In: the samples of one series in time order. Out: a Reading a bin, and
// revisions of at most one open Event, of kind surge or drop.
//
// What is usual is a level (exponentially weighted, a day) plus an offset by
// hour of day; the spread is the exponentially weighted mean of squared
// deviations, each cut at three spreads so that one outlier does not hide the
// next (Huber, "Robust Statistics", 1981, §1). The newest bin and the mean of
// the last fifteen minutes are compared with it; the larger of both, as a
// normal tail stretched by the series' own quiet time, is −log10 p. After an
// event nothing opens for a day unless it is four decades stronger: without
// such a hold-down a changed level is told again and again.
//
// It promises what every detector does (package detector). Later revisions of
// a sample are not taken. It does not know weekends, trends or shapes.
package gauge

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/kind"
)

// By is the name and version that events carry.
const By = "gauge/1"

// Config is the detector's settings.
type Config struct {
	Odd  float64 `yaml:"odd_log_p"`
	Open float64 `yaml:"open_log_p"`
	// Share takes values as shares of 1: they are compared after the arc sine
	// of their square root, which evens out their spread (Anscombe 1948).
	Share bool `yaml:"share"`
}

// Defaults are the levels of the state table: odd at 1e-4, an event at 1e-6.
func Defaults() Config { return Config{Odd: 4, Open: 6} }

// Kind is the detector as a part that the binary may be built with.
var Kind = kind.Of("gauge", "Finds values that leave their usual range.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

const (
	rate      = 16        // bins of the short mean, at most
	cut       = 3         // spreads at which a deviation is cut
	slope     = 2.0       // tails of gauges before they have shown their own
	warm      = 50        // bins before anything is said
	inside    = 2.0       // spreads within which a bin is back in its band
	quiet     = 6         // such bins in a row close an event
	longest   = 2 * 86400 // seconds after which what is has become usual
	hold      = 86400     // seconds, or 150 bins if that is more
	holdBins  = 150
	holdExtra = 4     // decades that break the hold-down
	silence   = 86400 // seconds without a value that close an event, or six bins if that is more
)

// Detector watches one series.
type Detector struct {
	cfg    Config
	series faultline.Series
	st     state
}

// state is of fixed size, so that its bytes are the same on every machine.
type state struct {
	Version          uint16
	Width, Last      int64 // seconds; start of the newest bin
	Bins             int64 // known
	Level, Spread    float64
	Hours            [24]struct{ Offset, N float64 }
	Recent           [rate]float64 // newest deviations in spreads
	Unknown          [rate]bool
	Tail             calibrate.Tail
	Event            episode
	HeldUntil        int64
	HeldLogP         float64
	Frame            uint64
	Partition, Index uint16
	Origin           uint8
}

// episode is the open event. Times are Unix seconds.
type episode struct {
	Way                      int8 // +1 surge, −1 drop, 0 none
	Revision, Quiet          int32
	Opened, Onset, Peak, End int64
	PeakValue, PeakUsual     float64
	Excess, LogP, Told       float64
}

const stateVersion = 1

// New watches a series that nothing is known of.
func New(s faultline.Series, c Config) *Detector {
	return &Detector{cfg: c, series: s, st: state{Version: stateVersion}}
}

// Step takes the next sample. One that is not newer than the newest gives a
// reading whose At is zero.
func (d *Detector) Step(s *faultline.Sample) (faultline.Reading, []faultline.Event) {
	st := &d.st
	start, width := s.Start.Unix(), int64(time.Duration(s.Width)/time.Second)
	if width <= 0 || st.Width != 0 && (width != st.Width || start <= st.Last) {
		return faultline.Reading{}, nil
	}
	if st.Width == 0 {
		st.Width, st.Last = width, start-width
	}
	var ended []faultline.Event
	if st.Event.Way != 0 && start-st.Last > max(silence, quiet*width) {
		ended = d.close("collector_silent")
	}
	for range min((start-st.Last)/width-1, rate) {
		d.shift(0, true)
	}
	st.Last, st.Origin = start, detector.OriginCode(s.Origin)
	st.Partition, st.Frame, st.Index = s.Last.Partition, s.Last.Frame, s.Last.Index
	if s.Complete < 0.5 {
		d.shift(0, true)
		return d.reading(s, 0, d.usual()), ended
	}
	x, usual := d.scale(s.Value), d.usual()
	z := 0.0
	if st.Spread > 0 && st.Bins >= warm {
		z = (x - usual) / math.Sqrt(st.Spread)
	}
	d.shift(z, false)
	logP, way := d.test()
	events := append(ended, d.track(s, way, logP, z, usual)...)
	d.learn(x, usual, z)
	return d.reading(s, logP, usual), events
}

func (d *Detector) scale(x float64) float64 {
	if d.cfg.Share {
		return math.Asin(math.Sqrt(min(max(x, 0), 1)))
	}
	return x
}

// value undoes scale.
func (d *Detector) value(y float64) float64 {
	if d.cfg.Share {
		s := math.Sin(min(max(y, 0), math.Pi/2))
		return s * s
	}
	return y
}

// hour is the hour of day of the newest bin's middle, before 1970 too.
func (d *Detector) hour() int {
	const day = 86400
	return int(((d.st.Last+d.st.Width/2)%day + day) % day / 3600)
}

// usual is what the newest bin is compared with, in the scale of the test.
func (d *Detector) usual() float64 { return d.st.Level + d.st.Hours[d.hour()].Offset }

func (d *Detector) shift(z float64, unknown bool) {
	st := &d.st
	copy(st.Recent[1:], st.Recent[:rate-1])
	copy(st.Unknown[1:], st.Unknown[:rate-1])
	st.Recent[0], st.Unknown[0] = z, unknown
}

// window is how many bins make fifteen minutes.
func (d *Detector) window() int { return int(min(max(900/d.st.Width, 1), rate)) }

// test compares the newest bin and the mean of the last fifteen minutes with
// what is usual. Neighbouring bins move together: the mean of k bins counts as
// √k of them.
func (d *Detector) test() (logP float64, way int8) {
	z, sum, n := d.st.Recent[0], 0.0, 0.0
	for k := range d.window() {
		if !d.st.Unknown[k] {
			sum += d.st.Recent[k]
			n++
		}
	}
	if mean := sum / n * math.Pow(n, 0.25); n > 1 && math.Abs(mean) > math.Abs(z) {
		z = mean
	}
	way = 1
	if z < 0 {
		way = -1
	}
	return tailLogP(math.Abs(z)), way
}

// tailLogP is −log10 of the two-sided normal tail of z; beyond what a float
// holds, of its leading term.
func tailLogP(z float64) float64 {
	if z < 35 {
		return max(0, -math.Log10(math.Erfc(z/math.Sqrt2)))
	}
	return min(z*z/2/math.Ln10+math.Log10(z*math.Sqrt(math.Pi/2)), 1e6)
}

// learn follows level, hour of day and spread. While an event is open the
// level follows at a tenth of its pace.
func (d *Detector) learn(x, usual, z float64) {
	st := &d.st
	st.Bins++
	if st.Bins == 1 {
		st.Level = x
		return
	}
	day := max(86400/float64(st.Width), 20)
	pace := max(1/day, 1/float64(st.Bins))
	if st.Event.Way != 0 {
		pace /= 10
	}
	dev := x - usual
	if limit := cut * math.Sqrt(st.Spread); st.Bins > warm && st.Spread > 0 && math.Abs(dev) > limit {
		dev = math.Copysign(limit, dev)
	}
	st.Level += pace * dev
	if st.Width <= 3600 && st.Event.Way == 0 {
		h := &st.Hours[d.hour()]
		h.N = min(h.N+1, 7*3600/float64(st.Width))
		h.Offset += dev / (h.N + 3600/float64(st.Width))
	}
	floor := 1e-9 + 1e-6*usual*usual // a constant series: a thousandth of its value
	st.Spread = max(st.Spread+max(1/(3*day), 1/float64(st.Bins))*(dev*dev-st.Spread), floor)
	if st.Bins > warm && st.Event.Way == 0 {
		st.Tail.Learn(tailLogP(math.Abs(z)), float64(st.Width), 4*float64(st.Width))
	}
}

// calibrated is −log10 p as it is told: 0 while warming up, and below the level
// of an event while an earlier one holds it down.
func (d *Detector) calibrated(logP float64) float64 {
	st := &d.st
	if st.Bins < warm {
		return 0
	}
	p := st.Tail.Of(logP, slope)
	if st.Event.Way == 0 && st.Last < st.HeldUntil && p < st.HeldLogP+holdExtra {
		p = min(p, d.cfg.Open-0.5)
	}
	return p
}

// track opens, follows and closes the event.
func (d *Detector) track(s *faultline.Sample, way int8, logP, z, usual float64) []faultline.Event {
	st := &d.st
	e := &st.Event
	p, end := d.calibrated(logP), st.Last+st.Width
	if e.Way == 0 {
		if p < d.cfg.Open {
			return nil
		}
		*e = episode{Way: way, Opened: end, Onset: d.onset(way), End: end}
	}
	over := s.Value - d.value(usual)
	e.Excess += over
	e.LogP = max(e.LogP, p)
	if e.Peak == 0 || float64(e.Way)*over > float64(e.Way)*(e.PeakValue-e.PeakUsual) {
		e.Peak, e.PeakValue, e.PeakUsual = st.Last, s.Value, d.value(usual)
	}
	if math.Abs(z) > inside {
		e.Quiet, e.End = 0, end
	} else {
		e.Quiet++
	}
	switch {
	case e.Quiet >= quiet:
		return d.close("")
	case end-e.Opened > longest:
		st.Level += d.scale(s.Value) - usual
		return d.close("lasted_too_long")
	case e.Revision == 0 || e.LogP > e.Told+1 || e.Quiet == 1:
		return []faultline.Event{d.tell()}
	}
	return nil
}

// onset goes back from the newest bin while bins stand out the same way.
func (d *Detector) onset(way int8) int64 {
	k := 0
	for k+1 < rate && !d.st.Unknown[k+1] && float64(way)*d.st.Recent[k+1] > inside {
		k++
	}
	return d.st.Last - int64(k)*d.st.Width
}

func (d *Detector) close(reason string) []faultline.Event {
	st := &d.st
	ev := d.tell()
	ev.State, ev.End, ev.Reason = faultline.EventClosed, detector.Unix(st.Event.End), reason
	st.HeldUntil, st.HeldLogP = st.Last+max(hold, holdBins*st.Width), st.Event.LogP
	st.Event = episode{}
	return []faultline.Event{ev}
}

func (d *Detector) tell() faultline.Event {
	st := &d.st
	e := &st.Event
	e.Revision++
	e.Told = e.LogP
	kind := faultline.Surge
	if e.Way < 0 {
		kind = faultline.Drop
	}
	ev := faultline.Event{
		ID: detector.EventID(By, d.series, kind, d.st.Event.Opened), Revision: int(e.Revision), By: By, Series: d.series, Kind: kind, State: faultline.EventOpen,
		Opened: detector.Unix(e.Opened), At: detector.Unix(st.Last + st.Width), Onset: detector.Unix(e.Onset), OnsetLow: detector.Unix(e.Onset), OnsetHigh: detector.Unix(e.Onset),
		Peak: detector.Unix(e.Peak), PeakValue: faultline.Round(e.PeakValue, 6), PeakUsual: faultline.Round(e.PeakUsual, 6),
		PeakWidth: faultline.Seconds(time.Duration(st.Width) * time.Second), Excess: faultline.Round(e.Excess, 6),
		LogP: faultline.Round(e.LogP, 2), Origin: detector.OriginOf(st.Origin),
	}
	if e.Quiet > 0 {
		ev.Recovered = detector.Unix(e.End)
	}
	if st.Frame != 0 {
		ev.Because = []faultline.Position{{Partition: st.Partition, Frame: st.Frame, Index: st.Index}}
	}
	return ev
}

func (d *Detector) reading(s *faultline.Sample, logP, usual float64) faultline.Reading {
	st := &d.st
	half := 1.645 * math.Sqrt(st.Spread)
	r := faultline.Reading{
		Series: d.series, At: detector.Unix(st.Last + st.Width), Value: faultline.Round(s.Value, 6), Expected: faultline.Round(d.value(usual), 6),
		Low: faultline.Round(d.value(usual-half), 6), High: faultline.Round(d.value(usual+half), 6), Width: s.Width,
		LogP: faultline.Round(d.calibrated(logP), 2), Age: faultline.Seconds(time.Duration(st.Bins*st.Width) * time.Second),
		Verdict: faultline.Usual, Mix: s.Mix, Origin: s.Origin,
	}
	switch {
	case s.Complete < 0.5:
		r.LogP, r.Verdict, r.Reason = 0, faultline.CannotTell, "collector_silent"
	case st.Bins < warm:
		r.Verdict, r.Reason = faultline.CannotTell, "young_baseline"
	case st.Event.Way > 0:
		r.Verdict = faultline.Surging
	case st.Event.Way < 0:
		r.Verdict = faultline.Dropping
	case r.LogP >= d.cfg.Odd:
		r.Verdict = faultline.Odd
	}
	return r
}

// MarshalBinary writes the state, little endian.
func (d *Detector) MarshalBinary() ([]byte, error) {
	b, err := binary.Append(nil, binary.LittleEndian, &d.st)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	return b, nil
}

// UnmarshalBinary continues where MarshalBinary left off.
func (d *Detector) UnmarshalBinary(b []byte) error {
	var st state
	if want := binary.Size(&st); len(b) != want {
		return fmt.Errorf("restore %s: %d bytes of state, want %d", d.series, len(b), want)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, &st); err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("restore %s: state of version %d, want %d", d.series, st.Version, stateVersion)
	}
	d.st = st
	return nil
}
