// Package nbscan finds surges and drops in counts: reports per minute, rows of
// a file, any bin width.
//
// In: the samples of one series in time order. Out: for each bin a Reading
// (seen, usual, how surprising) and revisions of at most one open Event.
//
// The method: a negative binomial baseline by hour of week with a slowly
// moving level; windows of 5 to 120 minutes that end now, each tested against
// the negative binomial tail with a dispersion learnt for its length; the
// best of them, calibrated by how far the series' own quiet time strays; an
// event machine that finds onset, peak and end apart from the test. The scan
// over windows follows Naus, "The distribution of the size of the maximum
// cluster of points on a line", JASA 60 (1965), with the counts' law widened
// as in Farrington et al., JRSS A 159 (1996).
//
// It promises: the same samples give the same output; a sample seen twice
// changes nothing; bins in which nobody listened are left out and never count
// as zero; a snapshot continues bit-identically; steady state allocates only
// when an event has a revision.
//
// It does not: know why, combine series, or say that a service is down.
package nbscan

import (
	"math"
	"time"

	"faultline"
	"faultline/internal/calendar"
	"faultline/internal/detect/calibrate"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/windows"
	"faultline/internal/kind"
)

// By is the name and version that events carry.
const By = "nbscan/1"

// Config is the detector's settings. LogP values are −log10 of a calibrated
// tail probability.
type Config struct {
	// Odd and Open are the levels at which a reading is odd and an event opens.
	Odd  float64 `yaml:"odd_log_p"`
	Open float64 `yaml:"open_log_p"`
	// Reporters and Networks must stand behind an odd reading and an event;
	// Networks only behind an event. YoungReporters replaces Reporters while
	// the baseline is younger than three days.
	Reporters      int `yaml:"min_reporters"`
	Networks       int `yaml:"min_networks"`
	YoungReporters int `yaml:"young_min_reporters"`
	// Excess is the least number of counts above usual in a window.
	Excess float64 `yaml:"min_excess"`
	// Anonymous is for series whose samples name no reporters and networks, as
	// in files: only Excess counts then, and nothing opens in the first day.
	Anonymous bool `yaml:"-"`
	// Place is where the people are, for series that name no country: their hours
	// are those of its clock, and its public holidays are looked up. Nil: not known.
	Place *calendar.Place `yaml:"-"`
}

// Defaults are the levels of the state table: odd at 1e-4 with five reporters,
// an event at 1e-6 with five of three networks.
func Defaults() Config {
	return Config{Odd: 4, Open: 6, Reporters: 5, Networks: 3, YoungReporters: 20, Excess: 3}
}

// Kind is the scan as a part that the binary may be built with.
var Kind = kind.Of("nbscan", "Scans counts for surges and drops against their hour of week.", Defaults(),
	func(_ detector.Deps, c Config) (detector.Factory, error) {
		return func(s faultline.Series) detector.Detector { return New(s, c) }, nil
	})

// Ages of a baseline, in ticks.
const (
	youngTicks  = 3 * 86400 / tick  // until then only the absolute rule opens events
	blindTicks  = 86400 / tick      // an anonymous series says nothing before
	seasonTicks = 14 * 86400 / tick // hour of week is believed, clocks are watched
)

// Freezing: above freezeAt a window is not learnt from, unless more than a
// quarter of the last week was like that: 48 hours at a stretch, after which
// what is has become what is usual.
const (
	freezeAt     = 3.5
	freezeShare  = 0.25
	freezeMemory = 7 * 86400 / tick
)

// Drops are tested only where at least so many counts were expected, and against
// what is left on a holiday or with changed habits: that share of usual.
const (
	dropExpected = 8
	dropShare    = 0.6
)

// Detector watches one series.
type Detector struct {
	cfg    Config
	series faultline.Series
	parent detector.Shaper // the next wider series, or nil
	wall   wall
	lay    layout
	tot    [windows.Most]total
	tried  [windows.Most]tried // by the newest test; see working.go
	why    *work               // of the open event
	ring   []slot
	st     state
}

// state is everything that a snapshot keeps beside the ring: fixed size, so
// that its bytes are the same on every machine.
type state struct {
	Version  uint16
	Width    int64   // of a bin, seconds; 0 before the first sample
	Last     int64   // start of the newest bin, Unix seconds
	Head     int32   // its place in the ring
	Known    float64 // ticks in which somebody listened
	Zeros    int64   // bins in a row that hold nothing, of a series without heartbeats
	ZerosMu  float64 // and what was expected in them
	Frozen   float64 // share of the last week that was abnormal
	Accept   bool    // an operator called the present level usual
	AcceptAt int64
	Base     baseline
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
	return &Detector{cfg: c, series: s, wall: wallOf(s, &c), st: state{Version: stateVersion, Base: newBaseline()}}
}

// Under gives the detector the next wider series: its own hours are shrunk to
// that season while it has seen little itself, and where that series was
// listened to before this one began, this one's counts were zero.
func (d *Detector) Under(parent detector.Shaper) { d.parent = parent }

