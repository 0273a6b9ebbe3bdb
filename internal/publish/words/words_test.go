package words_test

import (
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/words"
)

var now = time.Date(2026, 5, 4, 16, 0, 0, 0, time.UTC)

func minutes(n int) faultline.Seconds { return faultline.Seconds(time.Duration(n) * time.Minute) }

// surge is an incident by reports alone, at a peak against a usual number.
func surge(peak, usual float64) *faultline.Incident {
	return &faultline.Incident{
		State: faultline.Possible, Worst: faultline.Possible, Onset: now.Add(-30 * time.Minute), At: now, Instruments: []string{"reports"}, Disrupted: minutes(30), Span: minutes(30),
		Episodes: []faultline.Episode{{Onset: now.Add(-30 * time.Minute), OnsetLow: now.Add(-32 * time.Minute), OnsetHigh: now.Add(-28 * time.Minute)}},
		Peak:     faultline.PeakReports{Value: peak, Usual: usual, Width: minutes(20)}, Scope: faultline.Scope{Countries: []faultline.CountryShare{{Country: "GB", N: peak}}},
	}
}

func with(i *faultline.Incident, f func(*faultline.Incident)) *faultline.Incident {
	f(i)
	return i
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		f    words.Facts
		head string
		has  []string // in the sentence
		down string
	}{
		"fine, by people and probes": {
			words.Facts{State: faultline.Fine, Awake: []string{"reports", "probes"}, Reports: words.Reports{Known: true, Value: 52, Band: true, Low: 25, High: 85}, Probes: words.Probes{Healthy: 3, Reaching: 3}},
			"X is working as usual",
			[]string{"52 reports in the last 5 minutes; 25 to 85 are usual", "3 of 3 healthy checks reach it"},
			"No",
		},
		"fine, but nobody probes it": {
			words.Facts{State: faultline.Fine, Reports: words.Reports{Known: true, Value: 1, Band: true, Low: 0, High: 2}},
			"X is working as usual",
			[]string{"Fewer than 3 reports", "fewer than 3 are usual", "No probe looks at it"},
			"No",
		},
		"nobody listens": {
			words.Facts{State: faultline.Unclear, Reason: "collector_silent"}, "We can’t tell whether X works", []string{"Our collector of reports is silent", "not the same as fine"}, "Can’t tell",
		},
		"the vantage has no network": {
			words.Facts{State: faultline.Unclear, Reason: "impaired", Impaired: faultline.NoRoute}, "We can’t tell whether X works", []string{"This vantage has no network"}, "Can’t tell",
		},
		"the vantage has no network, and the reason says so": {
			words.Facts{State: faultline.Unclear, Reason: "no_route"}, "We can’t tell whether X works", []string{"This vantage has no network"}, "Can’t tell",
		},
		"a redirect to where nobody may look": {
			words.Facts{State: faultline.Unclear, Reason: "address_forbidden", Failing: faultline.AddressForbidden}, "We can’t tell whether X works", []string{"Our checks don’t count: the address may not be probed."}, "Can’t tell",
		},
		"people say fine, checks are refused": {
			words.Facts{State: faultline.Fine, Reports: words.Reports{Known: true}, Probes: words.Probes{Unhealthy: 1}, Failing: faultline.RefusedToUs}, "X is working as usual", []string{"Our probes can’t tell: the service refuses to talk to us."}, "No",
		},
		"fine by probes before the first report": {
			words.Facts{State: faultline.Fine, Reports: words.Reports{Never: true}, Probes: words.Probes{Healthy: 1, Reaching: 1}}, "X is working as usual", []string{"No report has been counted so far. The one healthy check reaches it."}, "No",
		},
		"fine by probes before the first report, asked for a country": {
			words.Facts{State: faultline.Fine, Reports: words.Reports{Never: true}, Country: "GB"}, "X is working as usual", []string{"No report from the United Kingdom has been counted so far."}, "No",
		},
		"fine by probes in the first minutes": {
			words.Facts{State: faultline.Fine, Reports: words.Reports{Early: true}, Probes: words.Probes{Healthy: 1, Reaching: 1}}, "X is working as usual", []string{"The first 5 minutes in which people’s reports are counted aren’t over yet. The one healthy check"}, "No",
		},
		"fine by probes while nobody listens": {
			words.Facts{State: faultline.Fine, Probes: words.Probes{Healthy: 2, Reaching: 2}}, "X is working as usual", []string{"reports were not listened to. 2 of 2 healthy checks reach it."}, "No",
		},
		"nothing was ever said of it": {
			words.Facts{State: faultline.Unclear, Reason: "too_few", Reports: words.Reports{Never: true}}, "We can’t tell whether X works", []string{"No report has been counted so far. No probe looks at it. That is not the same as fine."}, "Can’t tell",
		},
		"odd": {
			words.Facts{State: faultline.OddState, Reports: words.Reports{Known: true, Value: 9}}, "X looks a little odd", []string{"9 reports", "it may be chance"}, "Not as far as we see",
		},
		"checks that fail now and then": {
			words.Facts{
				State: faultline.OddState, Reports: words.Reports{Known: true, Value: 9}, Probes: words.Probes{Healthy: 3, Reaching: 3},
				Sometimes: []words.Sometimes{{Vantage: "local", Failed: 1, Of: 60, Over: time.Hour}, {Vantage: "london", Failed: 9, Of: 30, Over: 30 * time.Minute}},
			},
			"X fails now and then, as two vantage points see it",
			[]string{"9 of 30 checks from vantage point london failed in the last 30 min", "opens no incident"},
			"Not as far as we see",
		},
		"a few more than usual": {
			words.Facts{State: faultline.Possible, Incident: surge(30, 18)}, "X may be failing: a few more people than usual report problems", []string{"1.7 × the usual number", "30 in 20 min, where 18 are usual", "Reports alone, however many, stay possible"}, "Possibly",
		},
		"41 times the usual number, and still possible": {
			words.Facts{State: faultline.Possible, Incident: surge(8120, 198)}, "X may be failing: very many people report problems", []string{"41 × the usual number", "8,120 in 20 min", "stay possible"}, "Possibly",
		},
		"a ratio on hardly anything is not printed": {
			words.Facts{State: faultline.Possible, Incident: surge(16, 0.4)}, "X may be failing: very many people report problems", []string{"16 in 20 min, where hardly any are usual"}, "Possibly",
		},
		"one vantage that fails": {
			words.Facts{State: faultline.Possible, Incident: with(surge(0, 0), func(i *faultline.Incident) {
				i.Instruments, i.Scope, i.Failure = []string{"probes"}, faultline.Scope{Vantages: 1, OfVantages: 1}, faultline.ConnectionRefused
			})},
			"X may be out of reach",
			[]string{"The one healthy vantage point can’t reach it: the connection is refused", "One vantage point alone can’t confirm it"},
			"Possibly",
		},
		"confirmed in one country": {
			words.Facts{State: faultline.Confirmed, Incident: with(surge(800, 20), func(i *faultline.Incident) {
				i.State, i.Instruments, i.Scope.Vantages, i.Scope.OfVantages = faultline.Confirmed, []string{"reports", "probes"}, 2, 3
			})},
			"X is failing in the United Kingdom",
			[]string{"40 × the usual number", "2 of 3 healthy vantage points can’t reach it", "about 15:30 UTC (between 15:28 and 15:32)", "30 min ago"},
			"Yes",
		},
		"confirmed by one vantage": {
			words.Facts{State: faultline.Confirmed, Incident: with(surge(0, 0), func(i *faultline.Incident) {
				i.State, i.OneVantage, i.Instruments, i.Scope = faultline.Confirmed, true, []string{"probes"}, faultline.Scope{Vantages: 1, OfVantages: 1}
			})},
			"X can’t be reached from here",
			[]string{"Confirmed by one vantage"},
			"Yes",
		},
		"worldwide": {
			words.Facts{State: faultline.Confirmed, Incident: with(surge(800, 20), func(i *faultline.Incident) { i.State, i.Scope.Global = faultline.Confirmed, true })}, "X is failing worldwide", nil, "Yes",
		},
		"recovering": {
			words.Facts{State: faultline.Recovering, Incident: with(surge(800, 20), func(i *faultline.Incident) { i.State, i.End = faultline.Recovering, now.Add(-12*time.Minute) })}, "X is coming back", nil, "Coming back",
		},
		"over, in three parts": {
			words.Facts{State: faultline.Resolved, Incident: with(surge(800, 20), func(i *faultline.Incident) {
				i.State, i.Worst, i.End, i.Disrupted, i.Episodes = faultline.Resolved, faultline.Confirmed, now, minutes(406), make([]faultline.Episode, 3)
			})},
			"X failed three times, for 6 h 46 min in all", nil, "No longer",
		},
		"over, and never confirmed": {
			words.Facts{State: faultline.Resolved, Incident: with(surge(80, 20), func(i *faultline.Incident) { i.State, i.End = faultline.Resolved, now })}, "X may have failed for 30 min", nil, "No longer",
		},
		"retracted, with its reason": {
			words.Facts{State: faultline.Retracted, Incident: with(surge(80, 20), func(i *faultline.Incident) { i.State, i.Reason = faultline.Retracted, "Our own fault." })}, "Retracted: we were wrong about X", []string{"Our own fault.", "stays here"}, "It was not",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Name, c.f.Now = "X", now
			v := words.Say(c.f)
			if v.Headline != c.head || v.Down.Head != c.down {
				t.Errorf("says %q and %q; want %q and %q", v.Headline, v.Down.Head, c.head, c.down)
			}
			for _, h := range c.has {
				if !strings.Contains(v.Text(), h) {
					t.Errorf("%q lacks %q", v.Text(), h)
				}
			}
			if v.Why.Note != "not assessed by this version" {
				t.Errorf("why: %+v", v.Why)
			}
		})
	}
}

