// Package storetest is what every store owes: a suite that each backend runs.
// Nothing in it is of one engine.
package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"faultline"
	"faultline/internal/store"
)

// Opener opens the store of one test; a second call opens the same again,
// after the first was closed.
type Opener func(t *testing.T) store.Store

// Noon is when the records of the suite begin.
var Noon = time.Date(2025, 3, 10, 12, 0, 0, 0, time.UTC)

var equal = cmp.Options{cmpopts.EquateComparable(netip.AddrPort{}), cmpopts.EquateEmpty()}

// Run runs the suite.
func Run(t *testing.T, open func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Opener)
	}{
		{"a batch goes in once", once},
		{"a batch that does not follow is refused", gap},
		{"observations come out as they went in", observations},
		{"hashes of people are blanked unless asked for", blanked},
		{"the last revision of a sample counts", revisions},
		{"a missing bin is missing and not zero", missing},
		{"the usual numbers stand beside the counts", usual},
		{"places and mixes add up", places},
		{"records keep every revision", records},
		{"the state comes back with its frame", state},
		{"an archive gives back every observation", archive},
		{"an hour that changed is archived again, one that did not is left", archiveTwice},
		{"a changed file of the archive is named", tampered},
		{"minutes that are pruned live on as hours", prune},
		{"a batch that contradicts itself is refused", contradiction},
		{"every field comes back from its ends", extremes},
		{"a long answer comes whole, in order and in parts", parts},
		{"a point says how much of it is known", known},
		{"an hour that was rolled up is an hour wide, and keeping for ever drops nothing", rolledUp},
		{"records come in parts, each revision once", recordParts},
		{"what is asked for sums to what went in", sums},
		{"late rows of many hours come back in one order", mergedInOrder},
		{"an archive can be applied while it is read", rebuilt},
		{"archived rows outlive the store's", outlives},
		{"what a crash left in an archived hour is cleared away", leftovers},
		{"a manifest that cannot be read stops everything", brokenManifest},
		{"a file that is gone is named", lostFile},
		{"old reports leave the archive alone", pruneArchive},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Batch makes frame n: a report every second of minute n, a heartbeat, and
// what a chain could have made of them.
func Batch(n uint64) *store.Batch {
	start := Noon.Add(time.Duration(n-1) * time.Minute)
	b := &store.Batch{First: n, Last: n}
	for i := range uint16(60) {
		at := start.Add(time.Duration(i)*time.Second + 123456*time.Microsecond)
		r := &faultline.Report{
			Service: "x", Symptom: faultline.CannotLoad, Surface: faultline.App, Since: at.Add(-time.Minute),
			Place: faultline.Place{Country: "GB", ASN: 2856}, Reporter: n*100 + uint64(i), Network: 1 << 63, Key: 7,
		}
		if i%3 == 0 {
			r.Country, r.ASN, r.Since = "DE", 3320, time.Time{}
		}
		if i%10 == 9 {
			r.Works, r.Symptom = true, ""
		}
		b.Observations = append(b.Observations, faultline.Observation{
			Position: faultline.Position{Frame: n, Index: i}, At: at, Received: at, Origin: faultline.Measured, Payload: r,
		})
	}
	b.Observations = append(b.Observations,
		faultline.Observation{Position: faultline.Position{Frame: n, Index: 60}, At: start.Add(59 * time.Second), Received: start.Add(59 * time.Second), Origin: faultline.Measured, Payload: &faultline.Heartbeat{Collector: "reports", From: start}},
		faultline.Observation{Position: faultline.Position{Frame: n, Index: 61}, At: start.Add(59 * time.Second), Received: start.Add(59 * time.Second), Origin: faultline.Reconstructed, Payload: &faultline.Measurement{
			Service: "x", Target: "https://x.com/", Probe: "http", Vantage: faultline.Vantage{ID: "local", Place: faultline.Place{Country: "DE", ASN: 3320}},
			Attempt: 1, Due: start, Start: start, Runtime: faultline.Seconds(12345 * time.Microsecond), Interval: faultline.Seconds(time.Minute), Failure: faultline.GenericTimeout,
			Steps: []faultline.Step{{Op: faultline.OpConnect, Runtime: faultline.Seconds(55 * time.Microsecond), Address: netip.MustParseAddrPort("192.0.2.1:443"), Failure: faultline.GenericTimeout}},
		}})
	b.Samples = []faultline.Sample{Sample(start, 54, 1)}
	b.Cells = []faultline.Cell{
		{Service: "x", Start: start, Place: faultline.Place{Country: "GB", ASN: 2856}, Symptom: faultline.CannotLoad, Surface: faultline.App, N: 40, Origin: faultline.Measured},
		{Service: "x", Start: start, Place: faultline.Place{Country: "DE", ASN: 3320}, Symptom: faultline.CannotLoad, Surface: faultline.App, N: 14, Origin: faultline.Measured},
		{Service: "x", Start: start, Place: faultline.Place{Country: "DE", ASN: 3320}, Surface: faultline.App, Works: true, N: 6, Origin: faultline.Measured},
	}
	b.Readings = []faultline.Reading{{
		Series: world, At: start.Add(time.Minute), Value: 270, Expected: 10, Low: 5, High: 20, Width: faultline.Seconds(5 * time.Minute), LogP: 12.5, Verdict: faultline.Surging, Origin: faultline.Measured,
	}}
	return b
}

var world = faultline.Series{Metric: faultline.MetricReports, Service: "x", Level: faultline.World}

// Sample makes a sample of the world's series.
func Sample(start time.Time, value float64, revision int) faultline.Sample {
	return faultline.Sample{Series: world, Start: start, Width: faultline.Seconds(time.Minute), Value: value, N: value, Raw: 60, Works: 6, Complete: 1, Origin: faultline.Measured, Revision: revision}
}

func apply(t *testing.T, s store.Store, batches ...*store.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := s.Apply(t.Context(), b); err != nil {
			t.Fatalf("apply %d to %d: %v", b.First, b.Last, err)
		}
	}
}