// Listened says whether the bin that holds the moment is in the ring and known.
func (d *Detector) Listened(at time.Time) bool {
	back := d.st.Last + d.st.Width - 1 - at.Unix()
	if d.st.Width == 0 || back < 0 || back/d.st.Width >= int64(len(d.ring)) {
		return false
	}
	return d.at(int(back/d.st.Width)).Flags&unknown == 0
}

// Shape is the season at a moment relative to its mean: 1 is average. It is 0
// while less than three days are known.
func (d *Detector) Shape(at time.Time) float64 {
	b := &d.st.Base
	if d.young() || b.Total.Sum < 50 {
		return 0
	}
	return b.mean(hourOf(d.wall.local(at.Unix())), d.phiTick(), nil) * b.Total.N / b.Total.Sum
}

// Accept makes the present level the usual one, as an operator decided. It
// takes effect with the next bin.
func (d *Detector) Accept(at time.Time) { d.st.Accept, d.st.AcceptAt = true, at.Unix() }

// ticks is the width of a bin in ticks.
func (d *Detector) ticks() float64 { return float64(d.st.Width) / tick }

// weight is by how many ticks a bin counts where something is learnt over time. A
// bin wider than an hour counts as an hour: a week of reports is one number.
func (d *Detector) weight() float64 { return min(d.ticks(), ticksInHour) }

// spread is over how many ticks a window of so many bins averages its noise. Days
// and weeks have a noise of their own: less than a tick, so that √φ of a wide bin
// is assumed to be half of what it counts until it has shown its own.
func (d *Detector) spread(bins int) float64 {
	if d.ticks() > ticksInHour {
		return float64(bins) / 9
	}
	return float64(bins) * d.ticks()
}

// young, blind and settled are ages of the baseline: a time, and with wide bins
// so many of them.
func (d *Detector) young() bool   { return d.st.Known < max(youngTicks, 12*d.ticks()) }
func (d *Detector) blind() bool   { return d.st.Known < max(blindTicks, 6*d.ticks()) }
func (d *Detector) settled() bool { return d.st.Known > max(settledTicks, 50*d.ticks()) }

// phiBin and phiTick are the dispersions of a bin and of a tick.
func (d *Detector) phiBin() float64 {
	return d.st.Phi.of(0, d.spread(d.lay.Bins[0])) * float64(d.lay.Bins[0])
}

func (d *Detector) phiTick() float64 { return d.phiBin() * d.ticks() }

// Step takes the next sample of the series and says what it makes of the
// newest bin. A sample that is known already, or older than the ring, changes
// nothing: the reading's At is zero then.
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

// place puts a new bin into the ring and says whether it could. The baseline
// has learnt by then what it will know of this bin.
func (d *Detector) place(s *faultline.Sample) bool {
	start, width := s.Start.Unix(), int64(time.Duration(s.Width)/time.Second)
	if width <= 0 {
		return false
	}
	if d.st.Width == 0 {
		d.begin(start, width)
	}
	if width != d.st.Width {
		return false
	}
	d.skip(int64(-d.back(s)), start)
	d.push(d.slotOf(s, d.expect(s.Complete)))
	if d.st.Ev.Kind < 0 {
		d.at(0).least()
	}
	d.remember(s)
	if d.cfg.Anonymous {
		d.mute()
	}
	if s.Complete >= minComplete && d.at(0).Flags&unknown == 0 {
		d.st.Known += d.ticks()
	}
	return true
}

// mute takes a long row of zeros, where much was expected, as a collector that
// fell silent: without heartbeats nobody can tell it from silent people.
func (d *Detector) mute() {
	o := d.at(0)
	if o.X != 0 || o.Flags&unknown != 0 || d.blind() {
		d.st.Zeros, d.st.ZerosMu = 0, 0
		return
	}
	d.st.Zeros++
	d.st.ZerosMu += float64(o.Mu)
	if d.st.ZerosMu < dropExpected {
		return
	}
	for k := range min(int(d.st.Zeros), len(d.ring)) {
		d.at(k).Flags |= unknown
	}
}

func (d *Detector) begin(start, width int64) {
	d.st.Width, d.st.Last = width, start-width
	d.lay = layoutOf(width)
	d.ring = make([]slot, d.lay.Ring)
	for k := range d.ring {
		d.at(k).Flags = unknown
		if d.parent != nil && d.parent.Listened(detector.Unix(d.middle(k))) {
			d.at(k).Flags = 0
			d.st.Base.Total.N += d.ticks()
		}
	}
	d.refresh(0)
	for k := range d.ring {
		if s := d.at(k); s.Flags == 0 {
			s.Mu = d.expect(1).Mu
		}
	}
}

// skip lets the time to a new bin pass; bins without a sample are unknown.
func (d *Detector) skip(ahead, start int64) {
	for k := int64(1); k < ahead && k <= int64(len(d.ring)); k++ {
		d.push(slot{Flags: unknown})
	}
	d.st.Last = start
	d.st.Base.pass(float64(ahead) * d.weight())
	d.refresh(0)
	d.learn()
}

