package faultline

import "time"

// Verdict is what a detector says about the newest bin of a series.
type Verdict string

// Verdicts. CannotTell is an answer like the others.
const (
	Usual      Verdict = "usual"
	Odd        Verdict = "odd"      // calibrated p ≤ 1e-4
	Surging    Verdict = "surging"  // inside an open surge
	Dropping   Verdict = "dropping" // inside an open drop
	Failing    Verdict = "failing"  // checks fail
	CannotTell Verdict = "cannot_tell"
)

// Reading is a detector's view of a series at one moment: what was seen, what
// is usual, and how surprising the difference is.
type Reading struct {
	Series    Series    `json:"series"`
	At        time.Time `json:"at"`       // end of the newest bin
	Value     float64   `json:"value"`    // over Width
	Expected  float64   `json:"expected"` // over Width
	Low       float64   `json:"low"`      // 5 % quantile of what is usual over Width
	High      float64   `json:"high"`     // 95 %
	Width     Seconds   `json:"width_s"`
	LogP      float64   `json:"log_p"` // −log10 of the calibrated tail probability, two decimals
	Verdict   Verdict   `json:"verdict"`
	Reason    string    `json:"reason,omitempty"`    // for cannot_tell: collector_silent, young_baseline, too_few, an Impairment, a Failure
	Age       Seconds   `json:"baseline_age_s"`      // how much history the baseline rests on
	Reporters int       `json:"reporters,omitempty"` // effective, over the window of LogP
	Networks  int       `json:"networks,omitempty"`
	Mix       Mix       `json:"mix,omitzero"` // of the newest sample
	Origin    Origin    `json:"origin"`
}

// EventKind says what happened to a series.
type EventKind string

// Kinds of events.
const (
	Surge       EventKind = "surge"
	Drop        EventKind = "drop"
	Unreachable EventKind = "unreachable"
)

// EventState says how far an event has come.
type EventState string

// States of an event.
const (
	EventOpen      EventState = "open"
	EventClosed    EventState = "closed"
	EventRetracted EventState = "retracted"
)

// Event is a stretch of time in which a series was not as usual. A later
// revision of the same ID replaces an earlier one.
type Event struct {
	ID        string     `json:"id"` // from content: detector, series, time of opening
	Revision  int        `json:"revision"`
	By        string     `json:"by"` // detector and version, "nbscan/1"
	Series    Series     `json:"series"`
	Kind      EventKind  `json:"kind"`
	State     EventState `json:"state"`
	Opened    time.Time  `json:"opened"` // data time at which the detector spoke
	At        time.Time  `json:"at"`     // data time of this revision
	Onset     time.Time  `json:"onset"`
	OnsetLow  time.Time  `json:"onset_low"`  // earliest start that fits nearly as well
	OnsetHigh time.Time  `json:"onset_high"` // latest
	Peak      time.Time  `json:"peak"`
	End       time.Time  `json:"end,omitzero"` // zero: still open
	// PeakValue is the largest count over PeakWidth, PeakUsual what is usual then.
	PeakValue float64 `json:"peak_value"`
	PeakUsual float64 `json:"peak_usual"`
	PeakWidth Seconds `json:"peak_width_s"`
	Excess    float64 `json:"excess"`              // sum above usual, onset to now or end
	LogP      float64 `json:"log_p"`               // largest so far
	Reporters int     `json:"reporters,omitempty"` // effective, largest window so far
	Networks  int     `json:"networks,omitempty"`
	Young     bool    `json:"young_baseline,omitempty"`
	// Recovered is set while the series is back inside its band but the event
	// has not been closed yet; the time is when it came back.
	Recovered time.Time `json:"recovered,omitzero"`
	// Fell is set with Recovered: when the excess was last above a tenth of its
	// peak. A closed event ends there.
	Fell time.Time `json:"fell,omitzero"`
	// For unreachable: how it fails, where, and how often in a row.
	Failure Failure    `json:"failure,omitempty"`
	Op      Op         `json:"op,omitempty"`
	Failed  int        `json:"failed_in_a_row,omitempty"`
	Because []Position `json:"because,omitempty"` // newest observations behind this revision
	Reason  string     `json:"reason,omitempty"`  // why it was closed or retracted
	Working *Working   `json:"working,omitempty"` // how it was found
	Origin  Origin     `json:"origin"`
}

// LevelSinceStart is the Reason of a surge that is retracted: it went on at the
// level that it had when listening began, which is all that is known.
const LevelSinceStart = "level_since_start"
