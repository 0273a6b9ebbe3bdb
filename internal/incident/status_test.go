package incident_test

import (
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
)

func TestStatus(t *testing.T) {
	impaired := func(g *rig) {
		x := g.check("local", false)
		x.Verdict, x.Reason, x.At = faultline.CannotTell, "impaired", g.now.Add(5*time.Minute)
		g.step(incident.Input{Readings: []faultline.Reading{x}})
	}
	for _, c := range []struct {
		name   string
		do     func(*rig)
		state  faultline.State
		reason string
		awake  []string
	}{
		{"nothing was ever heard", func(g *rig) { g.quiet = true; g.pass(time.Minute) }, faultline.Unclear, incident.NoData, []string{}},
		{"reports as usual", func(g *rig) { g.pass(time.Minute) }, faultline.Fine, "", []string{"reports"}},
		{"checks succeed", func(g *rig) { g.quiet = true; g.checks["local"] = true; g.pass(time.Minute) }, faultline.Fine, "", []string{"probes"}},
		{"both", func(g *rig) { g.checks["local"] = true; g.pass(time.Minute) }, faultline.Fine, "", []string{"reports", "probes"}},
		{"an impaired vantage alone", func(g *rig) { impaired(g) }, faultline.Unclear, "impaired", []string{}},
		{"an impaired vantage is never fine, whatever reports do not say", func(g *rig) { g.pass(2 * time.Minute); impaired(g) }, faultline.Unclear, "impaired", []string{"reports"}},
		{"but reports still speak", func(g *rig) { g.pass(time.Minute); impaired(g); g.surge("s", world) }, faultline.Possible, "", []string{"reports"}},
		{"the reports fell silent", func(g *rig) { g.pass(time.Minute); g.quiet = true; g.pass(10 * time.Minute) }, faultline.Unclear, incident.Silent, []string{}},
		{"the reports say that they cannot tell", func(g *rig) {
			x := g.world()
			x.Verdict, x.Reason = faultline.CannotTell, "young_baseline"
			g.step(incident.Input{Readings: []faultline.Reading{x}})
		}, faultline.Unclear, "young_baseline", []string{}},
		{"the checks stopped", func(g *rig) {
			g.quiet = true
			g.checks["local"] = true
			g.pass(time.Minute)
			delete(g.checks, "local")
			g.pass(10 * time.Minute)
		}, faultline.Unclear, incident.ProbesSilent, []string{}},
		{"one failed check after good ones", func(g *rig) {
			g.quiet, g.checks["local"] = true, true
			g.pass(time.Minute)
			g.checks["local"] = false
			g.pass(time.Minute)
		}, faultline.Fine, "", []string{"probes"}},
		{"two, that were not failed at the second attempt", func(g *rig) {
			g.quiet, g.checks["local"] = true, true
			g.pass(time.Minute)
			g.checks["local"] = false
			g.pass(2 * time.Minute)
		}, faultline.Unclear, incident.Checking, []string{"probes"}},
		{"one failed check", func(g *rig) { g.quiet = true; g.checks["local"] = false; g.pass(time.Minute) }, faultline.Unclear, incident.Checking, []string{"probes"}},
		{"an odd reading", func(g *rig) {
			x := g.world()
			x.Verdict, x.LogP, x.Reporters, x.Value, x.Expected = faultline.Odd, 4, 5, 9, 1
			g.step(incident.Input{Readings: []faultline.Reading{x}})
		}, faultline.OddState, "", []string{"reports"}},
		{"an odd reading of four people", func(g *rig) {
			x := g.world()
			x.Verdict, x.LogP, x.Reporters, x.Value, x.Expected = faultline.Odd, 4, 4, 9, 1
			g.step(incident.Input{Readings: []faultline.Reading{x}})
		}, faultline.Fine, "", []string{"reports"}},
		{"a check that fails now and then", func(g *rig) {
			g.checks["local"] = true
			g.pass(time.Minute)
			g.step(incident.Input{Events: []faultline.Event{g.sometimes("local")}})
			g.pass(time.Minute)
		}, faultline.OddState, "", []string{"reports", "probes"}},
		{"it no longer fails", func(g *rig) {
			g.checks["local"] = true
			g.pass(time.Minute)
			e := g.sometimes("local")
			g.step(incident.Input{Events: []faultline.Event{e}})
			e.Revision, e.Recovered = 2, g.now
			g.step(incident.Input{Events: []faultline.Event{e}})
		}, faultline.Fine, "", []string{"reports", "probes"}},
		{"nobody checks it any more", func(g *rig) {
			g.checks["local"] = true
			g.pass(time.Minute)
			g.step(incident.Input{Events: []faultline.Event{g.sometimes("local")}})
			delete(g.checks, "local")
			g.pass(10 * time.Minute)
		}, faultline.Unclear, incident.ProbesSilent, []string{"reports"}},
		{"fewer reports than usual", func(g *rig) {
			e := g.sometimes("local")
			e.Series = world
			g.pass(time.Minute)
			g.step(incident.Input{Events: []faultline.Event{e}})
		}, faultline.Fine, "", []string{"reports"}},
		{"odd passes", func(g *rig) {
			x := g.world()
			x.Verdict, x.LogP, x.Reporters, x.Value, x.Expected = faultline.Odd, 4, 5, 9, 1
			g.step(incident.Input{Readings: []faultline.Reading{x}})
			g.pass(time.Minute)
		}, faultline.Fine, "", []string{"reports"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			c.do(g)
			g.wantStatus(c.state, c.reason)
			if !slices.Equal(g.status.Awake, c.awake) {
				t.Errorf("awake %v, want %v", g.status.Awake, c.awake)
			}
			if c.state != faultline.Possible && len(g.all) > 0 {
				t.Errorf("an incident: %s", changes(g.all[0]))
			}
		})
	}
}

func TestAStatusIsSentWhenItChanges(t *testing.T) {
	g := newRig(t, incident.Config{})
	n := 0
	for range 10 {
		g.now = g.now.Add(time.Minute)
		n += len(g.step(incident.Input{Readings: []faultline.Reading{g.world()}}).Statuses)
	}
	if n != 1 || !g.status.Since.Equal(t0.Add(time.Minute)) {
		t.Errorf("%d statuses in ten quiet minutes, since %s", n, g.status.Since)
	}
}

func TestNumbersGrowAtMostEveryFiveMinutes(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.surge("s", world)
	g.pass(time.Minute)
	g.pass(59 * time.Minute)
	if n := len(g.all); n < 12 || n > 14 {
		t.Errorf("%d revisions in an hour", n)
	}
	if i := g.last[first]; len(i.Changes) != 1 || time.Duration(i.Span) < 55*time.Minute {
		t.Errorf("%d changes, span %v", len(i.Changes), i.Span)
	}
}

// sometimes is the event of a vantage whose checks fail now and then.
func (g *rig) sometimes(vantage string) faultline.Event {
	return faultline.Event{
		ID: "drop-1", Revision: 1, By: "bbscan/1", Series: at(vantage), Kind: faultline.Drop, State: faultline.EventOpen,
		Opened: g.now, At: g.now, Onset: g.now, OnsetLow: g.now, OnsetHigh: g.now, Peak: g.now, PeakValue: 0.7, PeakUsual: 0.999, LogP: 9, Origin: faultline.Simulated,
	}
}

// However many vantage points see it, and whatever people say: it opens no incident.
func TestChecksThatFailNowAndThenOpenNoIncident(t *testing.T) {
	g := newRig(t, incident.Config{ConfirmWithOneVantage: true})
	for _, v := range []string{"local", "london", "paris"} {
		g.checks[v] = true
	}
	g.pass(time.Minute)
	for _, v := range []string{"local", "london", "paris"} {
		g.step(incident.Input{Events: []faultline.Event{g.sometimes(v)}})
	}
	g.pass(30 * time.Minute)
	if len(g.all) > 0 {
		t.Errorf("%d revisions of incidents", len(g.all))
	}
	g.wantStatus(faultline.OddState, "")
	g.down("d", "local") // failures in a row are what they were
	g.want(faultline.Possible)
}
