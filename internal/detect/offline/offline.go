// Package offline runs the detectors over a file: a column of times and one of
// values in, a score for each row and the events out.
//
// In: CSV with the columns timestamp and value, and maybe n, in any order among
// others. Out:
// CSV timestamp,value,anomaly_score, a row for each row that came in, and
// events as NDJSON. The score is 1 − 2^(−L/O), where L is −log10 of the
// calibrated tail probability and O that at which an event opens (6 for counts
// in bins of up to five minutes, less for wider ones and 3.5 for those of a day
// and a week; the same for ratios of n; 3.1 for gauges and other ratios): it is 0.5
// exactly there, and 0 where nothing can be said.
//
// Counts go through nbscan without the rules on reporters, which files do not
// name; ratios with a column n, of which value succeeded, through bbscan; gauges and
// other ratios through gauge. Rows that are missing are unknown,
// not zero; of counts a long row of zeros where much was expected is unknown
// too, since a file has no heartbeats. It promises that the same rows give the
// same result. It opens no files: that is the caller's.
package offline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"faultline"
	"faultline/internal/calendar"
	"faultline/internal/detect/bbscan"
	"faultline/internal/detect/detector"
	"faultline/internal/detect/gauge"
	"faultline/internal/detect/nbscan"
)

// AlarmLevel is the score at which an event opens.
const AlarmLevel = 0.5

// Score turns −log10 p into a score from 0 to 1, of which open is AlarmLevel.
func Score(logP, open float64) float64 { return 1 - math.Exp2(-max(logP, 0)/open) }

// Kind says what the values of a file are.
type Kind string

// Kinds of values. Auto is decided by Guess.
const (
	Auto  Kind = "auto"
	Count Kind = "count"
	Gauge Kind = "gauge"
	Ratio Kind = "ratio"
)

// Kinds lists what ParseKind takes.
func Kinds() []string { return []string{string(Auto), string(Count), string(Gauge), string(Ratio)} }

// ParseKind reads a kind.
func ParseKind(s string) (Kind, error) {
	if slices.Contains(Kinds(), s) {
		return Kind(s), nil
	}
	return "", fmt.Errorf("unknown kind %q: use one of %v", s, Kinds())
}

// Row is one line of a file.
type Row struct {
	Line  int       // in the file, from 1
	Time  string    // as it was written
	At    time.Time // UTC
	Text  string    // the value as it was written
	Value float64
	Known bool   // false: the value is empty or NaN
	Tried string // the column n as it was written; "" where there is none
}

// Columns are the times and the values of rows.
func Columns(rows []Row) (times []time.Time, values []float64) {
	for _, r := range rows {
		times, values = append(times, r.At), append(values, r.Value)
	}
	return times, values
}

// Guess tells counts (whole numbers from 0 up) from ratios (successes of a column n;
// or all from 0 to 1, some of them fractions) from gauges. A file without values is a gauge, and so
// are percentages that happen to be whole: written with a decimal point, none
// above 100, and most above 50.
func Guess(rows []Row) Kind {
	if ofTries(rows) {
		return Ratio
	}
	whole, unit, percent, some, high := true, true, true, 0, 0
	for i := range rows {
		r := &rows[i]
		if !r.Known {
			continue
		}
		some++
		whole = whole && r.Value >= 0 && r.Value == math.Trunc(r.Value)
		unit = unit && r.Value >= 0 && r.Value <= 1
		percent = percent && r.Value >= 0 && r.Value <= 100 && strings.Contains(r.Text, ".")
		if r.Value > 50 {
			high++
		}
	}
	switch {
	case some > 0 && percent && 2*high > some:
		return Gauge
	case some > 0 && whole:
		return Count
	case some > 0 && unit:
		return Ratio
	}
	return Gauge
}

// Event is a line of `faultline detect --events`.
type Event struct {
	Series string  `json:"series"`
	Onset  string  `json:"onset"`
	Peak   string  `json:"peak"`
	End    string  `json:"end,omitempty"` // empty: open at the end of the file
	State  string  `json:"state"`         // open or closed
	Kind   string  `json:"kind"`          // surge or drop
	P      float64 `json:"p"`             // the smallest calibrated tail probability
	Excess float64 `json:"excess"`        // sum of values above usual; negative below. Of a ratio of n: successes
}

// Result is what was found in a file.
type Result struct {
	Kind   Kind          // as guessed or given
	Width  time.Duration // of a bin
	Scores []float64     // one a row
	Events []Event       // by onset
}

// Detect runs over the rows of one series, whose name the events carry. Rows
// are taken in their order in time; of rows with one time the first counts,
// and the others get its score. Counts are those of people at place, if it is not
// nil: by its clock, and with its holidays.
func Detect(name string, rows []Row, kind Kind, place *calendar.Place) Result {
	if kind == Auto {
		kind = Guess(rows)
	}
	out := Result{Kind: kind, Width: width(rows), Scores: make([]float64, len(rows))}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rows[a].At.Compare(rows[b].At) })
	run := runner{width: out.Width, ofN: kind == Ratio && ofTries(rows), latest: map[string]int{}}
	run.windows = kind == Count || run.ofN
	run.d, run.open = open(name, kind, run.ofN, out.Width, place)
	for _, i := range order {
		out.Scores[i] = run.step(&rows[i])
	}
	out.Events = run.lines(name)
	return out
}

