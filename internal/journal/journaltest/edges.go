package journaltest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"faultline"
	"faultline/internal/journal"
)

func mustAppend(t *testing.T, j journal.Journal, obs ...*faultline.Observation) {
	t.Helper()
	if err := j.Append(t.Context(), obs...); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func together(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	obs := make([]*faultline.Observation, journal.MaxRecords)
	for i := range obs {
		obs[i] = Report(i)
	}
	mustAppend(t, j)
	mustAppend(t, j, obs...)
	for i, o := range obs {
		if o.Position.Frame != obs[0].Position.Frame || int(o.Position.Index) != i {
			t.Fatalf("record %d is at %s, the first at %s", i, o.Position, obs[0].Position)
		}
	}
	if n := len(ReadAll(t, j, 0)); n != len(obs) {
		t.Errorf("%d records, want %d", n, len(obs))
	}
}

func followEnds(t *testing.T, open Opener) {
	j := open(t)
	mustAppend(t, j, Report(1))
	seen, ended := make(chan uint64, 10), make(chan error, 1)
	go func() {
		ended <- j.Follow(t.Context(), 0, 0, func(f *journal.Frame) error { seen <- f.Number; return nil })
	}()
	<-seen
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, journal.ErrClosed) {
		t.Errorf("follow ended with %v, want ErrClosed", err)
	}
}

func readerStops(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	for n := range 3 {
		mustAppend(t, j, Report(n))
	}
	enough, calls := errors.New("enough"), 0
	err := j.Read(t.Context(), 0, 0, func(*journal.Frame) error {
		if calls++; calls == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Read(ctx, 0, 0, func(*journal.Frame) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("read under a context that is over: %v", err)
	}
}

func trimNothing(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	mustAppend(t, j, Report(0))
	for before := range uint64(2) {
		if err := j.Trim(t.Context(), 0, faultline.KindReport, before); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(ReadAll(t, j, 0)); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func trimAll(t *testing.T, open Opener) {
	j := open(t)
	for n := range 4 {
		mustAppend(t, j, Report(n))
	}
	if err := j.Trim(t.Context(), 0, faultline.KindReport, 1<<60); err != nil {
		t.Fatal(err)
	}
	if n := len(ReadAll(t, j, 0)); n != 0 {
		t.Errorf("%d records left", n)
	}
	if info, err := j.Info(t.Context(), 0); err != nil || info.Frames != 0 || info.First != 0 || info.Last != 4 {
		t.Errorf("info %+v, %v; want no frames and the last number 4", info, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t)
	defer j.Close()
	o := Report(5)
	mustAppend(t, j, o)
	if o.Position.Frame != 5 {
		t.Errorf("next frame %d, want 5: a number is never used twice", o.Position.Frame)
	}
	if got := ReadAll(t, j, 0); len(got) != 1 || got[0].Position != o.Position {
		t.Errorf("read %d records", len(got))
	}
}

func controlIDs(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	ids := []string{"a b", "a_b", "a.b", "a*b", "a>b", "a=20b", "a\nb", "ä", "reach/x@local https://x.com/"}
	var want []string
	for _, kind := range []faultline.RecordKind{faultline.RecordIncident, faultline.RecordEvent} {
		for _, id := range ids {
			r := faultline.Record{Kind: kind, ID: id, Revision: 1, At: noon, By: "x/1", Origin: faultline.Measured, Body: []byte(`{}`)}
			if err := j.AppendRecord(t.Context(), r); err != nil {
				t.Fatalf("%s %q: %v", kind, id, err)
			}
			want = append(want, string(kind)+" "+id)
		}
	}
	var got []string
	if err := j.ReadRecords(t.Context(), func(r faultline.Record) error { got = append(got, string(r.Kind)+" "+r.ID); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, r := range []faultline.Record{{}, {Kind: faultline.RecordEvent}, {ID: "a"}} {
		if err := j.AppendRecord(t.Context(), r); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("record %+v: %v, want ErrInvalid", r, err)
		}
	}
}

// closeUnderLoad closes while callers append. Those who got nil find their
// record after opening again, once; those who got ErrClosed do not.
func closeUnderLoad(t *testing.T, open Opener) {
	j := open(t)
	var mu sync.Mutex
	acked, refused := map[uint64]bool{}, map[uint64]bool{}
	var wg sync.WaitGroup
	started := make(chan struct{})
	var once sync.Once
	for c := range 32 {
		wg.Go(func() {
			for n := 0; ; n++ {
				o := Report(c*1_000_000 + n)
				key := o.Payload.(*faultline.Report).Key
				err := j.Append(t.Context(), o)
				mu.Lock()
				switch {
				case err == nil:
					acked[key] = true
				case errors.Is(err, journal.ErrClosed):
					refused[key] = true
				default:
					t.Errorf("append: %v", err)
				}
				mu.Unlock()
				if err != nil {
					return
				}
				if n == 3 {
					once.Do(func() { close(started) })
				}
			}
		})
	}
	<-started
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	j = open(t)
	defer j.Close()
	Once(t, j, acked)
	for _, o := range ReadAll(t, j, 0) {
		if refused[o.Payload.(*faultline.Report).Key] {
			t.Errorf("%s was refused and is there", o.Position)
		}
	}
}

// Once checks that the reports with these keys are in the journal, once each.
func Once(t *testing.T, j journal.Journal, acked map[uint64]bool) {
	t.Helper()
	seen := map[uint64]int{}
	for _, o := range ReadAll(t, j, 0) {
		seen[o.Payload.(*faultline.Report).Key]++
	}
	lost, doubled := 0, 0
	for key := range acked {
		if seen[key] == 0 {
			lost++
		}
	}
	for _, n := range seen {
		if n > 1 {
			doubled++
		}
	}
	if lost > 0 || doubled > 0 || len(acked) == 0 {
		t.Errorf("of %d acknowledged %d are lost; %d of %d are there twice", len(acked), lost, doubled, len(seen))
	}
}

func left(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := j.Append(ctx, Report(1))
	if !errors.Is(err, context.Canceled) || errors.Is(err, journal.ErrUnknown) {
		t.Errorf("got %v, want the context's error and a definite one", err)
	}
	if n := len(ReadAll(t, j, 0)); n != 0 {
		t.Errorf("%d records were written", n)
	}
}

func invalid(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	elsewhere := Report(2)
	elsewhere.Position.Partition = 1
	for name, obs := range map[string][]*faultline.Observation{
		"two kinds":               {Report(1), Heartbeat()},
		"two partitions":          {Report(1), elsewhere},
		"no payload":              {{At: noon}},
		"more than a frame holds": make([]*faultline.Observation, journal.MaxRecords+1),
	} {
		if err := j.Append(t.Context(), obs...); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if n := len(ReadAll(t, j, 0)); n != 0 {
		t.Errorf("%d records were written", n)
	}
}

func noPartition(t *testing.T, open Opener) {
	j := open(t)
	defer j.Close()
	o := Report(1)
	o.Position.Partition = 9999
	_, infoErr := j.Info(t.Context(), 9999)
	for name, err := range map[string]error{
		"append": j.Append(t.Context(), o), "info": infoErr, "trim": j.Trim(t.Context(), 9999, faultline.KindReport, 5),
		"read": j.Read(t.Context(), 9999, 0, func(*journal.Frame) error { return nil }),
	} {
		if !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
