package report_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"faultline/internal/intake/report"
)

func openKeys(t testing.TB, path string) (*report.Keys, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	k, err := report.OpenKeys(path, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k, log
}

func rotate(t testing.TB, k *report.Keys, at time.Time) {
	t.Helper()
	if err := k.Rotate(at); err != nil {
		t.Fatal(err)
	}
}

var (
	alice    = netip.MustParseAddr("81.2.3.4")
	neighbor = netip.MustParseAddr("81.2.3.5")
	stranger = netip.MustParseAddr("81.2.4.4")
	six      = netip.MustParseAddr("2a00:1:2:3401::1")
	sixHome  = netip.MustParseAddr("2a00:1:2:34ff::9") // the same /56
	sixOther = netip.MustParseAddr("2a00:1:2:3500::1")
)

func TestHashesTellPeopleAndNetworksApart(t *testing.T) {
	k, _ := openKeys(t, "")
	type pair struct{ reporter, network uint64 }
	hash := func(at time.Time, service string, a netip.Addr) (p pair) {
		p.reporter, p.network = k.Hash(at, serviceID(service), a)
		return p
	}
	a := hash(noon, "x", alice)
	if a != hash(noon.Add(11*time.Hour), "x", alice) {
		t.Error("one person is two on one day")
	}
	tomorrow := noon.Add(24 * time.Hour)
	for name, c := range map[string]struct {
		other                     pair
		sameReporter, sameNetwork bool
	}{
		"another service":                {hash(noon, "bar", alice), false, true},
		"a neighbour in the /24":         {hash(noon, "x", neighbor), false, true},
		"another /24":                    {hash(noon, "x", stranger), false, false},
		"tomorrow in the same week":      {hash(tomorrow, "x", alice), false, true},
		"a week later":                   {hash(noon.AddDate(0, 0, 7), "x", alice), false, false},
		"Sunday evening, the same week":  {hash(time.Date(2026, 3, 15, 23, 59, 0, 0, time.UTC), "x", alice), false, true},
		"Monday, the next one":           {hash(time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC), "x", alice), false, false},
		"another zone's clock, same day": {hash(noon.In(time.FixedZone("", 11*3600)), "x", alice), true, true},
	} {
		if (a.reporter == c.other.reporter) != c.sameReporter || (a.network == c.other.network) != c.sameNetwork {
			t.Errorf("%s: same reporter %v, same network %v", name, a.reporter == c.other.reporter, a.network == c.other.network)
		}
	}
	s := hash(noon, "x", six)
	if h := hash(noon, "x", sixHome); h.network != s.network || h.reporter == s.reporter {
		t.Error("two devices of one /56 are one, or of two networks")
	}
	if hash(noon, "x", sixOther).network == s.network || hash(tomorrow, "x", six).network == s.network {
		t.Error("an IPv6 network is wider than a /56 or longer than a day")
	}
	other, _ := openKeys(t, "")
	if r, n := other.Hash(noon, "x", alice); r == a.reporter || n == a.network {
		t.Error("two installations make the same hashes")
	}
}

func TestKeysSurviveARestartOnTheSameDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret", "reporter-keys")
	k, _ := openKeys(t, path)
	rotate(t, k, noon)
	r, n := k.Hash(noon, "x", alice)
	again, log := openKeys(t, path)
	rotate(t, again, noon.Add(time.Hour))
	if r2, n2 := again.Hash(noon.Add(time.Hour), "x", alice); r2 != r || n2 != n {
		t.Error("the person is another after a restart")
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("folder's mode %v, %v", dir.Mode(), err)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

// keyOf finds the line of a key in the file.
func keyOf(t *testing.T, path, prefix string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])
		}
	}
	return ""
}