// open makes the detector of a kind and says at which −log10 p it opens events.
func open(name string, kind Kind, ofN bool, width time.Duration, place *calendar.Place) (d detector.Detector, logP float64) {
	s := faultline.Series{Metric: faultline.Metric(kind), Service: faultline.ServiceID(name)}
	switch {
	case ofN:
		c := bbscan.Defaults()
		c.Open = openLogP(c.Open, width)
		c.Odd = min(c.Odd, c.Open)
		return bbscan.New(s, c), c.Open
	case kind == Count:
		c := nbscan.Defaults()
		c.Anonymous, c.Place, c.Open = true, place, openLogP(c.Open, width)
		c.Odd = min(c.Odd, c.Open)
		return nbscan.New(s, c), c.Open
	}
	c := gauge.Defaults()
	c.Share = kind == Ratio
	return gauge.New(s, c), c.Open
}

// openLogP is −log10 p at which counts and ratios of n in bins of a width open an event, where
// bins of five minutes do at a level: the wider they are, the fewer there are in a
// year, down to leastLogP.
func openLogP(level float64, width time.Duration) float64 {
	return min(level, max(leastLogP, level-math.Log10(width.Minutes()/5)))
}

const leastLogP = 3.5

// width is the median distance of neighbouring times in whole seconds, at
// least one; five minutes if there are not two times.
func width(rows []Row) time.Duration {
	at := make([]time.Time, 0, len(rows))
	for _, r := range rows {
		at = append(at, r.At)
	}
	slices.SortFunc(at, time.Time.Compare)
	var steps []time.Duration
	for i := 1; i < len(at); i++ {
		if d := at[i].Sub(at[i-1]); d > 0 {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return 5 * time.Minute
	}
	slices.Sort(steps)
	return max(steps[len(steps)/2].Round(time.Second), time.Second)
}

// runner feeds one detector and keeps the newest revision of each event.
type runner struct {
	d       detector.Detector
	open    float64 // −log10 p at which it opens an event
	ofN     bool    // values are successes of n
	windows bool    // it scans windows: their evidence may be old
	width   time.Duration
	score   float64
	events  []faultline.Event
	latest  map[string]int

	told string    // the event that was told last,
	top  float64   // at which −log10 p,
	last time.Time // and when it was last open
}

func (r *runner) step(row *Row) float64 {
	s := faultline.Sample{Start: row.At, Width: faultline.Seconds(r.width), Value: row.Value, N: row.Value, Complete: 1, Revision: 1}
	if r.ofN {
		s.N, _ = row.tries() // 0 where they do not fit: such a bin is unknown
	}
	if !row.Known {
		s.Complete, s.Value, s.N = 0, 0, 0
	}
	reading, events := r.d.Step(&s)
	for _, e := range events {
		if i, ok := r.latest[e.ID]; ok {
			r.events[i] = e
			continue
		}
		r.latest[e.ID] = len(r.events)
		r.events = append(r.events, e)
	}
	if !reading.At.IsZero() {
		r.score = faultline.Round(Score(r.present(&reading), r.open), 5)
	}
	return r.score
}

// present is the evidence of a row. A long window of counts or tries still holds a surge
// that is over: while the last 15 minutes are as usual, no row of them says more
// than p = 0.1. Nor does a row of an event that is known, unless it says more: as
// with a gauge, what was told is no news. What a gauge says is new with its row,
// and may lie in the band: a rush hour that did not come.
func (r *runner) present(x *faultline.Reading) float64 {
	if r.windows && (x.Value >= x.Low && x.Value <= x.High || r.known(x)) {
		return min(x.LogP, 1)
	}
	return x.LogP
}

// afterglow is how long the windows still hold an event that is over.
const afterglow = 2 * time.Hour

// known says whether a row tells nothing new: an event is open or just over, and
// the evidence is not half again as large, and a decade, as when it was told.
func (r *runner) known(x *faultline.Reading) bool {
	if x.Verdict == faultline.Surging || x.Verdict == faultline.Dropping {
		r.last = x.At
	}
	if r.last.IsZero() || x.At.Sub(r.last) > max(afterglow, 3*r.width) {
		return false
	}
	if id := r.events[len(r.events)-1].ID; id != r.told || x.LogP > 1.5*r.top+1 {
		r.told, r.top = id, x.LogP
		return false
	}
	return true
}

const stamp = "2006-01-02 15:04:05"

func (r *runner) lines(name string) []Event {
	out := make([]Event, 0, len(r.events))
	for _, e := range r.events {
		l := Event{
			Series: name, Onset: e.Onset.Format(stamp), Peak: e.Peak.Format(stamp), State: string(e.State), Kind: string(e.Kind),
			P: math.Pow(10, -min(e.LogP, 300)), Excess: e.Excess,
		}
		if !e.End.IsZero() {
			l.End = e.End.Format(stamp)
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Compare(a.Onset, b.Onset) })
	return out
}
