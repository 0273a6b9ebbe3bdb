package web

import (
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"math"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// historyTimeout bounds how long a page waits for the store. Without an answer
// the page comes without that part, and says so.
const historyTimeout = 3 * time.Second

// window is a stretch of bins on one clock.
type window struct {
	from, to time.Time
	step     time.Duration
}

func (w window) bins() int { return int(w.to.Sub(w.from) / w.step) }

// stepFor keeps a drawing below about 430 points.
func stepFor(span time.Duration) time.Duration {
	for _, s := range []time.Duration{live.Step, 15 * time.Minute, time.Hour, 6 * time.Hour} {
		if span/s <= 430 {
			return s
		}
	}
	return 24 * time.Hour
}

// fit puts bins into the window's places; where none is, nothing is known.
func (w window) fit(bins []live.Bin) []live.Bin {
	out := make([]live.Bin, w.bins())
	for i := range out {
		out[i].Start = w.from.Add(time.Duration(i) * w.step)
	}
	for _, b := range bins {
		if i := int(b.Start.Sub(w.from) / w.step); i >= 0 && i < len(out) && !b.Start.Before(w.from) {
			out[i] = b
		}
	}
	return out
}

// series gives a series over the window: from memory if it lies in there, else
// from history.
func (s *Site) series(v *live.View, svc *live.Service, c faultline.Country, w window) []live.Bin {
	line := &svc.World
	if c != "" {
		line = svc.Country(c)
	}
	if w.step == live.Step && w.inMemory(v.At) {
		if line == nil {
			return w.fit(nil)
		}
		return w.fit(line.Bins)
	}
	if s.d.History == nil {
		return w.fit(nil)
	}
	of := faultline.Series{Metric: faultline.MetricReports, Service: svc.ID}
	if c != "" {
		of.Level, of.Country = faultline.InCountry, c
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyTimeout)
	defer cancel()
	bins, err := s.d.History.Series(ctx, of, w.from, w.to, w.step)
	if err != nil {
		s.d.Logger.Warn("history is not available", slog.String("series", of.String()), slog.Any("error", err))
	}
	return w.fit(bins)
}

// shown is a bin's height in a drawing: unknown is a gap, and fewer than three
// people are drawn as none.
func shown(b live.Bin) float64 {
	switch {
	case !b.Known():
		return chart.Unknown
	case b.Few():
		return 0
	}
	return b.Value
}

func heights(bins []live.Bin) []float64 {
	out := make([]float64, len(bins))
	for i, b := range bins {
		out[i] = shown(b)
	}
	return out
}

func bands(bins []live.Bin) (low, high []float64) {
	low, high = make([]float64, len(bins)), make([]float64, len(bins))
	for i, b := range bins {
		low[i], high[i] = chart.Unknown, chart.Unknown
		if b.Band {
			low[i], high[i] = b.Low, b.High
		}
	}
	return low, high
}

// inMemory says whether the read model holds the whole window.
func (w window) inMemory(now time.Time) bool { return !w.from.Before(now.Add(-24 * time.Hour)) }

// reach gives the checks over the window: from memory, or from history.
func (s *Site) reach(v *live.View, svc *live.Service, w window) []live.Reach {
	h, ok := s.d.History.(ReachHistory)
	if w.inMemory(v.At) || !ok {
		return svc.Reach
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyTimeout)
	defer cancel()
	out, err := h.Reach(ctx, svc.ID, w.from, w.to, w.step)
	if err != nil {
		s.d.Logger.Warn("history is not available", slog.String("service", string(svc.ID)), slog.Any("error", err))
		return svc.Reach
	}
	return out
}

// reachLane is the share of checks that reach the service, or nil.
func reachLane(reach []live.Reach, w window) *chart.Lane {
	v := make([]float64, w.bins())
	for i := range v {
		v[i] = chart.Unknown
	}
	any := false
	for _, r := range reach {
		if i := int(r.Start.Sub(w.from) / w.step); !r.Start.Before(w.from) && i < len(v) && r.Known() {
			if x := r.Share() * 100; !(v[i] <= x) { // also true for unknown
				v[i] = x
			}
			any = true
		}
	}
	if !any {
		return nil
	}
	return &chart.Lane{Title: "Checks that reach it", Height: 52, Max: 100, Unit: "%", Loss: true, Lines: []chart.Series{{Name: "", Class: "reach", V: v}}}
}

// shades are the stretches counted as disruption.
func shades(incidents []*live.Incident, now time.Time) (out []chart.Span) {
	for _, i := range incidents {
		out = append(out, shade(i.Now(), now)...)
	}
	return out
}

func shade(i *faultline.Incident, now time.Time) (out []chart.Span) {
	if i.State == faultline.Retracted || i.MergedInto != "" {
		return nil
	}
	for _, e := range i.Episodes {
		end := e.End
		if end.IsZero() {
			end = now
		}
		out = append(out, chart.Span{From: e.Onset, To: end})
	}
	return out
}

// picture is a chart in both widths, its legend for the narrow one, the same
// numbers as a table, and once more for the island that reads out a point.
type picture struct {
	Wide, Narrow template.HTML
	Legend       []legend
	Points       points
	Table        []tableRow
	Daily        bool // rows of the table are days, not hours
	Reach        bool
	Band         bool
	Shaded       bool // a disruption lies in it
	Empty        bool
}

type legend struct{ Class, Text string }

// clock draws a service's reports and reachability on one clock. When several
// countries carry the reports, up to four are drawn, and the rest together.
func (s *Site) clock(v *live.View, svc *live.Service, c faultline.Country, w window, shade []chart.Span, split bool) picture {
	all := s.series(v, svc, c, w)
	lane := chart.Lane{Title: "Reports in " + words.Duration(w.step), Height: 130}
	if split {
		lane.Lines = s.byCountry(v, svc, w, all)
	}
	if len(lane.Lines) == 0 {
		lane.Lines = []chart.Series{{Name: "Reports", Class: "s1", V: heights(all)}}
		lane.Low, lane.High = bands(all)
	}
	reach := s.reach(v, svc, w)
	lanes := []chart.Lane{lane}
	if r := reachLane(reach, w); r != nil {
		lanes = append(lanes, *r)
	}
	k := chart.Clock{From: w.from, To: w.to, Step: w.step, Now: v.At, Shade: shade, Lanes: lanes, Label: s.label(svc, all, w), TickText: "15:04"}
	p := paint(k)
	p.Empty = len(lanes) == 1 && !anyKnown(all)
	p.Table, p.Daily = table(reach, all, w, v.At)
	return p
}

// paint draws a clock in both widths and gathers what stands beside it.
func paint(k chart.Clock) (p picture) {
	p.Wide, p.Narrow = both(k)
	p.Points, p.Reach = pointsOf(k), len(k.Lanes) > 1
	first := &k.Lanes[0]
	if p.Band = slices.ContainsFunc(first.High, func(x float64) bool { return !math.IsNaN(x) }); p.Band {
		p.Legend = append(p.Legend, legend{"usual", "usual range"})
	}
	for _, l := range first.Lines {
		p.Legend = append(p.Legend, legend{l.Class, l.Name})
	}
	p.Shaded = slices.ContainsFunc(k.Shade, func(s chart.Span) bool { return s.To.After(k.From) && s.From.Before(k.To) })
	return p
}

func anyKnown(bins []live.Bin) bool {
	for _, b := range bins {
		if b.Known() {
			return true
		}
	}
	return false
}

// both makes the drawing for a desk and the one for a phone.
func both(k chart.Clock) (wide, narrow template.HTML) {
	span := k.To.Sub(k.From)
	k.Width, k.Right, k.TickStep = 1134, 150, tickStep(span, 9)
	wide = k.SVG()
	k.Width, k.Right, k.TickStep = 326, 0, tickStep(span, 4)
	for i := range k.Lanes {
		k.Lanes[i].Height *= 0.85
	}
	return wide, k.SVG()
}

func tickStep(span time.Duration, most int) time.Duration {
	for _, s := range []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour} {
		if int(span/s) <= most {
			return s
		}
	}
	return 7 * 24 * time.Hour
}

