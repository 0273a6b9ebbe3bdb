package storetest

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"faultline"
	"faultline/internal/store"
)

// late makes frame n with one report of an earlier minute.
func late(n uint64, at time.Time) *store.Batch {
	return &store.Batch{First: n, Last: n, Observations: []faultline.Observation{{
		Position: faultline.Position{Frame: n}, At: at, Received: Noon.Add(24 * time.Hour), Origin: faultline.Measured,
		Payload: &faultline.Report{Service: "x", Symptom: faultline.Slow, Surface: faultline.Web, Place: faultline.Place{Country: "FR"}, Reporter: 1<<64 - 1, Network: 3},
	}}}
}

func archiveHours(t *testing.T, s store.Store, dir string) (hours int) {
	t.Helper()
	all, err := s.Hours(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		m, err := s.Archive(t.Context(), dir, h)
		if err != nil {
			t.Fatal(err)
		}
		if m.Written {
			hours++
		}
	}
	return hours
}

func byPosition(a, b faultline.Observation) int {
	return cmp.Or(cmp.Compare(a.Position.Partition, b.Position.Partition), cmp.Compare(a.Position.Frame, b.Position.Frame), cmp.Compare(a.Position.Index, b.Position.Index))
}

// Reports come late, so an hour's file holds positions from far behind those
// of the next hours; the walk has to put them in order again.
func mergedInOrder(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	var want []faultline.Observation
	for n := uint64(1); n <= 40; n++ {
		b := Batch(n)
		for i := range b.Observations {
			b.Observations[i].At = Noon.Add(time.Duration((n*7+uint64(i)*13)%5) * time.Hour)
		}
		apply(t, s, b)
		want = append(want, b.Observations...)
	}
	other := Batch(1)
	other.Partition = 1
	for i := range other.Observations {
		other.Observations[i].Position.Partition = 1
	}
	apply(t, s, other)
	want = append(want, other.Observations...)
	dir := t.TempDir()
	if n := archiveHours(t, s, dir); n != 5 {
		t.Errorf("%d hours written, want 5", n)
	}
	slices.SortFunc(want, byPosition)
	if diff := gocmp.Diff(want, readArchive(t, s, dir), equal); diff != "" {
		t.Error(diff)
	}
}

