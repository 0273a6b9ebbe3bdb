package incident_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/incident"
)

func TestCommands(t *testing.T) {
	open := func(t *testing.T) *rig {
		t.Helper()
		g := newRig(t, incident.Config{})
		g.surge("s", world)
		g.pass(20 * time.Minute)
		return g
	}
	t.Run("close", func(t *testing.T) {
		g := open(t)
		g.command(faultline.Command{Action: faultline.Close, Incident: first, Text: "a release, rolled back"})
		g.want(faultline.Resolved)
		i := g.last[first]
		c := i.Changes[len(i.Changes)-1]
		if i.By != "ada" || c.By != "ada" || !strings.Contains(c.Why, "a release, rolled back") || !slices.Equal(c.Because, []string{"0-77-0"}) {
			t.Errorf("%+v", c)
		}
		if i.End.IsZero() {
			t.Error("what is over has an end")
		}
		g.revise("s", func(e *faultline.Event) { e.Excess = 2000 })
		g.pass(20 * time.Minute)
		g.want(faultline.Resolved)
		g.surge("s2", gb)
		g.want(faultline.Possible)
	})
	t.Run("retract", func(t *testing.T) {
		g := open(t)
		g.command(faultline.Command{Action: faultline.Retract, Incident: first, Text: "a test of ours"})
		g.want(faultline.Retracted)
		if i := g.last[first]; i.Reason != "a test of ours" || len(i.Episodes) != 1 || i.Worst != faultline.Possible {
			t.Errorf("%+v", i)
		}
		g.revise("s", func(e *faultline.Event) { e.Excess = 2000 })
		g.pass(time.Minute)
		g.wantStatus(faultline.Fine, "")
		g.surge("s2", world)
		if i := g.last[first+"-2"]; i.State != faultline.Possible {
			t.Errorf("a new event after a retraction: %+v", i)
		}
	})
	t.Run("annotate", func(t *testing.T) {
		g := open(t)
		g.command(faultline.Command{Action: faultline.Annotate, Incident: first, Text: "the company says so too"})
		if i := g.last[first]; len(i.Notes) != 1 || i.Notes[0].By != "ada" || i.By != "ada" || i.State != faultline.Possible {
			t.Errorf("%+v", i)
		}
	})
	t.Run("a new normal closes what reports hold open", func(t *testing.T) {
		g := open(t)
		g.command(faultline.Command{Action: faultline.NewNormal, Service: "x"})
		g.want(faultline.Resolved)
	})
	t.Run("a new normal does not hide checks that fail", func(t *testing.T) {
		g := open(t)
		g.down("d", "local")
		g.command(faultline.Command{Action: faultline.NewNormal, Service: "x"})
		g.want(faultline.Confirmed)
		g.up("d", "local")
		g.want(faultline.Recovering)
	})
	t.Run("merge", func(t *testing.T) {
		g := open(t)
		g.closes("s")
		g.pass(7 * time.Hour)
		g.surge("s2", gb)
		second := first + "-2"
		if g.last[second].State != faultline.Possible {
			t.Fatal("no second incident")
		}
		g.command(faultline.Command{Action: faultline.Merge, Incident: second, Into: first})
		if i := g.last[second]; i.State != faultline.Resolved || i.MergedInto != first || len(i.Episodes) != 1 {
			t.Errorf("the merged one: %+v", i)
		}
		g.want(faultline.Possible)
		if i := g.last[first]; len(i.Episodes) != 2 || !slices.Equal(i.Events, []string{"s", "s2"}) {
			t.Errorf("the other: %+v", i)
		}
		g.closes("s2")
		g.pass(time.Hour)
		g.want(faultline.Resolved)
		if g.last[second].Revision != 2 {
			t.Errorf("the merged one went on: revision %d", g.last[second].Revision)
		}
	})
}

