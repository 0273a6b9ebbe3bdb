package faultline

import (
	"math/bits"
	"strings"
	"time"
)

// Metric names what a series counts.
type Metric string

// The metrics.
const (
	MetricReports Metric = "reports" // effective problem reports in a bin
	MetricReach   Metric = "reach"   // successful checks of those tried
)

// Level is how wide a series is.
type Level uint8

// The levels, from wide to narrow. A vantage's series hangs beside the tree, and
// so do those of one symptom and of one surface: they are the world's reports cut
// by what fails instead of for whom. Files keep the numbers.
const (
	World Level = iota
	InCountry
	InASN
	AtVantage
	BySymptom
	BySurface
)

// What says whether a series of this level tells what fails, not for whom.
func (l Level) What() bool { return l == BySymptom || l == BySurface }

// Series identifies a sequence of samples. Fields that the level does not use
// are zero, so that a Series can be a map key.
type Series struct {
	Metric  Metric    `json:"metric"`
	Service ServiceID `json:"service"`
	Level   Level     `json:"level"`
	Country Country   `json:"country,omitempty"` // InCountry, InASN, AtVantage
	ASN     ASN       `json:"asn,omitempty"`     // InASN, AtVantage
	Vantage string    `json:"vantage,omitempty"` // AtVantage
	Target  string    `json:"target,omitempty"`  // AtVantage
	Symptom Symptom   `json:"symptom,omitempty"` // BySymptom
	Surface Surface   `json:"surface,omitempty"` // BySurface
}

// String gives "reports/x", "reports/x/GB", "reports/x/GB/AS2856",
// "reports/x/cannot_log_in", "reports/x/app" or "reach/x@local https://x.com/".
func (s Series) String() string {
	var b strings.Builder
	b.WriteString(string(s.Metric) + "/" + string(s.Service))
	switch s.Level {
	case InCountry:
		b.WriteString("/" + string(s.Country))
	case InASN:
		b.WriteString("/" + string(s.Country) + "/" + s.ASN.String())
	case AtVantage:
		b.WriteString("@" + s.Vantage + " " + s.Target)
	case BySymptom:
		b.WriteString("/" + string(s.Symptom))
	case BySurface:
		b.WriteString("/" + string(s.Surface))
	}
	return b.String()
}

// Parent is the next wider series; the world's parent is itself.
func (s Series) Parent() Series {
	switch s.Level {
	case InASN:
		return Series{Metric: s.Metric, Service: s.Service, Level: InCountry, Country: s.Country}
	case InCountry, AtVantage, BySymptom, BySurface:
		return Series{Metric: s.Metric, Service: s.Service, Level: World}
	}
	return s
}

// Sample is what a series held in one bin of event time.
type Sample struct {
	Series Series    `json:"series"`
	Start  time.Time `json:"start"`
	Width  Seconds   `json:"width_s"`
	// Value is what detectors test: effective problem reports, or checks that
	// reached the service. N is what it is of: problem reports after double
	// counting was removed, or checks tried.
	Value float64 `json:"value"`
	N     float64 `json:"n"`
	// For reports: all that came, those that caps took away (Raw−double−Value),
	// "works for me", and how many people and networks stand behind Value.
	Raw        int `json:"raw,omitempty"`
	Discounted int `json:"discounted,omitempty"`
	Works      int `json:"works,omitempty"`
	Reporters  int `json:"reporters,omitempty"`
	Networks   int `json:"networks,omitempty"`
	// Bits bound the people and networks of a longer window from below, where sums
	// of Reporters and Networks bound them from above.
	ReporterBits Bits `json:"-"`
	NetworkBits  Bits `json:"-"`
	// Complete is the share of the bin in which the collector was awake. Below
	// 0.5 a bin is unknown, and unknown is not zero.
	Complete float64 `json:"complete"`
	// For reach: when the check was over (the bin lasts until the next check), the
	// failure that made Value smaller than N, and whether the failure was seen
	// again a second later.
	Taken     time.Time  `json:"taken,omitzero"`
	Failure   Failure    `json:"failure,omitempty"`
	Op        Op         `json:"op,omitempty"` // the step that failed
	Confirmed bool       `json:"second_attempt_failed,omitempty"`
	Impaired  Impairment `json:"impaired,omitempty"`
	Origin    Origin     `json:"origin"`
	Last      Position   `json:"last"`               // the newest observation in it
	Revision  int        `json:"revision,omitempty"` // from 1; late data make the next
	// Mix is set on a service's world-wide bins of reports when there are enough.
	Mix Mix `json:"mix,omitzero"`
}

// Bits is a set of keyed hashes, folded to 64: bit h mod 64 is set for each hash
// h behind a sample's Value. Sets of several samples are joined by |. 0: none is
// known.
type Bits uint64

// Add puts a hash into the set; 0 is no hash.
func (b *Bits) Add(hash uint64) {
	if hash != 0 {
		*b |= 1 << (hash % 64)
	}
}

// Least is how many different hashes the set certainly holds.
func (b Bits) Least() int { return bits.OnesCount64(uint64(b)) }

// Mix says what the problem reports of the last half hour look like together:
// what tells a crowd of people from a script. Shares are 0 to 1.
type Mix struct {
	N     int     `json:"n"`     // problem reports of the window, caps not applied
	Top   float64 `json:"top"`   // share of the most frequent symptom and surface
	Works float64 `json:"works"` // "works for me" as a share of all reports
	Since float64 `json:"since"` // share that says since when
	// Even is the variance of the counts per minute over their mean, from the
	// second minute after the rise on: about 1 for a constant rate. 0: too short.
	Even float64 `json:"even,omitempty"`
	// Edge is the rate of the first two full minutes over the rate after them:
	// about 1 when a rise takes no time. 0: the rise is not in the window.
	Edge float64 `json:"edge,omitempty"`
}

// End is the first moment after the bin.
func (s *Sample) End() time.Time { return s.Start.Add(time.Duration(s.Width)) }

// Cell is a raw count of reports: what is kept per minute for those who want to
// ask by symptom and surface. Cells add up; effective counts do not.
type Cell struct {
	Service ServiceID `json:"service"`
	Start   time.Time `json:"start"` // of a minute
	Place
	Symptom Symptom `json:"symptom,omitempty"`
	Surface Surface `json:"surface"`
	Works   bool    `json:"works,omitempty"`
	N       int     `json:"n"`
	Origin  Origin  `json:"origin"`
}