// byCountry picks the four countries with most reports in the window, if at
// least two have enough to be seen.
func (s *Site) byCountry(v *live.View, svc *live.Service, w window, all []live.Bin) []chart.Series {
	rest := heights(all)
	var out []chart.Series
	for i := range svc.Countries {
		if len(out) == 4 {
			break
		}
		c := svc.Countries[i].Country
		bins := s.series(v, svc, c, w)
		sum := 0.0
		h := heights(bins)
		for k := range h {
			if h[k] > 0 {
				sum += h[k]
				rest[k] = max(rest[k]-h[k], 0)
			}
		}
		if sum >= 100 && c != faultline.UnknownCountry {
			out = append(out, chart.Series{Name: words.Country(c), Class: fmt.Sprintf("s%d", len(out)+1), V: h})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return append(out, chart.Series{Name: "Everywhere else", Class: "s5", V: rest})
}

// label is the picture in a sentence.
func (s *Site) label(svc *live.Service, all []live.Bin, w window) string {
	top, at, any := 0.0, time.Time{}, false
	for _, b := range all {
		if b.Known() {
			any = true
			if b.Value > top {
				top, at = b.Value, b.Start
			}
		}
	}
	prefix := ""
	if s.d.Replay != nil {
		prefix = "Replay, " + s.d.Replay.Notice + ". "
	}
	head := prefix + "Problem reports about " + svc.Name + " from " + w.from.UTC().Format("2 January, 15:04") + " to " + w.to.UTC().Format("2 January, 15:04 UTC") + ". "
	switch {
	case !any:
		return head + "No reports are known of this time."
	case top < live.MinReporters:
		return head + "Never as many as 3 in " + words.Duration(w.step) + "."
	}
	return head + "Most in " + words.Duration(w.step) + ": " + words.Count(top) + ", at " + at.UTC().Format("15:04") + ". The table below carries the numbers."
}
