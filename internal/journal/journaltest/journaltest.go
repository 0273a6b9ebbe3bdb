// Package journaltest is what every journal owes: a suite that each backend
// runs.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"faultline"
	"faultline/internal/journal"
)

// Opener opens the journal of one test. A second call in the same test opens
// the same journal again, after the first was closed.
type Opener func(t *testing.T) journal.Journal

var noon = time.Date(2025, 3, 10, 12, 0, 0, 123456000, time.UTC)

// Report makes the n-th of a sequence of different reports.
func Report(n int) *faultline.Observation {
	return &faultline.Observation{
		At: noon.Add(time.Duration(n) * time.Second), Received: noon.Add(time.Duration(n) * time.Second), Origin: faultline.Measured,
		Payload: &faultline.Report{
			Service: "x", Symptom: faultline.CannotLoad, Surface: faultline.App,
			Place: faultline.Place{Country: "GB", ASN: 2856}, Reporter: uint64(n) + 1, Network: 7, Key: uint64(n) + 99,
		},
	}
}

// Measurement is one with every field set.
func Measurement() *faultline.Observation {
	return &faultline.Observation{At: noon, Received: noon.Add(time.Second), Origin: faultline.Reconstructed, Payload: &faultline.Measurement{
		Service: "x", Target: "https://x.com/", Probe: "http", Attempt: 2, Due: noon, Start: noon.Add(time.Millisecond),
		Vantage: faultline.Vantage{ID: "local", Network: "home", Place: faultline.Place{Country: "DE", ASN: 3320}},
		Runtime: faultline.Seconds(1500 * time.Millisecond), Interval: faultline.Seconds(time.Minute), Status: 503, Bytes: 12,
		Steps: []faultline.Step{
			{Op: faultline.OpResolve, Runtime: 5},
			{Op: faultline.OpConnect, Hop: 1, T0: 5, Runtime: 7, Address: netip.MustParseAddrPort("192.0.2.1:443"), Failure: faultline.ConnectionReset},
		},
		Failure: faultline.HTTPServerError, ReadLate: 9, HasReadLate: true, Impaired: faultline.NoRoute,
	}}
}

// Heartbeat is one with every field set.
func Heartbeat() *faultline.Observation {
	return &faultline.Observation{At: noon, Received: noon, Origin: faultline.Measured, Payload: &faultline.Heartbeat{Collector: "reports", From: noon.Add(-time.Minute)}}
}

// Command is one with every field set.
func Command() *faultline.Observation {
	return &faultline.Observation{At: noon, Received: noon, Origin: faultline.Simulated, Payload: &faultline.Command{
		Operator: "ana", Action: faultline.Merge, Incident: "x-2025-03-10-2", Into: "x-2025-03-10", Service: "x", Text: "the same fault",
	}}
}

// Run runs the suite.
func Run(t *testing.T, open func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"what goes in comes out, in order and with its position", roundTrip},
		{"records of one append stay together", together},
		{"records of many callers keep their places", manyCallers},
		{"a journal opened again has everything", reopen},
		{"follow sees what is appended later", follow},
		{"follow ends when the journal is closed", followEnds},
		{"a reader's error stops it and comes back", readerStops},
		{"trim drops frames of one kind only", trim},
		{"trim before the first frame drops nothing", trimNothing},
		{"a journal that was trimmed empty goes on", trimAll},
		{"a control record is kept once for each revision", controlRecords},
		{"control records with different ids never meet", controlIDs},
		{"a closed journal refuses", closed},
		{"a caller who waits at the close is answered with the truth", closeUnderLoad},
		{"a caller who has left writes nothing", left},
		{"what cannot be written is refused", invalid},
		{"a partition that does not exist is refused", noPartition},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// ReadAll reads every record of partition 0.
