package incident_test

import (
	"reflect"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
)

// town is a cloud under three services, and one beside them.
func town() []faultline.Service {
	on := []faultline.Parent{{ID: "cloud", As: "cloud"}}
	return []faultline.Service{{ID: "cloud", Name: "Cloud", Category: "cloud"}, {ID: "a", Name: "A", Parents: on}, {ID: "b", Name: "B", Parents: on}, {ID: "c", Name: "C", Parents: on}, {ID: "d", Name: "D"}}
}

func of(id faultline.ServiceID) faultline.Series {
	return faultline.Series{Metric: faultline.MetricReports, Service: id}
}

// surgeOf is a surge of reports that counts.
func surgeOf(id faultline.ServiceID, onset time.Time, excess float64) faultline.Event {
	return faultline.Event{
		ID: "surge-" + string(id), Revision: 1, Series: of(id), Kind: faultline.Surge, State: faultline.EventOpen, Opened: onset, At: onset.Add(2 * time.Minute), Onset: onset, OnsetLow: onset.Add(-time.Minute), OnsetHigh: onset.Add(time.Minute),
		PeakValue: excess, PeakUsual: 2, PeakWidth: faultline.Seconds(15 * time.Minute), Excess: excess, LogP: 30, Reporters: 50, Networks: 20, Origin: faultline.Simulated,
	}
}

// checkOf is a check of the cloud from one of two vantages that failed often enough.
func checkOf(vantage string, onset time.Time) faultline.Event {
	s := faultline.Series{Metric: faultline.MetricReach, Service: "cloud", Level: faultline.AtVantage, Country: "GB", ASN: 64500, Vantage: vantage, Target: "https://cloud.example/"}
	return faultline.Event{ID: "unreachable-" + vantage, Revision: 1, Series: s, Kind: faultline.Unreachable, State: faultline.EventOpen, Failed: 3, Failure: faultline.GenericTimeout, Op: faultline.OpConnect, Opened: onset, At: onset.Add(2 * time.Minute), Onset: onset, OnsetLow: onset, OnsetHigh: onset, Origin: faultline.Simulated}
}

// minute is a step with the readings of services that are as usual.
func minute(now time.Time, quiet ...faultline.ServiceID) incident.Input {
	in := incident.Input{At: now}
	for _, id := range quiet {
		in.Readings = append(in.Readings, faultline.Reading{Series: of(id), At: now, Value: 1, Expected: 2, Width: faultline.Seconds(15 * time.Minute), Verdict: faultline.Usual, Origin: faultline.Simulated})
	}
	return in
}

// playTown gives the last revision of each service's incident after some minutes.
func playTown(room *incident.Room, events []faultline.Event, from, to int, last map[faultline.ServiceID]faultline.Incident) {
	for m := from; m < to; m++ {
		in := minute(t0.Add(time.Duration(m)*time.Minute), "c", "d")
		for _, e := range events {
			if e.At.Equal(in.At) {
				in.Events = append(in.Events, e)
			}
		}
		for _, i := range room.Step(in).Incidents {
			last[i.Service] = i
		}
	}
}

func roles(last map[faultline.ServiceID]faultline.Incident) map[faultline.ServiceID]faultline.Role {
	out := map[faultline.ServiceID]faultline.Role{}
	for id, i := range last {
		if i.Blame != nil {
			out[id] = i.Blame.Role
		}
	}
	return out
}

func TestTheRoomSaysWhomASurgePointsTo(t *testing.T) {
	reports := []faultline.Event{surgeOf("a", t0, 400), surgeOf("b", t0.Add(time.Minute), 300), surgeOf("cloud", t0.Add(4*time.Minute), 60)}
	for name, c := range map[string]struct {
		events []faultline.Event
		basis  faultline.Basis
		origin faultline.Role
	}{
		"reports alone":      {reports, faultline.BasisReports, faultline.RoleUndetermined},
		"and its checks too": {append([]faultline.Event{checkOf("v1", t0), checkOf("v2", t0)}, reports...), faultline.BasisMeasured, faultline.RoleOrigin},
	} {
		t.Run(name, func(t *testing.T) {
			room, last := incident.New(incident.Config{Catalogue: town()}), map[faultline.ServiceID]faultline.Incident{}
			playTown(room, c.events, 0, 20, last)
			want := map[faultline.ServiceID]faultline.Role{"a": faultline.RoleCollateral, "b": faultline.RoleCollateral, "cloud": c.origin}
			if got := roles(last); !reflect.DeepEqual(got, want) {
				t.Errorf("%v, want %v: %s", got, want, last["cloud"].Blame.Text)
			}
			for id, i := range last {
				if i.Blame.Party.Service != "cloud" || i.Blame.Basis != c.basis {
					t.Errorf("%s: %+v", id, i.Blame)
				}
			}
		})
	}
}

func TestASnapshotKeepsFindings(t *testing.T) {
	events := []faultline.Event{surgeOf("a", t0, 400), surgeOf("b", t0.Add(time.Minute), 300), surgeOf("cloud", t0.Add(4*time.Minute), 60), checkOf("v1", t0)}
	whole, cut := map[faultline.ServiceID]faultline.Incident{}, map[faultline.ServiceID]faultline.Incident{}
	room := incident.New(incident.Config{Catalogue: town()})
	playTown(room, events, 0, 9, whole)
	b, err := room.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := incident.New(incident.Config{Catalogue: town()})
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	playTown(room, events, 9, 40, whole)
	playTown(again, events, 9, 40, cut)
	if !reflect.DeepEqual(whole, cut) || len(cut) == 0 {
		t.Errorf("after a snapshot\n%+v\nwithout it\n%+v", cut, whole)
	}
}

// A parent that the operator adds counts from the next minute on.
func TestTheRoomTakesANewCatalogue(t *testing.T) {
	room, last := incident.New(incident.Config{}), map[faultline.ServiceID]faultline.Incident{}
	events := []faultline.Event{surgeOf("a", t0, 80), surgeOf("b", t0.Add(time.Minute), 90), surgeOf("c", t0.Add(time.Minute), 70)}
	playTown(room, events, 0, 10, last)
	if b := last["a"].Blame; b == nil || !b.Party.IsZero() {
		t.Fatalf("without a catalogue: %+v", b)
	}
	room.Know(town())
	playTown(room, events, 10, 20, last)
	if b := last["a"].Blame; b.Party.Service != "cloud" {
		t.Errorf("with it: %s (%.2f)", b.Text, b.P)
	}
}
