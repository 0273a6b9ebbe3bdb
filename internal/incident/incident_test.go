package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
)

var t0 = time.Date(2025, 3, 10, 13, 0, 0, 0, time.UTC)

// rig is a room with data time, and stand-ins for what detectors say.
type rig struct {
	*testing.T
	room   *incident.Room
	now    time.Time
	last   map[string]faultline.Incident // newest revision
	all    []faultline.Incident
	status faultline.Status
	events map[string]*faultline.Event
	checks map[string]bool // vantages that report each minute, and what
	quiet  bool            // no readings of reports
	crowd  crowdNow        // what readings of reports hold
}

// crowdNow is what people say in 15 minutes.
type crowdNow struct {
	problems, usual float64
	works           int // a minute
	young           bool
	mix             faultline.Mix
}

func newRig(t *testing.T, cfg incident.Config) *rig {
	t.Helper()
	cfg.Services = []faultline.ServiceID{"x"}
	return &rig{
		T: t, room: incident.New(cfg), now: t0, last: map[string]faultline.Incident{},
		events: map[string]*faultline.Event{}, checks: map[string]bool{},
	}
}

func (g *rig) step(in incident.Input) incident.Output {
	in.At = g.now
	out := g.room.Step(in)
	for _, i := range out.Incidents {
		if want := g.last[i.ID].Revision + 1; i.Revision != want {
			g.Errorf("%s: revision %d, want %d", i.ID, i.Revision, want)
		}
		g.last[i.ID] = i
		g.all = append(g.all, i)
	}
	for _, s := range out.Statuses {
		g.status = s
	}
	return out
}

// pass lets minutes go by, with a reading of each instrument in each.
func (g *rig) pass(d time.Duration) {
	for end := g.now.Add(d); g.now.Before(end); {
		g.now = g.now.Add(time.Minute)
		in := incident.Input{}
		if !g.quiet {
			in.Readings = append(in.Readings, g.world())
			in.Samples = append(in.Samples, faultline.Sample{Series: world, Start: g.now.Add(-time.Minute), Width: faultline.Seconds(time.Minute), Works: g.crowd.works, Complete: 1})
		}
		for _, v := range sorted(g.checks) {
			in.Readings = append(in.Readings, g.check(v, g.checks[v]))
		}
		g.step(in)
	}
}

func sorted(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (g *rig) world() faultline.Reading {
	r := faultline.Reading{
		Series: world, At: g.now, Verdict: faultline.Usual, Width: faultline.Seconds(5 * time.Minute), Origin: faultline.Simulated,
		Value: g.crowd.problems / 3, Expected: g.crowd.usual / 3, Age: faultline.Seconds(96 * time.Hour), Mix: g.crowd.mix,
	}
	if g.crowd.young {
		r.Age = faultline.Seconds(time.Hour)
	}
	return r
}

func (g *rig) check(vantage string, up bool) faultline.Reading {
	r := faultline.Reading{Series: at(vantage), At: g.now, Width: faultline.Seconds(time.Minute), Verdict: faultline.Failing, Origin: faultline.Simulated}
	if up {
		r.Value, r.Verdict = 1, faultline.Usual
	}
	return r
}

var (
	world = faultline.Series{Metric: faultline.MetricReports, Service: "x"}
	gb    = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.InCountry, Country: "GB"}
	bt    = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.InASN, Country: "GB", ASN: 2856}
	us    = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.InCountry, Country: "US"}
)

// at names a vantage "COUNTRY/ASN/NAME"; a bare name is in DE, AS3320.
func at(vantage string) faultline.Series {
	s := faultline.Series{Metric: faultline.MetricReach, Service: "x", Level: faultline.AtVantage, Country: "DE", ASN: 3320, Vantage: vantage, Target: "https://x.example/"}
	if p := strings.Split(vantage, "/"); len(p) == 3 {
		s.Country, s.Vantage, s.ASN = faultline.Country(p[0]), p[2], 0
		for _, c := range p[1] {
			s.ASN = s.ASN*10 + faultline.ASN(c-'0')
		}
	}
	return s
}

// surge opens a surge that counts.
func (g *rig) surge(id string, s faultline.Series, change ...func(*faultline.Event)) {
	g.open(faultline.Event{
		ID: id, Kind: faultline.Surge, Series: s, LogP: 12, Reporters: 40, Networks: 30, Peak: g.now,
		PeakValue: 820, PeakUsual: 20, PeakWidth: faultline.Seconds(15 * time.Minute), Excess: 800,
	}, change...)
}

