package jetstream

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"faultline"
)

// trims remembers, with the stream, up to where frames were dropped on purpose.
// A frame that is missing after that was lost.
type trims struct {
	mu     sync.Mutex
	before uint64 // the greatest frame number of any Trim
}

const trimmedKey = "faultline_trimmed_before"

func (t *trims) load(metadata map[string]string) {
	t.before, _ = strconv.ParseUint(metadata[trimmedKey], 10, 64) // absent: nothing was trimmed
}

func (t *trims) metadata() map[string]string {
	return map[string]string{trimmedKey: strconv.FormatUint(t.before, 10)}
}

func (t *trims) bound() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.before
}

// Trim implements journal.Journal. The bound is written first: after a crash in
// between, a frame that is still there is no harm.
func (j *Journal) Trim(ctx context.Context, partition uint16, kind faultline.Kind, before uint64) error {
	if before <= 1 {
		return nil // to JetStream a purge before 0 is one of everything
	}
	s, err := j.stream(ctx, partition)
	if err != nil {
		return fmt.Errorf("trim %s before frame %d: %w", kind, before, err)
	}
	before = min(before, s.CachedInfo().State.LastSeq+1)
	if err := j.raiseTrim(ctx, partition, before); err != nil {
		return fmt.Errorf("trim %s before frame %d: %w", kind, before, err)
	}
	err = s.Purge(ctx, jetstream.WithPurgeSubject(subject(kind, partition)), jetstream.WithPurgeSequence(before))
	if err != nil {
		return fmt.Errorf("trim %s before frame %d: %w", kind, before, err)
	}
	return nil
}

func (j *Journal) raiseTrim(ctx context.Context, partition uint16, before uint64) error {
	t := &j.trims[partition]
	t.mu.Lock()
	defer t.mu.Unlock()
	if before <= t.before {
		return nil
	}
	e, err := j.engine()
	if err != nil {
		return err
	}
	old := t.before
	t.before = before
	if _, err := e.js.UpdateStream(ctx, j.streamConfig(partition)); err != nil {
		t.before = old
		return err
	}
	return nil
}