func TestEachRefusalHasItsReason(t *testing.T) {
	g := newRig(t, incident.Config{Services: []faultline.ServiceID{"x", "y"}})
	other := world
	other.Service = "y"
	g.surge("s", world)
	g.surge("o", other)
	id, elsewhere := first, "y-2025-03-10"
	g.command(faultline.Command{Action: faultline.Close, Incident: id})
	g.closes("s")
	g.pass(10 * time.Hour)
	g.surge("s3", world)
	seen := map[string]bool{}
	for _, c := range []struct {
		want string
		c    faultline.Command
	}{
		{incident.UnknownIncident, faultline.Command{Action: faultline.Close, Incident: "x-1999-01-01"}},
		{incident.UnknownIncident, faultline.Command{Action: faultline.Merge, Incident: id, Into: "x-1999-01-01"}},
		{incident.UnknownService, faultline.Command{Action: faultline.NewNormal, Service: "z"}},
		{incident.UnknownAction, faultline.Command{Action: "explode", Incident: id}},
		{incident.NotOpen, faultline.Command{Action: faultline.Close, Incident: id}},
		{incident.NoText, faultline.Command{Action: faultline.Annotate, Incident: id}},
		{incident.NoText, faultline.Command{Action: faultline.Retract, Incident: id}},
		{incident.MergeItself, faultline.Command{Action: faultline.Merge, Incident: id, Into: id}},
		{incident.MergeElsewhere, faultline.Command{Action: faultline.Merge, Incident: id, Into: elsewhere}},
		{"", faultline.Command{Action: faultline.Merge, Incident: id, Into: id + "-2"}},
		{incident.AlreadyMerged, faultline.Command{Action: faultline.Merge, Incident: id, Into: id + "-2"}},
		{"", faultline.Command{Action: faultline.Retract, Incident: elsewhere, Text: "no"}},
		{incident.AlreadyRetracted, faultline.Command{Action: faultline.Retract, Incident: elsewhere, Text: "no"}},
	} {
		n := len(g.all)
		if got := g.command(c.c); got != c.want {
			t.Errorf("%+v: refused with %q, want %q", c.c, got, c.want)
		}
		if c.want != "" && len(g.all) != n {
			t.Errorf("%+v: refused, and made a revision", c.c)
		}
		seen[c.want] = true
	}
	for _, reason := range incident.Refusals() {
		if !seen[reason] {
			t.Errorf("nothing was refused for %q", reason)
		}
	}
}

func TestARetractedEventTakesItsIncidentBack(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.surge("s", world)
	g.surge("s2", gb)
	g.revise("s", func(e *faultline.Event) { e.State = faultline.EventRetracted })
	g.want(faultline.Possible)
	g.revise("s2", func(e *faultline.Event) { e.State = faultline.EventRetracted })
	g.want(faultline.Retracted)
	if g.last[first].Reason == "" {
		t.Error("a retraction has a reason")
	}
}

func TestALevelSinceTheStartIsTakenBackInThoseWords(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.surge("s", world, func(e *faultline.Event) { e.Young = true })
	g.revise("s", func(e *faultline.Event) { e.State, e.Reason = faultline.EventRetracted, faultline.LevelSinceStart })
	g.want(faultline.Retracted)
	if i := g.last[first]; !strings.Contains(i.Reason, "since listening began") && !strings.Contains(i.Reason, "when listening began") || !slices.Equal(i.Changes[len(i.Changes)-1].Because, []string{"s"}) {
		t.Errorf("%q because %v", i.Reason, i.Changes[len(i.Changes)-1].Because)
	}
}

func TestWhatIsPartOfALevelSinceTheStartIsTakenBackWithIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		young bool
		want  faultline.State
	}{{"young", true, faultline.Retracted}, {"of a series that is known", false, faultline.Possible}} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			g.surge("s", world, func(e *faultline.Event) { e.Young = true })
			g.surge("s2", gb, func(e *faultline.Event) { e.Young = c.young })
			g.pass(time.Hour)
			g.revise("s", func(e *faultline.Event) { e.State, e.Reason = faultline.EventRetracted, faultline.LevelSinceStart })
			g.want(c.want)
		})
	}
}

func TestTheWidestSeriesIsNamedWhenTwoKindsAgree(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.surge("a", gb)
	g.surge("b", world, func(e *faultline.Event) { e.PeakValue = 1234567 })
	g.down("c", "local")
	g.want(faultline.Confirmed)
	i := g.last[first]
	if c := i.Changes[len(i.Changes)-1]; !slices.Equal(c.Because, []string{"b", "c"}) || !strings.Contains(c.Why, "1,234,567 in 15 min") {
		t.Errorf("%s because %v", c.Why, c.Because)
	}
}

func TestAnEpisodeEndsWhereTheExcessFell(t *testing.T) {
	g := newRig(t, incident.Config{})
	g.surge("s", world)
	g.pass(40 * time.Minute)
	fell := g.now.Add(-20 * time.Minute)
	g.revise("s", func(e *faultline.Event) { e.Recovered, e.Fell = g.now, fell })
	g.pass(10 * time.Minute)
	g.want(faultline.Recovering)
	if end := g.last[first].End; !end.Equal(fell) {
		t.Errorf("ended at %v, want %v", end, fell)
	}
}

