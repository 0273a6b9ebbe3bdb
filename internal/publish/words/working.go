package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"faultline"
)

// Chance writes −log10 p as odds. Beyond one in a billion nobody knows the digits.
func Chance(logP float64) string {
	switch {
	case logP < 1:
		return "more than 1 in 10"
	case logP > 9:
		return "less than 1 in 1,000,000,000"
	}
	odds := math.Pow(10, logP)
	digit := math.Pow(10, math.Floor(logP)-1) // two digits are told
	return "1 in " + Count(math.Round(odds/digit)*digit)
}

// How says in sentences how an event was found: what was compared with what,
// and what it had to pass. Nothing is said of an event without its working.
func How(e *faultline.Event) []string {
	w := e.Working
	if w == nil {
		return nil
	}
	switch w.Rule {
	case faultline.FailedRule:
		row := max(float64(e.Failed), e.Excess) // Failed is of the newest row, Excess the longest
		return []string{fmt.Sprintf("From %s up to %s in a row failed since %s, each also at its second attempt; %s needed. The last failure: %s.",
			e.Series.Vantage, Plural(row, "check", "checks"), moment(e.Onset), are(w.Needs.Failed), strings.TrimSpace(Failure(e.Failure)+" "+Op(e.Op)))}
	case faultline.ViewsRule:
		return howViews(w)
	case faultline.TailRule, faultline.DropRule, faultline.YoungRule:
	}
	return howCounts(w)
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return strconv.Itoa(n) + " are"
}

// howViews is the working of a gauge.
func howViews(w *faultline.Working) []string {
	var said []string
	for _, v := range w.Views {
		said = append(said, v.Of+" "+decimal(v.LogP))
	}
	return []string{
		fmt.Sprintf("At %s the views of the series said, as −log10 of their rank in its own past of %s: %s.", moment(w.At), Duration(time.Duration(w.Age)), strings.Join(said, ", ")),
		fmt.Sprintf("The root of the sum of their squares has to be %s.", decimal(w.Needs.LogP)),
	}
}

// howCounts is the working of a surge or a drop of counts.
func howCounts(w *faultline.Working) []string {
	x, ok := w.Decided()
	if !ok {
		return nil
	}
	out := []string{fmt.Sprintf("In the %s before %s there were %s, where %s are usual.", Duration(time.Duration(x.Width)), moment(w.At), Plural(x.Seen, "report", "reports"), decimal(x.Usual))}
	if x.Counted < 0.995*x.Seen-0.5 {
		out = append(out, fmt.Sprintf("Of them %s count: the largest bin of a window is cut, so that one lone bin fires no long window.", decimal(x.Counted)))
	}
	if w.Rule == faultline.DropRule {
		out = append(out, fmt.Sprintf("A drop is compared with what is left on a holiday: %s.", decimal(x.Against)))
	} else if x.Against > x.Usual*1.005 {
		out = append(out, fmt.Sprintf("After days quieter than usual they are compared with %s.", decimal(x.Against)))
	}
	out = append(out, fmt.Sprintf("What is usual rests on %s of history: %s in %s at this hour of the week, times %s, by which the series lies above or below its hours now.",
		Duration(time.Duration(w.Age)), decimal(w.Hour), Duration(time.Duration(w.HourWidth)), decimal(w.Level)))
	return append(out, howSure(w, x), howEnough(w, x))
}

// howSure goes from nominal to calibrated.
func howSure(w *faultline.Working, x faultline.Window) string {
	if w.Slope == 0 { // the rule of a young series: nothing is known of its tail
		return fmt.Sprintf("By chance that happens in %s such windows (−log10 p = %s, with dispersion %s).", Chance(x.LogP), decimal(x.LogP), decimal(x.Phi))
	}
	s := fmt.Sprintf("A negative binomial law with dispersion %s gives −log10 p = %s. ", decimal(x.Phi), decimal(x.LogP))
	if w.Choice > 0 {
		s += fmt.Sprintf("Less %s because the best of several windows was chosen, and with", decimal(w.Choice))
	} else {
		s += "With"
	}
	s += " " + tail(w) + fmt.Sprintf(", %s are left", decimal(x.Calibrated))
	if w.Youth > 0 {
		s += fmt.Sprintf(" (%s were taken off, since the baseline is young)", decimal(w.Youth))
	}
	return s + ": by chance " + Chance(x.Calibrated) + "."
}

// tail is how the series' own quiet time differs from the law's.
func tail(w *faultline.Working) string {
	s := fmt.Sprintf("a tail %s times as wide as the law’s", decimal(w.Slope))
	if w.TailAt > 0 && w.TailAt != 2 {
		s += fmt.Sprintf(" from 2 on, which in quiet time is passed as seldom as %s should be", decimal(w.TailAt))
	}
	return s
}

// howEnough sets what was found beside what was needed.
func howEnough(w *faultline.Working, x faultline.Window) string {
	if w.Rule == faultline.YoungRule {
		return fmt.Sprintf("While so little is known an event needs many people: %d in %d networks in %s, and −log10 p = %s; these were %s in %s.",
			w.Needs.Reporters, w.Needs.Networks, Duration(time.Duration(w.HourWidth)), decimal(w.Needs.LogP), Plural(float64(w.Reporters), "person", "people"), Plural(float64(w.Networks), "network", "networks"))
	}
	s := fmt.Sprintf("Needed: %s; found: %s.", decimal(w.Needs.LogP), decimal(x.Calibrated))
	if w.Needs.Reporters > 0 {
		s += fmt.Sprintf(" Needed: %d people in %d networks; found: %s in %s.", w.Needs.Reporters, w.Needs.Networks,
			Plural(float64(w.Reporters), "person", "people"), Plural(float64(w.Networks), "network", "networks"))
	}
	return s
}

// decimal writes a number with as many digits as say something.
func decimal(x float64) string {
	switch {
	case x == math.Trunc(x) && math.Abs(x) < 10:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case math.Abs(x) >= 100:
		return Count(x)
	case math.Abs(x) >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case math.Abs(x) >= 0.1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

// moment is a time in UTC with its day.
func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }
