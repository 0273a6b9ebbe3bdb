package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/store"
)

func contradiction(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	elsewhere := Batch(1)
	elsewhere.Observations[5].Position.Partition = 1
	for name, b := range map[string]*store.Batch{
		"frames that run backwards":             {First: 2, Last: 1},
		"frame 0":                               {First: 0, Last: 1},
		"an observation of a later frame":       {First: 1, Last: 1, Observations: Batch(2).Observations},
		"an observation of another partition":   elsewhere,
		"one that the store is past, and wrong": {First: 1, Last: 1, Observations: Batch(9).Observations},
	} {
		if err := s.Apply(t.Context(), b); !errors.Is(err, store.ErrBatch) {
			t.Errorf("%s: %v, want ErrBatch", name, err)
		}
	}
	if p, err := s.Position(t.Context(), 0); p != 0 || err != nil {
		t.Errorf("position %d, %v; want none", p, err)
	}
	apply(t, s, Batch(1))
}

// Every field at its ends, in every kind of observation.
func extremes(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	at := Noon.Add(999_999 * time.Microsecond)
	payloads := []faultline.Payload{
		&faultline.Report{Service: "a", Symptom: faultline.OtherSymptom, Surface: faultline.API, Since: at, Place: faultline.Place{Country: "ZZ", ASN: math.MaxUint32}, Reporter: math.MaxUint64, Network: math.MaxUint64 - 1, Key: 1 << 63},
		&faultline.Report{Service: "a", Surface: faultline.Web, Works: true, Place: faultline.Place{Country: "GB"}},
		&faultline.Heartbeat{Collector: "probe:ö' \"\\\n", From: at},
		&faultline.Heartbeat{},
		&faultline.Command{Operator: "O'Neill; DROP TABLE reports", Action: faultline.Merge, Incident: "x-2025-03-10", Into: "x-2025-03-09", Service: "a", Text: "日本語 \x00 <script>"},
		&faultline.Measurement{Service: "a", Target: "tcp://[2001:db8::1]:443", Due: at, Start: at, Runtime: faultline.Seconds(time.Microsecond), Bytes: math.MaxInt64, ReadLate: faultline.Seconds(-time.Microsecond), HasReadLate: true, Impaired: faultline.NoRoute},
	}
	b := &store.Batch{First: 1, Last: math.MaxInt64 / 2}
	for i, p := range payloads {
		o := faultline.Observation{Position: faultline.Position{Frame: b.Last, Index: math.MaxUint16 - uint16(len(payloads)) + uint16(i)}, At: at, Origin: faultline.Simulated, Payload: p}
		if i > 0 {
			o.Received = at
		}
		b.Observations = append(b.Observations, o)
	}
	apply(t, s, b)
	if diff := gocmp.Diff(b.Observations, all(t, s, store.Filter{KeepHash: true}), equal); diff != "" {
		t.Error(diff)
	}
	dir := t.TempDir()
	archiveHours(t, s, dir)
	if diff := gocmp.Diff(b.Observations, readArchive(t, s, dir), equal); diff != "" {
		t.Errorf("archived: %s", diff)
	}
}

