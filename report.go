package faultline

import "time"

// Report is one person saying "I have a problem", or "it works for me". The
// reporter's address was looked up and forgotten before this was made.
type Report struct {
	Service ServiceID `json:"service"`
	Symptom Symptom   `json:"symptom,omitempty"` // empty when it works
	Surface Surface   `json:"surface"`
	Works   bool      `json:"works,omitempty"`
	Since   time.Time `json:"since,omitzero"` // when the person says it began; zero: not said
	Place
	// Reporter is a keyed hash over day, service and address, Network one over
	// week and /24 (IPv4) or day and /56 (IPv6). Both are cut to 64 bits, never
	// exported, and mean nothing once their keys are destroyed.
	Reporter uint64 `json:"-"`
	Network  uint64 `json:"-"`
	// Key recognises a retry: a hash of the request's idempotency key, 0 for none.
	Key uint64 `json:"-"`
}

// Kind is KindReport.
func (*Report) Kind() Kind { return KindReport }

// Symptom is what does not work for the person.
type Symptom string

// The six symptoms; a seventh would make the form slower to use in a crowd.
const (
	CannotLoad        Symptom = "cannot_load"
	FeedNotRefreshing Symptom = "feed_not_refreshing"
	CannotLogIn       Symptom = "cannot_log_in"
	CannotPost        Symptom = "cannot_post"
	Slow              Symptom = "slow"
	OtherSymptom      Symptom = "other"
)

// Symptoms lists all of them in the order of the form.
func Symptoms() []Symptom {
	return []Symptom{CannotLoad, FeedNotRefreshing, CannotLogIn, CannotPost, Slow, OtherSymptom}
}

// Valid says whether s is one of the six.
func (s Symptom) Valid() bool {
	switch s {
	case CannotLoad, FeedNotRefreshing, CannotLogIn, CannotPost, Slow, OtherSymptom:
		return true
	}
	return false
}

// Surface is where the person meets the service.
type Surface string

// The three surfaces.
const (
	App Surface = "app"
	Web Surface = "web"
	API Surface = "api"
)

// Surfaces lists all of them.
func Surfaces() []Surface { return []Surface{App, Web, API} }

// Valid says whether s is one of the three.
func (s Surface) Valid() bool { return s == App || s == Web || s == API }
