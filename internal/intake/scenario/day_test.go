package scenario

import (
	"math"
	"testing"
	"time"

	"faultline"
)

// reportsOf counts the problem reports and the rest of a scenario.
func reportsOf(s *Scenario, from, to time.Time) (problems []*faultline.Observation, works int) {
	for o := range s.Between(from, to) {
		if r, ok := o.Payload.(*faultline.Report); ok {
			if r.Works {
				works++
			} else {
				problems = append(problems, o)
			}
		}
	}
	return problems, works
}

func TestHistoryIsQuietAndSteady(t *testing.T) {
	s := open(t, "2025-03-10-x")
	if s.Day.Sub(s.From) != 21*day {
		t.Errorf("history of %v", s.Day.Sub(s.From))
	}
	for d := s.From; d.Before(s.Day); d = d.Add(day) {
		world := make([]int, 24*60)
		for o := range s.Between(d, d.Add(day)) {
			if r, ok := o.Payload.(*faultline.Report); ok && !r.Works {
				world[int(o.At.Sub(d)/time.Minute)]++
			}
		}
		n := sum(world)
		most, _ := largest(world)
		if n < 7_000 || n > 11_000 || most > 250 {
			t.Errorf("%s: %d usual reports, at most %d in 15 minutes", d.Format(time.DateOnly), n, most)
		}
	}
}

func TestReportsOfTheDayAreMixedAsAssumed(t *testing.T) {
	s := open(t, "2025-03-10-x")
	problems, works := reportsOf(s, at(t, "2025-03-10T13:40:00Z"), at(t, "2025-03-10T14:30:00Z"))
	n := float64(len(problems))
	count := map[string]float64{}
	for _, o := range problems {
		r := o.Payload.(*faultline.Report)
		count[string(r.Symptom)]++
		if r.Country == "US" {
			count["US"]++
			count["US "+string(r.Surface)]++
		}
		if !r.Since.IsZero() {
			count["since"]++
			if off := r.Since.Sub(at(t, "2025-03-10T13:40:00Z")).Abs(); off > 5*time.Minute {
				t.Fatalf("since %v", r.Since)
			}
		}
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		// 62 % by symptom, and of the rest those who report the server: between
		// 5 and 40 % by country.
		{"cannot_load", count["cannot_load"] / n, 0.70},
		{"cannot_log_in", count["cannot_log_in"] / n, 0.025},
		{"feed_not_refreshing", count["feed_not_refreshing"] / n, 0.24},
		{"US app", count["US app"] / count["US"], 57.0 / 91},
		{"since", count["since"] / n, 0.2},
		{"works", float64(works) / n, 0.02},
	} {
		t.Logf("%-20s %.3f, about %.3f wanted", c.what, c.got, c.want)
		if math.Abs(c.got-c.want) > 0.03 {
			t.Errorf("%s: %.3f, want about %.3f", c.what, c.got, c.want)
		}
	}
}

// The published number counts reports, ours counts people in networks. The
// difference must be there, as NAT is, and stay small, or the reconstruction
// would not reach the published peaks in the unit that detectors see.
func TestMostReportersCountUnderTheCapOfThreePerNetwork(t *testing.T) {
	s := open(t, "2025-03-10-x")
	kept, all := map[faultline.Country]int{}, map[faultline.Country]int{}
	networks, people := map[uint64]int{}, map[uint64]bool{}
	problems, _ := reportsOf(s, at(t, "2025-03-10T13:50:00Z"), at(t, "2025-03-10T14:00:00Z"))
	for _, o := range problems {
		r := o.Payload.(*faultline.Report)
		all[r.Country]++
		if people[r.Reporter] {
			continue
		}
		people[r.Reporter] = true
		if networks[r.Network]++; networks[r.Network] <= 3 {
			kept[r.Country]++
		}
	}
	for c, n := range all {
		share := float64(kept[c]) / float64(n)
		if n > 500 && share < 0.85 || n > 5_000 && kept[c] == n {
			t.Errorf("%s: %d of %d reports are effective", c, kept[c], n)
		}
	}
	t.Logf("US %d of %d, JP %d of %d, GB %d of %d", kept["US"], all["US"], kept["JP"], all["JP"], kept["GB"], all["GB"])
}

func TestNetworksHaveTheirSharesAndLastAWeek(t *testing.T) {
	s := open(t, "2025-03-10-x")
	problems, _ := reportsOf(s, at(t, "2025-03-10T13:40:00Z"), at(t, "2025-03-10T14:30:00Z"))
	n, bt := 0.0, 0.0
	for _, o := range problems {
		if r := o.Payload.(*faultline.Report); r.Country == "GB" {
			n++
			if r.ASN == 2856 {
				bt++
			}
		}
	}
	if math.Abs(bt/n-0.30) > 0.02 {
		t.Errorf("AS2856 has %.3f of GB, want 0.30", bt/n)
	}
	week := func(from string) map[uint64]bool {
		seen := map[uint64]bool{}
		p, _ := reportsOf(s, at(t, from), at(t, from).Add(day))
		for _, o := range p {
			seen[o.Payload.(*faultline.Report).Network] = true
		}
		return seen
	}
	common := func(a, b map[uint64]bool) (n int) {
		for x := range a {
			if b[x] {
				n++
			}
		}
		return n
	}
	monday, tuesday, before := week("2025-03-03T00:00:00Z"), week("2025-03-04T00:00:00Z"), week("2025-03-02T00:00:00Z")
	if common(monday, tuesday) < 20 || common(monday, before) > 0 {
		t.Errorf("network hashes: %d in common on two days of a week, %d across weeks", common(monday, tuesday), common(monday, before))
	}
}