// More rows than any backend would hand over at once, asked for in parts.
func parts(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	const frames, each = 60, 1000
	b := &store.Batch{First: 1, Last: frames}
	for n := range frames * each {
		p := faultline.Position{Frame: uint64(n/each) + 1, Index: uint16(n % each)}
		r := &faultline.Report{Service: "x", Symptom: faultline.Slow, Surface: faultline.App, Place: faultline.Place{Country: "GB"}, Reporter: uint64(n)}
		if n%9_973 == 0 {
			r.Service = "rare"
		}
		b.Observations = append(b.Observations, faultline.Observation{Position: p, At: Noon, Received: Noon, Origin: faultline.Measured, Payload: r})
	}
	slices.Reverse(b.Observations) // a batch need not be sorted
	apply(t, s, b)
	var after faultline.Position
	n := 0
	for {
		got := all(t, s, store.Filter{After: after, Limit: 7_001})
		for _, o := range got {
			if want := (faultline.Position{Frame: uint64(n/each) + 1, Index: uint16(n % each)}); o.Position != want {
				t.Fatalf("row %d is %s, want %s", n, o.Position, want)
			}
			n++
		}
		if len(got) < 7_001 {
			break
		}
		after = got[len(got)-1].Position
	}
	if n != frames*each {
		t.Errorf("%d rows, want %d", n, frames*each)
	}
	if rare := all(t, s, store.Filter{Service: "rare"}); len(rare) != 7 {
		t.Errorf("%d rows of the rare service, want 7", len(rare))
	}
	boom := errors.New("boom")
	if err := s.Observations(t.Context(), store.Filter{}, func(*faultline.Observation) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("an error of the caller came back as %v", err)
	}
}

func known(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	half := Sample(Noon.Add(2*time.Minute), 5, 1)
	half.Complete = 0.5
	apply(t, s, &store.Batch{First: 1, Last: 1, Samples: []faultline.Sample{Sample(Noon, 10, 1), half}})
	for _, c := range []struct {
		name     string
		to       time.Time
		step     time.Duration
		complete float64
	}{
		{"two minutes of five, one of them half", Noon.Add(5 * time.Minute), 5 * time.Minute, 0.3},
		{"what was not asked for does not count", Noon.Add(time.Minute), 5 * time.Minute, 1},
	} {
		p := points(t, s, Noon, c.to, c.step)
		if len(p) != 1 || math.Abs(p[0].Complete-c.complete) > 1e-9 || p[0].Width != c.step {
			t.Errorf("%s: %+v, want complete %g", c.name, p, c.complete)
		}
	}
	if _, err := s.Series(t.Context(), store.SeriesQuery{Series: world, From: Noon, To: Noon}); err == nil {
		t.Error("an empty span is no error")
	}
}