func TestEpisodes(t *testing.T) {
	shifted := func(onset, end time.Duration) func(*faultline.Event) {
		return func(e *faultline.Event) {
			e.Onset, e.OnsetLow, e.OnsetHigh, e.Peak = t0.Add(onset), t0.Add(onset), t0.Add(onset), t0.Add((onset+end)/2)
			e.End, e.State = t0.Add(end), faultline.EventClosed
		}
	}
	type span [2]int // minutes
	for _, c := range []struct {
		name string
		do   func(*rig)
		want []span
	}{
		{"two waves of the world", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.surge("b", world, shifted(3*time.Hour, 4*time.Hour))
		}, []span{{0, 40}, {180, 240}}},
		{"two waves of the world that its detector split, without a gap", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.surge("b", world, shifted(40*time.Minute, 2*time.Hour))
		}, []span{{0, 40}, {40, 120}}},
		{"checks that fail do not join what was split", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.surge("b", world, shifted(60*time.Minute, 2*time.Hour))
			g.down("d", "local", shifted(10*time.Minute, 3*time.Hour))
		}, []span{{0, 60}, {60, 180}}},
		{"a gap of less than half an hour between countries joins", func(g *rig) {
			g.surge("a", gb, shifted(0, 40*time.Minute))
			g.surge("b", us, shifted(69*time.Minute, 2*time.Hour))
		}, []span{{0, 120}}},
		{"half an hour does not", func(g *rig) {
			g.surge("a", gb, shifted(0, 40*time.Minute))
			g.surge("b", us, shifted(70*time.Minute, 2*time.Hour))
		}, []span{{0, 40}, {70, 120}}},
		{"a country does not lengthen a wave of the world", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.surge("c", gb, shifted(0, 4*time.Hour))
			g.surge("b", world, shifted(3*time.Hour, 4*time.Hour))
		}, []span{{0, 40}, {180, 240}}},
		{"but has waves of its own", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.surge("c", gb, shifted(2*time.Hour, 3*time.Hour))
		}, []span{{0, 40}, {120, 180}}},
		{"countries unite where the world saw nothing", func(g *rig) {
			g.surge("c", gb, shifted(0, 40*time.Minute))
			g.surge("d", us, shifted(20*time.Minute, time.Hour))
		}, []span{{0, 60}}},
		{"checks that fail lengthen a wave", func(g *rig) {
			g.surge("a", world, shifted(0, 40*time.Minute))
			g.down("d", "local", shifted(10*time.Minute, 90*time.Minute))
		}, []span{{0, 90}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			g.now = t0.Add(4 * time.Hour)
			c.do(g)
			g.pass(time.Hour)
			g.want(faultline.Resolved)
			var got []span
			sum := time.Duration(0)
			for _, e := range g.last[first].Episodes {
				got = append(got, span{int(e.Onset.Sub(t0).Minutes()), int(e.End.Sub(t0).Minutes())})
				sum += e.End.Sub(e.Onset)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("episodes %v, want %v", got, c.want)
			}
			i := g.last[first]
			if time.Duration(i.Disrupted) != sum || time.Duration(i.Span) != i.End.Sub(i.Onset) {
				t.Errorf("disrupted %v of %v, span %v", i.Disrupted, sum, i.Span)
			}
		})
	}
}

