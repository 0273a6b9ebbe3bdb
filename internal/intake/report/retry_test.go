package report_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/intake/report"
)

func key(k string) header { return header{"Idempotency-Key": k} }

func TestARetryGetsTheSameIDs(t *testing.T) {
	g := newRig(t, setup{})
	batch := "[" + good + "," + good + "]"
	one, two := ids(t, g.post(good, key("one"))), ids(t, g.post(batch, key("two")))
	moved := header{"Idempotency-Key": "two", "peer": "99.0.0.1:1"} // a phone that left its Wi-Fi
	if again := ids(t, g.post(" "+batch, moved)); !slices.Equal(again, two) {
		t.Errorf("ids %v, then %v", two, again)
	}
	if again := ids(t, g.post(good, key("one"))); !slices.Equal(again, one) {
		t.Errorf("ids %v, then %v", one, again)
	}
	if n := len(g.journal.all()); n != 3 {
		t.Errorf("%d in the journal", n)
	}
	if g.count(t, "faultline_intake_retries_total", "") != 2 || g.count(t, "faultline_intake_idempotency_keys", "") != 2 {
		t.Error("retries or keys are not counted")
	}
	ids(t, g.post(good, nil))
	ids(t, g.post(good, nil))
	if n := len(g.journal.all()); n != 5 {
		t.Errorf("%d in the journal: reports without a key are not retries", n)
	}
}

func TestARetryIsKnownWhenItsSinceHasGrownOld(t *testing.T) {
	g := newRig(t, setup{})
	body := `{"service":"x","symptom":"slow","surface":"web","since":"2026-03-09T12:30:00Z"}`
	first := ids(t, g.post(body, key("k")))
	g.now = noon.Add(2 * time.Hour)
	if again := ids(t, g.post(body, key("k"))); !slices.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
}

func TestAKeyIsForOneReport(t *testing.T) {
	g := newRig(t, setup{})
	ids(t, g.post(good, key("k")))
	for _, other := range []string{
		`{"service":"bar","symptom":"cannot_load","surface":"web"}`,
		`{"service":"x","symptom":"slow","surface":"web"}`,
		`{"service":"x","symptom":"cannot_load","surface":"app"}`,
		`{"service":"x","symptom":"cannot_load","surface":"web","since":"2026-03-10T11:00:00Z"}`,
		`{"service":"x","works":true,"surface":"web"}`,
		"[" + good + "," + good + "]",
	} {
		if w := g.post(other, key("k")); w.Code != 422 || !strings.Contains(w.Body.String(), report.ReasonKeyReused) {
			t.Errorf("%s: %d %s", other, w.Code, w.Body)
		}
	}
	if n := len(g.journal.all()); n != 1 {
		t.Errorf("%d in the journal", n)
	}
}

// restart gives a new intake that has read the journal of the old one.
func restart(t testing.TB, old *rig) *rig {
	t.Helper()
	g := newRig(t, setup{})
	g.journal, g.now = old.journal, old.now
	g.Deps.Append = old.journal.Append
	for _, o := range old.journal.all() {
		g.Remember(&o)
	}
	return g
}

func TestKeysSurviveARestart(t *testing.T) {
	g := newRig(t, setup{})
	batch := "[" + good + `,{"service":"bar","works":true,"surface":"app","since":"2026-03-10T11:00:00.7Z"}]`
	want := ids(t, g.post(batch, key("b")))
	ids(t, g.post(good, nil))
	g = restart(t, g)
	if again := ids(t, g.post(batch, key("b"))); !slices.Equal(again, want) {
		t.Errorf("ids %v, then %v", want, again)
	}
	if w := g.post(good, key("b")); w.Code != 422 {
		t.Errorf("the key served another report: %d", w.Code)
	}
	for _, o := range g.journal.all() { // the live feed repeats what is known
		g.Remember(&o)
	}
	if again := ids(t, g.post(batch, key("b"))); !slices.Equal(again, want) {
		t.Errorf("after repetition: %v", again)
	}
	if g.count(t, "faultline_intake_idempotency_keys", "") != 1 {
		t.Error("reports without a key are remembered")
	}
}

