package bbscan_test

import (
	"fmt"
	"testing"
	"time"

	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/detecttest"
)

func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		tries float64
		width time.Duration
	}{{1, time.Minute}, {5, 5 * time.Minute}, {100, time.Minute}, {500, 5 * time.Minute}, {1e6, 5 * time.Minute}} {
		b.Run(fmt.Sprintf("of%g/%s", c.tries, c.width), func(b *testing.B) {
			s := ordinary(1)
			s.Tries, s.Width, s.Bins = c.tries, c.width, int(40*day/c.width)
			samples := s.Samples(series)
			d := bbscan.New(series, bbscan.Defaults())
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
	d := bbscan.New(series, bbscan.Defaults())
	detecttest.Play(d, samples[:15*288])
	i := 15 * 288
	if n := testing.AllocsPerRun(1000, func() { d.Step(&samples[i]); i++ }); n > 0 {
		t.Errorf("%v allocations a bin", n)
	}
}

func TestAStateIsSmall(t *testing.T) {
	d := bbscan.New(series, bbscan.Defaults())
	s := detecttest.RatioSample(series, monday, time.Minute, 1, 1)
	d.Step(&s)
	b, err := d.MarshalBinary()
	if err != nil || len(b) > 12<<10 {
		t.Errorf("%d bytes, %v; want at most 12 KiB", len(b), err)
	}
	t.Logf("%d bytes at a minute's bins", len(b))
}
