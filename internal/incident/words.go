package incident

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"faultline"
)

// sign says in words what an event shows.
func (r *Room) sign(e *faultline.Event) string {
	if e.Kind == faultline.Unreachable {
		return fmt.Sprintf("%d checks in a row from vantage %s failed, each also at its second attempt: %s%s", e.Failed, e.Series.Vantage, failure(e.Failure), atStep(e.Op))
	}
	what := saying(e.Series)
	if e.PeakUsual < 0.05 {
		return fmt.Sprintf("%s %s: %s in %s, where almost none are usual", people(e), what, number(e.PeakValue), inWords(time.Duration(e.PeakWidth)))
	}
	return fmt.Sprintf("%s %s, %s × the usual number: %s in %s, where %s are usual",
		people(e), what, number(e.PeakValue/e.PeakUsual), number(e.PeakValue), inWords(time.Duration(e.PeakWidth)), number(e.PeakUsual))
}

// people grows with the evidence: how many, and how many times the usual.
func people(e *faultline.Event) string {
	ratio := e.PeakValue / math.Max(e.PeakUsual, 1)
	switch {
	case e.PeakValue >= 300 && ratio >= 10:
		return "very many people"
	case e.PeakValue >= 50 && ratio >= 3:
		return "many people"
	case e.PeakValue >= 15 && ratio >= 2:
		return "more people than usual"
	}
	return "a few more people than usual"
}

// saying is what people do whose reports a series counts, and where.
func saying(s faultline.Series) string {
	switch s.Level {
	case faultline.InCountry:
		return "report problems in " + string(s.Country)
	case faultline.InASN:
		return "report problems in " + s.ASN.String() + " (" + string(s.Country) + ")"
	case faultline.BySymptom:
		return "say that " + symptom(s.Symptom)
	case faultline.BySurface:
		return "report problems with " + surface(s.Surface)
	}
	return "report problems"
}

func symptom(s faultline.Symptom) string {
	switch s {
	case faultline.CannotLoad:
		return "it does not open or load"
	case faultline.FeedNotRefreshing:
		return "their feed does not refresh"
	case faultline.CannotLogIn:
		return "they cannot sign in"
	case faultline.CannotPost:
		return "they cannot post or send"
	case faultline.Slow:
		return "it is very slow"
	case faultline.OtherSymptom:
	}
	return "something else is wrong"
}

func surface(s faultline.Surface) string {
	switch s {
	case faultline.App:
		return "the app"
	case faultline.API:
		return "the interface for programs (API)"
	case faultline.Web:
	}
	return "the website"
}

func failure(f faultline.Failure) string {
	if f == "" {
		return string(faultline.UnknownFailure)
	}
	return string(f)
}

func atStep(op faultline.Op) string {
	if op == "" {
		return ""
	}
	return " at " + string(op)
}

// number has two significant digits below ten, none after the point above, and
// a comma between thousands.
func number(x float64) string {
	if x < 10 {
		return strconv.FormatFloat(faultline.Round(x, 1), 'f', -1, 64)
	}
	s := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// inWords is a duration as a reader says it: "45 s", "10 min", "2 h 40 min".
func inWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	h, m := int(d.Hours()), int(d.Minutes())%60
	if m == 0 {
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