func TestScopeAndPeak(t *testing.T) {
	excess := func(x, peak, usual float64) func(*faultline.Event) {
		return func(e *faultline.Event) { e.Excess, e.PeakValue, e.PeakUsual = x, peak, usual }
	}
	g := newRig(t, incident.Config{})
	g.surge("w", world, excess(1000, 400, 10))
	g.surge("u", us, excess(600, 250, 5))
	g.surge("g", gb, excess(300, 120, 0))
	isp := gb
	isp.Level, isp.ASN = faultline.InASN, 2856
	g.surge("i", isp, excess(200, 80, 1))
	g.pass(6 * time.Minute)
	i := g.last[first]
	want := faultline.Scope{
		Global: true,
		Countries: []faultline.CountryShare{
			{Country: "US", Share: 0.6, N: 600, Ratio: 50, Surging: true},
			{Country: "GB", Share: 0.3, N: 300, Surging: true},
		},
		ASNs: []faultline.ASNShare{{Country: "GB", ASN: 2856, Share: 0.2, N: 200}},
	}
	if got, _ := json.Marshal(i.Scope); string(got) != string(must(want)) {
		t.Errorf("scope\n got %s\nwant %s", got, must(want))
	}
	if i.Peak.Value != 400 || i.Peak.Usual != 10 || i.Peak.Country != "" {
		t.Errorf("peak %+v", i.Peak)
	}
	t.Run("one country carries it alone", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.surge("w", world, excess(1000, 400, 10))
		g.surge("u", us, excess(900, 250, 5))
		g.pass(6 * time.Minute)
		if g.last[first].Scope.Global {
			t.Error("global")
		}
	})
	t.Run("vantages and how they fail", func(t *testing.T) {
		g := newRig(t, incident.Config{})
		g.checks["FR/1/ok"] = true
		g.pass(time.Minute)
		g.down("a", "DE/3320/a")
		g.down("b", "GB/2856/b", func(e *faultline.Event) { e.Failed = 4 })
		g.down("c", "US/7922/c", func(e *faultline.Event) { e.Failure, e.Op = faultline.HTTPServerError, faultline.OpWait })
		g.pass(6 * time.Minute)
		i := g.last[first]
		if i.Scope.Vantages != 3 || i.Scope.OfVantages != 4 || i.Failure != faultline.ConnectionRefused || i.Op != faultline.OpConnect || !slices.Equal(i.Instruments, []string{"probes"}) {
			t.Errorf("%+v %s %s", i.Scope, i.Failure, i.Op)
		}
	})
}

func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func TestBrigade(t *testing.T) {
	script := faultline.Mix{N: 400, Top: 0.97, Even: 1.1, Edge: 1.02}
	people := faultline.Mix{N: 400, Top: 0.29, Works: 0.06, Since: 0.3, Even: 1.3, Edge: 0.4}
	oneSurface := faultline.Mix{N: 400, Top: 0.97, Works: 0.04, Since: 0.2, Even: 1.1, Edge: 0.5}
	for _, c := range []struct {
		name string
		mix  faultline.Mix
		do   func(*rig)
		flag bool
	}{
		{"a script", script, func(*rig) {}, true},
		{"people", people, func(*rig) {}, false},
		{"people with one phrase, on a plateau, whom no probe confirms", oneSurface, func(g *rig) { g.checks["local"] = true }, false},
		{"a script with a slow start, whom no probe confirms", faultline.Mix{N: 400, Top: 0.97, Even: 3, Edge: 0.5}, func(g *rig) { g.checks["local"] = true }, true},
		{"the same without probes", faultline.Mix{N: 400, Top: 0.97, Even: 3, Edge: 0.5}, func(*rig) {}, false},
		{"a script while checks fail", script, func(g *rig) { g.down("d", "local") }, false},
		{"too few reports to tell", faultline.Mix{N: 99, Top: 1, Even: 1, Edge: 1}, func(*rig) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, incident.Config{})
			g.surge("s", world)
			c.do(g)
			for range 5 {
				g.pass(time.Minute)
				x := g.world()
				x.Mix, x.Verdict = c.mix, faultline.Surging
				g.step(incident.Input{Readings: []faultline.Reading{x}})
			}
			g.pass(6 * time.Minute)
			i := g.last[first]
			if got := slices.Contains(i.Flags, incident.Brigade); got != c.flag {
				t.Fatalf("flagged %v, want %v: %s", got, c.flag, changes(i))
			}
			if !c.flag {
				return
			}
			if why := i.Changes[len(i.Changes)-1].Why; !strings.Contains(why, "97 % of 400 reports") {
				t.Errorf("the flag's signs are not in the record: %s", why)
			}
			g.down("d", "local2")
			if i := g.last[first]; slices.Contains(i.Flags, incident.Brigade) || i.State != faultline.Confirmed {
				t.Errorf("flagged although checks fail too: %s", changes(i))
			}
		})
	}
}