func TestKeysAreForgottenAfterADayOrWhenThereAreTooMany(t *testing.T) {
	g := newRig(t, setup{config: func(c *report.Config) { c.IdempotencyKeys = 3 }})
	for i := range 5 {
		ids(t, g.post(good, key(fmt.Sprint("k", i))))
	}
	if n := g.count(t, "faultline_intake_idempotency_keys", ""); n != 3 {
		t.Errorf("%v keys kept", n)
	}
	ids(t, g.post(good, key("k4")))
	if n := len(g.journal.all()); n != 5 {
		t.Errorf("%d in the journal: the newest key was forgotten", n)
	}
	ids(t, g.post(good, key("k0")))
	if n := len(g.journal.all()); n != 6 {
		t.Errorf("%d in the journal: the oldest key was kept", n)
	}
	g.now = noon.Add(25 * time.Hour)
	ids(t, g.post(good, key("new")))
	if n := g.count(t, "faultline_intake_idempotency_keys", ""); n != 1 {
		t.Errorf("%v keys kept after a day", n)
	}
}

func TestRetriesInFlightWaitForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, setup{})
		open := make(chan struct{})
		g.journal.hook = func() { <-open }
		answers := make([]string, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = ids(t, g.post(good, key("k")))[0] })
		}
		synctest.Wait()
		if n := len(g.journal.all()); n != 0 {
			t.Errorf("%d answered already", n)
		}
		close(open)
		all.Wait()
		if n := len(g.journal.all()); n != 1 || len(slices.Compact(answers)) != 1 {
			t.Errorf("%d in the journal, answers %v", n, answers)
		}
	})
}

func TestWhoWaitsForAFirstThatFailsTriesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, setup{})
		open := make(chan struct{})
		first := true
		var mu sync.Mutex
		g.journal.hook = func() {
			<-open
			mu.Lock()
			defer mu.Unlock()
			g.journal.fail = nil
			if first {
				first, g.journal.fail = false, report.ErrBusy
			}
		}
		codes := make([]int, 3)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() { codes[i] = g.post(good, key("k")).Code })
		}
		synctest.Wait()
		close(open)
		all.Wait()
		slices.Sort(codes)
		if !slices.Equal(codes, []int{202, 202, 503}) || len(g.journal.all()) != 1 {
			t.Errorf("codes %v, %d in the journal", codes, len(g.journal.all()))
		}
	})
}

func TestAWaitingClientMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, setup{})
		open := make(chan struct{})
		g.journal.hook = func() { <-open }
		var all sync.WaitGroup
		all.Go(func() { g.post(good, key("k")) })
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		all.Go(func() {
			r, _ := http.NewRequestWithContext(ctx, "POST", "/api/v1/reports", strings.NewReader(good))
			r.RemoteAddr, r.Header = "81.2.3.4:1", http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
			g.serve(r)
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		if n := g.count(t, "faultline_intake_refused_total", report.ReasonGone); n != 1 {
			t.Errorf("counted %v", n)
		}
		close(open)
		all.Wait()
	})
}

// The append goes on when its client leaves, and the retry finds the ids.
func TestAnAppendOutlivesItsClient(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	g := newRig(t, setup{deps: func(d *report.Deps) {
		inner := d.Append
		d.Append = func(ctx context.Context, obs ...*faultline.Observation) error {
			leave()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return inner(ctx, obs...)
		}
	}})
	r, _ := http.NewRequestWithContext(ctx, "POST", "/api/v1/reports", strings.NewReader(good))
	r.RemoteAddr, r.Header = "81.2.3.4:1", http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
	g.serve(r)
	if again := ids(t, g.post(good, key("k"))); again[0] != "0-1-0" || len(g.journal.all()) != 1 {
		t.Errorf("%v, %d in the journal", again, len(g.journal.all()))
	}
}

// lost keeps what it is given and answers that it does not know.
func lost(g *rig) func(context.Context, ...*faultline.Observation) error {
	return func(ctx context.Context, obs ...*faultline.Observation) error {
		if err := g.journal.Append(ctx, obs...); err != nil {
			return err
		}
		return context.DeadlineExceeded
	}
}

