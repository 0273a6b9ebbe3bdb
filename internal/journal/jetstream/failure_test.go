package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/journal/journaltest"
)

// lockedBuffer takes logs of several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T, o Options) (*Journal, *lockedBuffer) {
	t.Helper()
	log := &lockedBuffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j, log
}

func appendN(t *testing.T, j *Journal, n int) {
	t.Helper()
	for i := range n {
		if err := j.Append(t.Context(), journaltest.Report(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func (j *Journal) refusals(t *testing.T, reason string) float64 {
	t.Helper()
	families, err := j.opts.Registry.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "faultline_journal_refused_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no reason %q", reason)
	return 0
}

// frames reads everything and says which numbers came, "!n" for a corrupt run
// of n.
func frames(t *testing.T, j *Journal) string {
	t.Helper()
	var out []string
	err := j.Read(t.Context(), 0, 0, func(f *journal.Frame) error {
		s := fmt.Sprint(f.Number)
		if f.Corrupt {
			s += fmt.Sprintf("!%d", f.Lost)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestAFrameThatCannotBeReadIsDeliveredCountedAndLogged(t *testing.T) {
	j, log := open(t, Options{Dir: t.TempDir()})
	appendN(t, j, 1)
	for _, bad := range [][]byte{[]byte("what is this"), nil} {
		if _, err := j.current.js.Publish(t.Context(), subject(faultline.KindReport, 0), bad); err != nil {
			t.Fatal(err)
		}
	}
	other, err := journal.EncodeFrame(7, []*faultline.Observation{journaltest.Report(1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.current.js.Publish(t.Context(), subject(faultline.KindReport, 0), other); err != nil {
		t.Fatal(err)
	}
	appendN(t, j, 1)
	if got, want := frames(t, j), "1 2!1 3!1 4!1 5"; got != want {
		t.Errorf("frames %s, want %s", got, want)
	}
	if n := testutil.ToFloat64(j.m.corrupt); n != 3 {
		t.Errorf("%v corrupt frames counted, want 3", n)
	}
	if !strings.Contains(log.String(), "cannot be read and are skipped") {
		t.Errorf("not logged: %s", log)
	}
}

func TestAFrameThatIsMissingIsDeliveredAsCorruptButNotOneThatWasTrimmed(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	appendN(t, j, 9)
	if err := j.Trim(t.Context(), 0, faultline.KindReport, 3); err != nil {
		t.Fatal(err)
	}
	s, err := j.stream(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{5, 6, 9} {
		if err := s.DeleteMsg(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	want := "3 4 5!2 7 8 9!1"
	if got := frames(t, j); got != want {
		t.Errorf("frames %s, want %s", got, want)
	}
	j.Close()
	j, _ = open(t, Options{Dir: dir})
	if got := frames(t, j); got != want {
		t.Errorf("after opening again: frames %s, want %s", got, want)
	}
}

// blocks are the files in which the server keeps the stream's messages.
func blocks(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", streamName(0), "msgs", "*.blk"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no message blocks in %s: %v", dir, err)
	}
	return files
}

func edit(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATornLastWriteCostsNothingThatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	appendN(t, j, 20)
	j.Close()
	files := blocks(t, dir)
	edit(t, files[len(files)-1], func(b []byte) []byte { return append(b, b[:len(b)/40]...) })
	j, _ = open(t, Options{Dir: dir})
	if got, want := frames(t, j), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"; got != want {
		t.Errorf("frames %s", got)
	}
	appendN(t, j, 1)
}

// A bit flips in a record of the middle: in its body, and in its length, where
// JetStream cuts the stream short.
func TestAFlippedBitIsNeverSilentAndNoNumberIsGivenTwice(t *testing.T) {
	base := t.TempDir()
	j, _ := open(t, Options{Dir: base})
	appendN(t, j, 20)
	j.Close()
	for name, at := range map[string]func([]byte) int{
		"in the first length": func([]byte) int { return 1 },
		"in the last body":    func(b []byte) int { return len(b) - 20 },
		"in a body":           func(b []byte) int { return len(b)/20*10 + 100 },
		"in a length":         func(b []byte) int { return len(b)/20*10 + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			edit(t, blocks(t, dir)[0], func(b []byte) []byte { b[at(b)] ^= 4; return b })
			j, _ := open(t, Options{Dir: dir})
			t.Logf("frames %s", frames(t, j))
			if testutil.ToFloat64(j.m.corrupt) == 0 {
				t.Error("a frame is gone and nobody said so")
			}
			o := journaltest.Report(21)
			if err := j.Append(t.Context(), o); err != nil || o.Position.Frame != 21 {
				t.Errorf("next frame %d, %v; want 21", o.Position.Frame, err)
			}
			enough, ctx := errors.New("enough"), t.Context()
			last := uint64(0)
			err := j.Follow(ctx, 0, 0, func(f *journal.Frame) error {
				if last++; f.Number != last {
					t.Errorf("follow: frame %d, want %d", f.Number, last)
				}
				if last += max(f.Lost, 1) - 1; last == 21 {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) {
				t.Errorf("follow: %v", err)
			}
		})
	}
}

// The server is stopped under load, again and again. Callers wait until it is
// back; a follower goes on where it was.
func TestAServerThatFailsIsStartedAgainAndNothingIsLostOrDoubled(t *testing.T) {
	j, log := open(t, Options{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var followed atomic.Int64
	followEnded := make(chan error, 1)
	go func() {
		followEnded <- j.Follow(ctx, 0, 0, func(f *journal.Frame) error { followed.Add(int64(len(f.Records))); return nil })
	}()
	var mu sync.Mutex
	acked := map[uint64]bool{}
	var wg sync.WaitGroup
	var total atomic.Int64
	const callers, each = 32, 60
	for c := range callers {
		wg.Go(func() {
			for n := range each {
				o := journaltest.Report(c*1000 + n)
				if err := j.Append(t.Context(), o); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				acked[o.Payload.(*faultline.Report).Key] = true
				mu.Unlock()
				if total.Add(1)%700 == 0 {
					e, err := j.engine()
					if err == nil {
						go e.server.Shutdown()
						e.fail()
					}
				}
			}
		})
	}
	wg.Wait()
	journaltest.Once(t, j, acked)
	if len(acked) != callers*each {
		t.Errorf("%d acknowledged, want %d", len(acked), callers*each)
	}
	if n := testutil.ToFloat64(j.m.restarts); n < 2 {
		t.Errorf("%v restarts, want at least 2", n)
	}
	for followed.Load() < callers*each && ctx.Err() == nil {
		if !pause(ctx, retryAfter/100) {
			break
		}
	}
	cancel()
	if err := <-followEnded; !errors.Is(err, context.Canceled) || followed.Load() != callers*each {
		t.Errorf("followed %d records, want %d; %v", followed.Load(), callers*each, err)
	}
	if t.Failed() {
		t.Log(log)
	}
}

// An answer that was lost on the way must not lead to a second copy.
func TestAFrameThatIsSentAgainIsTakenOnce(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	b, err := journal.EncodeFrame(0, []*faultline.Observation{journaltest.Report(1)})
	if err != nil {
		t.Fatal(err)
	}
	msg := &nats.Msg{Subject: subject(faultline.KindReport, 0), Data: b, Header: nats.Header{"Nats-Msg-Id": {"a-1"}}}
	var numbers []uint64
	for range 2 {
		n, err := j.put(t.Context(), msg)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
		j.current.fail() // the next one meets a server that was started again
	}
	if numbers[0] != 1 || numbers[1] != 1 || frames(t, j) != "1" {
		t.Errorf("numbers %v, frames %s", numbers, frames(t, j))
	}
}

// idleLane is a lane that nobody runs.
func idleLane() *lane {
	l := &lane{j: &Journal{m: newMetrics(prometheus.NewRegistry())}, wake: make(chan struct{}, 1), want: 1, timer: time.NewTimer(time.Hour)}
	l.timer.Stop()
	return l
}

func TestACallerWhoLeavesBeforeItsTurnWritesNothing(t *testing.T) {
	l := idleLane()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	o := journaltest.Report(1)
	go func() { got <- l.append(ctx, []*faultline.Observation{o}, batchOf(t, o, 1)) }()
	<-l.wake
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) || errors.Is(err, journal.ErrUnknown) {
		t.Errorf("got %v, want a definite error", err)
	}
	if l.take(); len(l.taken) != 0 || l.records != 0 || l.bytes != 0 {
		t.Errorf("%d waiters, %d records, %d bytes left in the queue", len(l.taken), l.records, l.bytes)
	}
	ctx, cancel = context.WithCancel(t.Context())
	l.want = 1
	go func() { got <- l.append(ctx, []*faultline.Observation{o}, batchOf(t, o, 1)) }()
	<-l.wake
	if l.take(); len(l.taken) != 1 {
		t.Fatal("the waiter is not in the queue")
	}
	cancel()
	if err := <-got; !errors.Is(err, journal.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnknown: the record was on its way", err)
	}
	if l.taken[0].batch.Count != 1 || !l.taken[0].taken {
		t.Error("the batch of a caller who left was used again while the lane held it")
	}
}

func TestALaneWaitsForItsCallersAndNotForLong(t *testing.T) {
	for _, c := range []struct {
		name        string
		expected    int
		there, come int // before and after the lane begins to wait
		took, want  time.Duration
	}{
		{"all come back", 3, 0, 3, 4 * time.Millisecond, 3 * time.Millisecond},
		{"most come back", 16, 10, 4, 4 * time.Millisecond, 4 * time.Millisecond},
		{"they come one by one", 16, 0, 14, time.Millisecond, 14 * time.Millisecond},
		{"they come one by one for ever", 100, 0, 60, time.Millisecond, 50 * time.Millisecond},
		{"one stays away", 4, 1, 2, 4 * time.Millisecond, 16 * time.Millisecond},
		{"one stays away from a fast disk", 4, 1, 2, time.Millisecond, 8 * time.Millisecond},
		{"one stays away from a slow disk", 3, 0, 2, time.Second, 40 * time.Millisecond},
		{"nobody comes back", 8, 0, 0, time.Millisecond, 4 * time.Millisecond},
		{"a single caller is not waited for", 1, 0, 0, 4 * time.Millisecond, 0},
		{"nobody was there", 0, 2, 0, 4 * time.Millisecond, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := idleLane()
				l.want, l.expected, l.took = nobody, c.expected, c.took
				call := func() {
					if err := l.enqueue(batchOf(t, journaltest.Report(1), 1)); err != nil {
						t.Error(err)
					}
				}
				for range c.there {
					call()
				}
				begin := time.Now()
				var others sync.WaitGroup
				defer others.Wait()
				others.Go(func() {
					for range c.come {
						<-time.After(time.Millisecond) // of the bubble
						call()
					}
				})
				l.gather()
				if got := time.Since(begin); got != c.want {
					t.Errorf("waited %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestAFullFrameOrTheEndIsNotWaitedFor(t *testing.T) {
	for name, event := range map[string]func(*lane) error{
		"full":   func(l *lane) error { return l.enqueue(batchOf(t, journaltest.Report(1), journal.MaxRecords)) },
		"closed": func(l *lane) error { l.close(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := idleLane()
				l.want, l.expected, l.took = nobody, 100, time.Second
				begin := time.Now()
				go func() {
					<-time.After(time.Millisecond) // of the bubble
					if err := event(l); err != nil {
						t.Error(err)
					}
				}()
				if l.gather(); time.Since(begin) != time.Millisecond {
					t.Errorf("waited %s, want 1ms", time.Since(begin))
				}
			})
		})
	}
}

func batchOf(t *testing.T, o *faultline.Observation, n int) *waiter {
	t.Helper()
	obs := make([]*faultline.Observation, n)
	for i := range obs {
		obs[i] = o
	}
	w := &waiter{done: make(chan outcome, 1)}
	if err := w.batch.Fill(obs); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestFramesAreFilledWithoutPassingAHeartbeat(t *testing.T) {
	l := idleLane()
	r, m, h, c := journaltest.Report(1), journaltest.Measurement(), journaltest.Heartbeat(), journaltest.Command()
	for _, o := range []*faultline.Observation{r, m, r, m, h, r, h, h, c, r} {
		if err := l.enqueue(batchOf(t, o, 1)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for l.take(); len(l.taken) > 0; l.take() {
		got = append(got, string(l.frame.Kind)+strings.Repeat("+", len(l.taken)))
	}
	want := "report++ measurement++ heartbeat+ report+ heartbeat++ command+ report+"
	if strings.Join(got, " ") != want {
		t.Errorf("frames %v, want %s", got, want)
	}
}

func TestAFrameIsClosedWhenItIsFull(t *testing.T) {
	l := idleLane()
	for _, n := range []int{600, 300, 200, 1000} {
		if err := l.enqueue(batchOf(t, journaltest.Report(1), n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{900, 200, 1000, 0} {
		if l.take(); l.frame.Count != want {
			t.Errorf("a frame of %d records, want %d", l.frame.Count, want)
		}
	}
}

func TestRefusalsAreTypedAndCounted(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	appendOne := func(ctx context.Context) error { return j.Append(ctx, journaltest.Report(1)) }
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	l := j.lanes[0]
	for _, c := range []struct {
		reason string
		want   error
		do     func() error
	}{
		{refusedInvalid, journal.ErrInvalid, func() error { return j.Append(t.Context(), &faultline.Observation{}) }},
		{refusedLeft, context.Canceled, func() error { return appendOne(gone) }},
		{refusedBusy, journal.ErrBusy, func() error {
			l.mu.Lock()
			l.records += maxWaiting
			l.mu.Unlock()
			defer func() { l.mu.Lock(); l.records -= maxWaiting; l.mu.Unlock() }()
			return appendOne(t.Context())
		}},
		{refusedBusy, journal.ErrBusy, func() error {
			l.mu.Lock()
			l.bytes += maxWaitingBytes
			l.mu.Unlock()
			defer func() { l.mu.Lock(); l.bytes -= maxWaitingBytes; l.mu.Unlock() }()
			return appendOne(t.Context())
		}},
		{refusedFull, journal.ErrFull, func() error {
			j.opts.MinFree = 1 << 62
			defer func() { j.opts.MinFree = defaultMinFree }()
			return appendOne(t.Context())
		}},
		{refusedClosed, journal.ErrClosed, func() error { j.Close(); return appendOne(t.Context()) }},
	} {
		before := j.refusals(t, c.reason)
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.reason, err, c.want)
		}
		if got := j.refusals(t, c.reason); got != before+1 {
			t.Errorf("%s: counter at %v, want %v", c.reason, got, before+1)
		}
	}
	if reason(journal.ErrUnknown) != refusedUnknown || reason(errors.New("x")) != refusedFailed {
		t.Error("an unknown outcome or a failure is counted as something else")
	}
}

func TestControlRecordsHaveTheLastOfTheDisk(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	free, ok := freeBytes(j.opts.Dir)
	if !ok {
		t.Skip("cannot ask for free space on this platform")
	}
	j.opts.MinFree = free * 2
	r := faultline.Record{Kind: faultline.RecordEvent, ID: "a", Revision: 1}
	if err := j.Append(t.Context(), journaltest.Report(1)); !errors.Is(err, journal.ErrFull) {
		t.Errorf("append: %v, want ErrFull", err)
	}
	if err := j.AppendRecord(t.Context(), r); err != nil {
		t.Errorf("control record: %v", err)
	}
	j.opts.MinFree = free * 5
	r.Revision = 2
	if err := j.AppendRecord(t.Context(), r); !errors.Is(err, journal.ErrFull) {
		t.Errorf("control record on a full disk: %v, want ErrFull", err)
	}
}

func TestAControlRecordThatCannotBeReadIsSkippedCountedAndReplaced(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	if _, err := j.current.js.Publish(t.Context(), controlSubject+"event.a", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := j.AppendRecord(t.Context(), faultline.Record{Kind: faultline.RecordEvent, ID: "a", Revision: 1}); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := j.ReadRecords(t.Context(), func(faultline.Record) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d records, %v; want 1", n, err)
	}
	if c := testutil.ToFloat64(j.m.corrupt); c != 2 { // once at the write, once at the read
		t.Errorf("%v counted, want 2", c)
	}
}

func TestAControlRecordOfAnotherWriterIsSeen(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	write := func(revision int) {
		t.Helper()
		if err := j.AppendRecord(t.Context(), faultline.Record{Kind: faultline.RecordEvent, ID: "a", Revision: revision}); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	if _, err := j.current.js.Publish(t.Context(), controlSubject+"event.a", []byte(`{"kind":"event","id":"a","revision":3}`)); err != nil {
		t.Fatal(err)
	}
	write(2) // older than what the other wrote
	write(4)
	var got []int
	if err := j.ReadRecords(t.Context(), func(r faultline.Record) error { got = append(got, r.Revision); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[2] != 4 {
		t.Errorf("revisions %v, want 1 3 4", got)
	}
}
