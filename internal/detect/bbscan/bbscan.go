// Package bbscan finds drops and surges in shares of which the numbers are known:
// k successes of n that were tried.
//
// In: the samples of one series in time order; Value is k and N is n. Out: for each
// bin a Reading, whose values are shares from 0 to 1 over 15 minutes, and revisions
// of at most one open Event, of kind drop or surge. An event's excess is in tries:
// successes above usual, negative below.
//
// The method: the usual share has a level and an offset by hour of day, both on the
// scale of the logarithm of the odds, followed by a dynamic binomial model (West,
// Harrison and Migon, "Dynamic generalized linear models and Bayesian forecasting",
// JASA 80, 1985); windows of 5 to 120 minutes that end now, each tested against the
// beta-binomial tail with a dispersion learnt for its length, in both directions;
// the best of them, calibrated by how far the series' own quiet time strays; an
// event machine that finds onset, peak and end apart from the test.
//
// It promises what every detector does (package detector), and: bins that are
// unknown (nobody listened, nothing was tried, the vantage was impaired, the service
// refused to answer us) are left out and never count as zero of zero; a later
// revision of a bin replaces it while it is in the ring; a quiet step allocates
// nothing; nothing is said in the first day.
//
// It does not know weekends, compare series, or say that a service is down.
package bbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/windows"
	"faultline/internal/kind"
)

// By is the name and version that events carry.
const By = "bbscan/1"

// Config is the detector's settings. LogP values are −log10 of a calibrated tail
// probability of both directions together.
type Config struct {
	// Odd and Open are the levels at which a reading is odd and an event opens.
	Odd  float64 `yaml:"odd_log_p"`
	Open float64 `yaml:"open_log_p"`
	// Excess is the least number of tries, and Change the least part of all of them (0
	// to 1), by which the window of an event differs from usual.
	Excess float64 `yaml:"min_excess"`
	Change float64 `yaml:"min_change"`
}

// Defaults are odd at 1e-4 and an event at 1e-6 that three tries stand behind, and one
// of two thousand: of very many tries what is certain may still matter to nobody.
func Defaults() Config { return Config{Odd: 4, Open: 6, Excess: 3, Change: 0.0005} }

