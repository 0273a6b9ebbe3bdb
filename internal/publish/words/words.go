// Package words turns states and numbers into sentences.
//
// In: [Facts]. Out: a [Verdict]: headline, sentence, and the answers to four
// questions. It promises to put the number beside every word of quantity, to
// name the uncertainty, to print nothing about fewer than three people, to
// call reports alone no more than possible however many there are, and to say
// of a reconstruction that it was not measured. It is a pure function and has
// no opinion of its own: change a rule here and its table of cases.
package words

import (
	"fmt"
	"strings"
	"time"

	"faultline"
)

// Facts are what a verdict rests on.
type Facts struct {
	Name     string
	Now      time.Time // data time
	State    faultline.State
	Reason   string               // why one cannot tell
	Impaired faultline.Impairment // of the vantage points, if all are
	Incident *faultline.Incident  // what goes on, or what the page is about; may be nil
	Awake    []string             // instruments that can tell: reports, probes
	Reports  Reports              // the newest five minutes
	Probes   Probes               // the newest checks
	Origin   faultline.Origin     // of what is shown
	Country  faultline.Country    // set: the numbers are this country's
	Failing  faultline.Failure    // how checks fail now

	Sometimes []Sometimes // vantage points whose checks fail now and then
}

// Reports are the newest five minutes.
type Reports struct {
	Known     bool // somebody listened
	Never     bool // nobody has said anything about it yet
	Early     bool // the first five minutes of listening are not over
	Value     float64
	Band      bool // Low and High are known
	Low, High float64
}

// Probes are the newest checks, one a vantage point and target.
type Probes struct {
	Healthy   int // that count
	Reaching  int // of those
	Unhealthy int // that do not count
}

// Piece is a part of a sentence; strong parts carry the numbers.
type Piece struct {
	Text   string
	Strong bool
}

// Answer is an answer and its small print.
type Answer struct{ Head, Note string }

// Verdict is what a page says.
type Verdict struct {
	State                 faultline.State
	Pill, Shape           string
	Headline              string
	Lede                  []Piece
	Caveat                string // of reconstructed or simulated records
	Down, Whom, Long, Why Answer
}

// Text is the lede as one string.
func (v Verdict) Text() string {
	var b strings.Builder
	for _, p := range v.Lede {
		b.WriteString(p.Text)
	}
	return strings.TrimSpace(b.String())
}

// Reconstructed is what stands over everything that was not measured.
const Reconstructed = "Reconstructed from published figures, not measured. This is what Faultline would print if these had been measured."

// Caveat is what stands over records of an origin; nothing over measured ones.
func Caveat(o faultline.Origin) string {
	switch o {
	case faultline.Reconstructed:
		return Reconstructed
	case faultline.Simulated:
		return "Simulated, not measured."
	case faultline.Measured:
	}
	return ""
}

// Say makes the verdict.
func Say(f Facts) Verdict {
	v := Verdict{State: f.State, Pill: State(f.State), Shape: Shape(f.State)}
	v.Why = Answer{"Not assessed", "not assessed by this version"}
	v.Caveat = Caveat(f.Origin)
	v.Headline, v.Lede = headline(f), lede(f)
	v.Down, v.Whom, v.Long = down(f), whom(f), long(f)
	return v
}

// crowd says in words how many people speak against the usual number.
func crowd(ratio float64) string {
	switch {
	case ratio < 2:
		return "a few more people than usual"
	case ratio < 5:
		return "more people than usual"
	case ratio < 15:
		return "many people"
	}
	return "very many people"
}

func headline(f Facts) string {
	if h := throughHeadline(f); h != "" {
		return h
	}
	switch f.State {
	case faultline.Fine:
		return f.Name + " is working as usual"
	case faultline.OddState:
		if len(f.Sometimes) > 0 {
			return sometimesHeadline(f)
		}
		return f.Name + " looks a little odd"
	case faultline.Possible:
		return possibleHeadline(f)
	case faultline.Confirmed:
		return confirmedHeadline(f)
	case faultline.Recovering:
		return f.Name + " is coming back"
	case faultline.Resolved:
		return resolvedHeadline(f)
	case faultline.Retracted:
		return "Retracted: we were wrong about " + f.Name
	case faultline.Unclear:
	}
	return "We can’t tell whether " + f.Name + " works"
}

func possibleHeadline(f Facts) string {
	if f.Incident == nil || has(f.Incident.Instruments, "reports") || len(f.Incident.Instruments) == 0 {
		return f.Name + " may be failing: " + complaint(f.Incident)
	}
	return f.Name + " may be out of reach"
}