func TestKeysAreDestroyedWhenTheirTimeIsOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "reporter-keys")
	k, _ := openKeys(t, path)
	rotate(t, k, noon)
	old := keyOf(t, path, "day 2026-03-10")
	if old == "" {
		t.Fatal("no key of the day")
	}
	watched, err := os.Open(path) // the old file's bytes, whatever its name becomes
	if err != nil {
		t.Fatal(err)
	}
	defer watched.Close()
	midnight := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	r, _ := k.Hash(noon, "x", alice)
	rotate(t, k, midnight.Add(59*time.Minute))
	if late, _ := k.Hash(noon, "x", alice); late != r || keyOf(t, path, "day 2026-03-10") != old {
		t.Error("a late report of yesterday is another person's within the hour")
	}
	if raw := make([]byte, 1024); bytes.Contains(read(watched, raw), []byte(old)) {
		t.Error("the replaced file still holds its keys")
	}
	rotate(t, k, midnight.Add(61*time.Minute))
	if keyOf(t, path, "day 2026-03-10") != "" {
		t.Error("yesterday's key is still in the file")
	}
	if late, _ := k.Hash(noon, "x", alice); late == r {
		t.Error("yesterday's key is still in memory")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if keyOf(t, path, "week 2026-03-09") == "" {
		t.Error("the week's key went with the day's")
	}
	rotate(t, k, time.Date(2026, 3, 16, 1, 1, 0, 0, time.UTC))
	if keyOf(t, path, "week 2026-03-09") != "" || keyOf(t, path, "week 2026-03-16") == "" {
		t.Error("the week's key was not replaced")
	}
}

func read(f *os.File, into []byte) []byte {
	n, _ := f.ReadAt(into, 0)
	return into[:n]
}

func TestADamagedFileIsReplacedAndSaidSo(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"zeros":              strings.Repeat("\x00", 100),
		"half a key":         "faultline reporter keys 1\nday 2026-03-10 abcd\n",
		"a week on a Friday": "faultline reporter keys 1\nweek 2026-03-13 " + strings.Repeat("ab", 32) + "\n",
		"another version":    "faultline reporter keys 2\n",
	} {
		path := filepath.Join(t.TempDir(), "reporter-keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, log := openKeys(t, path)
		rotate(t, k, noon)
		if !strings.Contains(log.String(), "damaged") || keyOf(t, path, "day 2026-03-10") == "" {
			t.Errorf("%s: logged %q", name, log)
		}
	}
}

func TestAFileOpenToOthersIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reporter-keys")
	k, _ := openKeys(t, path)
	rotate(t, k, noon)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, log := openKeys(t, path)
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 || !strings.Contains(log.String(), "open to others") {
		t.Errorf("mode %v, logged %q", st.Mode(), log)
	}
	if strings.Contains(log.String(), keyOf(t, path, "day")) {
		t.Error("a key is in the log")
	}
}

func TestKeysThatCannotBeWrittenStillWork(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret", "reporter-keys")
	k, _ := openKeys(t, path)
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := k.Rotate(noon); err == nil {
		t.Error("nothing was said")
	}
	r, _ := k.Hash(noon, "x", alice)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	rotate(t, k, noon)
	again, _ := openKeys(t, path)
	if r2, _ := again.Hash(noon, "x", alice); r2 != r {
		t.Error("the next try did not write the keys in use")
	}
}

func TestRunRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reporter-keys")
	k, log := openKeys(t, path)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		start := time.Now()
		go func() {
			k.Run(ctx, time.Now, slog.New(slog.NewTextHandler(log, nil)))
			close(done)
		}()
		synctest.Wait()
		first := keyOf(t, path, "day "+start.UTC().Format(time.DateOnly))
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if first == "" || keyOf(t, path, "day "+start.UTC().Format(time.DateOnly)) != "" {
			t.Error("the first day's key was never there, or is still there")
		}
		stop()
		<-done
	})
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

func BenchmarkHash(b *testing.B) {
	k, _ := openKeys(b, "")
	b.ReportAllocs()
	for b.Loop() {
		k.Hash(noon, "x", alice)
	}
}
