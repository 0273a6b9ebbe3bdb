package web

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// number is an entry of the page about method: one number that pages print.
type number struct {
	Anchor   string `json:"anchor"`
	Name     string `json:"name"`
	Shown    string `json:"shown_as"`
	Meaning  string `json:"meaning"` // paragraphs, a line each
	Unit     string `json:"unit"`
	From     string `json:"from"`
	Late     string `json:"how_late"`
	Misleads string `json:"misleads_when"`
	Rule     string `json:"rule"`
}

// numbers are all numbers that pages print, in words of the rules in effect. A
// number without an entry here must not be on a page.
func numbers(r Rules) []number {
	return slices.Concat(counts(r), verdicts(r), records(), mistakes(r))
}

// within writes a length of time inside a sentence: "10 minutes", "an hour".
func within(d time.Duration) string {
	switch d {
	case time.Hour:
		return "an hour"
	case time.Minute:
		return "a minute"
	case time.Second:
		return "a second"
	}
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{24 * time.Hour, "day", "days"}, {time.Hour, "hour", "hours"}, {time.Minute, "minute", "minutes"}, {time.Second, "second", "seconds"}} {
		if d >= u.of && d%u.of == 0 && (u.of != 24*time.Hour || d > 48*time.Hour) {
			return words.Plural(float64(d/u.of), u.one, u.many)
		}
	}
	return words.Duration(d)
}

// oneIn writes −log10 p as a chance: "one chance in 10,000".
func oneIn(logP float64) string { return "one chance in " + words.Count(math.Pow(10, logP)) }

// share writes 0.2 as "20 %".
func share(x float64) string { return words.Percent(x) }

func times(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) + " times" }

// counts are the numbers of people and of checks.
func counts(r Rules) []number {
	return []number{
		{
			Anchor: "reports", Name: "Reports", Shown: "142",
			Meaning: fmt.Sprintf("People who told us that a service fails for them. One person counts once in %s. A network (a /24 of IPv4, a /56 of IPv6) counts for at most %d people in %s, or %s its usual number if that is more. In the world’s numbers, one provider counts for at most %s of what all others bring together, or %s its usual share; up to %d people always count. Inside a country it has no such cap. Nothing below 3 people or 5 minutes is printed.",
				within(r.PersonOnce), r.NetworkFloor, within(r.PersonOnce), times(r.NetworkTimes), share(r.ASNShare), times(r.ASNTimes), r.ASNFloor),
			Unit: "people, in 5 minutes or longer", From: "the report form and the interface for programs", Late: fmt.Sprintf("up to 30 seconds after the five minutes; reports that arrive later correct it for %s", within(r.Late)),
			Misleads: "a link to the form spreads faster than the fault", Rule: "effective reporters (series)",
		},
		{
			Anchor: "usual", Name: "Usual number", Shown: "25 to 85 are usual",
			Meaning: fmt.Sprintf("What we expect at this hour of the week, from the service’s own past. A country’s hours are those of its own clock. On its public holidays, what a Sunday brings is usual too: the number is the larger of the two. The range holds 9 of 10 ordinary readings. It stands still while something is wrong, for %s at most: what lasts longer has become usual. An operator can say so earlier. Until a service has been watched for %s its hours are not believed.", within(r.Frozen), within(r.Young)),
			Unit:    "reports in 5 minutes, or in the hour or day that is named", From: "the history of the same service and place", Late: "learnt minute by minute while nothing is wrong",
			Misleads: "a launch, a final, or a holiday that we don’t know of falls on an ordinary weekday", Rule: "hour-of-week baseline, negative binomial (detect)",
		},
		{
			Anchor: "ratio", Name: "Times the usual", Shown: "41 ×",
			Meaning: "Reports divided by what is usual at that time. It is never shown on fewer than 5 reports. In the drum on the home page and on the map the usual number counts as 1 at least.",
			Unit:    "times", From: "the two entries above", Late: "as they are",
			Misleads: "the usual number is small: 16 reports where 1 is usual is no catastrophe", Rule: "value ÷ expected (publish)",
		},
		{
			Anchor: "few", Name: "Too few to say", Shown: "a dashed square, or “fewer than 3”",
			Meaning: "Fewer than 3 people, or no collector awake, or a history too short to know what is usual, and no probe that could tell instead. It isn’t a small problem and it isn’t fine: it is unknown.",
			Unit:    "none", From: "any instrument", Late: "with the instrument", Misleads: "read as “no problem”", Rule: "verdict cannot_tell (detect, incident)",
		},
		{
			Anchor: "map", Name: "Steps of the map", Shown: "8 to 20 ×",
			Meaning: fmt.Sprintf("Reports of the last %s in a country, divided by what is usual there: below 3 times, from 3, from 8, from 20 times. Of several services the one counts that stands worst. Five minutes with fewer than 3 people count as none. Nothing is said of a country with fewer than %d reports where fewer than %d are usual; where three times the usual number is still what chance may bring, the table says so. All that is hatched: unknown, not fine. The maps of an incident’s moments are made in the same way, each of its own %s; for one that is no longer in memory, of how far its record says that each country went.", within(mapWindow), ratioFrom, ratioFrom, within(mapWindow)),
			Unit:    "times the usual number, in five steps", From: "the reports of each country and what is usual there", Late: "up to 30 seconds after every five minutes; a surge that is minutes old is diluted",
			Misleads: "a large country looks like much trouble, and Faultline is hardly known in most", Rule: "map window, steps (publish)",
		},
		{
			Anchor: "connecting", Name: "Checks that reach it", Shown: "3 of 3 healthy checks",
			Meaning: "Checks from our vantage points that got the answer they should, of those that count. A vantage point without a network of its own, without name servers, or at which everything fails at once does not count, and says so. A service that refuses to talk to us is not called down. “18 of 60 checks failed” counts those of one vantage point since its checks began to fail now and then, in the last hour at most.",
			Unit:    "checks of checks", From: fmt.Sprintf("probes, every %s; every %s while something is wrong", seconds(r.Interval), seconds(r.Urgent)), Late: fmt.Sprintf("one check, and a second attempt %s later", within(r.Second)),
			Misleads: "the service refuses hosting networks but serves homes", Rule: "vantage health (probe), failures in a row, and now and then (detect)",
		},
	}
}