func confirmedHeadline(f Facts) string {
	if f.Incident == nil {
		return f.Name + " is failing"
	}
	if f.Incident.OneVantage {
		return f.Name + " can’t be reached from here"
	}
	switch s := f.Incident.Scope; {
	case s.Global:
		return f.Name + " is failing worldwide"
	case len(s.Countries) == 1:
		return f.Name + " is failing in " + The(s.Countries[0].Country)
	case len(s.Countries) > 1:
		return fmt.Sprintf("%s is failing in %d countries", f.Name, len(s.Countries))
	}
	return f.Name + " is failing"
}

func resolvedHeadline(f Facts) string {
	i := f.Incident
	if i == nil {
		return f.Name + " is working again"
	}
	verb := "failed"
	if i.Worst != faultline.Confirmed {
		verb = "may have failed"
	}
	if n := len(i.Episodes); n > 1 {
		return fmt.Sprintf("%s %s %s times, for %s in all", f.Name, verb, Small(n), Duration(time.Duration(i.Disrupted)))
	}
	return fmt.Sprintf("%s %s for %s", f.Name, verb, Duration(time.Duration(i.Disrupted)))
}

func ratio(i *faultline.Incident) float64 {
	if i == nil || i.Peak.Usual <= 0 {
		if i != nil && i.Peak.Value > 0 {
			return i.Peak.Value
		}
		return 1
	}
	return i.Peak.Value / i.Peak.Usual
}

func lede(f Facts) []Piece {
	switch f.State {
	case faultline.Possible, faultline.Confirmed, faultline.Recovering, faultline.Resolved:
		return incidentLede(f)
	case faultline.Retracted:
		return retractedLede(f)
	case faultline.OddState:
		if len(f.Sometimes) > 0 {
			return append(reportsPieces(f), sometimesPieces(f)...)
		}
		return append(reportsPieces(f), plain(" Too little to call it a disruption: it may be chance."))
	case faultline.Fine:
		return append(reportsPieces(f), probePieces(f)...)
	case faultline.Unclear:
	}
	if f.Reports.Never && f.Reason == "too_few" {
		return append(reportsPieces(f), plain(" No probe looks at it. That is not the same as fine."))
	}
	return []Piece{plain(CannotTell(f.Reason, f.Impaired) + " That is not the same as fine.")}
}

func plain(s string) Piece  { return Piece{Text: s} }
func strong(s string) Piece { return Piece{Text: s, Strong: true} }

