package duckdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/store"
	"faultline/internal/store/duckdb"
	"faultline/internal/store/storetest"
)

// The writer is this test binary once more: it applies frames until somebody
// ends it, and prints the number of each when Apply has returned.
const writerDir = "FAULTLINE_STORE_WRITER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		writeUntilKilled(dir)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// frame has enough rows that most of the writer's time is inside Apply.
func frame(n uint64) *store.Batch {
	b := storetest.Batch(n)
	for i := range uint16(940) {
		o := b.Observations[int(i)%60]
		o.Position.Index = 62 + i
		b.Observations = append(b.Observations, o)
	}
	b.State = []byte(strconv.FormatUint(n, 10))
	return b
}

func writeUntilKilled(dir string) {
	ctx := context.Background()
	s, err := duckdb.Open(ctx, duckdb.Options{Path: filepath.Join(dir, "store.duckdb")})
	if err != nil {
		fmt.Println(err)
		return
	}
	pos, err := s.Position(ctx, 0)
	for err == nil {
		pos++
		if err = s.Apply(ctx, frame(pos)); err == nil {
			fmt.Println(pos)
		}
	}
	fmt.Println(err)
}

// writer starts the writer and returns once it has printed more than n lines;
// the returned function says what it printed last after it was ended.
func writer(t *testing.T, dir string, n int) (cmd *exec.Cmd, last func() uint64) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), writerDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var newest uint64
	next := func() bool {
		line, err := lines.ReadString('\n')
		if err != nil {
			return false
		}
		v, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
		if err != nil {
			t.Errorf("writer: %s", line)
			return false
		}
		newest = v
		return true
	}
	for range n {
		if !next() {
			break
		}
	}
	return cmd, func() uint64 {
		for next() {
		}
		_ = cmd.Wait() // it was killed
		return newest
	}
}

// whole checks that a store holds all of the frames up to its position, and
// nothing of later ones, and that nothing acknowledged is missing.
func whole(t *testing.T, path string, acknowledged uint64) {
	t.Helper()
	s := mustOpen(t, path)
	defer s.Close()
	pos, err := s.Position(t.Context(), 0)
	if err != nil || pos < acknowledged {
		t.Fatalf("position %d, %v; %d was acknowledged", pos, err, acknowledged)
	}
	counts := map[uint64]int{}
	if err := s.Observations(t.Context(), store.Filter{}, func(o *faultline.Observation) error { counts[o.Position.Frame]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= pos; n++ {
		if counts[n] != len(frame(1).Observations) {
			t.Fatalf("frame %d of %d has %d rows, want %d", n, pos, counts[n], len(frame(1).Observations))
		}
	}
	if len(counts) != int(pos) {
		t.Errorf("%d frames with rows, position %d", len(counts), pos)
	}
	if f, state, err := s.State(t.Context(), 0); err != nil || f != pos || string(state) != strconv.FormatUint(pos, 10) {
		t.Errorf("state %q after frame %d, %v; want that of %d", state, f, err, pos)
	}
}

func TestABatchIsThereWholeOrNotAtAllAfterKill9(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		cmd, last := writer(t, dir, 3+round)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		whole(t, filepath.Join(dir, "store.duckdb"), last())
	}
}

// A power cut: the block device is copied while it is mounted, so that what
// the kernel still held in memory is not in the copy.
func TestWhatApplyAcknowledgedSurvivesAPowerCut(t *testing.T) {
	live, image := loopMount(t)
	cmd, last := writer(t, live, 8)
	cut := filepath.Join(t.TempDir(), "cut.img")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	copyFile(t, image, cut)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	last() // what it printed after the signal is in the pipe, not in the copy's promise
	whole(t, filepath.Join(mount(t, cut), "store.duckdb"), 8)
}

func loopMount(t *testing.T) (dir, image string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: mounts a block image")
	}
	image = filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 96<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("needs mkfs.ext4: %v %s", err, out)
	}
	return mount(t, image), image
}

func mount(t *testing.T, image string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop,commit=600", image, dir).CombinedOutput(); err != nil {
		t.Skipf("needs loop devices: %v %s", err, out)
	}
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

func unmount(t *testing.T, dir string) {
	if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
		t.Errorf("umount: %v %s", err, out)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// A full disk hits DuckDB in two places: in its write-ahead log, which it
// survives, and in a checkpoint, after which it answers nothing any more.
func TestAFullDiskIsSaidAndForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		megabytes int
		reopens   bool
	}{"in the log": {6, false}, "in a checkpoint": {18, true}} {
		t.Run(name, func(t *testing.T) { fullDisk(t, c.megabytes, c.reopens) })
	}
}

func fullDisk(t *testing.T, megabytes int, reopens bool) {
	dir := tmpfs(t, megabytes)
	r := prometheus.NewRegistry()
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(dir, "store.duckdb"), Registerer: r})
	if err != nil {
		t.Fatal(err)
	}
	n, err := fill(t, s)
	if !errors.Is(err, store.ErrDiskFull) {
		t.Fatalf("after %d frames: %v, want ErrDiskFull", n, err)
	}
	for range 3 {
		if err := s.Apply(t.Context(), big(n+1)); !errors.Is(err, store.ErrDiskFull) {
			t.Fatalf("again: %v, want ErrDiskFull", err)
		}
	}
	if v := metric(t, r, "faultline_store_refused_total", "disk_full"); v != 4 {
		t.Errorf("refused for a full disk: %g, want 4", v)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=80m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if err := s.Apply(t.Context(), big(n+1)); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if v := metric(t, r, "faultline_store_reopened_total", ""); v > 0 != reopens {
		t.Errorf("reopened %g times, want some: %v", v, reopens)
	}
	rows := 0
	if err := s.Observations(t.Context(), store.Filter{}, func(*faultline.Observation) error { rows++; return nil }); err != nil || rows != int(n+1)*len(big(1).Observations) {
		t.Errorf("%d rows, %v; want those of %d frames", rows, err, n+1)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// fill applies until it fails, and says how many frames went in.
func fill(t *testing.T, s *duckdb.Store) (n uint64, err error) {
	for ; n < 2000; n++ {
		if err = s.Apply(t.Context(), big(n+1)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// big is a frame with hashes that do not compress.
func big(n uint64) *store.Batch {
	b := &store.Batch{First: n, Last: n}
	x := n * 0x9e3779b97f4a7c15
	for i := range uint16(5000) {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.Observations = append(b.Observations, faultline.Observation{
			Position: faultline.Position{Frame: n, Index: i}, At: storetest.Noon, Received: storetest.Noon, Origin: faultline.Measured,
			Payload: &faultline.Report{Service: "x", Symptom: faultline.Slow, Surface: faultline.App, Place: faultline.Place{Country: "GB", ASN: faultline.ASN(x % 5000)}, Reporter: x, Network: x >> 20, Key: x * 7},
		})
	}
	return b
}

func tmpfs(t *testing.T, megabytes int) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: mounts a small file system")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("needs tmpfs: %v %s", err, out)
	}
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

// metric is the value of a counter, of the one with a label if that is set.
func metric(t *testing.T, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %s", name, label)
	return 0
}
