package incident_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
	"faultline/internal/series"
)

// crowd draws one report at a time: who sends it and what it says.
type crowd struct {
	forged bool
	who    func(*rand.Rand) *faultline.Report
}

func person(country faultline.Country, asn faultline.ASN, network, reporter uint64) *faultline.Report {
	return &faultline.Report{Service: "x", Place: faultline.Place{Country: country, ASN: asn}, Network: network + 1, Reporter: reporter + 1}
}

var providers = []faultline.Place{{Country: "US", ASN: 7922}, {Country: "US", ASN: 7018}, {Country: "US", ASN: 701}, {Country: "DE", ASN: 3320}, {Country: "GB", ASN: 2856}, {Country: "GB", ASN: 5089}, {Country: "JP", ASN: 4713}, {Country: "BR", ASN: 28573}, {Country: "ES", ASN: 3352}, {Country: "FR", ASN: 3215}}

func anybody(r *rand.Rand) *faultline.Report {
	p := providers[r.IntN(len(providers))]
	return person(p.Country, p.ASN, r.Uint64N(1<<20), r.Uint64N(1<<40))
}

// scenarios are brigades, and true surges that look like them.
var scenarios = map[string]crowd{
	"10,000 forged reports from 200 addresses": {true, func(r *rand.Rand) *faultline.Report {
		n := r.Uint64N(200)
		return person(faultline.Country([]string{"US", "CN", "RU", "BR"}[n%4]), faultline.ASN(n%150+1), n, n)
	}},
	"10,000 forged reports from one hosting network": {true, func(r *rand.Rand) *faultline.Report {
		n := r.Uint64N(4000)
		return person("FR", 16276, n, n)
	}},
	"10,000 forged reports from 10,000 networks": {true, func(r *rand.Rand) *faultline.Report {
		n := r.Uint64N(1 << 40)
		return person(faultline.Country([]string{"US", "CN", "RU", "BR", "ZA"}[n%5]), faultline.ASN(n%3000+1), n, n)
	}},
	"a provider with 90 % of a country": {false, func(r *rand.Rand) *faultline.Report {
		asn := faultline.ASN(24757)
		if r.IntN(10) == 0 {
			asn = 328988
		}
		return person("ET", asn, r.Uint64N(1<<12), r.Uint64N(1<<40))
	}},
	"a carrier's people behind 24 addresses": {false, func(r *rand.Rand) *faultline.Report {
		if r.IntN(5) > 0 {
			n := r.Uint64N(24)
			return person("US", 21928, 1<<30+n/6, 1<<50+n)
		}
		return anybody(r)
	}},
	"people of many networks": {false, anybody},
}

// says fills in what a script or a person says, minutes into the failure.
func (c crowd) says(r *rand.Rand, p *faultline.Report, at time.Time, minutes float64) *faultline.Report {
	p.Symptom, p.Surface = faultline.CannotLoad, faultline.App
	if c.forged {
		if r.IntN(33) == 0 {
			p.Surface = faultline.Web
		}
		return p
	}
	p.Symptom = faultline.Symptoms()[min(r.IntN(6), r.IntN(6))]
	p.Surface = faultline.Surfaces()[min(r.IntN(3), r.IntN(3))]
	if r.IntN(16) == 0 {
		p.Works, p.Symptom = true, ""
	} else if r.IntN(3) == 0 && minutes > 0 {
		p.Since = at.Add(-time.Minute)
	}
	return p
}

// rate is how many reports a minute bring: a script is even for an hour,
// people notice within minutes and stop slowly.
func (c crowd) rate(minute int) float64 {
	switch {
	case c.forged && minute < 60:
		return 10_000. / 60
	case c.forged || minute >= 90:
		return 0
	case minute < 6:
		return 8 * float64(minute+1)
	case minute < 60:
		return 50
	}
	return 50 * float64(90-minute) / 30
}

// standIn is a detector in twenty lines: a surge is open while the last 15
// minutes hold at least 20 effective reports of 3 networks.
type standIn struct {
	sums map[faultline.Series][]faultline.Sample
	open map[faultline.Series]*faultline.Event
}