// verdicts are what is made of the counts.
func verdicts(r Rules) []number {
	return []number{
		{
			Anchor: "state", Name: "State", Shown: "As usual, Odd, Possible, Disrupted, Recovering, Over, Retracted, Can’t tell",
			Meaning: strings.Join(StateRules(r), "\n"),
			Unit:    "a word and a shape", From: "reports and probes", Late: "1 to 5 minutes after it begins",
			Misleads: "one shared cable makes two instruments look independent", Rule: "state table (incident)",
		},
		{
			Anchor: "duration", Name: "How long", Shown: "6 h 46 min, in three parts",
			Meaning: fmt.Sprintf("The sum of the disrupted parts. Reports say that a part ends where less than a tenth of its peak is left; checks, where they succeed again. The span from the first start to the last end is another number and is always called so. A part that begins less than %s after the end of the one before belongs to the same incident.", within(r.Reopen)),
			Unit:    "hours and minutes; times in UTC", From: "start and end of each part", Late: "the end is known 10 to 20 minutes later",
			Misleads: "the service comes back for some people first", Rule: "episodes (incident)",
		},
		{
			Anchor: "chance", Name: "By chance", Shown: "1 in 1,000,000",
			Meaning: fmt.Sprintf("How often reports would come as thick as that on ordinary days. Six windows of 5 minutes to 2 hours that end now are each compared with what is usual: a count that varies more than by chance alone, as this series’ own counts do (negative binomial, with a dispersion learnt for each length). The largest minute of a window is cut, so that one lone minute decides nothing. The best window is told, after it paid for being the best of several and for the width of the series’ own tail. Beyond one in a billion we do not know the digits. While a service has been watched for less than %s the odds are those of the law alone, and many people are asked for instead. The whole working stands in the JSON, and faultline explain prints it.", within(r.Young)),
			Unit:    "odds, for one moment of one series", From: "reports of the window, and the history before it", Late: "with the event",
			Misleads: "read as the chance that nothing is wrong: it is the chance of such counts if nothing is wrong", Rule: "scan, tail and calibration (detect)",
		},
		{
			Anchor: "onset", Name: "When it began", Shown: "about 13:38 UTC (between 13:35 and 13:41)",
			Meaning: "The start that fits the reports best, and in brackets the earliest and latest start that fit nearly as well.",
			Unit:    "time of day, UTC", From: "the minutes before the detector spoke", Late: "it may move while the event is open",
			Misleads: "the fault crept in slowly", Rule: "onset range (detect)",
		},
		{
			Anchor: "share", Name: "Share of a country or network", Shown: "38 %",
			Meaning: "Its part of the reports above the usual number in this incident. It is not the part of its people that are hit: we don’t know how many use the service there.",
			Unit:    "per cent of the incident’s reports above usual", From: "the country’s and the network’s own series", Late: "with each revision",
			Misleads: "Faultline is better known in one country than in another", Rule: "scope (incident)",
		},
		{
			Anchor: "together", Name: "Whom it points to", Shown: "All use P. Our checks of P fail from 2 of 3 vantage points.",
			Meaning: "Services whose troubles began within 15 minutes of each other are looked at together. Each explanation is weighed: one of them, what carries some of them, a network, a country’s networks, a cause that we do not know, chance. Which services have trouble and which do not, how much, in which order, from which networks the reports come, and what checks say decide. One with 80 % of the weight is named. Reports alone only point: they make nobody the origin, and a party whose own checks succeed is never named.",
			Unit:    "a service, network or country, with the evidence for and against", From: "reports, checks, and a list of who carries whom", Late: "a minute; one service that something carries is looked at for 15 minutes first",
			Misleads: "what they share is not in our list", Rule: "collateral (incident)",
		},
		{
			Anchor: "mix", Name: "What people say", Shown: "Can’t sign in, 61 %",
			Meaning: "Reports of the last hour by symptom and by where people use the service. These are raw counts: the caps on networks are not applied.",
			Unit:    "per cent of reports", From: "the report form", Late: "at once", Misleads: "people pick the first button", Rule: "cells (series)",
		},
		{
			Anchor: "what", Name: "What fails", Shown: "Can’t sign in, 41 ×; the app, 93 %",
			Meaning: whatRule(r),
			Unit:    "reports above usual, per cent, times the usual number", From: "reports, people counted once, caps applied", Late: "5 minutes; late reports are not added",
			Misleads: "people pick the first button, or cannot open the app and so report on the website", Rule: "aspects (incident)",
		},
		{
			Anchor: "affected", Name: "Share of users hit", Shown: "between 3 and 98 of 100 people who use it",
			Meaning: affectedRule(r),
			Unit:    "people of 100 who use the service, in the world", From: "reports, “works for me”, checks", Late: "five minutes; it is not revised by late reports",
			Misleads: "read as a count; or “works for me” comes from those who never use it", Rule: "Jeffreys interval, bounds of self-selection (incident)",
		},
		{
			Anchor: "severity", Name: "Severity", Shown: "3 h 6 min (12 min to 5 h 51 min)",
			Meaning: "The share of users hit, summed over the span: the time that a user lost on average, from nothing to the whole span. The range adds up the lower and the upper ends, as if each were wrong in the same way all the time. Where the share is not known for a part of the span, that part counts as nobody below and as everybody above; where it is not known for half of the span, so is the severity.",
			Unit:    "hours and minutes per user", From: "the entry above", Late: "with each revision",
			Misleads: "compared between services with few and with many reports: look at the ranges", Rule: "∫ share affected dt (incident)",
		},
		{
			Anchor: "rank", Name: "Rank", Shown: "3rd longest of 41 since 12 May 2026",
			Meaning: "Place among the disruptions of the service that we hold, by disrupted time and by severity. Those that go on and possible ones count; those that were retracted, or are part of another, don’t; by severity, those of unknown severity don’t either. Equal ones share a place. “Since” is the first of them. Each rank links to its list, in that order, as page, JSON and CSV: count again.",
			Unit:    "place", From: "our own record", Late: "at once", Misleads: "we began to watch only recently, or the values differ by less than their ranges", Rule: "by disrupted time, by severity (publish)",
		},
		{
			Anchor: "days", Name: "Ninety days", Shown: "a mark a day",
			Meaning: "The height of a mark grows with the square root of the time disrupted on that day (UTC). A dashed box is a day on which nobody could tell.",
			Unit:    "minutes a day", From: "incidents that were not retracted", Late: "with the incident", Misleads: "two short marks look like one long one", Rule: "publish",
		},
	}
}