// A rebuild applies what it reads to the store that reads.
func rebuilt(t *testing.T, open Opener) {
	s := open(t)
	var want []faultline.Observation
	for n := uint64(1); n <= 3; n++ {
		apply(t, s, Batch(n))
		want = append(want, Batch(n).Observations...)
	}
	dir := t.TempDir()
	archiveHours(t, s, dir)
	b := &store.Batch{Partition: 9, First: 1}
	err := s.ReadArchive(t.Context(), dir, func(o *faultline.Observation) error {
		if b.Last != 0 && o.Position.Frame > b.Last {
			apply(t, s, b)
			b = &store.Batch{Partition: 9, First: b.Last + 1}
		}
		moved := *o
		moved.Position.Partition, b.Last = 9, o.Position.Frame
		b.Observations = append(b.Observations, moved)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, b)
	defer s.Close()
	got := all(t, s, store.Filter{KeepHash: true, After: faultline.Position{Partition: 9}})
	for i := range got {
		got[i].Position.Partition = 0
	}
	if diff := gocmp.Diff(want, got, equal); diff != "" {
		t.Error(diff)
	}
}

// Rows that the store has dropped stay in the archive, and what comes later
// joins them.
func outlives(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	archiveHours(t, s, dir)
	soon := store.Retention{Reports: time.Hour, Measurements: time.Hour, Minutes: time.Hour}
	if err := s.Prune(t.Context(), soon, Noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	m, err := s.Archive(t.Context(), dir, Noon)
	if err != nil || m.Written || m.Revision != 1 {
		t.Errorf("archived after pruning: %+v, %v; want what was there", m, err)
	}
	apply(t, s, late(2, Noon.Add(time.Minute)))
	if m, err = s.Archive(t.Context(), dir, Noon); err != nil || !m.Written || m.Revision != 2 {
		t.Errorf("archived after a late row: %+v, %v", m, err)
	}
	want := append(Batch(1).Observations, late(2, Noon.Add(time.Minute)).Observations...)
	if diff := gocmp.Diff(want, readArchive(t, s, dir), equal); diff != "" {
		t.Error(diff)
	}
}

func leftovers(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	m, err := s.Archive(t.Context(), dir, Noon)
	if err != nil {
		t.Fatal(err)
	}
	hour := filepath.Join(dir, "date=2025-03-10", "hour=12")
	for _, name := range []string{"reports-r2.parquet", "manifest.json.new"} { // as a crash in the middle of revision 2 leaves them
		if err := os.WriteFile(filepath.Join(hour, name), []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(readArchive(t, s, dir)); n != len(Batch(1).Observations) {
		t.Errorf("%d observations beside leftovers, want %d", n, len(Batch(1).Observations))
	}
	apply(t, s, Batch(2))
	if m, err = s.Archive(t.Context(), dir, Noon); err != nil || m.Revision != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	entries, err := os.ReadDir(hour)
	if err != nil || len(entries) != len(m.Files)+1 {
		t.Errorf("%d files beside %d of the manifest and itself: %v, %v", len(entries), len(m.Files), entries, err)
	}
	if n := len(readArchive(t, s, dir)); n != 2*len(Batch(1).Observations) {
		t.Errorf("%d observations, want %d", n, 2*len(Batch(1).Observations))
	}
}

// A manifest that cannot be read is not taken for one that is not there: its
// files may be the only copy.
func brokenManifest(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	if _, err := s.Archive(t.Context(), dir, Noon); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "date=2025-03-10", "hour=12", "manifest.json")
	for _, text := range []string{`{"hour":`, `{"hour":"2025-03-10T12:00:00Z","revision":1,"files":[{"name":"../../../secret","kind":"reports","rows":1}]}`, `{}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Archive(t.Context(), dir, Noon); !errors.Is(err, store.ErrArchive) || !containsAll(err.Error(), path) {
			t.Errorf("archive over %s: %v, want ErrArchive that names %s", text, err, path)
		}
		err := s.ReadArchive(t.Context(), dir, func(*faultline.Observation) error { return nil })
		if !errors.Is(err, store.ErrArchive) || !containsAll(err.Error(), path) {
			t.Errorf("read %s: %v, want ErrArchive that names %s", text, err, path)
		}
	}
}

func lostFile(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1))
	dir := t.TempDir()
	m, err := s.Archive(t.Context(), dir, Noon)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "date=2025-03-10", "hour=12", m.Files[0].Name)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	err = s.ReadArchive(t.Context(), dir, func(*faultline.Observation) error { return nil })
	if !errors.Is(err, store.ErrArchive) || !containsAll(err.Error(), path) {
		t.Errorf("got %v, want ErrArchive that names %s", err, path)
	}
}

func pruneArchive(t *testing.T, open Opener) {
	s := open(t)
	defer s.Close()
	apply(t, s, Batch(1), late(2, Noon.Add(time.Hour)))
	dir := t.TempDir()
	archiveHours(t, s, dir)
	for i, want := range []int{1, 0} {
		if n, err := s.PruneArchive(t.Context(), dir, Noon.Add(90*time.Minute)); n != want || err != nil {
			t.Errorf("round %d: dropped %d hours, %v; want %d", i, n, err, want)
		}
	}
	kinds := map[faultline.Kind]int{}
	for _, o := range readArchive(t, s, dir) {
		kinds[o.Payload.Kind()]++
	}
	want := map[faultline.Kind]int{faultline.KindHeartbeat: 1, faultline.KindMeasurement: 1, faultline.KindReport: 1}
	if diff := gocmp.Diff(want, kinds); diff != "" {
		t.Errorf("what is left, the later hour whole and of the earlier no report: %s", diff)
	}
}