// reportsPieces says how many reports there are now, and how many are usual.
func reportsPieces(f Facts) []Piece {
	where := ""
	if f.Country != "" {
		where = " from " + The(f.Country)
	}
	// A report that was just taken is counted when its minute is over.
	if f.Reports.Never {
		return []Piece{plain("No report" + where + " has been counted so far.")}
	}
	if f.Reports.Early {
		return []Piece{plain("The first 5 minutes in which people’s reports are counted aren’t over yet.")}
	}
	if !f.Reports.Known {
		return []Piece{plain("We don’t know what people saw in the last 5 minutes: reports were not listened to.")}
	}
	out := []Piece{strong(upper(People(f.Reports.Value)) + " reports" + where + " in the last 5 minutes")}
	if f.Reports.Band {
		return append(out, plain("; "+Range(f.Reports.Low, f.Reports.High)+" are usual at this hour."))
	}
	return append(out, plain("; what is usual isn’t known yet."))
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func probePieces(f Facts) []Piece {
	p := f.Probes
	switch {
	case p.Healthy == 0 && p.Unhealthy == 0:
		return []Piece{plain(" No probe looks at it, so only people can tell.")}
	case p.Healthy == 0:
		return []Piece{plain(" Our probes can’t tell: " + uncounted(f) + ".")}
	case p.Reaching == p.Healthy && p.Healthy == 1:
		return []Piece{plain(" "), strong("The one healthy check"), plain(" reaches it.")}
	case p.Healthy == 1:
		return []Piece{plain(" "), strong("The one healthy check"), plain(" can’t reach it: " + Failure(f.Failing) + ".")}
	case p.Reaching == p.Healthy:
		return []Piece{plain(" "), strong(fmt.Sprintf("%d of %d healthy checks", p.Reaching, p.Healthy)), plain(" reach it.")}
	}
	return []Piece{plain(" "), strong(fmt.Sprintf("%d of %d healthy checks", p.Healthy-p.Reaching, p.Healthy)), plain(" can’t reach it: " + Failure(f.Failing) + ".")}
}

// uncounted says why the newest checks don't count: because of us, or because
// of how they ended.
func uncounted(f Facts) string {
	if f.Impaired == "" && f.Failing != "" {
		return Failure(f.Failing)
	}
	return Impaired(f.Impaired)
}

// CannotTell says why nobody can tell.
func CannotTell(reason string, impaired faultline.Impairment) string {
	switch reason {
	case "collector_silent":
		return "Our collector of reports is silent, so we don’t know what people see."
	case "young_baseline":
		return "We have watched it for too short a time to know what is usual."
	case "too_few":
		return "Too few reports to say, and no probe looks at it."
	case "checking":
		return "Checks fail, but not often enough yet to say more."
	case "probes_silent":
		return "Our checks have stopped coming in."
	case "impaired", "no_route", "no_resolver", "all_fail", "controls_fail", "local_cpu", "captive_portal":
		if impaired == "" && reason != "impaired" {
			impaired = faultline.Impairment(reason)
		}
		return upper(Impaired(impaired)) + ", so its checks don’t count."
	case string(faultline.RefusedToUs), string(faultline.AddressForbidden), string(faultline.ProbeFault):
		return "Our checks don’t count: " + Failure(faultline.Failure(reason)) + "."
	}
	return "No instrument that could tell is awake."
}

func incidentLede(f Facts) []Piece {
	i := f.Incident
	if i == nil {
		return append(reportsPieces(f), probePieces(f)...)
	}
	var out []Piece
	out = append(out, peakPieces(f)...)
	out = append(out, whatPieces(i)...)
	out = append(out, vantagePieces(f)...)
	out = append(out, plain(" "+Began(*i, f.Now)))
	out = append(out, togetherPieces(i)...)
	if f.State == faultline.Possible && !exonerated(i) {
		out = append(out, plain(" "+Alone(i)))
	}
	if i.OneVantage {
		out = append(out, plain(" Confirmed by one vantage."))
	}
	return out
}

// peakPieces gives the largest surge: times the usual number where that is a
// number, counts where the usual number is so small that a ratio would boast.
func peakPieces(f Facts) []Piece {
	p := f.Incident.Peak
	if p.Value < 3 {
		return nil
	}
	begin := reportsOf(&p) + " reached "
	over := " in " + Duration(time.Duration(p.Width))
	switch {
	case p.Usual < 1:
		return []Piece{plain(begin), strong(Count(p.Value) + over), plain(", where hardly any are usual.")}
	case p.Value < 5: // no ratio of so few
		return []Piece{plain(begin), strong(Count(p.Value) + over), plain(", where " + People(p.Usual) + " are usual.")}
	}
	return []Piece{plain(begin), strong(Times(p.Value/p.Usual) + " the usual number"), plain(": " + Count(p.Value) + over + ", where " + Count(p.Usual) + " are usual.")}
}

func vantagePieces(f Facts) []Piece {
	s := f.Incident.Scope
	if s.Vantages == 0 {
		return nil
	}
	past := "can’t reach it"
	if !f.Incident.State.Open() || f.State == faultline.Recovering {
		past = "could not reach it"
	}
	how := ""
	if f.Incident.Failure != "" {
		how = ": " + Failure(f.Incident.Failure)
	}
	return []Piece{plain(" "), strong(upper(vantages(s))), plain(" " + past + how + ".")}
}

// vantages says how many of the healthy vantage points fail.
func vantages(s faultline.Scope) string {
	if max(s.OfVantages, s.Vantages) == 1 {
		return "the one healthy vantage point"
	}
	return fmt.Sprintf("%d of %d healthy vantage points", s.Vantages, max(s.OfVantages, s.Vantages))
}

// Began says since when, with the range if it matters.
func Began(i faultline.Incident, now time.Time) string {
	on := "at "
	if !sameDay(i.Onset, now) {
		on = "on "
	}
	s := "It began " + on + Clock(i.Onset, now)
	if len(i.Episodes) > 0 {
		e := i.Episodes[0]
		if e.OnsetHigh.Sub(e.OnsetLow) >= 2*time.Minute {
			s = fmt.Sprintf("It began about %s (between %s and %s)", Clock(i.Onset, now), e.OnsetLow.UTC().Format("15:04"), e.OnsetHigh.UTC().Format("15:04"))
		}
	}
	if i.State.Open() && i.End.IsZero() && now.After(i.Onset) {
		s += ", " + Duration(now.Sub(i.Onset)) + " ago"
	}
	return s + "."
}

// Alone says what one kind of instrument is worth.
func Alone(i *faultline.Incident) string {
	if has(i.Instruments, "probes") && !has(i.Instruments, "reports") {
		return "One vantage point alone can’t confirm it."
	}
	return "Reports alone, however many, stay possible: nothing has measured it."
}

func retractedLede(f Facts) []Piece {
	if f.Incident == nil || f.Incident.Reason == "" {
		return []Piece{plain("This was no disruption. It stays here so that the mistake can be seen.")}
	}
	return []Piece{strong(f.Incident.Reason), plain(" It stays here so that the mistake can be seen.")}
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