// down opens an unreachable event after two failed checks.
func (g *rig) down(id, vantage string, change ...func(*faultline.Event)) {
	g.checks[vantage] = false
	g.open(faultline.Event{ID: id, Kind: faultline.Unreachable, Series: at(vantage), Failed: 2, Failure: faultline.ConnectionRefused, Op: faultline.OpConnect}, change...)
}

func (g *rig) open(e faultline.Event, change ...func(*faultline.Event)) {
	e.Revision, e.State, e.By, e.Origin = 1, faultline.EventOpen, "test/1", faultline.Simulated
	e.Opened, e.At, e.Onset, e.OnsetLow, e.OnsetHigh = g.now, g.now, g.now, g.now, g.now
	for _, f := range change {
		f(&e)
	}
	g.events[e.ID] = &e
	in := incident.Input{Events: []faultline.Event{e}}
	if e.Kind == faultline.Unreachable {
		name := e.Series.Vantage
		for v := range g.checks {
			if at(v) == e.Series {
				name = v
			}
		}
		in.Readings = []faultline.Reading{g.check(name, false)}
	}
	g.step(in)
}

// revise sends the next revision of an event.
func (g *rig) revise(id string, change func(*faultline.Event)) {
	e := g.events[id]
	e.Revision, e.At = e.Revision+1, g.now
	change(e)
	g.step(incident.Input{Events: []faultline.Event{*e}})
}

func (g *rig) recovers(id string) {
	g.revise(id, func(e *faultline.Event) { e.Recovered = g.now })
}

func (g *rig) closes(id string) {
	g.revise(id, func(e *faultline.Event) {
		e.State, e.End = faultline.EventClosed, g.now
		if !e.Recovered.IsZero() {
			e.End = e.Recovered
		}
	})
}

// up lets a vantage succeed three times and closes its event.
func (g *rig) up(id, vantage string) {
	g.checks[vantage] = true
	g.recovers(id)
	g.pass(3 * time.Minute)
	g.closes(id)
}

func (g *rig) command(c faultline.Command) string {
	c.Operator = "ada"
	return g.step(incident.Input{Command: &c, CommandAt: faultline.Position{Frame: 77}}).Refused
}

const first = "x-2025-03-10"

func (g *rig) want(state faultline.State) {
	g.Helper()
	if got := g.last[first].State; got != state {
		g.Fatalf("state %q, want %q; changes:\n%s", got, state, changes(g.last[first]))
	}
}

func (g *rig) wantStatus(state faultline.State, reason string) {
	g.Helper()
	if g.status.State != state || g.status.Reason != reason {
		g.Fatalf("status %q (%s), want %q (%s)", g.status.State, g.status.Reason, state, reason)
	}
}

func changes(i faultline.Incident) string {
	var b strings.Builder
	for _, c := range i.Changes {
		b.WriteString(c.At.Format("15:04:05 ") + string(c.From) + " → " + string(c.To) + " by " + c.By + ": " + c.Why + " " + strings.Join(c.Because, ",") + "\n")
	}
	return b.String()
}

// The state table of the design: each row, both ways.
func TestPossible(t *testing.T) {
	weak := func(f func(*faultline.Event)) func(*rig) { return func(g *rig) { g.surge("e", world, f) } }
	for _, c := range []struct {
		name string
		do   func(*rig)
		open bool
	}{
		{"reports at p 1e-6 with 5 people in 3 networks", weak(func(e *faultline.Event) { e.LogP, e.Reporters, e.Networks = 6, 5, 3 }), true},
		{"a country alone is enough", func(g *rig) { g.surge("e", gb) }, true},
		{"at p 1e-7, since there are many", func(g *rig) { g.surge("e", gb, func(e *faultline.Event) { e.LogP = 7 }) }, true},
		{"not at less", func(g *rig) { g.surge("e", gb, func(e *faultline.Event) { e.LogP = 6.9 }) }, false},
		{"a network at p 1e-8", func(g *rig) { g.surge("e", bt, func(e *faultline.Event) { e.LogP = 8 }) }, true},
		{"not at less, since there are very many", func(g *rig) { g.surge("e", bt, func(e *faultline.Event) { e.LogP = 7.9 }) }, false},
		{"p is larger", weak(func(e *faultline.Event) { e.LogP = 5.9 }), false},
		{"too few people", weak(func(e *faultline.Event) { e.Reporters = 4 }), false},
		{"too few networks", weak(func(e *faultline.Event) { e.Networks = 2 }), false},
		{"a young installation needs 20 people", weak(func(e *faultline.Event) { e.Young, e.Reporters = true, 19 }), false},
		{"and has them, whatever p is", weak(func(e *faultline.Event) { e.Young, e.Reporters, e.LogP = true, 20, 0 }), true},
		{"but in too few networks", weak(func(e *faultline.Event) { e.Young, e.Networks = true, 2 }), false},
		{"fewer reports than usual", weak(func(e *faultline.Event) { e.Kind = faultline.Drop }), false},
		{"a retracted event", weak(func(e *faultline.Event) { e.State = faultline.EventRetracted }), false},
		{"one vantage, two checks in a row", func(g *rig) { g.down("e", "local") }, true},
		{"one vantage, one check", func(g *rig) { g.down("e", "local", func(e *faultline.Event) { e.Failed = 1 }) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			c.do(g)
			if i, open := g.last[first]; open != c.open {
				t.Fatalf("an incident: %v, want %v", open, c.open)
			} else if open && (i.State != faultline.Possible || i.Changes[0].Because[0] != "e" || i.Changes[0].Why == "" || i.Changes[0].From != "") {
				t.Fatalf("got %s", changes(i))
			}
		})
	}
}