func rolledUp(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	for n := uint64(1); n <= 30; n++ {
		apply(t, s, Batch(n))
	}
	if err := s.Prune(t.Context(), store.Retention{}, Noon.Add(1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if p := points(t, s, Noon, Noon.Add(time.Hour), 0); len(p) != 30 {
		t.Fatalf("%d points after pruning nothing, want 30", len(p))
	}
	if err := s.Prune(t.Context(), store.Retention{Minutes: time.Hour}, Noon.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := len(all(t, s, store.Filter{})); n != 30*62 {
		t.Errorf("%d observations after pruning minutes, want %d", n, 30*62)
	}
	p := points(t, s, Noon, Noon.Add(time.Hour), 0) // asked for by the minute
	if len(p) != 1 || p[0].Width != time.Hour || p[0].Value != 30*54 || p[0].Complete != 0.5 {
		t.Errorf("points %+v, want one an hour wide, half of it known", p)
	}
	places, err := s.Places(t.Context(), store.PlacesQuery{Service: "x", From: Noon, To: Noon.Add(time.Hour)})
	if err != nil || len(places) != 2 || places[0].N != 30*40 {
		t.Errorf("places %+v, %v", places, err)
	}
}

func recordParts(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	b := Batch(1)
	for i := range 5 {
		b.Records = append(b.Records, record(fmt.Sprint("r", i), 1, Noon.Add(time.Duration(i)*time.Minute)))
	}
	apply(t, s, b)
	again := Batch(2)
	again.Records = b.Records // as a rebuild brings them
	apply(t, s, again)
	for name, c := range map[string]struct {
		f    store.RecordFilter
		want []string
	}{
		"all, each once":        {store.RecordFilter{}, []string{"r0", "r1", "r2", "r3", "r4"}},
		"the newest two":        {store.RecordFilter{Limit: 2}, []string{"r3", "r4"}},
		"a span without its to": {store.RecordFilter{Since: Noon.Add(time.Minute), Until: Noon.Add(3 * time.Minute)}, []string{"r1", "r2"}},
		"another service":       {store.RecordFilter{Service: "y"}, nil},
	} {
		got, err := s.Records(t.Context(), c.f)
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if err != nil || !slices.Equal(ids, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, ids, err, c.want)
		}
	}
}

// Whatever the samples, revisions and cells: what a series, a mix and the
// places say is their sum, at every step, before and after minutes go.
func sums(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	frame := uint64(0)
	service := 0
	rapid.Check(t, func(rt *rapid.T) {
		service++
		b := drawBatch(rt, faultline.ServiceID(fmt.Sprint("s", service)))
		frame++
		b.First, b.Last = frame, frame
		if err := s.Apply(t.Context(), b); err != nil {
			rt.Fatal(err)
		}
		checkSums(rt, t, s, b)
		if rapid.Bool().Draw(rt, "prune") {
			if err := s.Prune(t.Context(), store.Retention{Minutes: time.Hour}, Noon.Add(3*time.Hour)); err != nil {
				rt.Fatal(err)
			}
			checkSums(rt, t, s, b)
		}
	})
}

// drawBatch draws samples with revisions and cells within four hours.
func drawBatch(rt *rapid.T, service faultline.ServiceID) *store.Batch {
	b := &store.Batch{}
	series := world
	series.Service = service
	for range rapid.IntRange(1, 20).Draw(rt, "samples") {
		v := Sample(Noon.Add(time.Duration(rapid.IntRange(0, 239).Draw(rt, "minute"))*time.Minute), float64(rapid.IntRange(0, 1000).Draw(rt, "value")), len(b.Samples)+1)
		v.Series = series
		b.Samples = append(b.Samples, v)
	}
	for range rapid.IntRange(1, 20).Draw(rt, "cells") {
		c := faultline.Cell{Service: service, Start: Noon.Add(time.Duration(rapid.IntRange(0, 239).Draw(rt, "at")) * time.Minute), Surface: faultline.App, N: rapid.IntRange(1, 1000).Draw(rt, "n"), Origin: faultline.Measured}
		c.Country = rapid.SampledFrom([]faultline.Country{"GB", "DE", "ZZ"}).Draw(rt, "country")
		c.Works = rapid.Bool().Draw(rt, "works")
		b.Cells = append(b.Cells, c)
	}
	return b
}

func checkSums(rt *rapid.T, t *testing.T, s store.Store, b *store.Batch) {
	rt.Helper()
	newest := map[time.Time]float64{}
	for _, v := range b.Samples {
		newest[v.Start] = v.Value // later in the batch is a later revision
	}
	want, total := 0.0, 0
	for _, v := range newest {
		want += v
	}
	step := rapid.SampledFrom([]time.Duration{0, time.Minute, 5 * time.Minute, time.Hour, 4 * time.Hour}).Draw(rt, "step")
	got := 0.0
	p, err := s.Series(t.Context(), store.SeriesQuery{Series: b.Samples[0].Series, From: Noon, To: Noon.Add(4 * time.Hour), Step: step})
	for _, p := range p {
		got += p.Value
	}
	if err != nil || got != want {
		rt.Fatalf("series sums to %g, want %g, %v", got, want, err)
	}
	for _, c := range b.Cells {
		total += c.N
	}
	mix, err := s.Mix(t.Context(), b.Cells[0].Service, Noon, Noon.Add(4*time.Hour))
	for _, m := range mix {
		total -= m.N
	}
	if err != nil || total != 0 {
		rt.Fatalf("the mix is %d short, %v", total, err)
	}
	for _, c := range b.Cells {
		total += c.N
	}
	places, err := s.Places(t.Context(), store.PlacesQuery{Service: b.Cells[0].Service, From: Noon, To: Noon.Add(4 * time.Hour)})
	for _, p := range places {
		total -= p.N + p.Works
	}
	if err != nil || total != 0 {
		rt.Fatalf("the places are %d short, %v", total, err)
	}
}
