package jetstream_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/journal/jetstream"
	"faultline/internal/journal/journaltest"
)

// fill writes a file until the disk is full, or almost.
func fill(t *testing.T, file string, leave int) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for chunk := make([]byte, 64<<10); ; {
		n, err := f.Write(chunk)
		if size += int64(n); err != nil {
			break
		}
	}
	if err := f.Truncate(size - int64(leave)); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// load appends from many callers, each until it is refused.
func load(t *testing.T, j *jetstream.Journal, acked map[uint64]bool, first, n int) (refusal error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range n {
				o := journaltest.Report(first + c*100_000 + i)
				err := j.Append(context.WithoutCancel(t.Context()), o)
				mu.Lock()
				if err == nil {
					acked[o.Payload.(*faultline.Report).Key] = true
				} else {
					refusal = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return refusal
}

func onSmallDisk(t *testing.T, minFree uint64) (jetstream.Options, string) {
	t.Helper()
	disk := filepath.Join(t.TempDir(), "disk")
	mount(t, "tmpfs", disk, "-t", "tmpfs", "-o", "size=64m")
	o := options(filepath.Join(disk, "journal"))
	o.MinFree = minFree
	return o, filepath.Join(disk, "other")
}

func TestAFullDiskIsNoticedBeforeAWriteFails(t *testing.T) {
	o, other := onSmallDisk(t, 8<<20)
	j := mustOpen(t, o)
	defer j.Close()
	acked := map[uint64]bool{}
	if err := load(t, j, acked, 0, 20); err != nil {
		t.Fatal(err)
	}
	fill(t, other, 16<<10)
	if err := load(t, j, acked, 10_000, 20); !errors.Is(err, journal.ErrFull) {
		t.Fatalf("on a full disk: %v, want ErrFull", err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := load(t, j, acked, 20_000, 20); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	journaltest.Once(t, j, acked)
}

// A write that fails stops JetStream for good; the journal starts it again.
func TestAWriteThatFailsOnAFullDiskIsRecoveredFrom(t *testing.T) {
	o, other := onSmallDisk(t, 1)
	reg := prometheus.NewRegistry()
	o.Registry = reg
	j := mustOpen(t, o)
	defer j.Close()
	acked := map[uint64]bool{}
	if err := load(t, j, acked, 0, 20); err != nil {
		t.Fatal(err)
	}
	fill(t, other, 100<<10)
	large := journaltest.Report(1)
	large.Payload.(*faultline.Report).Service = faultline.ServiceID(incompressible(t, 400<<10))
	err := j.Append(t.Context(), large)
	if !errors.Is(err, journal.ErrFull) && !errors.Is(err, journal.ErrUnknown) {
		t.Fatalf("a frame larger than the disk's rest: %v, want ErrFull or ErrUnknown", err)
	}
	t.Log(err)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := load(t, j, acked, 20_000, 20); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	journaltest.Once(t, j, acked)
	if n := value(t, reg, "faultline_journal_server_restarts_total"); n < 1 {
		t.Errorf("%v restarts: no write failed, and this test shows nothing", n)
	}
}

func incompressible(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
