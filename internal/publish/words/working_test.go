package words_test

import (
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/words"
)

func TestChanceWritesOdds(t *testing.T) {
	for logP, want := range map[float64]string{
		0: "more than 1 in 10", 1: "1 in 10", 2.5: "1 in 320", 4: "1 in 10,000", 6: "1 in 1,000,000", 9: "1 in 1,000,000,000", 9.01: "less than 1 in 1,000,000,000", 400: "less than 1 in 1,000,000,000",
	} {
		if got := words.Chance(logP); got != want {
			t.Errorf("%v: %q, want %q", logP, got, want)
		}
	}
}

func TestHowAnEventWasFound(t *testing.T) {
	then := time.Date(2026, 5, 4, 14, 5, 0, 0, time.UTC)
	counts := faultline.Working{
		At: then, Rule: faultline.TailRule, Age: faultline.Seconds(21 * 24 * time.Hour), Hour: 38, HourWidth: faultline.Seconds(15 * time.Minute), Level: 1.06, Choice: 0.3, Slope: 1.05, Reporters: 310, Networks: 200,
		Windows: []faultline.Window{{Width: faultline.Seconds(15 * time.Minute), Seen: 320, Counted: 310, Usual: 40.2, Against: 40.2, Phi: 0.08, LogP: 9.8, Calibrated: 9.14}},
		Needs:   faultline.Needs{LogP: 6, Reporters: 5, Networks: 3},
	}
	young, quiet, drop := counts, counts, counts
	young.Rule, young.Slope, young.Choice, young.Needs = faultline.YoungRule, 0, 0, faultline.Needs{LogP: 3, Reporters: 20, Networks: 3}
	quiet.Windows = []faultline.Window{counts.Windows[0]}
	quiet.Windows[0].Against, quiet.Youth = 50, 2
	drop.Rule, drop.Needs = faultline.DropRule, faultline.Needs{LogP: 6}
	for name, c := range map[string]struct {
		e     faultline.Event
		wants []string
		not   string
	}{
		"a surge": {faultline.Event{Working: &counts}, []string{
			"In the 15 min before 4 May 2026, 14:05 UTC there were 320 reports, where 40.2 are usual.", "Of them 310 count", "rests on 21 days of history: 38.0 in 15 min at this hour of the week, times 1.06",
			"dispersion 0.08 gives −log10 p = 9.80. Less 0.30", "a tail 1.05 times as wide as the law’s, 9.14 are left: by chance less than 1 in 1,000,000,000.", "Needed: 6; found: 9.14. Needed: 5 people in 3 networks; found: 310 people in 200 networks.",
		}, "young"},
		"a young one":        {faultline.Event{Working: &young}, []string{"an event needs many people: 20 in 3 networks in 15 min, and −log10 p = 3; these were 310 people in 200 networks."}, "Needed:"},
		"after a quiet time": {faultline.Event{Working: &quiet}, []string{"After days quieter than usual they are compared with 50.0.", "(2 were taken off, since the baseline is young)"}, "holiday"},
		"a drop":             {faultline.Event{Working: &drop}, []string{"A drop is compared with what is left on a holiday: 40.2."}, "people"},
		"checks": {faultline.Event{
			Failed: 1, Excess: 4, Onset: then, Series: faultline.Series{Vantage: "harbour"}, Failure: faultline.GenericTimeout, Op: faultline.OpConnect, Working: &faultline.Working{Rule: faultline.FailedRule, Needs: faultline.Needs{Failed: 2}},
		}, []string{"From harbour up to 4 checks in a row failed since 4 May 2026, 14:05 UTC, each also at its second attempt; 2 are needed. The last failure: there is no answer in time while connecting."}, "usual"},
		"a gauge":       {faultline.Event{Working: &faultline.Working{At: then, Rule: faultline.ViewsRule, Age: counts.Age, Views: []faultline.View{{Of: "range", LogP: 4}, {Of: "level", LogP: 1.5}}, Needs: faultline.Needs{LogP: 3.1}}}, []string{"its own past of 21 days: range 4, level 1.50.", "has to be 3.10"}, "report"},
		"an older one":  {faultline.Event{}, nil, "report"},
		"without a bin": {faultline.Event{Working: &faultline.Working{Rule: faultline.TailRule}}, nil, "report"},
	} {
		got := strings.Join(words.How(&c.e), " ")
		for _, want := range c.wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %q", name, want, got)
			}
		}
		if strings.Contains(got, c.not) {
			t.Errorf("%s: %q in %q", name, c.not, got)
		}
	}
}
