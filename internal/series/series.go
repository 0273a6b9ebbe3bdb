// Package series turns observations into samples: what each series held in
// each minute of event time.
//
// In: the Observations of the journal, in its order. Out: Samples of reports
// when their minute closes, Samples of reachability at once with each check,
// and Cells (raw counts by symptom and surface) when their minute closes.
//
// A minute closes when the newest heartbeat of any collector is a watermark
// past its end. Until then its reports wait; afterwards, for half an hour,
// a late report makes the next revision of the samples it touches; later
// still it is only counted. Samples of reports leave sorted by start, metric,
// service, level, country and ASN, symptom and surface. Every live series gets one
// for each closed minute, zeros included. Complete says how much of the minute the collector
// of reports was awake: an empty minute is a zero only if somebody listened.
// Minutes of a silence longer than [Config.Silence] that hold no report are
// missing, not empty.
//
// Value is an effective count: people, not clicks. A person counts once in ten
// minutes, a network and (in series wider than a country) an autonomous system
// are capped by what is usual for them; see people.go and wide.go. "Works for
// me" is a denominator and never a problem.
//
// The room is a pure function of the observations: no clock, file, goroutine
// or map order. After UnmarshalBinary it continues as if it had never stopped.
// All its tables are bounded. It does not judge: that is the detectors' part.
package series

import (
	"time"

	"faultline"
)

// Config holds the room's settings; a zero field takes its default.
type Config struct {
	// Services whose world-wide series are live before their first report.
	Services []faultline.ServiceID
	// Watermark is how long after a minute's end it closes. More waits for
	// stragglers, and every alarm is later by it. Default 15 s.
	Watermark time.Duration
	// Late is how long after its closing a minute still takes reports, each
	// time as a new revision. Default 30 min.
	Late time.Duration
	// Silence of all collectors beyond which minutes are missing instead of
	// empty, and the longest stretch a single heartbeat can vouch for. Default 2 h.
	Silence time.Duration
	// Idle is how long a country, an ASN, a symptom or a surface stays live without a
	// report. Default 8 days.
	Idle time.Duration

	// A network counts for at most max(NetworkFloor, NetworkTimes × its usual
	// count) in ten minutes. Defaults 3 and 4. NetworkMemory is the time
	// constant of that usual count. Default 24 h.
	NetworkFloor  int
	NetworkTimes  float64
	NetworkMemory time.Duration

	// In the world's series an ASN counts for at most ASNShare of what the
	// others sum to, or for ASNTimes its usual share of the whole, and never
	// for less than ASNFloor in ten minutes. Defaults 0.20, 2 and 10.
	// ASNMemory is the time constant of the usual share. Default 7 days.
	ASNShare  float64
	ASNTimes  float64
	ASNFloor  int
	ASNMemory time.Duration

	MaxSeries    int // countries, ASNs, symptoms and surfaces live per service; default 500
	MaxServices  int // default 10,000
	MaxReporters int // people and networks told apart per service and ten minutes; default 200,000
	MaxNetworks  int // usual counts kept per service; default 200,000
	MaxTargets   int // checks whose second attempt can be matched; default 20,000
	MaxPending   int // minutes with reports that wait or may be revised, per service; default 1,440
}

// withDefaults fills the zero fields.
func (c Config) withDefaults() Config {
	def(&c.Watermark, 15*time.Second)
	def(&c.Late, 30*time.Minute)
	def(&c.Silence, 2*time.Hour)
	def(&c.Idle, 8*24*time.Hour)
	def(&c.NetworkFloor, 3)
	def(&c.NetworkTimes, 4)
	def(&c.NetworkMemory, 24*time.Hour)
	def(&c.ASNShare, 0.20)
	def(&c.ASNTimes, 2)
	def(&c.ASNFloor, 10)
	def(&c.ASNMemory, 7*24*time.Hour)
	def(&c.MaxSeries, 500)
	def(&c.MaxServices, 10_000)
	def(&c.MaxReporters, 200_000)
	def(&c.MaxNetworks, 200_000)
	def(&c.MaxTargets, 20_000)
	def(&c.MaxPending, 1440)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Output is what one observation led to.
type Output struct {
	Samples []faultline.Sample
	// Cells add up: a late report makes another cell for the same minute.
	Cells  []faultline.Cell
	Late   int // reports too late to change a sample
	Folded int // reports whose country, ASN, symptom or surface has no series of its own
	Full   int // reports counted raw or not at all because a table was full
}

// Room holds the state. It is not safe for concurrent use.
type Room struct {
	cfg      Config
	late     int64 // Config.Late in minutes
	services map[faultline.ServiceID]*service
	order    []*service // sorted by id
	hot      *service   // of the last report

	began  bool
	closed bool      // at least one minute was closed
	next   int64     // first minute that is not closed
	newest time.Time // newest heartbeat of any collector
	origin faultline.Origin

	awake    time.Time               // the reports collector vouched up to here
	coverage map[int64]time.Duration // of minutes near next
	recheck  []int64                 // closed minutes whose coverage grew

	checks map[check]attempt
}

// New makes an empty room.
func New(cfg Config) *Room {
	cfg = cfg.withDefaults()
	r := &Room{
		cfg: cfg, late: int64(cfg.Late / time.Minute),
		services: map[faultline.ServiceID]*service{},
		coverage: map[int64]time.Duration{},
		checks:   map[check]attempt{},
	}
	r.Watch(cfg.Services...)
	return r
}

// Watch makes the world-wide series of these services live from the next
// minute on. Services that are live already stay as they are.
func (r *Room) Watch(ids ...faultline.ServiceID) {
	for _, id := range ids {
		r.service(id)
	}
}

// Step takes the next observation of the journal.
func (r *Room) Step(o *faultline.Observation) Output {
	var out Output
	switch p := o.Payload.(type) {
	case *faultline.Report:
		r.report(o, p, &out)
	case *faultline.Measurement:
		out.Samples = []faultline.Sample{r.measure(o, p)}
	case *faultline.Heartbeat:
		r.beat(o, p, &out)
	}
	return out
}

// minuteOf numbers the minutes of event time.
func minuteOf(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= 59
	}
	return s / 60
}

func timeOf(minute int64) time.Time { return time.Unix(minute*60, 0).UTC() }