func TestAWeakEventMayGrow(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.pass(time.Minute)
	g.surge("e", world, func(e *faultline.Event) { e.LogP = 5 })
	g.wantStatus(faultline.OddState, "")
	if len(g.all) != 0 {
		t.Fatal("odd is no incident")
	}
	g.pass(5 * time.Minute)
	g.revise("e", func(e *faultline.Event) { e.LogP = 6.5 })
	g.want(faultline.Possible)
	if i := g.last[first]; !i.Onset.Equal(t0.Add(time.Minute)) || !i.Opened.Equal(t0.Add(6*time.Minute)) {
		t.Errorf("onset %s, opened %s", i.Onset, i.Opened)
	}
}

func TestConfirmed(t *testing.T) {
	quorum := []string{"DE/3320/a", "GB/2856/b", "US/7922/c"}
	fail := func(vantages ...string) func(*rig) {
		return func(g *rig) {
			for _, v := range vantages {
				g.down("down-"+v, v)
			}
		}
	}
	healthy := func(g *rig, vantages ...string) {
		for _, v := range vantages {
			g.checks[v] = true
		}
		g.pass(time.Minute)
	}
	for _, c := range []struct {
		name string
		cfg  incident.Config
		do   func(*rig)
		want faultline.State
	}{
		{"reports and probes at the same time", incident.Config{}, func(g *rig) { g.surge("s", gb); g.down("d", "local") }, faultline.Confirmed},
		{"probes and then reports", incident.Config{}, func(g *rig) { g.down("d", "local"); g.pass(5 * time.Minute); g.surge("s", world) }, faultline.Confirmed},
		{"reports 14 min after the probes", incident.Config{}, func(g *rig) {
			g.down("d", "local")
			g.closes("d")
			g.pass(14 * time.Minute)
			g.surge("s", world)
		}, faultline.Confirmed},
		{"reports 20 min after the probes", incident.Config{}, func(g *rig) {
			g.down("d", "local")
			g.closes("d")
			g.pass(20 * time.Minute)
			g.surge("s", world)
		}, faultline.Possible},
		{"reports alone, in the world and everywhere", incident.Config{}, func(g *rig) {
			g.surge("s", world, func(e *faultline.Event) { e.LogP, e.Reporters, e.Networks, e.PeakValue = 300, 100_000, 50_000, 100_000 })
			g.surge("s1", gb)
			g.surge("s2", us)
			g.pass(3 * time.Hour)
		}, faultline.Possible},
		{"three vantages in three networks", incident.Config{}, fail(quorum...), faultline.Confirmed},
		{"two vantages", incident.Config{}, fail(quorum[:2]...), faultline.Possible},
		{"three vantages in one network", incident.Config{}, fail("DE/3320/a", "DE/3320/b", "DE/3320/c"), faultline.Possible},
		{"three vantages in two networks", incident.Config{}, fail("DE/3320/a", "DE/3320/b", "US/7922/c"), faultline.Confirmed},
		{"three of seven healthy groups", incident.Config{}, func(g *rig) {
			healthy(g, "FR/1/p", "FR/2/q", "FR/3/r", "FR/4/s")
			fail(quorum...)(g)
		}, faultline.Possible},
		{"three of six healthy groups", incident.Config{}, func(g *rig) {
			healthy(g, "FR/1/p", "FR/2/q", "FR/3/r")
			fail(quorum...)(g)
		}, faultline.Confirmed},
		{"impaired vantages are no healthy groups", incident.Config{}, func(g *rig) {
			for _, v := range []string{"FR/1/p", "FR/2/q", "FR/3/r", "FR/4/s"} {
				x := g.check(v, false)
				x.Verdict, x.Reason = faultline.CannotTell, "impaired"
				g.step(incident.Input{Readings: []faultline.Reading{x}})
			}
			fail(quorum...)(g)
		}, faultline.Confirmed},
		{"at different steps", incident.Config{}, func(g *rig) {
			fail(quorum[:2]...)(g)
			g.down("d", quorum[2], func(e *faultline.Event) { e.Op = faultline.OpWait })
		}, faultline.Possible},
		{"three failed checks of one vantage", incident.Config{}, func(g *rig) {
			g.down("d", "local", func(e *faultline.Event) { e.Failed = 30 })
		}, faultline.Possible},
		{"three failed checks of one vantage, as configured", incident.Config{ConfirmWithOneVantage: true}, func(g *rig) {
			g.down("d", "local")
			g.pass(time.Minute)
			g.want(faultline.Possible)
			g.revise("d", func(e *faultline.Event) { e.Failed = 3 })
		}, faultline.Confirmed},
		{"reports do not confirm where one vantage may", incident.Config{ConfirmWithOneVantage: true}, func(g *rig) { g.surge("s", world) }, faultline.Possible},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, c.cfg)
			c.do(g)
			g.want(c.want)
			if i := g.last[first]; i.Worst != c.want || i.OneVantage != (c.cfg.ConfirmWithOneVantage && c.want == faultline.Confirmed) {
				t.Errorf("worst %s, one vantage %v", i.Worst, i.OneVantage)
			}
		})
	}
}

