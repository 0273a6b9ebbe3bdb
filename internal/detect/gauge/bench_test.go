package gauge_test

import (
	"testing"
	"time"

	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/gauge"
)

func BenchmarkStep(b *testing.B) {
	samples := values(40*288, 3, daily)
	d := gauge.New(series, gauge.Defaults())
	shift := time.Duration(0)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i == len(samples) {
			i, shift = 0, shift+42*24*time.Hour
		}
		next := samples[i]
		next.Start = next.Start.Add(shift)
		d.Step(&next)
		i++
	}
}

func TestAQuietBinAllocatesNothing(t *testing.T) {
	samples := values(20*288, 3, daily)
	d := gauge.New(series, gauge.Defaults())
	detecttest.Play(d, samples[:15*288])
	i := 15 * 288
	if n := testing.AllocsPerRun(1000, func() { d.Step(&samples[i]); i++ }); n > 0 {
		t.Errorf("%v allocations a bin", n)
	}
}

func TestAStateIsSmall(t *testing.T) {
	b, err := gauge.New(series, gauge.Defaults()).MarshalBinary()
	if err != nil || len(b) > 40<<10 {
		t.Errorf("%d bytes, %v; want at most 40 KiB", len(b), err)
	}
	t.Logf("%d bytes", len(b))
}
