package incident_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/incident"
)

// bounded fails unless an incident's shares lie in order in 0 to 1, and what
// they sum up to in 0 to the span.
func bounded(t *rapid.T, i faultline.Incident) {
	shares := []*faultline.Affected{i.Affected, i.AffectedNow}
	for _, e := range i.Episodes {
		shares = append(shares, e.Affected)
	}
	for _, a := range shares {
		if a != nil && (a.Low < 0 || a.Low > a.Value || a.Value > a.High || a.High > 1 || len(a.Instruments) == 0) {
			t.Fatalf("share %+v", *a)
		}
	}
	const digit = 0.0015
	if s, span := i.Severity, time.Duration(i.Span).Hours(); s != nil && (s.Low < 0 || s.Low > s.Value+digit || s.Value > s.High+digit || s.High > span+digit || s.Known < 0.499 || s.Known > 1) {
		t.Fatalf("severity %+v over %v h", *s, span)
	}
}

func TestSharesAndSeverityStayInTheirBounds(t *testing.T) {
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		room := incident.New(incident.Config{})
		for _, in := range inputs(rapid.Uint64().Draw(t, "seed"), 300) {
			for _, i := range room.Step(in).Incidents {
				bounded(t, i)
				if i.Severity != nil {
					told++
				}
			}
		}
	})
	if told == 0 {
		t.Error("no incident had a severity: nothing was tested")
	}
}

// near compares hours and shares to a hundredth.
func near(a, b float64) bool { return math.Abs(a-b) < 0.011 }

// outage lets a surge last an hour over a crowd that was usual before.
func outage(t *testing.T, during crowdNow) *rig {
	g := newRig(t, incident.Config{})
	g.crowd = crowdNow{problems: during.usual, usual: during.usual, young: during.young}
	g.pass(time.Hour)
	g.crowd = during
	g.surge("a", world)
	g.pass(time.Hour)
	return g
}

func TestSeverityIsTheShareAffectedOverTheSpan(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200})
	i := g.last[first]
	if a := i.Affected; a == nil || !near(a.Low, 0.034) || !near(a.Value, 0.558) || !near(a.High, 0.978) || len(a.Instruments) != 1 || a.Instruments[0] != incident.Reports {
		t.Fatalf("affected %+v", a)
	}
	if n := i.AffectedNow; n == nil || n.Value != i.Affected.Value || g.now.Sub(n.At) > 5*time.Minute {
		t.Errorf("now %+v", n)
	}
	if s := i.Severity; s == nil || s.Known != 1 {
		t.Errorf("up to now all of it is known: %+v", s)
	}
	g.crowd.problems = 200
	g.recovers("a")
	g.closes("a")
	g.pass(time.Hour)
	g.want(faultline.Resolved)
	i = g.last[first]
	// The stand-in's 15 minutes change at once, so the last step shows what follows.
	const h = 55.0 / 60
	if s := i.Severity; s == nil || !near(s.Low, h*0.034) || !near(s.Value, h*0.558) || !near(s.High, h*0.978) || s.Known != 1 {
		t.Errorf("an hour at these shares sums up to %+v", s)
	}
	if e := i.Episodes[0].Affected; e == nil || e.Value != i.Affected.Value || i.AffectedNow != nil {
		t.Errorf("episode %+v, now that it is over %+v", e, i.AffectedNow)
	}
}

// Between two parts the share falls, and the span goes on.
func TestAQuietGapAddsLittleToTheSeverity(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200})
	g.crowd.problems = 200
	g.recovers("a")
	g.closes("a")
	g.pass(3 * time.Hour)
	g.crowd.problems = 4200
	g.surge("b", world)
	g.pass(time.Hour)
	i := g.last[first]
	if len(i.Episodes) != 2 || i.Severity == nil {
		t.Fatalf("%d episodes, severity %+v", len(i.Episodes), i.Severity)
	}
	if a, b := i.Episodes[0].Affected, i.Episodes[1].Affected; a == nil || b == nil || a.Value <= b.Value || i.Affected.Value != a.Value {
		t.Errorf("parts %+v and %+v, at the worst %+v", a, b, i.Affected)
	}
	if s := i.Severity; s.Value < 0.85 || s.Value > 1.05 || s.High > 2.2 {
		t.Errorf("two hours of five were bad: %+v", s)
	}
}

func TestPeopleForWhomItWorksLowerTheShare(t *testing.T) {
	without, with := outage(t, crowdNow{problems: 8200, usual: 200}).last[first], outage(t, crowdNow{problems: 8200, usual: 200, works: 200}).last[first]
	if with.Severity == nil || with.Severity.High >= without.Severity.High || with.Affected.Low >= without.Affected.Low {
		t.Errorf("with %+v, without %+v", with.Severity, without.Severity)
	}
}