// shapeAt adapts the parent's shape to local time. The parent may have another clock.
func (d *Detector) shapeAt(local int64) float64 {
	if d.parent == nil {
		return 0
	}
	return d.parent.Shape(d.wall.utc(local))
}

// middle is the moment in the middle of the bin that is back bins old.
func (d *Detector) middle(back int) int64 { return d.st.Last + d.st.Width/2 - int64(back)*d.st.Width }

// leastMean is the least count that is expected in a bin.
const leastMean = 1e-4

// expected is what is usual in a bin: the fields of a slot.
type expected struct {
	Mu    float32
	Less  uint8
	Flags uint8
}

// expect is the most and the least that may be usual in the newest bin if somebody
// listened for a share of it.
func (d *Detector) expect(complete float64) expected {
	b := &d.st.Base
	per := math.Exp(b.Level) * d.ticks() * min(complete, 1)
	today := d.special()
	if today == 0 {
		return expected{Mu: float32(max(leastMean, b.Now.season(d.local(0), d.st.Width, 0)*per))}
	}
	least, most := d.usual(today)
	less := uint8(min(lessUnit*(1-least/most), math.MaxUint8))
	return expected{Mu: float32(max(leastMean, most*per)), Less: less, Flags: special}
}

// minComplete is the share of a bin in which somebody must have listened.
const minComplete = 0.5

// slotOf makes a slot of a sample where so much is usual. What was hardly
// listened to is unknown, unless even so more was heard than a whole bin usually
// holds: then it counts as a whole bin, upwards, and is not learnt from.
func (d *Detector) slotOf(s *faultline.Sample, usual expected) slot {
	o := slot{
		X: float32(s.Value), Mu: usual.Mu, Less: usual.Less, Flags: usual.Flags, People: s.ReporterBits, Nets: s.NetworkBits,
		Reporters: clip16(s.Reporters), Networks: clip16(s.Networks), Revision: clip16(s.Revision),
	}
	if s.Complete >= minComplete {
		return o
	}
	whole := d.expect(1).Mu
	if s.Value <= float64(whole) {
		o.Flags |= unknown
		return o
	}
	o.Mu = max(o.Mu, whole)
	o.Flags |= abnormal
	return o
}

func clip16(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

// correct replaces a bin of the ring by a later revision of it. Its expected
// count stays what it was; what the baseline learnt from it is not unlearnt:
// it waits half an hour, and later data are rarer than its noise.
func (d *Detector) correct(back int, s *faultline.Sample) bool {
	if back >= len(d.ring) || int64(time.Duration(s.Width)/time.Second) != d.st.Width {
		return false
	}
	o := d.at(back)
	if s.Revision <= int(o.Revision) {
		return false
	}
	usual := expected{Mu: o.Mu, Less: o.Less, Flags: o.Flags & special}
	if usual.Mu == 0 {
		usual = d.expect(s.Complete)
	}
	fresh := d.slotOf(s, usual)
	fresh.Flags |= o.Flags &^ unknown
	if e := &d.st.Ev; e.Kind != 0 && d.st.Last-int64(back)*d.st.Width >= e.Onset && o.Flags&unknown == 0 {
		e.Excess += float64(e.Kind) * (float64(fresh.X) - float64(o.X))
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

func (d *Detector) push(s slot) {
	d.st.Head++
	if int(d.st.Head) >= len(d.ring) {
		d.st.Head = 0
	}
	d.ring[d.st.Head] = s
}

// at is the bin that is back bins old.
func (d *Detector) at(back int) *slot {
	i := int(d.st.Head) - back
	if i < 0 {
		i += len(d.ring)
	}
	return &d.ring[i]
}

// learn teaches the baseline the bin that is now half an hour old, unless it
// turned out to be part of something unusual. A holiday teaches nothing, not even
// of Sundays: some are like one, and others like no day of the week. The hours of
// a week wait for the next one of theirs.
func (d *Detector) learn() {
	if d.lay.Lag+1 >= len(d.ring) {
		return
	}
	o := d.at(d.lay.Lag)
	if o.Flags&(unknown|special) != 0 {
		return
	}
	b, phi, n := &d.st.Base, d.phiTick(), d.ticks()
	if o.Flags&abnormal != 0 {
		if b.reject(d.local(d.lay.Lag+1), float64(o.X), n) {
			d.refresh(0)
		}
		return
	}
	if int64(d.lay.Lag+1)*d.st.Width > 3600 { // wide bins: not among the hours around now
		d.refresh(d.lay.Lag + 1)
		defer d.refresh(0)
	}
	at := d.local(d.lay.Lag + 1)
	b.learn(at, float64(o.X), n, b.Now.season(at, d.st.Width, 0), phi, d.shapeAt)
	if d.wall.place == nil && d.st.Known > seasonTicks && n <= ticksInHour && b.clock(at, d.st.Width, float64(o.X), n, phi) {
		d.refresh(0)
	}
}
