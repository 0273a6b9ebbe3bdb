package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/store"
)

// Rebuilt says where the rows of a rebuilt store came from. Missing are frames of
// the journal, after the first that was found, that are neither there nor in the
// archive: an hour of it was removed.
type Rebuilt struct {
	FromArchive, FromJournal, Records int
	Missing                           uint64
}

// Rebuild makes a new store beside the old one from the archive and what the
// journal still holds, and puts it in the old one's place. The old file is kept
// beside it until the next rebuild.
func Rebuild(ctx context.Context, o Options) (sum Rebuilt, err error) {
	folder, err := TakeFolder(o.Dir)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	registry := prometheus.NewRegistry()
	j, err := openJournal(ctx, o, folder, registry)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	aside := folder.Path("store", "rebuilt.duckdb")
	if err := removeStore(aside); err != nil {
		return sum, err
	}
	s, err := openStore(ctx, o, aside, registry)
	if err != nil {
		return sum, err
	}
	obs := newObservatory(j, s, o.chainConfig(), nowhere{}, o.Log, newChainMetrics(registry))
	if sum, err = obs.rebuild(ctx, folder.Path("archive")); err != nil {
		return sum, errors.Join(err, s.Close())
	}
	if err := s.Close(); err != nil {
		return sum, fmt.Errorf("close rebuilt store: %w", err)
	}
	return sum, swapStore(folder, aside)
}

// rebuild fills the empty store: control records first, since they are what
// was said, then every observation through the rooms again.
func (o *observatory) rebuild(ctx context.Context, archive string) (sum Rebuilt, err error) {
	var records []faultline.Record
	if err := o.journal.ReadRecords(ctx, func(r faultline.Record) error {
		o.known[recordKey(r.Kind, r.ID)] = r.Revision
		records = append(records, r)
		return nil
	}); err != nil {
		return sum, fmt.Errorf("read control records: %w", err)
	}
	sum.Records = len(records)
	o.batch = store.Batch{Partition: partition, First: 1, Records: records}
	if err = o.fromArchive(ctx, archive, &sum); err != nil {
		return sum, err
	}
	before := o.lastFrame.Load()
	take := o.frame(ctx)
	err = o.journal.Read(ctx, partition, before+1, func(f *journal.Frame) error {
		sum.FromJournal += len(f.Records)
		sum.follows(o.lastFrame.Load(), f.Number)
		return take(f)
	})
	if err != nil {
		return sum, err
	}
	o.log.Info("read again", slog.Int("from_archive", sum.FromArchive), slog.Int("from_journal", sum.FromJournal))
	if o.batch.Last < o.batch.First { // nothing but control records
		o.batch.Last = max(o.batch.First, o.lastFrame.Load())
	}
	return sum, o.flush(ctx, true)
}

// fromArchive takes the archived observations through the rooms. Where frames
// are still in the journal too, the archive's end decides.
func (o *observatory) fromArchive(ctx context.Context, archive string, sum *Rebuilt) error {
	if _, err := os.Stat(archive); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	first, err := o.firstInJournal(ctx)
	if err != nil {
		return err
	}
	return o.store.ReadArchive(ctx, archive, func(obs *faultline.Observation) error {
		f := obs.Position.Frame
		if f >= first { // the journal has this frame and all after it
			return nil
		}
		if f > o.lastFrame.Load() && o.rows() >= batchRows {
			if err := o.flush(ctx, false); err != nil {
				return err
			}
		}
		sum.FromArchive++
		sum.follows(o.lastFrame.Load(), f)
		o.lastFrame.Store(f)
		o.batch.Last = f
		return o.step(ctx, obs, true)
	})
}

// follows counts the frames between two that were found one after the other.
func (s *Rebuilt) follows(last, next uint64) {
	if last != 0 && next > last+1 {
		s.Missing += next - last - 1
	}
}

// firstInJournal is the first frame from which on the journal has every kind:
// what was trimmed of one kind is taken from the archive with all kinds.
func (o *observatory) firstInJournal(ctx context.Context) (uint64, error) {
	info, err := o.journal.Info(ctx, partition)
	if err != nil {
		return 0, err
	}
	if info.Frames == 0 {
		return info.Last + 1, nil
	}
	// Frames are dense unless kinds were trimmed apart; the last gap ends
	// where the journal is whole.
	whole, next := info.First, info.First
	err = o.journal.Read(ctx, partition, info.First, func(f *journal.Frame) error {
		if f.Number != next {
			whole = f.Number
		}
		next = f.Number + 1
		return nil
	})
	return whole, err
}

// nowhere is a sink for those who only want the store.
type nowhere struct{}

func (nowhere) Apply(Output) {}

func removeStore(path string) error {
	for _, p := range []string{path, path + ".wal"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove old rebuild: %w", err)
		}
	}
	return nil
}

func swapStore(f *Folder, rebuilt string) error {
	current, old := f.Path("store", "faultline.duckdb"), f.Path("store", "before-rebuild.duckdb")
	if err := removeStore(old); err != nil {
		return err
	}
	for _, move := range [][2]string{{current, old}, {current + ".wal", old + ".wal"}, {rebuilt, current}} {
		if err := os.Rename(move[0], move[1]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put rebuilt store in place: %w", err)
		}
	}
	return nil
}