func ReadAll(t *testing.T, j journal.Journal, from uint64) (all []faultline.Observation) {
	t.Helper()
	err := j.Read(t.Context(), 0, from, func(f *journal.Frame) error {
		if f.Corrupt {
			t.Errorf("frame %d is corrupt", f.Number)
		}
		all = append(all, f.Records...)
		return nil
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return all
}

func roundTrip(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	in := []*faultline.Observation{Report(1), Measurement(), Heartbeat(), Command(), Report(2)}
	for _, o := range in {
		if err := j.Append(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	got := ReadAll(t, j, 0)
	if len(got) != len(in) {
		t.Fatalf("%d records, want %d", len(got), len(in))
	}
	for i, o := range in {
		if diff := cmp.Diff(*o, got[i], cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
		if i > 0 && !o.Position.After(in[i-1].Position) {
			t.Errorf("%s is not after %s", o.Position, in[i-1].Position)
		}
	}
	if n := len(ReadAll(t, j, in[3].Position.Frame)); n != 2 {
		t.Errorf("%d records from the fourth frame on, want 2", n)
	}
	if n := len(ReadAll(t, j, in[4].Position.Frame+1)); n != 0 {
		t.Errorf("%d records after the end", n)
	}
}

func manyCallers(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	const callers, each = 64, 20
	var mu sync.Mutex
	at := map[faultline.Position]uint64{}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := range each {
				o := Report(c*each + n)
				if err := j.Append(t.Context(), o); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at[o.Position] = o.Payload.(*faultline.Report).Reporter
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := ReadAll(t, j, 0)
	if len(got) != callers*each || len(at) != callers*each {
		t.Fatalf("%d records at %d positions, want %d", len(got), len(at), callers*each)
	}
	for _, o := range got {
		if at[o.Position] != o.Payload.(*faultline.Report).Reporter {
			t.Errorf("another record at %s", o.Position)
		}
	}
}

func reopen(t *testing.T, open Opener) {
	j := open(t)
	for n := range 10 {
		if err := j.Append(t.Context(), Report(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t)
	defer j.Close()
	if n := len(ReadAll(t, j, 0)); n != 10 {
		t.Errorf("%d records after opening again, want 10", n)
	}
	o := Report(11)
	if err := j.Append(t.Context(), o); err != nil || o.Position.Frame != 11 {
		t.Errorf("next frame %d, %v; want 11", o.Position.Frame, err)
	}
}

func follow(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := j.Append(ctx, Report(0)); err != nil {
		t.Fatal(err)
	}
	seen := make(chan uint64, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- j.Follow(ctx, 0, 1, func(f *journal.Frame) error { seen <- f.Number; return nil })
	}()
	for want := uint64(1); want <= 5; want++ {
		if got := <-seen; got != want {
			t.Fatalf("frame %d, want %d", got, want)
		}
		if err := j.Append(ctx, Report(int(want))); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}

func trim(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	for n := range 6 {
		o := Report(n)
		if n%2 == 1 {
			o = Heartbeat()
		}
		if err := j.Append(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Trim(t.Context(), 0, faultline.KindReport, 5); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range ReadAll(t, j, 0) {
		kinds = append(kinds, fmt.Sprintf("%d %s", o.Position.Frame, o.Payload.Kind()))
	}
	want := []string{"2 heartbeat", "4 heartbeat", "5 report", "6 heartbeat"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if info, err := j.Info(t.Context(), 0); err != nil || info.Last != 6 || info.Frames != 4 {
		t.Errorf("info %+v, %v", info, err)
	}
}

func controlRecords(t *testing.T, open Opener) {
	j := open(t)
	rec := func(id string, revision int) faultline.Record {
		return faultline.Record{Kind: faultline.RecordIncident, ID: id, Revision: revision, Service: "x", At: noon, By: "incident/1", Origin: faultline.Measured, Body: []byte(`{"n":1}`)}
	}
	for _, r := range []faultline.Record{rec("a", 1), rec("b", 1), rec("a", 2), rec("a", 2), rec("a", 1)} {
		if err := j.AppendRecord(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t)
	defer j.Close()
	if err := j.AppendRecord(t.Context(), rec("a", 2)); err != nil {
		t.Errorf("the same revision after opening again: %v", err)
	}
	var got []string
	err := j.ReadRecords(t.Context(), func(r faultline.Record) error {
		got = append(got, fmt.Sprintf("%s@%d %s", r.ID, r.Revision, r.Body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`a@1 {"n":1}`, `b@1 {"n":1}`, `a@2 {"n":1}`}, got); diff != "" {
		t.Error(diff)
	}
}

func closed(t *testing.T, open Opener) {
	j := open(t)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), Report(1)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
}