// measured counts checks of the first attempt by failure, within a span.
func measured(s *Scenario, from, to time.Time) (byFailure map[faultline.Failure]int, n, second int, vantages map[string]faultline.ASN) {
	byFailure, vantages = map[faultline.Failure]int{}, map[string]faultline.ASN{}
	for o := range s.Between(from, to) {
		m, ok := o.Payload.(*faultline.Measurement)
		if !ok {
			continue
		}
		if m.Attempt == 2 {
			if m.Failure != "" {
				second++
			}
			continue
		}
		byFailure[m.Failure]++
		vantages[m.Vantage.ID] = m.Vantage.ASN
		n++
	}
	return byFailure, n, second, vantages
}

func TestProbesFailAsAssumedDuringWavesAndNotBetween(t *testing.T) {
	s := open(t, "2025-03-10-x")
	for _, w := range s.Waves {
		f, n, second, vantages := measured(s, w.Onset, w.End)
		share := float64(f[faultline.GenericTimeout]) / float64(n)
		answered := n - f[faultline.GenericTimeout]
		t.Logf("%s: %d checks, %.0f %% time out, %d of %d answers are 5xx, %d second attempts fail", w.Name, n, 100*share, f[faultline.HTTPServerError], answered, second)
		if share < 0.5 || share > 0.9 {
			t.Errorf("%s: %.2f of checks time out, want 0.5 to 0.9", w.Name, share)
		}
		if second < n/3 {
			t.Errorf("%s: only %d second attempts fail", w.Name, second)
		}
		asns := map[faultline.ASN]bool{}
		for _, a := range vantages {
			asns[a] = true
		}
		if len(vantages) < 3 || len(asns) < 3 {
			t.Errorf("%s: %d vantages in %d networks", w.Name, len(vantages), len(asns))
		}
		after := w.End.Add(11 * time.Minute)
		if f, n, _, _ := measured(s, after, after.Add(5*time.Minute)); f[""] != n || n == 0 {
			t.Errorf("%s: 11 minutes after its end checks fail: %v", w.Name, f)
		}
	}
	if f, n, _, _ := measured(s, at(t, "2025-03-09T00:00:00Z"), at(t, "2025-03-10T00:00:00Z")); f[""] != n || n != 4*24*60 {
		t.Errorf("the day before: %d checks, %v", n, f)
	}
}

func TestAQuietWeekHasBlipsButNoSecondFailure(t *testing.T) {
	s := open(t, "quiet-week")
	f, n, second, _ := measured(s, s.From, s.To)
	if failed := n - f[""]; failed < 20 || second != 0 {
		t.Errorf("%d of %d checks fail once, %d twice: want some and none", failed, n, second)
	}
	class := at(t, "2025-06-10T09:10:00Z")
	networks := map[uint64]int{}
	problems, _ := reportsOf(s, class, class.Add(6*time.Minute))
	for _, o := range problems {
		networks[o.Payload.(*faultline.Report).Network]++
	}
	most := 0
	for _, n := range networks {
		most = max(most, n)
	}
	if most < 25 {
		t.Errorf("the class room shows %d reports from one network, want 25", most)
	}
}

func TestASilentCollectorHearsNothingWhileOthersGoOn(t *testing.T) {
	s := open(t, "silent-collector")
	from, to := at(t, "2025-06-16T12:00:00Z"), at(t, "2025-06-16T15:00:00Z")
	beats := map[string]int{}
	for o := range s.Between(from, to) {
		switch p := o.Payload.(type) {
		case *faultline.Heartbeat:
			beats[p.Collector]++
		case *faultline.Report:
			t.Fatalf("a report at %v, when nobody listened", o.At)
		}
	}
	if beats[faultline.CollectorReports] != 0 || beats["probe:q-amsterdam"] != 180 {
		t.Errorf("heartbeats in the silence: %v", beats)
	}
	for _, h := range []time.Time{from.Add(-time.Hour), to} {
		if p, _ := reportsOf(s, h, h.Add(time.Hour)); len(p) < 12 {
			t.Errorf("%d reports in the hour from %v", len(p), h)
		}
	}
}

func TestOneProbeFailsTwiceInARowAndPeopleAgreeOnce(t *testing.T) {
	s := open(t, "one-probe")
	for _, c := range []struct {
		service  faultline.ServiceID
		from     string
		reported bool
	}{{"alone", "2025-06-16T10:00:00Z", false}, {"agreed", "2025-06-16T14:00:00Z", true}} {
		from := at(t, c.from)
		f, _, second, _ := measured(s, from, from.Add(10*time.Minute))
		if f[faultline.GenericTimeout] != 10 || f[""] != 10 || second != 10 {
			t.Errorf("%s: %v, %d second attempts fail: want 10 of its own time-outs and 10 successes of the other", c.service, f, second)
		}
		p, _ := reportsOf(s, from, from.Add(15*time.Minute))
		if got := len(p) >= 60; got != c.reported {
			t.Errorf("%s: %d reports", c.service, len(p))
		}
	}
	if p, _ := reportsOf(s, s.From, at(t, "2025-06-16T14:00:00Z")); len(p) != 0 {
		t.Errorf("%d reports of services that nobody reports", len(p))
	}
}
