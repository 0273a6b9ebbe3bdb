package affected_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"faultline/internal/incident/affected"
)

func TestEstimate(t *testing.T) {
	for name, c := range map[string]struct {
		e              affected.Evidence
		low, mid, hi   float64
		unknown        bool
		reports, tests bool
	}{
		"nobody spoke and nobody measured":                     {e: affected.Evidence{}, unknown: true},
		"twenty people, and nothing is known of the others":    {e: affected.Evidence{Problems: 20, Usual: 0.2, Settled: true}, unknown: true},
		"a history too short to know what is usual":            {e: affected.Evidence{Problems: 400, Usual: 40}, unknown: true},
		"the same with people for whom it works":               {e: affected.Evidence{Problems: 400, Usual: 40, Works: 40}, low: 0.006, mid: 0.219, hi: 0.923, reports: true},
		"as usual":                                             {e: affected.Evidence{Problems: 60, Usual: 60, Settled: true}, low: 0, mid: 0, hi: 0.031, reports: true},
		"fewer than usual":                                     {e: affected.Evidence{Problems: 10, Usual: 60, Settled: true}, low: 0, mid: 0, hi: 0.031, reports: true},
		"twice the usual number: half of the speakers at most": {e: affected.Evidence{Problems: 120, Usual: 60, Settled: true}, low: 0.001, mid: 0.031, hi: 0.575, reports: true},
		"41 times the usual number, and nobody says it works":  {e: affected.Evidence{Problems: 8200, Usual: 200, Settled: true}, low: 0.034, mid: 0.558, hi: 0.978, reports: true},
		"41 times, and some for whom it works":                 {e: affected.Evidence{Problems: 8200, Usual: 200, Works: 400, Settled: true}, low: 0.012, mid: 0.296, hi: 0.935, reports: true},
		"41 times, and as many for whom it works":              {e: affected.Evidence{Problems: 8200, Usual: 200, Works: 8000, Settled: true}, low: 0.001, mid: 0.03, hi: 0.5, reports: true},
		"two for whom it works count as none":                  {e: affected.Evidence{Problems: 8200, Usual: 200, Works: 2, Settled: true}, low: 0.034, mid: 0.558, hi: 0.978, reports: true},
		"one place fails: it cannot speak for others":          {e: affected.Evidence{Failing: 1, Groups: 1}, unknown: true},
		"checks succeed: they do not say that people get on":   {e: affected.Evidence{Groups: 4}, unknown: true},
		"all of four places fail":                              {e: affected.Evidence{Failing: 4, Groups: 4}, low: 0.638, mid: 0.9, hi: 1, tests: true},
		"one of four places fails":                             {e: affected.Evidence{Failing: 1, Groups: 4}, low: 0.046, mid: 0.3, hi: 1, tests: true},
		"both: checks raise what reports leave open":           {e: affected.Evidence{Problems: 8200, Usual: 200, Settled: true, Failing: 4, Groups: 4}, low: 0.638, mid: 0.9, hi: 1, reports: true, tests: true},
		"both: checks that succeed lower nothing":              {e: affected.Evidence{Problems: 8200, Usual: 200, Settled: true, Groups: 4}, low: 0.034, mid: 0.558, hi: 0.978, reports: true},
	} {
		got, ok := affected.Estimate(c.e)
		if ok == c.unknown {
			t.Errorf("%s: told %v", name, ok)
			continue
		}
		near := func(a, b float64) bool { return math.Abs(a-b) <= 0.0011 }
		if !near(got.Low, c.low) || !near(got.Value, c.mid) || !near(got.High, c.hi) || got.Reports != c.reports || got.Checks != c.tests {
			t.Errorf("%s: %+v, want %v to %v to %v", name, got, c.low, c.mid, c.hi)
		}
	}
}

func draw(t *rapid.T) affected.Evidence {
	n := func(name string) float64 {
		return math.Round(math.Pow(10, rapid.Float64Range(0, 5.5).Draw(t, name))*10)/10 - 1
	}
	e := affected.Evidence{Problems: n("problems"), Usual: n("usual"), Works: n("works"), Settled: rapid.Bool().Draw(t, "settled"), Groups: rapid.IntRange(0, 30).Draw(t, "groups")}
	e.Failing = rapid.IntRange(0, e.Groups).Draw(t, "failing")
	return e
}

// ordered fails unless each number of b is at least that of a.
func ordered(t *rapid.T, what string, a, b affected.Share) {
	const slack = 1e-6 // what a quantile is found to
	if b.Low < a.Low-slack || b.Value < a.Value-slack || b.High < a.High-slack {
		t.Fatalf("%s: from %+v to %+v", what, a, b)
	}
}

func TestTheNumbersAreInOrderAndMoveTheRightWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t)
		got, ok := affected.Estimate(e)
		if !ok {
			if got != (affected.Share{}) {
				t.Fatalf("not told, and yet %+v", got)
			}
			return
		}
		if got.Low < 0 || got.Low > got.Value || got.Value > got.High || got.High > 1 {
			t.Fatalf("out of order: %+v", got)
		}
		more := e
		more.Problems += rapid.Float64Range(0, 1000).Draw(t, "more problems")
		up, _ := affected.Estimate(more)
		ordered(t, "more problem reports", got, up)
		more = e
		more.Works += rapid.Float64Range(0, 1000).Draw(t, "more works")
		down, _ := affected.Estimate(more)
		if got.Reports { // else they make reports tell, which checks alone did not
			ordered(t, "fewer for whom it works", down, got)
		}
		if more = e; e.Failing < e.Groups {
			more.Failing++
			up, _ = affected.Estimate(more)
			if got.Reports || got.Checks {
				ordered(t, "one more group fails", got, up)
			}
		}
	})
}

// The same mix from a larger crowd is never told less exactly.
func TestALargerCrowdNeverWidensTheInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t)
		e.Groups, e.Failing, e.Settled = 0, 0, true
		e.Problems, e.Works = max(e.Problems, affected.Floor), max(e.Works, affected.Floor)
		few, ok := affected.Estimate(e)
		if !ok {
			return
		}
		k := rapid.Float64Range(1, 20).Draw(t, "times")
		e.Problems, e.Usual, e.Works = k*e.Problems, k*e.Usual, k*e.Works
		if many, _ := affected.Estimate(e); many.High-many.Low > few.High-few.Low+1e-5 {
			t.Fatalf("%v times as many: from %+v to %+v", k, few, many)
		}
	})
}