func TestAnAppendWithoutAnAnswerBlocksItsKeyUntilTheJournalShowsIt(t *testing.T) {
	g := newRig(t, setup{})
	g.Deps.Append = lost(g)
	if w := g.post(good, key("k")); w.Code != 503 {
		t.Fatalf("status %d", w.Code)
	}
	g.Deps.Append = g.journal.Append
	if w := g.post(good, key("k")); w.Code != 503 || !strings.Contains(w.Body.String(), report.ReasonUnsure) || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s: it may be there already", w.Code, w.Body)
	}
	g.Remember(&g.journal.all()[0])
	if again := ids(t, g.post(good, key("k"))); again[0] != "0-1-0" || len(g.journal.all()) != 1 {
		t.Errorf("%v, %d in the journal", again, len(g.journal.all()))
	}
}

func TestAnAppendThatTheJournalShowsBeforeItsOwnTimeout(t *testing.T) {
	g := newRig(t, setup{})
	append := lost(g)
	g.Deps.Append = func(ctx context.Context, obs ...*faultline.Observation) error {
		err := append(ctx, obs...)
		for _, o := range g.journal.all() {
			g.Remember(&o)
		}
		return err
	}
	batch := "[" + good + "," + good + "]"
	g.post(batch, key("k"))
	if again := ids(t, g.post(batch, key("k"))); len(again) != 2 || len(g.journal.all()) != 2 {
		t.Errorf("%v, %d in the journal", again, len(g.journal.all()))
	}
}

func TestAnAppendThatNeverShowsMayBeTriedAgainAfterAMinute(t *testing.T) {
	g := newRig(t, setup{})
	g.journal.fail = context.DeadlineExceeded
	g.post(good, key("k"))
	g.journal.fail = nil
	g.now = noon.Add(2 * time.Minute)
	ids(t, g.post(good, key("k")))
}

// Whatever clients send again, and however often the program restarts, a key
// stands for one report, and its ids never change.
func TestAKeyAlwaysMeansTheSameReport(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := newRig(t, setup{})
		known := map[string][]string{} // "key body" → ids
		owner := map[string]string{}   // key → body
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				g = restart(t, g)
			}
			k := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
			symptoms := rapid.SliceOfN(rapid.SampledFrom([]string{"slow", "other"}), 1, 3).Draw(rt, "symptoms")
			body := bodyOf(symptoms)
			w := g.post(body, key(k))
			if mine, taken := owner[k]; taken && mine != body {
				if w.Code != 422 {
					rt.Fatalf("key %s served %s and %s", k, mine, body)
				}
				continue
			}
			got := ids(t, w)
			if before, ok := known[k+body]; ok && !slices.Equal(before, got) {
				rt.Fatalf("key %s: %v, then %v", k, before, got)
			}
			owner[k], known[k+body] = body, got
			if len(got) != len(symptoms) {
				rt.Fatalf("%d ids for %d reports", len(got), len(symptoms))
			}
		}
		total := 0
		for _, got := range known {
			total += len(got)
		}
		if n := len(g.journal.all()); n != total {
			rt.Fatalf("%d in the journal, %d acknowledged", n, total)
		}
	})
}

func bodyOf(symptoms []string) string {
	parts := make([]string, len(symptoms))
	for i, s := range symptoms {
		parts[i] = `{"service":"x","surface":"web","symptom":"` + s + `"}`
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// A journal that does not answer is waited for as long whoever asks, also when
// requests share the bound, and a second crowd gets a bound of its own.
func TestAJournalThatDoesNotAnswerIsWaitedForTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, setup{deps: func(d *report.Deps) {
			d.Append = func(ctx context.Context, _ ...*faultline.Observation) error { <-ctx.Done(); return ctx.Err() }
		}})
		for range 2 {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					<-time.After(time.Duration(i) * 300 * time.Millisecond)
					begin := time.Now()
					w := g.post(good, nil)
					if took := time.Since(begin); w.Code != http.StatusServiceUnavailable || took <= 19*time.Second || took > 20*time.Second {
						t.Errorf("%d after %s, want 503 after 19 to 20 s", w.Code, took)
					}
				})
			}
			wg.Wait()
		}
		if n := g.count(t, "faultline_intake_refused_total", report.ReasonUnsure); n != 16 {
			t.Errorf("%v refusals counted, want 16", n)
		}
	})
}
