// Package affected estimates which share of a service's users is hit, with an
// interval that says how little a crowd can tell about that.
//
// In: what was counted in one window: problem reports, how many of them are
// usual, "works for me", and how many groups of vantage points fail. Out: a
// share between 0 and 1 with a lower and an upper bound, or nothing when too
// little is known: unknown is not zero.
//
// Two assumptions carry the estimate from reports. People who are hit speak up
// at least as readily as people who are not, so the part of the speakers who are
// hit is an upper bound. And they do so at most [Readier] times as readily, which
// gives the lower bound; the middle lies between the two by the root. A check
// that fails shows that nobody there gets through, while one that succeeds shows
// only that the front door answers: so checks raise the estimate and never lower it.
//
// It promises that the numbers lie in order and in 0 to 1, that none of them
// falls when more problems are reported or more groups fail, and that none of
// them rises with more "works for me". It is a pure function.
package affected

import "math"

const (
	// Readier is how many times more readily than others people who are hit speak
	// up, at most. It is an assumption, set by hand: nobody has measured it. Larger
	// makes the lower bound smaller.
	Readier = 1000
	// Others is how many people who are not hit (the usual reports and "works for
	// me") must be on record in the window before reports can tell a share: without
	// them nothing is known of those who are silent.
	Others = 5
	// Groups is how many healthy groups of vantage points, each a country and
	// network, there must be before checks can tell a share: one place cannot say
	// anything about the others.
	Groups = 2
	// Floor is the smallest count that is published anywhere; fewer count as none,
	// so that a share does not tell what a table hides.
	Floor = 3
	// tail is the chance on either side of the interval: it holds 9 of 10.
	tail = 0.05
)

// Evidence is what was counted in one window.
type Evidence struct {
	Problems float64 // effective problem reports
	Usual    float64 // how many of them are usual
	Settled  bool    // what is usual is believed
	Works    float64 // people who say that it works for them
	Failing  int     // groups of vantage points that cannot use the service
	Groups   int     // healthy groups
}

// Share is an estimate, 0 to 1.
type Share struct {
	Value, Low, High float64
	Reports, Checks  bool // which instruments told it
}

// Estimate gives the share of users who are hit; false if it cannot be told. Of
// two instruments the larger number counts, for the value and each bound.
func Estimate(e Evidence) (Share, bool) {
	out, byReports := fromReports(&e)
	checks, byChecks := fromChecks(&e)
	switch {
	case !byReports && !byChecks:
		return Share{}, false
	case !byReports:
		checks.High = 1 // those whom no vantage point stands for
		return checks, true
	case byChecks:
		out.Value, out.Low, out.High = max(out.Value, checks.Value), max(out.Low, checks.Low), max(out.High, checks.High)
		out.Checks = true
	}
	return out, true
}

// fromReports weighs those who are hit (reports above the usual number) against
// those who are not (the usual reports, which have causes of their own, and
// "works for me"). Jeffreys' interval covers the error of the sample.
func fromReports(e *Evidence) (Share, bool) {
	hit, others := max(0, published(e.Problems)-e.Usual), published(e.Works)
	if e.Settled {
		others += e.Usual
	}
	if others < Others {
		return Share{}, false
	}
	a, b := hit+0.5, others+0.5
	return Share{
		Value: users(a/(a+b), math.Sqrt(Readier)), Low: users(quantile(tail, a, b), Readier), High: quantile(1-tail, a, b),
		Reports: true,
	}, true
}

// users is the share of users who are hit when q of the speakers are, and each
// of them speaks up so many times more readily than one who is not.
func users(q, readier float64) float64 { return q / (q + float64(readier*(1-q))) }

// fromChecks takes the healthy groups as a sample of the places from which the
// service is used (Jeffreys' interval).
func fromChecks(e *Evidence) (Share, bool) {
	if e.Groups < Groups || e.Failing < 1 {
		return Share{}, false
	}
	a, b := float64(min(e.Failing, e.Groups))+0.5, float64(max(0, e.Groups-e.Failing))+0.5
	return Share{Value: a / (a + b), Low: quantile(tail, a, b), High: quantile(1-tail, a, b), Checks: true}, true
}

func published(n float64) float64 {
	if n < Floor {
		return 0
	}
	return n
}
