package web

import (
	"faultline/internal/publish/live"
)

// number is an entry of the page about method: one number that pages print.
type number struct {
	Anchor   string `json:"anchor"`
	Name     string `json:"name"`
	Shown    string `json:"shown_as"`
	Meaning  string `json:"meaning"`
	Unit     string `json:"unit"`
	From     string `json:"from"`
	Late     string `json:"how_late"`
	Misleads string `json:"misleads_when"`
	Rule     string `json:"rule"`
}

// numbers are all numbers that pages print. A number without an entry here
// must not be on a page.
func numbers() []number {
	return []number{
		{
			Anchor: "reports", Name: "Reports", Shown: "142",
			Meaning: "People who told us that a service fails for them. One person counts once in ten minutes. A network (a /24 of IPv4, a /56 of IPv6) counts for at most 3 people in ten minutes, or 4 times its usual number if that is more. In numbers wider than a country, one provider counts for at most a fifth of all others together, or twice its usual share. Nothing below 3 people or 5 minutes is printed.",
			Unit:    "people, in 5 minutes or longer", From: "the report form and the interface for programs", Late: "up to 30 seconds after the five minutes; reports that arrive later correct it for 30 minutes",
			Misleads: "a link to the form spreads faster than the fault", Rule: "effective reporters, DESIGN §3 (series)",
		},
		{
			Anchor: "usual", Name: "Usual number", Shown: "25 to 85 are usual",
			Meaning: "What we expect at this hour of the week, from the service’s own past. The range holds 9 of 10 ordinary readings. It stands still while something is wrong, so that an outage never becomes normal.",
			Unit:    "reports in 5 minutes, or in the hour that is named", From: "the history of the same service and place", Late: "learnt minute by minute while nothing is wrong",
			Misleads: "a holiday, a launch or a final falls on an ordinary weekday", Rule: "hour-of-week baseline, negative binomial (detect)",
		},
		{
			Anchor: "ratio", Name: "Times the usual", Shown: "41 ×",
			Meaning: "Reports divided by what is usual at that time. It is never shown on fewer than 5 reports. In the drum on the home page the usual number counts as 1 at least.",
			Unit:    "times", From: "the two entries above", Late: "as they are",
			Misleads: "the usual number is small: 16 reports where 1 is usual is no catastrophe", Rule: "value ÷ expected (publish)",
		},
		{
			Anchor: "few", Name: "Too few to say", Shown: "a dashed square, or “fewer than 3”",
			Meaning: "Fewer than 3 people, or no collector awake, or a history too short to know what is usual, and no probe that could tell instead. It isn’t a small problem and it isn’t fine: it is unknown.",
			Unit:    "none", From: "any instrument", Late: "with the instrument", Misleads: "read as “no problem”", Rule: "verdict cannot_tell (detect, incident)",
		},
		{
			Anchor: "connecting", Name: "Checks that reach it", Shown: "3 of 3 healthy checks",
			Meaning: "Checks from our vantage points that got the answer they should, of those that count. A vantage point without a network of its own, without name servers, or at which everything fails at once does not count, and says so. A service that refuses to talk to us is not called down.",
			Unit:    "checks of checks", From: "probes, every 60 seconds; every 10 while something is wrong", Late: "one check, and a second attempt a second later",
			Misleads: "the service refuses hosting networks but serves homes", Rule: "probe, DESIGN §4",
		},
		{
			Anchor: "state", Name: "State", Shown: "As usual, Odd, Possible, Disrupted, Recovering, Over, Can’t tell",
			Meaning: "Odd: unusual at one chance in ten thousand. Possible: reports at one in a million from people in at least 3 networks, or one vantage point that fails twice in a row. Disrupted (confirmed): two kinds of instruments agree, or at least 3 vantage points in 2 networks. Reports alone, however many, stay possible. Recovering: back inside the usual range for 10 minutes, or for 3 checks. Over: recovering for 30 minutes.",
			Unit:    "a word and a shape", From: "reports and probes", Late: "1 to 5 minutes after it begins",
			Misleads: "one shared cable makes two instruments look independent", Rule: "state table, DESIGN §5 (incident)",
		},
		{
			Anchor: "duration", Name: "How long", Shown: "6 h 46 min, in three parts",
			Meaning: "The sum of the disrupted parts. The span from the first start to the last end is another number and is always called so. Parts less than 6 hours apart belong to one incident.",
			Unit:    "hours and minutes; times in UTC", From: "start and end of each part", Late: "the end is known 10 to 20 minutes later",
			Misleads: "the service comes back for some people first", Rule: "episodes (incident)",
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
			Anchor: "mix", Name: "What people say", Shown: "Can’t sign in, 61 %",
			Meaning: "Reports of the last hour by symptom and by where people use the service. These are raw counts: the caps on networks are not applied.",
			Unit:    "per cent of reports", From: "the report form", Late: "at once", Misleads: "people pick the first button", Rule: "cells (series)",
		},
		{
			Anchor: "rank", Name: "Rank", Shown: "3",
			Meaning: "Place among the service’s disruptions that we hold, longest disrupted time first.",
			Unit:    "place", From: "our own record", Late: "at once", Misleads: "we began to watch only recently", Rule: "by disrupted time (publish)",
		},
		{
			Anchor: "days", Name: "Ninety days", Shown: "a mark a day",
			Meaning: "The height of a mark grows with the square root of the time disrupted on that day (UTC). A dashed box is a day on which nobody could tell.",
			Unit:    "minutes a day", From: "incidents that were not retracted", Late: "with the incident", Misleads: "two short marks look like one long one", Rule: "publish",
		},
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

func (s *Site) drawMethod(v *live.View) ([]byte, error) {
	return s.page("method", frame{Title: "How each number is made", Nav: "method", Path: "/method", Twin: "/method.json", Now: v.At, Data: numbers()})
}

// methodDoc is the twin of the page about method.
type methodDoc struct {
	head
	Numbers []number `json:"numbers"`
}

func (s *Site) methodJSON(v *live.View) ([]byte, error) {
	return encode(methodDoc{s.head(v, "How each number is made"), numbers()})
}