func (d *standIn) step(samples []faultline.Sample) (readings []faultline.Reading, events []faultline.Event) {
	for _, x := range samples {
		if x.Series.Level == faultline.AtVantage {
			readings = append(readings, faultline.Reading{Series: x.Series, At: x.End(), Value: x.Value, Width: x.Width, Verdict: faultline.Usual})
			continue
		}
		window := append(d.sums[x.Series], x)
		window = window[max(0, len(window)-15):]
		d.sums[x.Series] = window
		value, networks := 0.0, 0
		for _, w := range window {
			value += w.Value
			networks += w.Networks
		}
		readings = append(readings, faultline.Reading{Series: x.Series, At: x.End(), Value: value, Verdict: faultline.Usual, Reporters: int(value), Networks: networks, Mix: x.Mix})
		switch e := d.open[x.Series]; {
		case e == nil && value >= 20 && networks >= 3:
			e = &faultline.Event{ID: x.Series.String() + x.Start.Format("1504"), Series: x.Series, Kind: faultline.Surge, State: faultline.EventOpen, Opened: x.End(), At: x.End(), Onset: window[0].Start, LogP: 9, Reporters: int(value), Networks: networks, PeakValue: value, Excess: value}
			d.open[x.Series] = e
			events = append(events, *e)
		case e != nil:
			e.Revision, e.At, e.Excess, e.Recovered = e.Revision+1, x.End(), e.Excess+x.Value, time.Time{}
			if value < 20 {
				e.State, e.End = faultline.EventClosed, x.Start
				delete(d.open, x.Series)
			}
			events = append(events, *e)
		}
	}
	return readings, events
}

// play runs two days of two reports an hour and then the crowd, beside a vantage
// that reaches the service all the time.
func play(seed uint64, c crowd) []faultline.Incident {
	rng := rand.New(rand.NewPCG(seed, 9))
	counts, detector := series.New(series.Config{}), &standIn{map[faultline.Series][]faultline.Sample{}, map[faultline.Series]*faultline.Event{}}
	room, frame, now := incident.New(incident.Config{}), uint64(0), t0
	var out []faultline.Incident
	step := func(at time.Time, p faultline.Payload) {
		frame++
		o := faultline.Observation{Position: faultline.Position{Frame: frame}, At: at, Origin: faultline.Simulated, Payload: p}
		readings, events := detector.step(counts.Step(&o).Samples)
		out = append(out, room.Step(incident.Input{At: now, Readings: readings, Events: events}).Incidents...)
	}
	const quiet = 2 * 24 * 60
	for minute := range quiet + 180 {
		rate := 2. / 60
		if minute >= quiet {
			rate += c.rate(minute - quiet)
		}
		n := int(rate)
		if rng.Float64() < rate-float64(n) {
			n++
		}
		for i := range n {
			at := now.Add(time.Duration(i) * time.Minute / time.Duration(n))
			if honest := c; minute < quiet {
				honest.forged = false
				who := c.who
				if c.forged {
					who = anybody
				}
				step(at, honest.says(rng, who(rng), at, -1))
			} else {
				step(at, c.says(rng, c.who(rng), at, float64(minute-quiet)))
			}
		}
		from := now
		now = now.Add(time.Minute)
		step(now, &faultline.Heartbeat{Collector: faultline.CollectorReports, From: from})
		step(now, &faultline.Measurement{Service: "x", Target: "https://x.example/", Vantage: faultline.Vantage{ID: "local"}, Attempt: 1, Due: now, Start: now, Interval: faultline.Seconds(time.Minute)})
	}
	return out
}

func TestForgedReportsAreFlaggedAndNeverConfirmTrueOnesAreFound(t *testing.T) {
	for name, c := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				revisions := play(seed, c)
				if len(revisions) == 0 {
					t.Fatal("not found: even a forged crowd is possible, and only a found one can be flagged")
				}
				last, flagged := revisions[len(revisions)-1], false
				for _, i := range revisions {
					flagged = flagged || slices.Contains(i.Flags, incident.Brigade)
				}
				if last.Worst == faultline.Confirmed {
					t.Errorf("confirmed by reports alone:\n%s", changes(last))
				}
				if flagged != c.forged {
					t.Errorf("flagged: %v, want %v\n%s", flagged, c.forged, changes(last))
				}
				if last.State != faultline.Resolved || last.ID != "x-2025-03-12" {
					t.Errorf("%s is %s after "+strconv.Itoa(len(revisions))+" revisions:\n%s", last.ID, last.State, changes(last))
				}
			}
		})
	}
}