func TestAVantageThatStoppedFailingLongAgoIsNoPartOfAQuorum(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.down("a", "DE/3320/a")
	g.down("b", "GB/2856/b")
	delete(g.checks, "DE/3320/a") // silent from here on
	g.pass(10 * time.Minute)
	g.down("c", "US/7922/c")
	g.want(faultline.Possible)
}

func TestRecoveringAndResolved(t *testing.T) {
	t.Run("reports: ten minutes inside the band, then thirty", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.pass(time.Hour)
		g.recovers("s")
		g.pass(9 * time.Minute)
		g.want(faultline.Possible)
		g.pass(time.Minute)
		g.want(faultline.Recovering)
		if i := g.last[first]; !i.End.Equal(t0.Add(time.Hour)) || time.Duration(i.Span) != time.Hour || time.Duration(i.Disrupted) != time.Hour {
			t.Errorf("end %s, span %v, disrupted %v", i.End, i.Span, i.Disrupted)
		}
		g.closes("s")
		g.pass(29 * time.Minute)
		g.want(faultline.Recovering)
		g.pass(time.Minute)
		g.want(faultline.Resolved)
		g.wantStatus(faultline.Fine, "")
	})
	t.Run("probes: three checks", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.down("d", "local")
		g.pass(10 * time.Minute)
		g.checks["local"] = true
		g.recovers("d")
		g.pass(2 * time.Minute)
		g.want(faultline.Possible)
		g.pass(time.Minute)
		g.want(faultline.Recovering)
		g.closes("d")
		g.pass(31 * time.Minute)
		g.want(faultline.Resolved)
	})
	t.Run("lingering reports do not hold up what probes opened, but nothing is resolved while they last", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.down("d", "local")
		g.pass(time.Minute)
		g.surge("s", world)
		g.want(faultline.Confirmed)
		g.up("d", "local")
		g.want(faultline.Recovering)
		if g.last[first].End.IsZero() {
			t.Error("an end is known while it recovers")
		}
		g.pass(2 * time.Hour)
		g.want(faultline.Recovering)
		g.closes("s")
		g.pass(time.Minute)
		g.want(faultline.Resolved)
	})
	t.Run("failing checks hold up what reports opened", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.pass(time.Minute)
		g.down("d", "local")
		g.recovers("s")
		g.pass(time.Hour)
		g.want(faultline.Confirmed)
		g.up("d", "local")
		g.want(faultline.Recovering)
	})
	t.Run("it did not last", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.recovers("s")
		g.pass(12 * time.Minute)
		g.want(faultline.Recovering)
		g.revise("s", func(e *faultline.Event) { e.Recovered = time.Time{} })
		g.want(faultline.Possible) // the world's own series
		if i := g.last[first]; !i.End.IsZero() || len(i.Episodes) != 1 {
			t.Errorf("end %s, %d episodes", i.End, len(i.Episodes))
		}
	})
	t.Run("a surge that was found late and began before the end is no relapse, but holds up the end", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.pass(30 * time.Minute)
		g.recovers("s")
		g.pass(10 * time.Minute)
		g.want(faultline.Recovering)
		g.pass(time.Minute)
		g.surge("late", gb, func(e *faultline.Event) { e.Onset = t0.Add(10 * time.Minute) })
		g.want(faultline.Recovering)
		g.closes("s")
		g.pass(time.Hour)
		g.want(faultline.Recovering)
		g.surge("new", us)
		g.want(faultline.Possible)
	})
	t.Run("the tail of a country is no relapse and reopens nothing, but is never fine", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.surge("c", gb)
		g.pass(30 * time.Minute)
		g.recovers("s")
		g.recovers("c")
		g.pass(10 * time.Minute)
		g.want(faultline.Recovering)
		g.closes("s")
		again := func(e *faultline.Event) { e.Recovered = time.Time{} }
		g.revise("c", again)
		g.pass(40 * time.Minute)
		g.want(faultline.Recovering)
		g.recovers("c")
		g.pass(10 * time.Minute)
		g.want(faultline.Resolved)
		g.revise("c", again)
		g.want(faultline.Resolved)
		g.wantStatus(faultline.OddState, "")
		g.closes("c")
		g.pass(time.Minute)
		g.wantStatus(faultline.Fine, "")
	})
	t.Run("nothing is resolved while nobody can tell", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.recovers("s")
		g.pass(12 * time.Minute)
		g.closes("s")
		g.quiet = true
		g.pass(3 * time.Hour)
		g.want(faultline.Recovering)
		g.wantStatus(faultline.Unclear, incident.Silent)
		if g.status.Incident != first {
			t.Error("the status forgot the incident")
		}
		g.quiet = false
		g.pass(time.Minute)
		g.want(faultline.Resolved)
	})
	t.Run("after a day without any measurement it ends in those words", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.down("d", "local")
		delete(g.checks, "local")
		g.pass(25 * time.Hour)
		g.want(faultline.Resolved)
		if why := g.last[first].Changes[1].Why; !strings.Contains(why, "nobody could measure") {
			t.Error(why)
		}
	})
}

