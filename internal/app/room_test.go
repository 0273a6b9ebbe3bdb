package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
)

// The disk budget is a bound of its own, below what the disk has.
func TestAUsedUpBudgetIsToldAndPasses(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Intake.Report.TrustedProxies = proxies("127.0.0.1/32")
	s := newSim(t, Options{Config: c})
	post := func() int { return s.report("81.2.69.1", oneReport).Code }
	ready := func() (int, string) { w := s.do(http.MethodGet, "/readyz", ""); return w.Code, w.Body.String() }
	s.pass(time.Minute)
	s.app.keeper.config.BudgetGB = 1e-6
	s.app.keeper.look()
	w := s.report("81.2.69.1", oneReport)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"disk_budget"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if code, why := ready(); code != http.StatusServiceUnavailable || !strings.Contains(why, "budget") {
		t.Errorf("ready: %d %s", code, why)
	}
	if n := s.counter(`faultline_intake_refused_total{reason="disk_budget"}`); n != 1 {
		t.Errorf("counted %v times", n)
	}
	s.app.keeper.config.BudgetGB = 20
	s.app.keeper.look()
	if code, why := ready(); code != http.StatusOK || post() != http.StatusAccepted {
		t.Errorf("there is room again: %d %s", code, why)
	}
}

const oneReport = `{"service":"x","symptom":"cannot_load","surface":"web"}`

// noRoom is a journal that has no room for control records for a while.
type noRoom struct {
	journal.Journal
	refuse atomic.Int64
}

func (j *noRoom) AppendRecord(ctx context.Context, r faultline.Record) error {
	if j.refuse.Add(-1) >= 0 {
		return fmt.Errorf("write control record: %w", journal.ErrFull)
	}
	return j.Journal.AppendRecord(ctx, r)
}

// reopen opens the program anew, on a journal that refuses so many control
// records at first.
func (s *sim) reopen(refuse int64) {
	s.Helper()
	s.close()
	j, err := openJournal(s.Context(), s.opts, &Folder{Dir: s.opts.Dir}, prometheus.NewRegistry())
	if err != nil {
		s.Fatal(err)
	}
	full := &noRoom{Journal: j}
	full.refuse.Store(refuse)
	s.opts.Journal = full
	s.open()
}

// The disk fills up between a check and the incident that follows from it: the
// program neither ends nor forgets the incident.
func TestAControlRecordWaitsForRoom(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.pass(2 * time.Minute)
	s.reopen(2)
	s.pass(3*time.Minute, func() { s.check("alpha", faultline.ConnectionRefused) })
	if n := s.counter("faultline_chain_record_retries_total"); n != 2 {
		t.Errorf("counted %v retries", n)
	}
	s.openedOnce()
}

// openedOnce wants the incident of alpha, and each of its revisions once in the
// control log.
func (s *sim) openedOnce() {
	s.Helper()
	if i := s.incident("alpha-2026-03-04"); i.State != faultline.Possible {
		s.Errorf("the incident is %s", i.State)
	}
	kept := map[int]int{}
	if err := s.app.journal.ReadRecords(s.Context(), func(r faultline.Record) error {
		if r.Kind == faultline.RecordIncident {
			kept[r.Revision]++
		}
		return nil
	}); err != nil {
		s.Fatal(err)
	}
	for revision, n := range kept {
		if n != 1 {
			s.Errorf("revision %d is there %d times", revision, n)
		}
	}
	if kept[1] != 1 {
		s.Errorf("the control log has the revisions %v", kept)
	}
}

// A stop while there is still no room ends in time, and what was half done is
// done once, at the next start.
func TestAStopWhileARecordWaits(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.pass(2 * time.Minute)
	s.reopen(1 << 40)
	rounds := 6
	for range rounds {
		s.tick(s.step, func() { s.check("alpha", faultline.ConnectionRefused) })
	}
	waitFor(t, 20*time.Second, func() error {
		if n := s.counter("faultline_chain_record_retries_total"); n < 1 {
			return fmt.Errorf("counted %v retries", n)
		}
		return nil
	})
	s.reopen(0)
	s.pass(time.Minute, func() { s.check("alpha", faultline.ConnectionRefused) })
	s.openedOnce()
	s.close()
	checks := 0
	for _, row := range s.tables()["others"] {
		if strings.Contains(row, "|measurement|") {
			checks++
		}
	}
	if want := 2 * (rounds + 2); checks != want {
		t.Errorf("%d checks in the store, want %d", checks, want)
	}
}