// script is a seeded sequence of everything that may come.
func inputs(seed uint64, n int) []incident.Input {
	r := rand.New(rand.NewPCG(seed, 2))
	now := t0
	events, ids := map[string]faultline.Event{}, []string{}
	places := []faultline.Series{world, gb, us, at("DE/3320/a"), at("GB/2856/b"), at("US/7922/c"), symptom(faultline.CannotLogIn), symptom(faultline.Slow), surface(faultline.App)}
	var out []incident.Input
	for range n {
		now = now.Add(time.Duration(r.IntN(4)) * time.Minute)
		if r.IntN(200) == 0 {
			now = now.Add(time.Duration(r.IntN(600)) * time.Minute)
		}
		in := incident.Input{At: now, Samples: []faultline.Sample{{Series: world, Start: now.Truncate(time.Minute).Add(-time.Minute), Works: r.IntN(4)}}}
		for _, s := range places {
			if r.IntN(3) == 0 {
				continue
			}
			in.Samples = append(in.Samples, anyMinute(s, in.Samples[0].Start, r))
			in.Readings = append(in.Readings, faultline.Reading{
				Series: s, At: now, Value: float64(r.IntN(2)), Width: faultline.Seconds(time.Minute), LogP: float64(r.IntN(6)), Reporters: r.IntN(9), Origin: faultline.Simulated,
				Verdict: []faultline.Verdict{faultline.Usual, faultline.Odd, faultline.CannotTell, faultline.Failing}[r.IntN(4)], Reason: "too_few",
				Expected: float64(r.IntN(3)), Age: faultline.Seconds(time.Duration(r.IntN(100)) * time.Hour),
				Mix: faultline.Mix{N: r.IntN(300), Top: 0.9 + 0.1*r.Float64(), Even: 1, Edge: 1},
			})
		}
		if r.IntN(12) == 0 {
			s := places[r.IntN(len(places))]
			id := "e" + now.Format("150405.000") + s.String() + string(rune('a'+len(ids)%26))
			e := faultline.Event{ID: id, Series: s, Kind: faultline.Surge, State: faultline.EventOpen, LogP: 10 * r.Float64(), Reporters: r.IntN(40), Networks: r.IntN(9), Excess: float64(r.IntN(900)), PeakValue: 100 * r.Float64(), Opened: now, At: now, Onset: now.Add(-time.Duration(r.IntN(90)) * time.Second / 7)}
			if s.Level == faultline.AtVantage {
				e.Kind, e.Failed, e.Failure, e.Op = faultline.Unreachable, 1+r.IntN(4), faultline.GenericTimeout, faultline.OpConnect
			}
			events[id], ids = e, append(ids, id)
			in.Events = append(in.Events, e)
		}
		if len(ids) > 0 && r.IntN(4) == 0 {
			id := ids[max(0, len(ids)-1-r.IntN(4))]
			e := events[id]
			e.Revision, e.At = e.Revision+1, now
			switch r.IntN(6) {
			case 0:
				e.State, e.End = faultline.EventClosed, now
			case 1:
				e.State = faultline.EventRetracted
			case 2, 3:
				e.Recovered = now
			case 4:
				e.Recovered, e.End, e.State = time.Time{}, time.Time{}, faultline.EventOpen
			default:
				e.Excess++
			}
			events[id] = e
			in.Events = append(in.Events, e)
		}
		if r.IntN(40) == 0 {
			day := now.Format(time.DateOnly)
			in.Command = &faultline.Command{
				Operator: "ada", Action: []faultline.Action{faultline.Close, faultline.Retract, faultline.Merge, faultline.Annotate, faultline.NewNormal}[r.IntN(5)],
				Incident: "x-" + day + []string{"", "-2", "-3"}[r.IntN(3)], Into: "x-" + day + []string{"", "-2"}[r.IntN(2)], Service: "x", Text: "because",
			}
		}
		out = append(out, in)
	}
	return out
}

func TestARestoredRoomContinuesBitIdentically(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := inputs(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 400).Draw(t, "n"))
		cut := rapid.IntRange(0, len(in)).Draw(t, "cut")
		cfg := incident.Config{Services: []faultline.ServiceID{"x", "y"}, MaxIncidents: 6}
		whole := incident.New(cfg)
		for _, x := range in[:cut] {
			whole.Step(x)
		}
		b, err := whole.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		restored := incident.New(cfg)
		if err := restored.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		for _, x := range in[cut:] {
			if a, b := must(whole.Step(x)), must(restored.Step(x)); string(a) != string(b) {
				t.Fatalf("a restored room continues differently:\n%s\n%s", a, b)
			}
		}
		a, _ := whole.MarshalBinary()
		if b, _ := restored.MarshalBinary(); string(a) != string(b) {
			t.Fatalf("and ends in another state:\n%s\n%s", a, b)
		}
	})
}