func TestReopen(t *testing.T) {
	ended := func(t *testing.T) *rig {
		t.Helper()
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.pass(30 * time.Minute)
		g.closes("s")
		g.pass(time.Hour)
		g.want(faultline.Resolved)
		return g
	}
	t.Run("a new surge within six hours is another episode", func(t *testing.T) {
		g := ended(t)
		g.pass(4 * time.Hour)
		g.surge("s2", world)
		g.want(faultline.Possible)
		i := g.last[first]
		if len(i.Episodes) != 2 || !i.Resolved.IsZero() || !i.End.IsZero() || time.Duration(i.Disrupted) != 30*time.Minute || time.Duration(i.Span) != 5*time.Hour+30*time.Minute {
			t.Errorf("%+v", i)
		}
		if why := i.Changes[len(i.Changes)-1].Why; !strings.Contains(why, "5 h after the last disruption ended") {
			t.Error(why)
		}
	})
	t.Run("a later one is another incident", func(t *testing.T) {
		g := ended(t)
		g.pass(6 * time.Hour)
		g.surge("s2", world)
		g.want(faultline.Resolved)
		if i := g.last[first+"-2"]; i.State != faultline.Possible || i.Revision != 1 {
			t.Errorf("%+v", i)
		}
	})
	t.Run("what confirmed the first wave does not confirm the second", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.down("d", "local")
		g.want(faultline.Confirmed)
		g.up("d", "local")
		g.closes("s")
		g.pass(time.Hour)
		g.want(faultline.Resolved)
		g.surge("s2", world)
		g.want(faultline.Possible)
		if g.last[first].Worst != faultline.Confirmed {
			t.Error("the worst state was forgotten")
		}
		g.down("d2", "local")
		g.want(faultline.Confirmed)
	})
	t.Run("ids count per day and are not used again", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("a", world)
		g.command(faultline.Command{Action: faultline.Retract, Incident: first, Text: "a test"})
		g.closes("a")
		g.surge("b", world)
		g.pass(12 * time.Hour)
		if _, ok := g.last[first+"-2"]; !ok {
			t.Errorf("have %v", g.last)
		}
		g.closes("b")
		g.pass(12 * time.Hour)
		g.surge("c", world)
		if _, ok := g.last["x-2025-03-11"]; !ok {
			t.Errorf("have %v", g.last)
		}
	})
}
