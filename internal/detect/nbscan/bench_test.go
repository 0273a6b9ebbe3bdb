package nbscan_test

import (
	"fmt"
	"testing"
	"time"

	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		base  float64
		width time.Duration
	}{{0.1, time.Minute}, {0.1, 5 * time.Minute}, {10, time.Minute}, {100, 5 * time.Minute}} {
		b.Run(fmt.Sprintf("base%g/%s", c.base, c.width), func(b *testing.B) {
			s := ordinary(40)
			s.Base, s.Width, s.Bins = c.base, c.width, int(40*day/c.width)
			samples := s.Samples(series)
			d := nbscan.New(series, nbscan.Defaults())
			shift := time.Duration(0)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i == len(samples) {
					i, shift = 0, shift+42*day
				}
				next := samples[i]
				next.Start = next.Start.Add(shift)
				d.Step(&next)
			}
		})
	}
}

func TestAQuietBinAllocatesNothing(t *testing.T) {
	samples := ordinary(20).Samples(series)
	d := nbscan.New(series, nbscan.Defaults())
	detecttest.Play(d, samples[:15*288])
	i := 15 * 288
	if n := testing.AllocsPerRun(1000, func() { d.Step(&samples[i]); i++ }); n > 0 {
		t.Errorf("%v allocations a bin", n)
	}
}

func TestAStateIsSmall(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	s := detecttest.Sample(series, monday, time.Minute, 1)
	d.Step(&s)
	b, err := d.MarshalBinary()
	if err != nil || len(b) > 13<<10 {
		t.Errorf("%d bytes, %v; want at most 13 KiB", len(b), err)
	}
	t.Logf("%d bytes at a minute's bins", len(b))
}