// Whatever comes: revisions count up, every change begins where the one before
// ended, times are in order, and at most one incident of a service is open.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room, last := incident.New(incident.Config{}), map[string]faultline.Incident{}
		for _, in := range inputs(rapid.Uint64().Draw(t, "seed"), 300) {
			out := room.Step(in)
			if out.Refused != "" && !slices.Contains(incident.Refusals(), out.Refused) {
				t.Fatalf("refused for %q", out.Refused)
			}
			for _, i := range out.Incidents {
				if i.Revision != last[i.ID].Revision+1 || len(i.Changes) < len(last[i.ID].Changes) {
					t.Fatalf("revision %d after %d", i.Revision, last[i.ID].Revision)
				}
				sound(t, i)
				last[i.ID] = i
			}
			open := 0
			for _, i := range last {
				if i.State.Open() {
					open++
				}
			}
			if open > 1 {
				t.Fatalf("%d incidents of one service are open", open)
			}
		}
	})
}

func sound(t *rapid.T, i faultline.Incident) {
	state := faultline.State("")
	for _, c := range i.Changes {
		if c.From != state || c.Why == "" || c.By == "" {
			t.Fatalf("change %+v after state %q", c, state)
		}
		state = c.To
	}
	if state != i.State {
		t.Fatalf("state %s, last change to %s", i.State, state)
	}
	if i.Span < 0 || i.Disrupted < 0 || i.Disrupted > i.Span+faultline.Seconds(time.Second) || i.Worst != faultline.Possible && i.Worst != faultline.Confirmed {
		t.Fatalf("span %v, disrupted %v, worst %s", i.Span, i.Disrupted, i.Worst)
	}
	for k, e := range i.Episodes {
		if k > 0 && !i.Episodes[k-1].End.IsZero() && e.Onset.Before(i.Episodes[k-1].End) {
			t.Fatalf("episodes overlap: %+v", i.Episodes)
		}
	}
	if i.State == faultline.Resolved && i.End.IsZero() {
		t.Fatalf("resolved without an end: %+v", i)
	}
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	for _, bad := range []string{"", "{", `{"Version":2}`, `{"Version":1,"Services":[null]}`, `{"Version":1,"Incidents":{"a":null}}`, `{"Version":1,"Incidents":{"a":{"Incident":{"id":"a"},"Events":{"e":null}}}}`} {
		if err := incident.New(incident.Config{}).UnmarshalBinary([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	room := incident.New(incident.Config{})
	for _, in := range inputs(1, 200) {
		room.Step(in)
	}
	b, _ := room.MarshalBinary()
	f.Add(b)
	f.Add([]byte(`{"Version":1,"Services":[{"ID":"x","Current":"nowhere"}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		room := incident.New(incident.Config{})
		if room.UnmarshalBinary(b) == nil {
			for _, in := range inputs(2, 20) {
				room.Step(in)
			}
		}
	})
}

func TestIncidentsAreBounded(t *testing.T) {
	g := newRig(t, incident.Config{MaxIncidents: 3})
	for k := range 10 {
		id := string(rune('a' + k))
		g.surge(id, world)
		g.closes(id)
		g.pass(8 * time.Hour)
	}
	if got := g.command(faultline.Command{Action: faultline.Annotate, Incident: first, Text: "late"}); got != incident.UnknownIncident {
		t.Errorf("the oldest is still kept: %q", got)
	}
	if got := g.command(faultline.Command{Action: faultline.Annotate, Incident: g.all[len(g.all)-1].ID, Text: "late"}); got != "" {
		t.Errorf("the newest is not: %q", got)
	}
}

// The operator closes what the data withdraw in the same step.
func TestWhatIsClosedHasAnEnd(t *testing.T) {
	room := incident.New(incident.Config{})
	e := faultline.Event{ID: "e", Series: at("GB/2856/b"), Kind: faultline.Unreachable, State: faultline.EventOpen, Failed: 2, Opened: t0, At: t0, Onset: t0}
	opened := room.Step(incident.Input{At: t0, Events: []faultline.Event{e}})
	if len(opened.Incidents) != 1 {
		t.Fatalf("%d incidents", len(opened.Incidents))
	}
	e.Revision, e.State, e.At = 1, faultline.EventRetracted, t0.Add(time.Minute)
	out := room.Step(incident.Input{At: e.At, Events: []faultline.Event{e}, Command: &faultline.Command{Operator: "ada", Action: faultline.Close, Incident: opened.Incidents[0].ID, Text: "over"}})
	if len(out.Incidents) != 1 || out.Incidents[0].State != faultline.Resolved || !out.Incidents[0].End.Equal(e.At) {
		t.Errorf("%+v", out.Incidents)
	}
}
