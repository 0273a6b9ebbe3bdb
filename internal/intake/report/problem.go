package report

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Problem is why a request was refused (RFC 9457). Type is "about:blank": the
// machine's word is Reason, which is one of a closed set.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"` // the status in words
	Status int    `json:"status"`
	Detail string `json:"detail"`          // for a person: what, why, what to do
	Field  string `json:"field,omitempty"` // "symptom", or "[3].symptom" in an array; a header's name
	Reason string `json:"reason"`

	retryAfter time.Duration
}

// Error makes a problem an error.
func (p *Problem) Error() string { return p.Detail }

// The reasons for a refusal: the label of faultline_intake_refused_total and
// the member "reason" of a problem.
const (
	ReasonMethod         = "method"
	ReasonCrossSite      = "cross_site"
	ReasonContentType    = "content_type"
	ReasonClientAddress  = "client_address"
	ReasonRate           = "rate_limited"
	ReasonBudget         = "disk_budget"
	ReasonFull           = "journal_full"
	ReasonBusy           = "journal_busy"
	ReasonJournal        = "journal_failed"
	ReasonUnsure         = "journal_unsure"
	ReasonIdempotencyKey = "idempotency_key"
	ReasonKeyReused      = "key_reused"
	ReasonGone           = "client_gone"
	ReasonTooLarge       = "too_large"
	ReasonMalformed      = "malformed"
	ReasonUnknownField   = "unknown_field"
	ReasonType           = "wrong_type"
	ReasonBatch          = "batch_size"
	ReasonMissing        = "missing_field"
	ReasonService        = "unknown_service"
	ReasonSymptom        = "unknown_symptom"
	ReasonSurface        = "unknown_surface"
	ReasonWorks          = "works_with_symptom"
	ReasonSince          = "since_format"
	ReasonFuture         = "since_future"
	ReasonOld            = "since_old"
	ReasonCountry        = "country_format"
	ReasonCountryUnknown = "unknown_country"
	ReasonReplay         = "replay"
)

// Reasons lists the closed set.
func Reasons() []string {
	return []string{
		ReasonMethod, ReasonCrossSite, ReasonContentType, ReasonClientAddress, ReasonRate, ReasonBudget, ReasonFull,
		ReasonBusy, ReasonJournal, ReasonUnsure, ReasonIdempotencyKey, ReasonKeyReused, ReasonGone, ReasonTooLarge,
		ReasonMalformed, ReasonUnknownField, ReasonType, ReasonBatch, ReasonMissing, ReasonService, ReasonSymptom,
		ReasonSurface, ReasonWorks, ReasonSince, ReasonFuture, ReasonOld, ReasonCountry, ReasonCountryUnknown, ReasonReplay,
	}
}

func refusal(status int, reason, field, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Field: field, Reason: reason}
}

// bad is a request that cannot be read.
func bad(reason, field, format string, args ...any) *Problem {
	return refusal(http.StatusBadRequest, reason, field, format, args...)
}

// wrong is a request that can be read and says what cannot be.
func wrong(reason, field, format string, args ...any) *Problem {
	return refusal(http.StatusUnprocessableEntity, reason, field, format, args...)
}

// later is a refusal that passes.
func later(status int, reason string, after time.Duration, format string, args ...any) *Problem {
	p := refusal(status, reason, "", format, args...)
	p.retryAfter = after
	return p
}

// within names the field of one report of an array.
func (p *Problem) within(i int) *Problem {
	p.Field = "[" + strconv.Itoa(i) + "]" + dotted(p.Field)
	return p
}

func dotted(field string) string {
	if field == "" {
		return ""
	}
	return "." + field
}

// seconds rounds up: a client that comes back on time must find room.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

func writeProblem(w http.ResponseWriter, _ *http.Request, p Problem) {
	b, err := json.Marshal(p)
	if err != nil {
		b = []byte("{}") // strings and a number: it cannot fail
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
}

// quoted shows what was sent, cut to a length that fits an error.
func quoted[T ~string | ~[]byte](s T) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(string(s[:most])) + "…"
	}
	return strconv.Quote(string(s))
}