// Kind is the scan as a part that the binary may be built with.
var Kind = kind.Of("bbscan", "Scans successes of n tries for drops and surges of their share.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

// tick is the unit of weights over time: a bin of five minutes weighs one.
const tick = 300 // seconds

// Ages of what is usual, in ticks; with wide bins, youngBins of them.
const (
	youngTicks   = 86400 / tick // nothing is said before
	youngBins    = 12
	settledTicks = 7 * 86400 / tick // the tail of quiet time is learnt from then on
	settledBins  = 50
)

// Freezing: above freezeAt a window is not learnt from, unless more than a quarter of
// the last week was like that: 48 hours at a stretch, after which what is has become
// what is usual.
const (
	freezeAt     = 3.5
	freezeShare  = 0.25
	freezeMemory = 7 * 86400 / tick
)

// Detector watches one series.
type Detector struct {
	cfg    Config
	series faultline.Series
	lay    windows.Layout
	tot    [windows.Most]total
	phis   [windows.Most]float64 // of this step only: kept here so that they are not made anew
	ring   []slot
	st     state
}

// state is everything that a snapshot keeps beside the ring: fixed size, so that
// its bytes are the same on every machine.
type state struct {
	Version  uint16
	Width    int64   // of a bin, seconds; 0 before the first sample
	Last     int64   // start of the newest bin, Unix seconds
	Head     int32   // its place in the ring
	Known    float64 // ticks that are known
	Frozen   float64 // share of the last week that was abnormal
	Doubt    float64 // variance of what is thought usual of the newest bin
	Accept   bool    // an operator called the present level usual
	AcceptAt int64
	Usual    usual
	Phi      dispersion
	Up, Down calibrate.Tail
	Ev       episode
	Origin   uint8
	Because  place
}

// place is a faultline.Position of fixed size.
type place struct {
	Partition uint16
	Frame     uint64
	Index     uint16
}

// New watches a series that nothing is known of.
func New(s faultline.Series, c Config) *Detector {
	return &Detector{cfg: c, series: s, st: state{Version: stateVersion, Usual: newUsual()}}
}

// Accept makes the present level the usual one, as an operator decided. It takes
// effect with the next bin.
func (d *Detector) Accept(at time.Time) { d.st.Accept, d.st.AcceptAt = true, at.Unix() }

// ticks is the width of a bin in ticks; weight is the same, of which an hour is the
// most: a day is one number.
func (d *Detector) ticks() float64  { return float64(d.st.Width) / tick }
func (d *Detector) weight() float64 { return min(d.ticks(), 3600/tick) }

// young and settled are ages of what is usual.
func (d *Detector) young() bool   { return d.st.Known < max(youngTicks, youngBins*d.ticks()) }
func (d *Detector) settled() bool { return d.st.Known > max(settledTicks, settledBins*d.ticks()) }

// Step takes the next sample of the series and says what it makes of the newest
// bin. A sample that is known already, or older than the ring, changes nothing: the
// reading's At is zero then.
func (d *Detector) Step(s *faultline.Sample) (faultline.Reading, []faultline.Event) {
	r := result{}
	if r.Late = d.st.Width != 0 && d.back(s) >= 0; r.Late {
		if !d.correct(d.back(s), s) {
			return faultline.Reading{}, nil
		}
	} else if !d.place(s) {
		return faultline.Reading{}, nil
	}
	var events []faultline.Event
	if d.st.Accept && d.st.Last+d.st.Width >= d.st.AcceptAt {
		events = d.accept("new_normal")
	}
	look(&d.lay, d.ring, int(d.st.Head), &d.tot)
	d.test(&r)
	events = append(events, d.track(&r)...)
	return d.reading(s, &r), events
}

// back is how many bins before the newest one the sample lies; negative: after.
func (d *Detector) back(s *faultline.Sample) int {
	return int(math.Round(float64(d.st.Last-s.Start.Unix()) / float64(d.st.Width)))
}

// place puts a new bin into the ring and says whether it could.
func (d *Detector) place(s *faultline.Sample) bool {
	start, width := s.Start.Unix(), int64(time.Duration(s.Width)/time.Second)
	if width <= 0 || d.st.Width != 0 && width != d.st.Width {
		return false
	}
	if d.st.Width == 0 {
		d.begin(start, width)
	}
	d.skip(int64(-d.back(s)), start)
	d.push(d.slotOf(s))
	d.remember(s)
	if d.at(0).Flags&unknown == 0 {
		d.st.Known += d.ticks()
	}
	return true
}

func (d *Detector) begin(start, width int64) {
	d.st.Width, d.st.Last = width, start-width
	d.lay = windows.Of(width)
	d.ring = make([]slot, d.lay.Ring)
	for k := range d.ring {
		d.at(k).Flags = unknown
	}
}

// skip lets the time to a new bin pass; bins without a sample are unknown. What is
// usual has learnt by then what it will know of the new bin.
func (d *Detector) skip(ahead, start int64) {
	for k := int64(1); k < ahead && k <= int64(len(d.ring)); k++ {
		d.push(slot{Flags: unknown})
	}
	d.st.Last = start
	d.st.Usual.pass(float64(ahead) * d.weight() * tick / 86400)
	d.learn()
}

// learn teaches what is usual the bin that is half an hour old by now, unless it
// turned out to be part of something unusual.
func (d *Detector) learn() {
	if d.lay.Lag+1 >= len(d.ring) {
		return
	}
	o := d.at(d.lay.Lag)
	if o.Flags&(unknown|abnormal) != 0 {
		return
	}
	d.st.Usual.learn(d.middle(d.lay.Lag+1), d.wide(), o.K, o.K+o.F, d.phiBin())
}

// wide says that bins are longer than an hour: hours of day mean nothing to them.
func (d *Detector) wide() bool { return d.st.Width > 3600 }

// middle is the moment in the middle of the bin that is back bins old.
func (d *Detector) middle(back int) int64 { return d.st.Last + d.st.Width/2 - int64(back)*d.st.Width }

// correct replaces a bin of the ring by a later revision of it, with the share that
// was usual in it. What was learnt from it is not unlearnt.
func (d *Detector) correct(back int, s *faultline.Sample) bool {
	if back >= len(d.ring) || int64(time.Duration(s.Width)/time.Second) != d.st.Width {
		return false
	}
	o := d.at(back)
	if s.Revision <= int(o.Revision) {
		return false
	}
	fresh := d.slotOf(s)
	if o.Share > 0 { // a bin that was missing has nothing that was usual then
		fresh.Share, fresh.Rest = o.Share, o.Rest
	}
	fresh.Flags |= o.Flags &^ unknown
	if e := &d.st.Ev; e.Kind != 0 && d.st.Last-int64(back)*d.st.Width >= e.Onset && o.Flags&unknown == 0 {
		e.Excess += fresh.over() - o.over()
	}
	*o = fresh
	d.remember(s)
	return true
}

func (d *Detector) remember(s *faultline.Sample) {
	d.st.Origin = detector.OriginCode(s.Origin)
	if s.Last.After(faultline.Position(d.st.Because)) || s.Last.Partition != d.st.Because.Partition {
		d.st.Because = place(s.Last)
	}
}