// records are what is said about the record itself.
func records() []number {
	return []number{
		{
			Anchor: "revision", Name: "Revision", Shown: "@7",
			Meaning: "Incidents are never edited. Each change is a new revision with its time, its cause and who made it, and each keeps its address.",
			Unit:    "a number from 1", From: "the control record", Late: "at once", Misleads: "quoted without “as of”", Rule: "control records",
		},
		{
			Anchor: "why", Name: "Why", Shown: "not assessed by this version",
			Meaning: "This version finds disruptions. It does not say what caused them, and it does not repeat what others say about the cause.",
			Unit:    "none", From: "nothing", Late: "never", Misleads: "read as “unknown to everybody”", Rule: "none",
		},
	}
}

// mistakes are the numbers of how often we are wrong.
func mistakes(r Rules) []number {
	return []number{
		{
			Anchor: "calibration", Name: "As surprising as it says", Shown: "0.72 %, where it should be 1 %",
			Meaning: fmt.Sprintf("Each reading of a series says how surprising it is. If that is right, one in ten comes with odds of 1 in 10 or less, one in a hundred with 1 in 100, and so on. We count it here: one reading a quarter of an hour of each series that has been watched for %s or more, in stretches of two hours without an open event, over twelve months at most. The range holds the true share with 95 %%; readings of one stretch share their reports, and the range allows for that. It does not allow for series that share reports: a country’s are in the world’s too, which is why each level stands for itself. Beginnings of real surges and surges that stayed too small for an event are in it, so the far end shows somewhat too many; a reading that opened an event is not: whether those were false stands below.\nToo often: we would cry wolf. Less often: we are slower than we need to be; with few reports that cannot be helped, since people come whole.", within(r.Young)),
			Unit:    "per cent of readings", From: "this site’s own readings", Late: "two hours",
			Misleads: "real trouble that stayed small is taken for chance", Rule: "calibration record (detect)",
		},
		{
			Anchor: "false-alarms", Name: "False alarms", Shown: "2 of 40 incidents were taken back",
			Meaning: "Retracted: a person, or the rule for surges that were only the level since listening began, said that it was none. Never confirmed: it stayed possible until it was over. A series-week is a series of reports (the world’s, a country’s, a network’s) that was watched for a week well enough to tell. The range holds the true rate with 95 % if false alarms come by chance, one by one. Incidents that were merged into another are not counted for themselves.",
			Unit:    "incidents; in a thousand series-weeks", From: "this site’s own incidents", Late: "at once",
			Misleads: "nobody looked: what is not retracted may still have been false", Rule: "incident record (publish)",
		},
		{
			Anchor: "baseline-age", Name: "Age of what is usual", Shown: "21 days",
			Meaning: "How much history stands behind the usual number, of the world’s series and the countries’ that are shown. Time in which nobody listened does not count. It begins again when an operator accepts a new normal that is very different.",
			Unit:    "days", From: "the history of the series", Late: "with each reading",
			Misleads: "an old baseline of a service that changed last week", Rule: "baseline (detect)",
		},
	}
}

