package faultline

// Command is what an operator decided. It goes through the journal like
// everything else, so that a replay decides the same.
type Command struct {
	Operator string    `json:"operator"` // the name, never the token
	Action   Action    `json:"action"`
	Incident string    `json:"incident,omitempty"`
	Into     string    `json:"into,omitempty"`    // merge: the incident that stays
	Service  ServiceID `json:"service,omitempty"` // new_normal
	Text     string    `json:"text,omitempty"`    // the reason, published
}

// Kind is KindCommand.
func (*Command) Kind() Kind { return KindCommand }

// Action is one of the things that an operator may do.
type Action string

// The operator's actions.
const (
	Close     Action = "close"      // the incident is over
	Retract   Action = "retract"    // it was none
	Merge     Action = "merge"      // it is part of another
	Annotate  Action = "annotate"   // add a note to its page
	NewNormal Action = "new_normal" // the present level of a service is its usual one
)

// Valid says whether a is an action.
func (a Action) Valid() bool {
	switch a {
	case Close, Retract, Merge, Annotate, NewNormal:
		return true
	}
	return false
}
