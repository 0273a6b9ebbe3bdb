// Package blame finds whom a surge of several services points to. When a cloud
// or an access network fails, people report everything that they use through
// it; when one large service fails, people also report their provider, which
// is healthy. Both look like "twelve services down".
//
// In: a Scene, which is what was seen of services that surge together and of
// those that could and do not. Out: a Finding, and for each of the services a
// Blame: its role, the named party with the evidence for and against, and how
// sure that is.
//
// Each explanation (one of the services itself, a service that carries some of
// them, an access network, a country's network, an unknown common cause, or
// chance) is weighed by how likely it makes what was seen: which services
// surge and which do not, how large and in which order, from which networks
// and countries the reports come, and what checks say. A party is named when
// its share of the weight is large enough; "cannot tell" is an answer.
//
// One rule never breaks: reports alone give nobody the role of the origin. They
// can point, in those words. What is measured decides: a party whose checks
// succeed from healthy vantage points is not named, and one whose checks fail
// is "measured".
//
// The package is a pure function of the scene and the topology. It holds no
// state, reads no clock, and its sums are rounded term by term, so that the
// same scene gives the same bytes on every machine.
package blame

import (
	"math"
	"slices"
	"time"

	"faultline"
)

// Window is how far apart the onsets of two services may lie that surge
// together; Longest is the most that a chain of such onsets may span.
const (
	Window  = 15 * time.Minute
	Longest = time.Hour
)

// Witness is what is known of one service at the moment.
type Witness struct {
	ID faultline.ServiceID
	// Onset of the present surge, and the interval of starts that fit nearly as
	// well. Zero: it does not surge.
	Onset, Low, High time.Time
	Excess           float64 // reports above the usual number since the onset
	// Parts are the countries and networks with a surge of their own.
	Countries, Networks []Part
	Confirmed           bool // its incident is, by the rules of the room
	Looks               []Look
	Before              *faultline.Blame // the last finding about its incident
}

// Part is what one country or network brought to a surge.
type Part struct {
	faultline.Place         // a country's has ASN 0
	Excess          float64 // reports above usual
	Usual           float64 // its share of the service's usual reports; negative: not known
}

// Look is what the checks of one target from one vantage point say since the
// surge began.
type Look struct {
	Vantage string
	faultline.Place
	Result  Result
	Failure faultline.Failure // how it fails
	Op      faultline.Op
}

// Result is what checks say.
type Result int

// Results. Refused is an answer that is no success and no failure (403, a
// challenge): the way to the service works. Cut is a vantage point without a
// network of its own.
const (
	Unsure Result = iota
	Succeeds
	Fails
	Refused
	Cut
)

// Scene is a surge of several services, or of one, and what stayed quiet.
type Scene struct {
	Topology *Topology
	Surging  []Witness // by onset, then id
	Quiet    []Witness // those that could show a surge, and do not
	At       time.Time
}

// Thresholds of a finding.
const (
	named  = 0.8 // least share of the weight of a party that is named
	stays  = 0.5 // and of one that was named before
	keeps  = 1.0 // nats that a party named before is ahead, so that names do not flutter
	second = 0.05
)

// ln is a rounded logarithm: the last bits of math.Log differ between
// processors.
func ln(x float64) float64 { return math.Round(1e4*math.Log(max(x, 1e-9))) / 1e4 }

func clip(x, low, high float64) float64 { return min(max(x, low), high) }

// Together groups the surging services by onset: each within Window of the one
// before it (or their intervals touch), all within Longest of the first. The
// witnesses must come sorted by onset.
func Together(surging []Witness) [][]Witness {
	var groups [][]Witness
	first := 0
	for i := range surging {
		if i > 0 && near(&surging[i-1], &surging[i]) && surging[i].Onset.Sub(surging[first].Onset) <= Longest {
			groups[len(groups)-1] = surging[first : i+1]
			continue
		}
		first = i
		groups = append(groups, surging[i:i+1])
	}
	return groups
}

// near says whether b, which began later, may have begun within Window of a.
// Onsets are estimates that move: two that were found together stay so longer.
func near(a, b *Witness) bool {
	apart := b.Onset.Sub(a.Onset)
	return apart <= Window || !b.Low.After(a.High) || apart <= 2*Window && (a.with(b.ID) || b.with(a.ID))
}

// with says whether the last finding saw the witness together with another.
func (w *Witness) with(id faultline.ServiceID) bool {
	return w.Before != nil && slices.Contains(w.Before.With, id)
}

// checks sums up the looks at a witness.
type checks struct {
	vantages, fail, ok, refused, cut int
}

func (w *Witness) checks() (c checks) {
	for i := range w.Looks {
		switch w.Looks[i].Result {
		case Succeeds:
			c.ok++
		case Fails:
			c.fail++
		case Refused:
			c.refused++
		case Cut:
			c.cut++
			continue
		case Unsure:
			continue
		}
		c.vantages++
	}
	return c
}

// failing says that checks of the service fail, working that all of them that
// could tell succeed.
func (w *Witness) failing() bool { return w.checks().fail > 0 }

func (w *Witness) working() bool { c := w.checks(); return c.ok > 0 && c.fail == 0 }

// share is the part of the excess that comes from places for which in holds,
// and the part that is usual from there (negative: not known). With too few
// reports, or no places, there is none.
func share(parts []Part, total float64, in func(faultline.Place) bool) (got, usual float64) {
	if total < leastExcess || len(parts) == 0 {
		return -1, -1
	}
	usual = -1
	for _, p := range parts {
		if !in(p.Place) {
			continue
		}
		got += p.Excess / total
		if p.Usual >= 0 {
			usual = max(usual, 0) + p.Usual
		}
	}
	return min(max(got, 0), 1), min(usual, 1)
}

// leastExcess is how many reports above usual a mix is read from.
const leastExcess = 8.0
