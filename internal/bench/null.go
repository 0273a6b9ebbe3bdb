package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"faultline"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

// A set of series in which nothing happens: so many, and the −log10 p that the
// incident room asks for where so many services are watched.
const (
	quietSeries = 50_000
	quietNeed   = 8
)

// quiet counts what is found where nothing happens, for a week each, and how often
// p is as small as it says.
func quiet(context.Context, *tools) ([]measurement, error) {
	s := faultline.Series{Metric: faultline.MetricReports, Service: "quiet"}
	open := func() detector.Detector { return nbscan.New(s, nbscan.Defaults()) }
	var t, half detecttest.Tally
	var other sync.WaitGroup
	other.Go(func() { half = detecttest.PlaySet(7, quietSeries/2, quietSeries, open) })
	t = detecttest.PlaySet(7, 0, quietSeries/2, open)
	other.Wait()
	t.Add(half)
	var times []string
	right := true
	for k := 2; k <= 6; k++ {
		x := t.Times(k)
		times = append(times, fmt.Sprintf("%.2f", x))
		right = right && x >= 0.5 && x <= 2
	}
	n := t.Reached(quietNeed)
	return []measurement{
		{fmt.Sprintf("possible surges in %d series-weeks in which nothing happens", quietSeries), "≤ 1", fmt.Sprint(n), n <= 1},
		{"p of 1e-2, 1e-3 … 1e-6 there, times as often as it should", "0.5 to 2", strings.Join(times, ", "), right},
	}, nil
}
