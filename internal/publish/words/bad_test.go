package words_test

import (
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/words"
)

func TestHowBadPutsTheRangeFirstAndSaysWhatItRestsOn(t *testing.T) {
	now := time.Date(2026, 5, 4, 16, 0, 0, 0, time.UTC)
	wide := &faultline.Affected{At: now, Value: 0.558, Low: 0.034, High: 0.978, Instruments: []string{"reports"}}
	for name, c := range map[string]struct {
		i                    faultline.Incident
		worst, now, severity words.Answer
	}{
		"reports alone say little": {
			faultline.Incident{State: faultline.Possible, Affected: wide, AffectedNow: wide, Severity: &faultline.Severity{Value: 3.1, Low: 0.2, High: 5.85, Known: 1}},
			words.Answer{Head: "between 3 and 98 of 100 people who use it", Note: "as far as reports can tell, around 16:00 UTC; if one number must do, 56 of 100"},
			words.Answer{Head: "between 3 and 98 of 100 people who use it", Note: "as far as reports can tell, around 16:00 UTC; if one number must do, 56 of 100"},
			words.Answer{Head: "3 h 6 min (12 min to 5 h 51 min)", Note: "lost per user, on average"},
		},
		"it is over, and for a while nobody listened": {
			faultline.Incident{State: faultline.Resolved, End: now, Affected: &faultline.Affected{At: now, Value: 0.02, Low: 0, High: 0.08, Instruments: []string{"probes", "reports"}}, Severity: &faultline.Severity{Value: 0.01, High: 0.4, Known: 0.7}},
			words.Answer{Head: "up to 8 of 100 people who use it", Note: "as far as reports and checks can tell, around 16:00 UTC"},
			words.Answer{},
			words.Answer{Head: "less than a minute (less than a minute to 24 min)", Note: "lost per user, on average; for 30 % of the time nothing is known, which the range allows for"},
		},
		"one vantage point": {
			faultline.Incident{State: faultline.Confirmed, Instruments: []string{"probes"}},
			words.Answer{Head: "Can’t tell", Note: "one place can’t tell about others; not the same as nobody"},
			words.Answer{Head: "Can’t tell", Note: "which is not the same as nobody"},
			words.Answer{Head: "Can’t tell", Note: "the share of users can’t be told for most of the time"},
		},
		"a crowd and nothing to compare it with": {
			faultline.Incident{State: faultline.Resolved, End: now, Instruments: []string{"reports"}},
			words.Answer{Head: "Can’t tell", Note: "too few people who are not hit are on record to compare with; not the same as nobody"},
			words.Answer{},
			words.Answer{Head: "Can’t tell", Note: "the share of users can’t be told for most of the time"},
		},
		"a crowd that looks forged": {
			faultline.Incident{State: faultline.Resolved, End: now, Instruments: []string{"reports"}, Flags: []string{"brigade"}},
			words.Answer{Head: "Can’t tell", Note: "the reports look less like many people than they should"},
			words.Answer{},
			words.Answer{Head: "Can’t tell", Note: "the share of users can’t be told for most of the time"},
		},
	} {
		if b := words.HowBad(&c.i, now); b.Worst != c.worst || b.Now != c.now || b.Severity != c.severity {
			t.Errorf("%s:\n%+v\n%+v\n%+v", name, b.Worst, b.Now, b.Severity)
		}
	}
}

func TestUsersRoundsOutwards(t *testing.T) {
	for want, a := range map[string]faultline.Affected{
		"between 64 and 100 of 100": {Low: 0.643, High: 1},
		"between 2 and 12 of 100":   {Low: 0.029, High: 0.111},
		"up to 3 of 100":            {Low: 0.009, High: 0.021},
		"at most 1 of 100":          {Low: 0, High: 0.004},
		"about 50 of 100":           {Low: 0.5, High: 0.5},
	} {
		if got := words.Users(&a); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

func TestRank(t *testing.T) {
	since := time.Date(2026, 5, 12, 3, 0, 0, 0, time.UTC)
	for want, n := range map[string][2]int{
		"longest of 41 since 12 May 2026":        {1, 41},
		"2nd longest of 41 since 12 May 2026":    {2, 41},
		"3rd longest of 41 since 12 May 2026":    {3, 41},
		"11th longest of 41 since 12 May 2026":   {11, 41},
		"21st longest of 41 since 12 May 2026":   {21, 41},
		"112th longest of 200 since 12 May 2026": {112, 200},
		"the first that we hold":                 {1, 1},
	} {
		if got := words.Rank(n[0], n[1], "longest", since); got != want {
			t.Errorf("%v: %q, want %q", n, got, want)
		}
	}
}