// StateRules are the rules of an incident's states in effect, a sentence or two
// each.
func StateRules(r Rules) []string {
	return strings.Split(strings.Join([]string{possibleRule(r), confirmedRule(r), endRule(r)}, "\n"), "\n")
}

func possibleRule(r Rules) string {
	return fmt.Sprintf("Odd: reports that have %s, from at least %d people; or checks of a vantage point that fail now and then, with others between them that succeed, where the share that fails has %s by what is usual there. Listed, and no incident.\nPossible: reports that have %s, from at least %d people in at least %d networks (%d people while the service has been watched for less than %s; where nobody listened before, such a surge is taken back %s later if it has not fallen; a country’s must be ten times, a network’s, a symptom’s or a surface’s a hundred times rarer, since there are so many, and all as many times rarer as there are more than 500 services), or one vantage point that fails %d times in a row, each time also at its second attempt.",
		oneIn(r.OddLogP), r.OddReporters, oneIn(r.SometimesLogP), oneIn(r.PossibleLogP), r.PossibleReporters, r.PossibleNetworks, r.YoungReporters, within(r.Young), within(r.Told), r.FailedChecks)
}

func whatRule(r Rules) string {
	return fmt.Sprintf("Each symptom and each surface (app, website, interface for programs) has its own usual number, as the world has. While an incident lasts, what each holds above it is added up. The share is of all symptoms, or of all surfaces; the usual share is the same of ordinary days. “Surge” is the largest surge of the series itself, over what is usual then.\nA symptom stands out if it surges, has %s of what is above usual or more, %s its usual share or more, and is %.0f standard deviations away from what chance brings; a surface, which need not surge by itself, with %s, %s and %.0f. Reports that look forged make nothing stand out. Fewer than 3 reports above usual are not listed. It never says for whom.",
		share(r.SymptomShare), times(r.SymptomTimes), r.SymptomRare, share(r.SurfaceShare), times(r.SurfaceTimes), r.SurfaceRare)
}