func TestReportsAloneAreNeverCalledConfirmed(t *testing.T) {
	for _, peak := range []float64{30, 300, 3000, 3e6} {
		v := words.Say(words.Facts{Name: "X", Now: now, State: faultline.Possible, Incident: surge(peak, 20)})
		if v.Pill != "Possible" || !strings.Contains(v.Headline, "may be") || v.Down.Note != "reports only, so not confirmed" {
			t.Errorf("%v reports: %+v", peak, v)
		}
	}
}

func TestTheWordsGrowWithTheNumber(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []float64{1.2, 3, 8, 41} {
		seen[words.Say(words.Facts{Name: "X", Now: now, State: faultline.Possible, Incident: surge(100*r, 100)}).Headline] = true
	}
	if len(seen) != 4 {
		t.Errorf("grades %v", seen)
	}
}

func TestAReconstructionSaysThatItWasNotMeasured(t *testing.T) {
	v := words.Say(words.Facts{Name: "X", Now: now, State: faultline.Fine, Origin: faultline.Reconstructed})
	if !strings.Contains(v.Caveat, "not measured") || !strings.Contains(v.Caveat, "what Faultline would print if these had been measured") {
		t.Errorf("caveat %q", v.Caveat)
	}
	if v := words.Say(words.Facts{Name: "X", Now: now, State: faultline.Fine, Origin: faultline.Measured}); v.Caveat != "" {
		t.Errorf("measured, but: %q", v.Caveat)
	}
}

