package faultline

import "time"

// State is how sure we are that a service is failing, and how far it has come.
type State string

// The states of DESIGN: fine and cannot_tell are states of a service without
// an incident; odd is listed but is none.
const (
	Fine       State = "fine"
	Unclear    State = "cannot_tell"
	OddState   State = "odd"
	Possible   State = "possible"
	Confirmed  State = "confirmed"
	Recovering State = "recovering"
	Resolved   State = "resolved"
	Retracted  State = "retracted"
)

// Open says whether an incident in this state still needs watching.
func (s State) Open() bool { return s == Possible || s == Confirmed || s == Recovering }

// Incident is a service failing, from the first sign to the last. The ID is
// SLUG-DATE, with -2, -3 … for further ones of a day.
type Incident struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	By       string    `json:"by"` // rule and version, or the operator's name
	At       time.Time `json:"at"` // data time of this revision
	Service  ServiceID `json:"service"`
	State    State     `json:"state"`
	Worst    State     `json:"worst"`  // possible or confirmed
	Opened   time.Time `json:"opened"` // when the first rule fired
	Onset    time.Time `json:"onset"`
	End      time.Time `json:"end,omitzero"` // end of the last disruption; zero while it lasts
	Resolved time.Time `json:"resolved,omitzero"`
	// Span is onset to end (or now), Disrupted the sum of the episodes.
	Span      Seconds   `json:"span_s"`
	Disrupted Seconds   `json:"disrupted_s"`
	Episodes  []Episode `json:"episodes"`
	Scope     Scope     `json:"scope"`
	// What says what fails, as people put it: symptoms first, then surfaces, each
	// with most reports above usual first. Empty while what is usual is not known.
	What []Aspect `json:"what,omitempty"`
	// Instruments lists the kinds that agree: reports, probes.
	Instruments []string    `json:"instruments"`
	OneVantage  bool        `json:"by_one_vantage,omitempty"`
	Peak        PeakReports `json:"peak_reports,omitzero"`
	// Affected is the largest share of users hit, AffectedNow the newest while it
	// lasts, Severity the sum over the span; nil: it cannot be told, which is not
	// zero. They are never changed in place.
	Affected    *Affected `json:"affected,omitempty"`
	AffectedNow *Affected `json:"affected_now,omitempty"`
	Severity    *Severity `json:"severity,omitempty"`
	Failure     Failure   `json:"failure,omitempty"` // most frequent failure of probes
	Op          Op        `json:"op,omitempty"`
	Events      []string  `json:"events"`
	Changes     []Change  `json:"changes"` // oldest first
	Notes       []Note    `json:"notes,omitempty"`
	MergedInto  string    `json:"merged_into,omitempty"`
	Reason      string    `json:"reason,omitempty"` // of a retraction
	Flags       []string  `json:"flags,omitempty"`  // brigade, media_echo, …
	Blame       *Blame    `json:"blame,omitempty"`  // whom a surge of several services points to; never changed in place
	Origin      Origin    `json:"origin"`
}

// Episode is one wave of an incident.
type Episode struct {
	Onset     time.Time `json:"onset"`
	OnsetLow  time.Time `json:"onset_low"`
	OnsetHigh time.Time `json:"onset_high"`
	Peak      time.Time `json:"peak,omitzero"`
	End       time.Time `json:"end,omitzero"`
	PeakValue float64   `json:"peak_value,omitempty"` // reports over PeakWidth, world
	PeakUsual float64   `json:"peak_usual,omitempty"`
	PeakWidth Seconds   `json:"peak_width_s,omitempty"`
	Countries []Country `json:"countries,omitempty"`
	Affected  *Affected `json:"affected,omitempty"` // the largest share of users hit; nil: not known
	Events    []string  `json:"events"`
}