func all(t *testing.T, s store.Store, f store.Filter) (out []faultline.Observation) {
	t.Helper()
	err := s.Observations(t.Context(), f, func(o *faultline.Observation) error { out = append(out, *o); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func once(t *testing.T, open Opener) {
	s := open(t)
	apply(t, s, Batch(1), Batch(2), Batch(2), Batch(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	defer s.Close()
	apply(t, s, Batch(2), Batch(3))
	if n := len(all(t, s, store.Filter{Kind: faultline.KindReport})); n != 180 {
		t.Errorf("%d reports, want 180", n)
	}
	if p, err := s.Position(t.Context(), 0); p != 3 || err != nil {
		t.Errorf("position %d, %v; want 3", p, err)
	}
}

func gap(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	for name, b := range map[string]*store.Batch{"a gap": {First: 3, Last: 3}, "an overlap": {First: 1, Last: 2}} {
		if err := s.Apply(t.Context(), b); !errors.Is(err, store.ErrGap) {
			t.Errorf("%s: %v, want ErrGap", name, err)
		}
	}
	apply(t, s, Batch(2))
}

func observations(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1), Batch(2))
	want := append(Batch(1).Observations, Batch(2).Observations...)
	if diff := cmp.Diff(want, all(t, s, store.Filter{KeepHash: true}), equal); diff != "" {
		t.Error(diff)
	}
	got := all(t, s, store.Filter{Kind: faultline.KindMeasurement, Service: "x", Since: Noon.Add(time.Minute)})
	if len(got) != 1 || got[0].Position.Frame != 2 {
		t.Errorf("filtered: %+v", got)
	}
	if n := len(all(t, s, store.Filter{Service: "y"})); n != 0 {
		t.Errorf("%d observations of another service", n)
	}
}

func blanked(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	for _, o := range all(t, s, store.Filter{Kind: faultline.KindReport}) {
		if r := o.Payload.(*faultline.Report); r.Reporter != 0 || r.Network != 0 || r.Key != 0 {
			t.Fatalf("hashes in %+v", r)
		}
	}
}

func points(t *testing.T, s store.Store, from, to time.Time, step time.Duration) []store.Point {
	t.Helper()
	p, err := s.Series(t.Context(), store.SeriesQuery{Series: world, From: from, To: to, Step: step})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func revisions(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	b := Batch(2)
	b.Samples = []faultline.Sample{Sample(Noon, 99, 2)}
	apply(t, s, Batch(1), b)
	if p := points(t, s, Noon, Noon.Add(time.Minute), 0); len(p) != 1 || p[0].Value != 99 {
		t.Errorf("points %+v, want one of 99", p)
	}
	var n int
	if err := s.Samples(t.Context(), store.Filter{}, func(v *faultline.Sample) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d samples, %v; want the newest alone", n, err)
	}
}

func missing(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	three := Batch(3)
	three.First = 2
	apply(t, s, Batch(1), three)
	p := points(t, s, Noon, Noon.Add(time.Hour), 0)
	if len(p) != 2 || !p[0].Start.Equal(Noon) || !p[1].Start.Equal(Noon.Add(2*time.Minute)) {
		t.Errorf("points %+v, want minutes 0 and 2", p)
	}
	if p := points(t, s, Noon, Noon.Add(time.Hour), time.Hour); len(p) != 1 || p[0].Value != 108 {
		t.Errorf("an hour: %+v, want one of 108", p)
	}
}

func usual(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	p := points(t, s, Noon, Noon.Add(time.Minute), 0)
	if len(p) != 1 || !p[0].HasUsual || p[0].Expected != 2 || p[0].Low != 1 || p[0].High != 4 {
		t.Errorf("points %+v, want the usual 2 (1 to 4) a minute", p)
	}
}

func places(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1), Batch(2))
	got, err := s.Places(t.Context(), store.PlacesQuery{Service: "x", From: Noon, To: Noon.Add(time.Hour)})
	want := []store.PlaceCount{{Place: faultline.Place{Country: "GB"}, N: 80}, {Place: faultline.Place{Country: "DE"}, N: 28, Works: 12}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("countries: %v %s", err, diff)
	}
	got, err = s.Places(t.Context(), store.PlacesQuery{Service: "x", Country: "DE", From: Noon, To: Noon.Add(time.Minute)})
	want = []store.PlaceCount{{Place: faultline.Place{Country: "DE", ASN: 3320}, N: 14, Works: 6}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("networks: %v %s", err, diff)
	}
	mix, err := s.Mix(t.Context(), "x", Noon, Noon.Add(time.Hour))
	wantMix := []store.MixCount{{Symptom: faultline.CannotLoad, Surface: faultline.App, N: 108}, {Surface: faultline.App, Works: true, N: 12}}
	if diff := cmp.Diff(wantMix, mix); diff != "" || err != nil {
		t.Errorf("mix: %v %s", err, diff)
	}
}

func record(id string, revision int, at time.Time) faultline.Record {
	return faultline.Record{Kind: faultline.RecordIncident, ID: id, Revision: revision, Service: "x", At: at, By: "incident/1", Origin: faultline.Measured, Body: []byte(fmt.Sprintf(`{"revision":%d}`, revision))}
}

func records(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	b := Batch(1)
	b.Records = []faultline.Record{record("a", 1, Noon), record("b", 1, Noon), record("a", 2, Noon.Add(time.Minute)), record("a", 1, Noon)}
	apply(t, s, b)
	got, err := s.Records(t.Context(), store.RecordFilter{ID: "a"})
	if diff := cmp.Diff([]faultline.Record{b.Records[0], b.Records[2]}, got); diff != "" || err != nil {
		t.Errorf("all of a: %v %s", err, diff)
	}
	got, err = s.Records(t.Context(), store.RecordFilter{Kind: faultline.RecordIncident, Latest: true})
	if diff := cmp.Diff([]faultline.Record{b.Records[1], b.Records[2]}, got); diff != "" || err != nil {
		t.Errorf("latest: %v %s", err, diff)
	}
}

func state(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	if f, st, err := s.State(t.Context(), 0); f != 0 || st != nil || err != nil {
		t.Errorf("of an empty store: %d %v %v", f, st, err)
	}
	b := Batch(1)
	b.State = []byte{1, 0, 255}
	apply(t, s, b, Batch(2))
	if f, st, err := s.State(t.Context(), 0); f != 1 || string(st) != "\x01\x00\xff" || err != nil {
		t.Errorf("state %d %v %v", f, st, err)
	}
}

func readArchive(t *testing.T, s store.Store, dir string) (out []faultline.Observation) {
	t.Helper()
	if err := s.ReadArchive(t.Context(), dir, func(o *faultline.Observation) error { out = append(out, *o); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func archive(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	var want []faultline.Observation
	for n := uint64(1); n <= 70; n++ {
		apply(t, s, Batch(n))
		want = append(want, Batch(n).Observations...)
	}
	dir := t.TempDir()
	hours, err := s.Hours(t.Context())
	if err != nil || len(hours) != 2 || !hours[0].Equal(Noon) {
		t.Fatalf("hours %v, %v", hours, err)
	}
	rows := 0
	for _, h := range hours {
		m, err := s.Archive(t.Context(), dir, h)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range m.Files {
			if f.Kind == "reports" || f.Kind == "others" {
				rows += f.Rows
			}
		}
	}
	if rows != len(want) {
		t.Errorf("the manifests count %d observations, want %d", rows, len(want))
	}
	if diff := cmp.Diff(want, readArchive(t, s, dir), equal); diff != "" {
		t.Error(diff)
	}
	if f, err := s.FirstFrameAt(t.Context(), 0, Noon.Add(time.Hour)); f != 61 || err != nil {
		t.Errorf("first frame of the second hour: %d, %v; want 61", f, err)
	}
}

func archiveTwice(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	for i, want := range []struct {
		revision int
		written  bool
	}{{1, true}, {1, false}, {2, true}} {
		if i == 2 {
			apply(t, s, Batch(2)) // late rows of the same hour
		}
		m, err := s.Archive(t.Context(), dir, Noon)
		if err != nil || m.Revision != want.revision || m.Written != want.written {
			t.Errorf("round %d: revision %d, written %v, %v; want %+v", i, m.Revision, m.Written, err, want)
		}
	}
	if n := len(readArchive(t, s, dir)); n != 2*62 {
		t.Errorf("%d observations in the archive, want %d", n, 2*62)
	}
}

func tampered(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	m, err := s.Archive(t.Context(), dir, Noon)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "date=2025-03-10", "hour=12", m.Files[0].Name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	err = s.ReadArchive(t.Context(), dir, func(*faultline.Observation) error { return nil })
	if err == nil || !errors.Is(err, store.ErrArchive) || !containsAll(err.Error(), file, "sha256") {
		t.Errorf("got %v, want an error that names %s", err, file)
	}
}

func containsAll(s string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(s, p) })
}

func prune(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	for n := uint64(1); n <= 61; n++ {
		apply(t, s, Batch(n))
	}
	r := store.Retention{Reports: time.Hour, Measurements: time.Hour, Minutes: time.Hour}
	for range 2 { // twice: nothing may be counted again
		if err := s.Prune(t.Context(), r, Noon.Add(2*time.Hour+time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if got := all(t, s, store.Filter{}); len(got) != 62 || got[0].Position.Frame != 61 {
		t.Errorf("%d observations left, want the 62 of the second hour", len(got))
	}
	p := points(t, s, Noon, Noon.Add(2*time.Hour), time.Hour)
	if len(p) != 2 || p[0].Value != 60*54 || p[1].Value != 54 {
		t.Errorf("hours %+v, want sums %d and 54", p, 60*54)
	}
	mix, err := s.Mix(t.Context(), "x", Noon, Noon.Add(2*time.Hour))
	if err != nil || len(mix) != 2 || mix[0].N != 61*54 {
		t.Errorf("mix %+v, %v", mix, err)
	}
}