func affectedRule(r Rules) string {
	return fmt.Sprintf("An estimate, wide on purpose: nobody counts the people who are hit, and most people say nothing. Every 5 minutes, the reports of the last 15 above the usual number (hit) are weighed against the usual reports and “works for me” (not hit).\nPeople who are hit speak up at least as readily as others: that gives the upper end. We assume that they do so at most %s as readily, which nobody has measured: that gives the lower end. The value lies between by the root of that, and is no measurement of its own. The range also holds the error of a small sample (9 of 10).\nChecks raise it, where at least %d networks have healthy vantage points and one of them can’t reach the service. Checks that succeed never lower it: they see the front door only. With fewer than %d people on record who are not hit, or a history too short to know what is usual and as few for whom it works, reports can’t tell, which is not nobody.",
		times(r.HitReadier), r.HitGroups, r.HitOthers)
}

func confirmedRule(r Rules) string {
	s := fmt.Sprintf("Disrupted (confirmed): two kinds of instruments agree within %s, or at least %d vantage points in at least %d networks fail at the same step, and with them %s of the healthy groups or more.", within(r.Agree), r.QuorumVantages, r.QuorumASNs, share(r.QuorumShare))
	if r.OneVantage {
		s += fmt.Sprintf(" The operator of this site also lets one healthy vantage point confirm, after %d failed checks; the page then says “by one vantage”.", r.OneVantageChecks)
	}
	return s + " Reports alone, however many, stay possible."
}

func endRule(r Rules) string {
	return fmt.Sprintf("Recovering: back inside the usual range for %s, or for %d checks.\nOver: recovering for %s, or measured by nobody for %s, which is said.\nRetracted: it was none, and the page says why.", within(r.RecoverReports), r.RecoverChecks, within(r.Resolve), within(r.Unheard))
}

// seconds writes an interval of checks.
func seconds(d time.Duration) string { return words.Plural(d.Seconds(), "second", "seconds") }

func (s *Site) drawMethod(v *live.View) ([]byte, error) {
	return s.page("method", frame{Title: "How each number is made", Nav: "method", Path: "/method", Twin: "/method.json", Now: v.At, Data: methodPage{numbers(s.d.Rules), s.errors(v)}})
}

type methodPage struct {
	Numbers []number
	Wrong   *errorRecord
}

// methodDoc is the twin of the page about method.
type methodDoc struct {
	head
	Numbers []number    `json:"numbers"`
	Quality *qualityDoc `json:"how_often_wrong"`
}

func (s *Site) methodJSON(v *live.View) ([]byte, error) {
	return encode(methodDoc{s.head(v, "How each number is made"), numbers(s.d.Rules), s.errors(v).doc})
}
