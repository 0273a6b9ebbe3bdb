package words

import (
	"fmt"
	"strings"
	"time"

	"faultline"
)

// down answers "is it down?".
func down(f Facts) Answer {
	if a, ok := throughDown(f); ok {
		return a
	}
	switch f.State {
	case faultline.Fine:
		return Answer{"No", agree(f)}
	case faultline.OddState:
		if len(f.Sometimes) > 0 {
			return Answer{"Not as far as we see", "some checks fail, others reach it"}
		}
		return Answer{"Not as far as we see", "a little unusual, perhaps by chance"}
	case faultline.Possible:
		return Answer{"Possibly", only(f)}
	case faultline.Confirmed:
		return Answer{"Yes", confirmedBy(f)}
	case faultline.Recovering:
		return Answer{"Coming back", recovering(f)}
	case faultline.Resolved:
		return Answer{"No longer", over(f)}
	case faultline.Retracted:
		return Answer{"It was not", "retracted, with the reason above"}
	case faultline.Unclear:
	}
	return Answer{"Can’t tell", "which is not the same as fine"}
}

func agree(f Facts) string {
	reports, probes := has(f.Awake, "reports"), has(f.Awake, "probes")
	switch {
	case reports && probes:
		return "people and probes agree"
	case probes:
		return "by probes alone"
	}
	return "by people’s reports alone"
}

func only(f Facts) string {
	if i := f.Incident; i != nil && has(i.Instruments, "probes") && !has(i.Instruments, "reports") {
		return "one vantage point only, so not confirmed"
	}
	return "reports only, so not confirmed"
}

func confirmedBy(f Facts) string {
	i := f.Incident
	switch {
	case i == nil:
		return "two instruments agree"
	case i.OneVantage:
		return "by one vantage"
	case has(i.Instruments, "reports") && has(i.Instruments, "probes"):
		return "people and probes agree"
	}
	if max(i.Scope.OfVantages, i.Scope.Vantages) == 1 {
		return "by " + vantages(i.Scope)
	}
	return vantages(i.Scope) + " agree"
}

func recovering(f Facts) string {
	if f.Incident != nil && !f.Incident.End.IsZero() {
		return "back inside the usual range since " + Clock(f.Incident.End, f.Now)
	}
	return "back inside the usual range"
}

func over(f Facts) string {
	if f.Incident == nil || f.Incident.End.IsZero() {
		return "back to the usual"
	}
	return "since " + Clock(f.Incident.End, f.Now)
}

// whom answers "for whom?".
func whom(f Facts) Answer {
	i := f.Incident
	if f.State == faultline.Retracted {
		return Answer{"Nobody", "as far as we know now"}
	}
	if i == nil || f.State == faultline.Fine || f.State == faultline.Unclear || f.State == faultline.OddState {
		if f.State == faultline.Unclear {
			return Answer{"Can’t tell", ""}
		}
		return Answer{"No place stands out", ""}
	}
	s := i.Scope
	switch n := len(s.Countries); {
	case s.Global:
		return Answer{"Worldwide", most(s)}
	case n == 1:
		return Answer{Country(s.Countries[0].Country), networks(s)}
	case n > 1:
		return Answer{fmt.Sprintf("%d countries", n), most(s)}
	case s.Vantages > 0:
		if max(s.OfVantages, s.Vantages) == 1 {
			return Answer{"Our vantage point", "the only healthy one; where people are hit isn’t known"}
		}
		return Answer{"Our vantage points", vantages(s) + "; where people are hit isn’t known"}
	}
	return Answer{"Not known", "no country stands out"}
}

func most(s faultline.Scope) string {
	var names []string
	for _, c := range s.Countries[:min(2, len(s.Countries))] {
		names = append(names, Country(c.Country))
	}
	if len(names) == 0 {
		return ""
	}
	return "most reports: " + strings.Join(names, ", ")
}

func networks(s faultline.Scope) string {
	if len(s.ASNs) > 0 && s.ASNs[0].Share >= 0.8 {
		return "mostly the network " + s.ASNs[0].ASN.String()
	}
	return ""
}

// Lasting gives an incident's disrupted time and its span. The record's numbers
// are as of its revision; while it goes on both have grown since, for an hour at
// most, after which a revision is overdue and the record is all that is known.
func Lasting(i *faultline.Incident, now time.Time) (disrupted, span time.Duration) {
	disrupted, span = time.Duration(i.Disrupted), time.Duration(i.Span)
	if !i.State.Open() || !i.End.IsZero() {
		return disrupted, span
	}
	if extra := now.Sub(i.At); extra > 0 && extra < time.Hour {
		return disrupted + extra, span + extra
	}
	return disrupted, span
}

// long answers "how long?". Disrupted time and span are two numbers.
func long(f Facts) Answer {
	i := f.Incident
	if i == nil {
		return Answer{"Not disrupted", ""}
	}
	disrupted, span := Lasting(i, f.Now)
	if f.State == faultline.Retracted {
		return Answer{"Not at all", "it was listed as " + Duration(disrupted)}
	}
	note := "since " + Clock(i.Onset, f.Now)
	if !i.End.IsZero() {
		note = Clock(i.Onset, f.Now) + " to " + Clock(i.End, f.Now)
	}
	if n := len(i.Episodes); n > 1 {
		from := "since"
		if !i.End.IsZero() {
			from = "from"
		}
		note = fmt.Sprintf("in %s parts over %s, %s %s", Small(n), Duration(span), from, Clock(i.Onset, f.Now))
	}
	return Answer{Duration(disrupted), note}
}
