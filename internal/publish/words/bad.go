package words

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"faultline"
)

// Bad answers "how bad?": what share of the users is hit, what that sums up to,
// and how far instruments can tell.
type Bad struct {
	Worst, Now Answer // Now is empty when it is over
	Severity   Answer
}

// HowBad says it of an incident.
func HowBad(i *faultline.Incident, now time.Time) Bad {
	b := Bad{Worst: hit(i.Affected, now), Severity: severity(i)}
	if i.State.Open() && i.End.IsZero() {
		b.Now = hit(i.AffectedNow, now)
	}
	if i.Affected == nil {
		b.Worst.Note = unknownShare(i)
	}
	return b
}

// Text is the answer in sentences.
func (b Bad) Text() string {
	s := "Hit at the worst: " + b.Worst.Head + " (" + b.Worst.Note + ")."
	if b.Now.Head != "" {
		s += " Now: " + b.Now.Head + "."
	}
	return s + " Severity: " + b.Severity.Head + ", " + b.Severity.Note + "."
}

// hit writes a share of users, with what it rests on.
func hit(a *faultline.Affected, now time.Time) Answer {
	if a == nil {
		return Answer{"Can’t tell", "which is not the same as nobody"}
	}
	note := fmt.Sprintf("as far as %s can tell, around %s", instruments(a.Instruments), Clock(a.At, now))
	if a.Low < a.High-0.1 {
		note += "; if one number must do, " + whole(a.Value) + " of 100"
	}
	return Answer{Users(a) + " people who use it", note}
}

// Users is the range of a share of users: "between 3 and 98 of 100". Bounds are
// rounded outwards.
func Users(a *faultline.Affected) string {
	low, high := math.Floor(faultline.Round(100*a.Low, 1)), math.Ceil(faultline.Round(100*a.High, 1))
	switch {
	case high <= 1:
		return "at most 1 of 100"
	case low < 1:
		return "up to " + Count(high) + " of 100"
	case low == high:
		return "about " + Count(low) + " of 100"
	}
	return "between " + Count(low) + " and " + Count(high) + " of 100"
}

// whole writes a share as people of a hundred.
func whole(share float64) string {
	if share < 0.01 {
		return "fewer than 1"
	}
	return Count(100 * share)
}

func instruments(list []string) string {
	switch reports, probes := has(list, "reports"), has(list, "probes"); {
	case reports && probes:
		return "reports and checks"
	case probes:
		return "checks"
	}
	return "reports"
}

// unknownShare says why the share of users is not known.
func unknownShare(i *faultline.Incident) string {
	switch {
	case len(i.Flags) > 0:
		return "the reports look less like many people than they should"
	case has(i.Instruments, "reports"):
		return "too few people who are not hit are on record to compare with; not the same as nobody"
	}
	return "one place can’t tell about others; not the same as nobody"
}

// severity writes the hours that a user lost on average.
func severity(i *faultline.Incident) Answer {
	s := i.Severity
	if s == nil {
		return Answer{"Can’t tell", "the share of users can’t be told for most of the time"}
	}
	note := "lost per user, on average"
	if s.Known < 0.995 {
		note += "; for " + Percent(1-s.Known) + " of the time nothing is known, which the range allows for"
	}
	hours := Severity(s)
	return Answer{hours.Head + " (" + hours.Note + ")", note}
}

// Severity writes a severity: its value, and its range.
func Severity(s *faultline.Severity) Answer {
	return Answer{Hours(s.Value), Hours(s.Low) + " to " + Hours(s.High)}
}

// Hours writes a severity's hours as a length of time.
func Hours(h float64) string { return Duration(time.Duration(h * float64(time.Hour))) }

// Rank writes a place in a history: "3rd longest of 41 since 12 May 2026".
func Rank(place, of int, what string, since time.Time) string {
	if of < 2 {
		return "the first that we hold"
	}
	s := fmt.Sprintf("%s of %d since %s", what, of, since.UTC().Format("2 January 2006"))
	if place > 1 {
		return ordinal(place) + " " + s
	}
	return s
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
