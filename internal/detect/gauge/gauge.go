// Package gauge finds values that leave what is usual for them: latencies,
// loads, shares, counts of routes. Counts of reports have a detector of their own.
//
// In: the samples of one series in time order. Out: a Reading a bin, and
// revisions of at most one open Event, of kind surge or drop.
//
// Several views (views.go) look at each bin: is it outside the range so far,
// has the level moved or jumped, is there more or less scatter, are the values
// mixed otherwise, did this stretch ever come, did it come at this time on
// other days, does the value stand still. Each says how strange the bin is as
// −log10 p by the empirical tail of its own past (calibrate.Rank); the root of
// the sum of their squares is the evidence. On quiet made-up series a bin opens
// an event no more often than that says (a test holds it to that). What was told
// is no news for 150 bins, unless it grows by a half and a decade: without such
// a hold-down a changed level is told again and again. For a day after an event
// what has less than half of its evidence opens none: it is its wake.
//
// Beside the views runs a plain model of what to expect (band.go): a level plus
// an offset by hour of day, and a spread. It gives onset, peak, end, direction
// and excess of the event, and the band that is drawn.
//
// It promises what every detector does (package detector). Later revisions of
// a sample are not taken. A gap of more than an hour, or twelve bins if that is
// more, is no neighbour to either side. It does not know weekends.
package gauge

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/kind"
)

// By is the name and version that events carry.
const By = "gauge/2"

// Config is the detector's settings.
type Config struct {
	Odd  float64 `yaml:"odd_log_p"`
	Open float64 `yaml:"open_log_p"`
	// Share takes values as shares of 1: they are compared after the arc sine
	// of their square root, which evens out their spread (Anscombe 1948).
	Share bool `yaml:"share"`
}

// Defaults are odd at one of three hundred bins and an event at one of 1,260, by
// name; on quiet series both are reached by about a third of that. Gauges change
// their ways far more often than chance alone does: what is once in a million
// for a model is once in a month for a machine.
func Defaults() Config { return Config{Odd: 2.5, Open: 3.1} }

// Kind is the detector as a part that the binary may be built with.
var Kind = kind.Of("gauge", "Finds values that leave what is usual for them.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

// Detector watches one series.
type Detector struct {
	cfg    Config
	series faultline.Series
	st     state
	table  []entry
	now    bin // of this step only: kept here so that it is not made anew
}

// state is of fixed size, so that its bytes are the same on every machine.
type state struct {
	Version          uint16
	Width, Last      int64 // seconds; start of the newest bin
	Seen             int64 // start of the newest bin that is known
	Bins             int64 // known
	Views            views
	Held             held
	Band             band
	Event            episode
	After            held // the last event, and until when what follows is its wake
	Frame            uint64
	Partition, Index uint16
	Origin           uint8
}

const (
	stateVersion = 3
	gap          = 3600 // seconds without a value, or gapBins, that part what is before from what is after
	gapBins      = 12
)

// New watches a series that nothing is known of.
func New(s faultline.Series, c Config) *Detector {
	d := &Detector{cfg: c, series: s, st: state{Version: stateVersion}}
	d.table = d.st.Views.table()
	return d
}

// Step takes the next sample. One that is not newer than the newest gives a
// reading whose At is zero.
func (d *Detector) Step(s *faultline.Sample) (faultline.Reading, []faultline.Event) {
	st := &d.st
	at, width := s.Start.Unix(), int64(time.Duration(s.Width)/time.Second)
	if width <= 0 || st.Width != 0 && (width != st.Width || at <= st.Last) {
		return faultline.Reading{}, nil
	}
	if st.Width == 0 {
		st.Width, st.Last = width, at-width
	}
	ended := d.pass(at)
	st.Last, st.Origin = at, detector.OriginCode(s.Origin)
	st.Partition, st.Frame, st.Index = s.Last.Partition, s.Last.Frame, s.Last.Index
	if s.Complete < 0.5 {
		st.Band.shift(0, true)
		return d.reading(s, 0, d.usual()), ended
	}
	x, usual := d.scale(s.Value), d.usual()
	z := st.Band.deviation(x-usual, st.Bins)
	st.Band.shift(z, false)
	logP := d.evidence(x)
	events := append(ended, d.track(s, logP, z, usual)...)
	st.Band.learn(x, usual, st)
	return d.reading(s, logP, usual), events
}

// pass goes over the bins between the newest and at, which nobody measured.
func (d *Detector) pass(at int64) []faultline.Event {
	st := &d.st
	dark := at - st.Last - st.Width
	for range min(dark/st.Width, rate) {
		st.Band.shift(0, true)
	}
	if st.Bins > 0 && at-st.Seen > max(gap, gapBins*st.Width) {
		d.rest()
	}
	if st.Event.Way != 0 && dark+st.Width > max(silence, quiet*st.Width) {
		return d.close("collector_silent")
	}
	return nil
}

// rest makes views forget the stretch before a gap.
func (d *Detector) rest() {
	d.st.Views.Last.N = 0
	for _, e := range d.table {
		e.view.rest()
	}
}

// evidence is −log10 p of the newest bin as it is told; 0 while the series is
// young.
func (d *Detector) evidence(x float64) float64 {
	st := &d.st
	st.Seen = st.Last
	st.Views.Last.add(x)
	d.now = bin{at: st.Last, width: st.Width, x: x, known: st.Bins, last: &st.Views.Last}
	logP := d.look(&d.now)
	if d.young() {
		return 0
	}
	return st.Held.tell(logP, st.Last, st.Width)
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

// usual is what the newest bin is compared with, in the scale of the test.
func (d *Detector) usual() float64 { return d.st.Band.usual(d.st.Last + d.st.Width/2) }
