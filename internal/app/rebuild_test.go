package app

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"faultline"
)

// A day in hours: people report, checks fail and recover, an operator acts, the
// program is started anew, closed hours are archived and the journal trimmed,
// of each kind to another point. A store that is made anew of what is left says
// the same in every row.
func TestARebuiltStoreSaysTheSame(t *testing.T) {
	t.Parallel()
	s := historySim(t)
	s.history()
	s.keepHouse()
	s.pass(20*time.Minute, s.visitor("alpha"))
	s.check("alpha", faultline.HTTPServerError)
	s.pass(5 * time.Minute)
	page := s.page("/i/alpha-2026-03-04.json")
	s.close()

	before := s.tables()
	for _, table := range []string{"reports", "others", "samples", "readings", "cells", "records"} {
		if len(before[table]) == 0 {
			t.Errorf("the table %s is empty: nothing is shown about it", table)
		}
	}
	if err := os.RemoveAll(filepath.Join(s.opts.Dir, "store")); err != nil {
		t.Fatal(err)
	}
	sum, err := Rebuild(t.Context(), s.opts)
	if err != nil {
		t.Fatal(err)
	}
	if sum.FromArchive == 0 || sum.FromJournal == 0 || sum.Records == 0 || sum.Missing != 0 {
		t.Errorf("rebuilt from %+v: each of them should have given something", sum)
	}
	after := s.tables()
	for table, rows := range before {
		if diff := cmp.Diff(rows, after[table]); diff != "" {
			t.Errorf("%s: %d rows became %d:\n%.3000s", table, len(rows), len(after[table]), diff)
		}
	}
	s.open()
	if diff := cmp.Diff(page, s.page("/i/alpha-2026-03-04.json")); diff != "" {
		t.Errorf("the incident's page changed:\n%s", diff)
	}
}

// An hour that somebody removed from the archive is said to be missing.
func TestARebuildMissesAnHour(t *testing.T) {
	t.Parallel()
	s := historySim(t)
	s.pass(4*time.Hour, s.visitor("beta"))
	s.keepHouse()
	s.close()
	hours, _ := filepath.Glob(filepath.Join(s.opts.Dir, "archive", "*", "*"))
	slices.Sort(hours)
	if err := os.RemoveAll(hours[1]); err != nil {
		t.Fatal(err)
	}
	sum, err := Rebuild(t.Context(), s.opts)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Missing < 50 {
		t.Errorf("%d frames are missing of an hour of minutes", sum.Missing)
	}
}

func historySim(t *testing.T) *sim {
	c := DefaultConfig()
	c.Intake.Report.TrustedProxies = proxies("127.0.0.1/32")
	c.Store.JournalReports, c.Store.JournalMeasurements, c.Store.JournalOthers = time.Hour, 3*time.Hour, 2*time.Hour
	c.Services = []faultline.Service{{ID: "alpha", Name: "Alpha"}, {ID: "beta", Name: "Beta"}}
	s := newSim(t, Options{Config: c, ConsoleToken: consoleToken})
	s.step = time.Minute
	return s
}

// visitor is a stream of people of several countries, one a minute.
func (s *sim) visitor(id faultline.ServiceID) func() {
	n := 0
	return func() {
		n++
		body := fmt.Sprintf(`{"service":%q,"symptom":%q,"surface":"app"}`, id, faultline.Symptoms()[n%6])
		if n%3 == 0 {
			body = fmt.Sprintf(`{"service":%q,"surface":"web","works":true}`, id)
		}
		if w := s.report(fmt.Sprintf("%d.%d.7.9", []int{81, 5, 17, 133, 200}[n%5], n%200), body); w.Code != http.StatusAccepted {
			s.Fatalf("report: %d %s", w.Code, w.Body)
		}
	}
}

func (s *sim) history() {
	s.Helper()
	people, ok, fail := s.visitor("beta"), func() { s.check("alpha", "") }, func() { s.check("alpha", faultline.GenericTimeout) }
	s.pass(90*time.Minute, people, ok)
	s.pass(20*time.Minute, people, fail)
	o := s.login()
	o.act("annotate", "incident", "alpha-2026-03-04")
	s.restart()
	s.pass(60*time.Minute, people, ok)
	s.surge("beta")
	s.pass(70*time.Minute, ok)
}

// keepHouse archives the hours that are over, and trims the journal.
func (s *sim) keepHouse() {
	s.Helper()
	s.restart() // what is in the store is what can be archived
	if err := s.app.keeper.keep(s.Context()); err != nil {
		s.Fatal(err)
	}
	info, err := s.app.journal.Info(s.Context(), partition)
	if err != nil {
		s.Fatal(err)
	}
	if hours, _ := filepath.Glob(filepath.Join(s.opts.Dir, "archive", "*", "*", "manifest.json")); len(hours) < 3 || info.First < 2 {
		s.Fatalf("%d hours are archived, the journal begins at frame %d: nothing was trimmed", len(hours), info.First)
	}
}

// tables gives every row of the store as text. What the rooms keep for their
// next start, and when a row was written, is no statement about the world.
func (s *sim) tables() map[string][]string {
	s.Helper()
	db, err := sql.Open("duckdb", filepath.Join(s.opts.Dir, "store", "faultline.duckdb")+"?access_mode=READ_ONLY")
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, table := range rowsOf(s.T, db, "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'") {
		switch table {
		case "meta", "states":
		case "records":
			all[table] = rowsOf(s.T, db, "SELECT COLUMNS(* EXCLUDE seq) FROM records")
		default:
			all[table] = rowsOf(s.T, db, "SELECT * FROM "+table)
		}
	}
	return all
}

// rowsOf gives the rows of a query as sorted lines.
func rowsOf(t *testing.T, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]any, len(columns))
	for i := range cells {
		cells[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		text := make([]string, len(cells))
		for i := range cells {
			text[i] = fmt.Sprint(*cells[i].(*any))
			if blob, ok := (*cells[i].(*any)).([]byte); ok {
				text[i] = string(blob)
			}
		}
		lines = append(lines, strings.Join(text, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}