func TestNumbersInWords(t *testing.T) {
	for got, want := range map[string]string{
		words.People(0): "no", words.People(0.4): "fewer than 3", words.People(2.9): "fewer than 3", words.People(3): "3", words.People(21450): "21,450",
		words.Count(999): "999", words.Count(1234567): "1,234,567",
		words.Times(8.44): "8.4 ×", words.Times(41.3): "41 ×",
		words.Range(0, 2): "fewer than 3", words.Range(1, 9): "up to 9", words.Range(25, 85): "25 to 85",
		words.Duration(20 * time.Second): "less than a minute", words.Duration(41 * time.Minute): "41 min", words.Duration(6 * time.Hour): "6 h", words.Duration(406 * time.Minute): "6 h 46 min", words.Duration(76 * time.Hour): "3 days 4 h",
		words.Clock(now, now): "16:00 UTC", words.Clock(now.AddDate(0, 0, -1), now): "3 May 2026, 16:00 UTC",
		words.The("GB"): "the United Kingdom", words.The("FR"): "France", words.Country("ZZ"): "an unknown country", words.Country("KE"): "Kenya",
		words.Plural(1, "service", "services"): "1 service", words.Plural(2, "service", "services"): "2 services",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryStateAndFailureHasWords(t *testing.T) {
	for _, s := range []faultline.State{faultline.Fine, faultline.Unclear, faultline.OddState, faultline.Possible, faultline.Confirmed, faultline.Recovering, faultline.Resolved, faultline.Retracted} {
		v := words.Say(words.Facts{Name: "X", Now: now, State: s})
		if v.Headline == "" || v.Text() == "" || v.Down.Head == "" || v.Whom.Head == "" || v.Long.Head == "" || v.Pill == "" {
			t.Errorf("%s: %+v", s, v)
		}
	}
	if words.Shape(faultline.Unclear) == words.Shape(faultline.Fine) {
		t.Error("cannot tell has the shape of fine")
	}
	for _, f := range []faultline.Failure{faultline.GenericTimeout, faultline.DNSNXDomain, faultline.HTTPServerError, faultline.RefusedToUs} {
		if words.Failure(f) == words.Failure("something new") {
			t.Errorf("%s has no words", f)
		}
	}
}

func TestReasonsAreReadable(t *testing.T) {
	for why, want := range map[string]string{
		"2 checks in a row from vantage a failed: generic_timeout_error at connect": "2 checks in a row from vantage a failed: there is no answer in time while connecting",
		"failed: http_server_error":                                     "failed: the server answers with an error",
		"failed: not_a_failure at connect; 3 checks succeed":            "failed: not_a_failure at connect; 3 checks succeed",
		"reports are back to their usual number for 10 min":             "reports are back to their usual number for 10 min",
		"failed: connection_refused at noon, then connection_reset too": "failed: the connection is refused at noon, then the connection is cut too",
	} {
		if got := words.Reason(why); got != want {
			t.Errorf("%q\nbecomes %q\nwant    %q", why, got, want)
		}
	}
}

func TestSharesBelowOneInAHundredAreNotNone(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.001: "under 1 %", 0.0049: "under 1 %", 0.005: "1 %", 0.384: "38 %", 1: "100 %"} {
		if got := words.Percent(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestEventsInWords(t *testing.T) {
	onset := time.Date(2026, 5, 4, 13, 38, 0, 0, time.UTC)
	surge := faultline.Event{Kind: faultline.Surge, Onset: onset, PeakValue: 1227, PeakUsual: 4.9, PeakWidth: faultline.Seconds(15 * time.Minute), Series: faultline.Series{Level: faultline.InASN, Country: "JP", ASN: 2516}}
	few := faultline.Event{Kind: faultline.Surge, Onset: onset, End: onset.Add(time.Hour), PeakValue: 2, Series: faultline.Series{Level: faultline.InCountry, Country: "GB"}}
	symptom := faultline.Event{Kind: faultline.Surge, Onset: onset, PeakValue: 48, PeakUsual: 14, PeakWidth: faultline.Seconds(15 * time.Minute), Series: faultline.Series{Level: faultline.BySymptom, Symptom: faultline.CannotLogIn}}
	surface := faultline.Event{Kind: faultline.Surge, Onset: onset, PeakValue: 2, Series: faultline.Series{Level: faultline.BySurface, Surface: faultline.App}}
	probe := faultline.Event{Kind: faultline.Unreachable, Onset: onset, Failure: faultline.GenericTimeout, Op: faultline.OpConnect, Series: faultline.Series{Vantage: "tokyo"}}
	for want, e := range map[string]*faultline.Event{
		"Reports in the network AS2516, Japan, from 13:38: 1,227 in 15 min, where 5 are usual": &surge,
		"Reports in the United Kingdom, 13:38 to 14:38":                                        &few,
		"Reports of “Can’t sign in”, from 13:38: 48 in 15 min, where 14 are usual":             &symptom,
		"Reports about the app, from 13:38":                                                    &surface,
		"tokyo could not reach it, from 13:38: there is no answer in time while connecting":    &probe,
	} {
		if got := words.Event(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatWasRetractedHitNobody(t *testing.T) {
	v := words.Say(words.Facts{State: faultline.Retracted, Incident: &faultline.Incident{
		State: faultline.Retracted, Disrupted: faultline.Seconds(90 * time.Minute), Scope: faultline.Scope{Countries: []faultline.CountryShare{{Country: "DE", N: 76}}},
	}})
	if v.Down.Head != "It was not" || v.Whom.Head != "Nobody" || v.Long.Head != "Not at all" || v.Long.Note != "it was listed as 1 h 30 min" {
		t.Errorf("%+v", v)
	}
}

func TestEveryReasonNotToTellHasItsOwnWords(t *testing.T) {
	none := words.CannotTell("no_data", "")
	seen := map[string]string{none: "no_data"}
	for _, reason := range []string{"collector_silent", "young_baseline", "too_few", "checking", "probes_silent", "no_route", "no_resolver", "captive_portal", "refused_to_us"} {
		got := words.CannotTell(reason, "")
		if other, there := seen[got]; there {
			t.Errorf("%s reads %q, which %s reads too", reason, got, other)
		}
		seen[got] = reason
	}
}

// A moment of another day is a date, and what is over has no "since".
func TestADayHasItsPreposition(t *testing.T) {
	onset := time.Date(2026, 3, 10, 9, 47, 0, 0, time.UTC)
	i := faultline.Incident{State: faultline.Resolved, Worst: faultline.Confirmed, Onset: onset, End: onset.Add(9 * time.Hour), Disrupted: minutes(301), Span: minutes(540), Episodes: make([]faultline.Episode, 5)}
	if got := words.Began(i, onset.Add(30*time.Hour)); got != "It began on 10 Mar 2026, 09:47 UTC." {
		t.Error(got)
	}
	if got := words.Began(i, onset.Add(10*time.Hour)); got != "It began at 09:47 UTC." {
		t.Error(got)
	}
	v := words.Say(words.Facts{Name: "X", State: i.State, Incident: &i, Now: onset.Add(30 * time.Hour)})
	if v.Long.Note != "in five parts over 9 h, from 10 Mar 2026, 09:47 UTC" {
		t.Error(v.Long.Note)
	}
	i.State, i.End, i.At = faultline.Confirmed, time.Time{}, onset.Add(9*time.Hour)
	if v := words.Say(words.Facts{Name: "X", State: i.State, Incident: &i, Now: i.At}); v.Long.Note != "in five parts over 9 h, since 09:47 UTC" {
		t.Error(v.Long.Note)
	}
}

// One vantage point is no "1 of 1".
func TestOneVantagePointIsSpokenOfInTheSingular(t *testing.T) {
	one := faultline.Incident{State: faultline.Confirmed, Instruments: []string{"probes"}, Scope: faultline.Scope{Vantages: 1, OfVantages: 1}}
	many := one
	many.Scope = faultline.Scope{Vantages: 1, OfVantages: 3}
	for want, i := range map[string]*faultline.Incident{
		"by the one healthy vantage point | Our vantage point": &one, "1 of 3 healthy vantage points agree | Our vantage points": &many,
	} {
		v := words.Say(words.Facts{Name: "X", State: i.State, Incident: i})
		if got := v.Down.Note + " | " + v.Whom.Head; got != want || strings.Contains(v.Text(), "1 of 1") {
			t.Errorf("%q, %q; want %q", got, v.Text(), want)
		}
	}
}