// Affected is the share of a service's users who are hit, 0 to 1, as far as
// instruments can tell. Low to High is what the counts leave open; Value lies
// between them and is no measurement of its own.
type Affected struct {
	At          time.Time `json:"at"` // end of the window that it was counted in
	Value       float64   `json:"value"`
	Low         float64   `json:"low"`
	High        float64   `json:"high"`
	Instruments []string  `json:"instruments"` // what it rests on: reports, probes
}

// Severity is the share of users hit, summed over an incident's span, in hours:
// the hours that a user lost on average, 0 to the span.
type Severity struct {
	Value float64 `json:"value_h"`
	Low   float64 `json:"low_h"`
	High  float64 `json:"high_h"`
	// Known is the share of the span, 0.5 to 1, for which the share of users could
	// be told. The rest counts as none in Low, as all in High, and as the mean of
	// the known part in Value.
	Known float64 `json:"known"`
}

// PeakReports is the largest surge of an incident in one number.
type PeakReports struct {
	At      time.Time `json:"at"`
	Value   float64   `json:"value"` // over Width
	Usual   float64   `json:"usual"`
	Width   Seconds   `json:"width_s"`
	Country Country   `json:"country,omitempty"` // empty: world
	// Set when only reports of one symptom, or of one surface, surge.
	Symptom Symptom `json:"symptom,omitempty"`
	Surface Surface `json:"surface,omitempty"`
}

// Aspect is a symptom's or a surface's part of the reports above usual, counted
// in the world while reports surge. Exactly one of Symptom and Surface is set.
type Aspect struct {
	Symptom Symptom `json:"symptom,omitempty"`
	Surface Surface `json:"surface,omitempty"`
	N       float64 `json:"n"`           // effective reports above usual
	Share   float64 `json:"share"`       // of those of all symptoms, or of all surfaces
	Usual   float64 `json:"usual_share"` // the same of the reports that are usual then
	Ratio   float64 `json:"ratio"`       // at its peak, times the usual number; 0: it did not surge, or no baseline
	Surging bool    `json:"surging"`     // still
	// StandsOut says that most of what is above usual is here, clearly more than on
	// an ordinary day, and that chance does not explain it.
	StandsOut bool `json:"stands_out,omitempty"`
}

// Scope says for whom. Global means that the world's series surges and no
// country carries it alone.
type Scope struct {
	Global     bool           `json:"global"`
	Countries  []CountryShare `json:"countries"` // most reports first
	ASNs       []ASNShare     `json:"asns,omitempty"`
	Vantages   int            `json:"vantages_failing,omitempty"`
	OfVantages int            `json:"vantages_healthy,omitempty"`
}

// CountryShare is a country's part of the reports above usual.
type CountryShare struct {
	Country Country `json:"country"`
	Share   float64 `json:"share"`   // of the incident's excess
	N       float64 `json:"n"`       // effective reports above usual
	Ratio   float64 `json:"ratio"`   // at its peak, times the usual number; 0: no baseline
	Surging bool    `json:"surging"` // still
}

// ASNShare is a network's part of the reports above usual.
type ASNShare struct {
	Country Country `json:"country"`
	ASN     ASN     `json:"asn"`
	Share   float64 `json:"share"`
	N       float64 `json:"n"`
}

// Change is one step of an incident's state, with what caused it.
type Change struct {
	At      time.Time `json:"at"`
	From    State     `json:"from,omitempty"`
	To      State     `json:"to"`
	By      string    `json:"by"`
	Why     string    `json:"why"`     // rule in words that a reader understands
	Because []string  `json:"because"` // ids of events or positions of commands
}

// Note is an operator's published remark.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// Status is the state of one service at one moment.
type Status struct {
	Service  ServiceID `json:"service"`
	At       time.Time `json:"at"`
	State    State     `json:"state"`
	Since    time.Time `json:"since"` // when it came into this state
	Incident string    `json:"incident,omitempty"`
	Reason   string    `json:"reason,omitempty"` // for cannot_tell
	// Awake lists the instruments that can tell now: reports, probes.
	Awake  []string `json:"awake"`
	Origin Origin   `json:"origin"`
}