// "Works for me" counts for 15 minutes, and a minute that is revised counts once.
func TestWorksForMeIsOfTheLastMinutesOnly(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200, works: 100})
	during := *g.last[first].AffectedNow
	g.crowd.works = 0
	g.pass(25 * time.Minute)
	after := *g.last[first].AffectedNow
	if !near(during.Value, 0.125) || !near(after.Value, 0.558) {
		t.Errorf("with 1,500 of them %+v, 25 minutes later %+v", during, after)
	}
	late := faultline.Sample{Series: world, Start: g.now.Add(-2 * time.Minute), Works: 700}
	for range 3 {
		g.step(incident.Input{Samples: []faultline.Sample{late, {Series: gb, Start: late.Start, Works: 9000}}})
	}
	g.pass(5 * time.Minute)
	if a := g.last[first].AffectedNow; !near(a.Value, 0.22) {
		t.Errorf("with 700 in a minute that came again: %+v", a)
	}
}

func TestReportsThatLookForgedTellNoShare(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200, mix: faultline.Mix{N: 8200, Top: 0.99, Even: 1, Edge: 1}})
	i := g.last[first]
	if len(i.Flags) != 1 || i.Affected != nil || i.AffectedNow != nil || i.Severity != nil || i.Episodes[0].Affected != nil {
		t.Errorf("flags %v, affected %+v, severity %+v", i.Flags, i.Affected, i.Severity)
	}
}

func TestWhatCannotBeToldIsNotZero(t *testing.T) {
	for name, c := range map[string]crowdNow{
		"hardly anybody ever reports": {problems: 40, usual: 1},
		"the history is too short":    {problems: 8200, usual: 200, young: true},
	} {
		if i := outage(t, c).last[first]; i.ID == "" || i.Affected != nil || i.AffectedNow != nil || i.Severity != nil {
			t.Errorf("%s: %+v, %+v", name, i.Affected, i.Severity)
		}
	}
}

// probed lets three vantage points of their own networks fail for an hour, or
// one.
func probed(t *testing.T, vantages ...string) faultline.Incident {
	g := newRig(t, incident.Config{})
	g.checks["JP/2516/d"] = true
	if len(vantages) == 1 {
		delete(g.checks, "JP/2516/d")
	}
	for _, v := range vantages {
		g.down(v, v)
	}
	g.pass(time.Hour)
	return g.last[first]
}

func TestChecksFromSeveralNetworksTellAShare(t *testing.T) {
	i := probed(t, "DE/3320/a", "GB/2856/b", "US/7922/c")
	if a := i.Affected; a == nil || a.Value != 0.7 || a.Low < 0.3 || a.High != 1 || a.Instruments[0] != incident.Probes {
		t.Errorf("three of four groups fail: %+v", a)
	}
	if s := i.Severity; s == nil || s.Value < 0.6 || s.Value > 0.75 {
		t.Errorf("an hour of it: %+v", s)
	}
	if i := probed(t, "DE/3320/a"); i.ID == "" || i.Affected != nil || i.Severity != nil {
		t.Errorf("one vantage point cannot say for whom: %+v", i.Affected)
	}
}

// What nobody heard counts as none in the lower bound and as all in the upper.
func TestAnUnheardHourWidensTheSeverity(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200})
	g.pass(time.Hour)
	before := g.last[first].Severity
	g.now = g.now.Add(time.Hour)
	g.pass(7 * time.Minute)
	s := g.last[first].Severity
	if s == nil || s.Known > 0.75 || s.Known < 0.6 {
		t.Fatalf("a third of the span is unknown: %+v", s)
	}
	if s.Low > before.Low+0.01 || s.High < before.High+0.9 || s.Value < before.Value*1.4 {
		t.Errorf("before %+v, after %+v", before, s)
	}
	g.now = g.now.Add(4 * time.Hour)
	g.pass(7 * time.Minute)
	if s := g.last[first].Severity; s != nil {
		t.Errorf("most of the span is unknown, and yet %+v", s)
	}
}

// A remark weeks later does not take away what was said.
func TestNumbersOfAnOldIncidentStay(t *testing.T) {
	g := outage(t, crowdNow{problems: 8200, usual: 200})
	g.crowd.problems = 200
	g.recovers("a")
	g.closes("a")
	g.pass(15 * time.Hour)
	want := g.last[first]
	g.command(faultline.Command{Action: faultline.Annotate, Incident: first, Text: "the service has explained itself"})
	got := g.last[first]
	if got.Revision != want.Revision+1 || got.Severity == nil || *got.Severity != *want.Severity || got.Affected == nil || got.Episodes[0].Affected == nil {
		t.Errorf("from %+v %+v to %+v %+v", want.Severity, want.Affected, got.Severity, got.Affected)
	}
}
