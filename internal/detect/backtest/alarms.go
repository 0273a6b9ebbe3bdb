package backtest

import (
	"math"
	"slices"
	"time"
)

// A Rule calls a row an alarm from a score on.
type Rule struct {
	Name  string  `json:"rule"`
	Score float64 `json:"score"`
}

// Options say how alarms are counted.
type Options struct {
	// Learn is the share of each series, 0 to 1, that is for learning: neither its
	// alarms nor the windows that end in it are scored.
	Learn float64
	// Merge is up to which distance rows in alarm are one alarm. 0: an hour, or three
	// rows if that is more.
	Merge time.Duration
}

// Tally is what a rule did over all series.
type Tally struct {
	Rule
	Windows     int     `json:"windows"`
	Found       int     `json:"found"` // windows with a row in alarm
	Alarms      int     `json:"alarms"`
	False       int     `json:"false_alarms"` // without a row in a window
	SeriesWeeks float64 `json:"series_weeks"`
	// Recall is the share of windows that were found, Precision that of alarms that
	// are not false. −1: there was none to find, none that could be false.
	Recall    float64 `json:"recall"`
	Precision float64 `json:"precision"`
	FalsePer  float64 `json:"false_alarms_a_series_week"`
	// Delay50 and Delay90 are minutes from a window's beginning to its first row in
	// alarm: the median and the ninth decile of those found. −1: none was.
	Delay50 float64 `json:"delay_p50_min"`
	Delay90 float64 `json:"delay_p90_min"`
	// Outside is the share of rows outside of windows that are in alarm: a rule
	// that never leaves off finds everything.
	Outside float64 `json:"alarm_share_outside"`
}

// Alarms counts what a rule found, and what it called in vain.
func Alarms(all []Series, r Rule, o Options) Tally {
	t := Tally{Rule: r}
	var delays []float64
	rows, in := 0, 0
	for i := range all {
		c := counter{Tally: &t, series: &all[i], merge: o.Merge, score: r.Score}
		c.count(o.Learn)
		delays, rows, in = append(delays, c.delays...), rows+c.rows, in+c.in
	}
	t.Recall, t.Precision = share(t.Found, t.Windows), share(t.Alarms-t.False, t.Alarms)
	t.Outside = max(0, share(in, rows))
	if t.SeriesWeeks > 0 {
		t.FalsePer = float64(t.False) / t.SeriesWeeks
	}
	slices.Sort(delays)
	t.Delay50, t.Delay90 = quantile(delays, 0.5), quantile(delays, 0.9)
	return t
}

func share(part, whole int) float64 {
	if whole == 0 {
		return -1
	}
	return float64(part) / float64(whole)
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return -1
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// counter goes through one series.
type counter struct {
	*Tally
	series   *Series
	merge    time.Duration
	score    float64
	found    []bool
	delays   []float64
	rows, in int // outside of windows; of these in alarm
}

func (c *counter) count(learn float64) {
	s := c.series
	first := int(learn * float64(len(s.Times)))
	if first >= len(s.Times) {
		return
	}
	begin, end := s.Times[first], s.Times[len(s.Times)-1]
	if c.merge == 0 && len(s.Times) > 1 {
		c.merge = max(time.Hour, 3*end.Sub(s.Times[0])/time.Duration(len(s.Times)-1))
	}
	c.SeriesWeeks += end.Sub(begin).Hours() / 168
	c.found = make([]bool, len(s.Windows))
	for _, w := range s.Windows {
		if w.To.After(begin) {
			c.Windows++
		}
	}
	last, good, open := time.Time{}, false, false
	for i := first; i < len(s.Times); i++ {
		if hit, alarm := c.row(i); alarm {
			if open && s.Times[i].Sub(last) > c.merge {
				c.alarm(good)
				good = false
			}
			last, open, good = s.Times[i], true, good || hit
		}
	}
	if open {
		c.alarm(good)
	}
}

// alarm takes one that is over.
func (c *counter) alarm(good bool) {
	c.Alarms++
	if !good {
		c.False++
	}
}

// row says whether a row is in alarm, and whether it lies in a window.
func (c *counter) row(i int) (hit, alarm bool) {
	at, score := c.series.Times[i], c.series.Scores[i]
	alarm = score >= c.score && !math.IsNaN(score)
	for k, w := range c.series.Windows {
		if at.Before(w.From) || at.After(w.To) {
			continue
		}
		hit = true
		if alarm && !c.found[k] {
			c.found[k] = true
			c.Found++
			c.delays = append(c.delays, at.Sub(w.From).Minutes())
		}
	}
	if !hit {
		c.rows++
		if alarm {
			c.in++
		}
	}
	return hit, alarm
}

// Halved is when a series first falls to half of the median that it had before
// calm ended, from then on; the zero time if it never does, or had none. It is the
// label of an outage that nobody labelled. Times are in order.
func Halved(times []time.Time, values []float64, calm time.Time) time.Time {
	first, _ := slices.BinarySearchFunc(times, calm, time.Time.Compare)
	if first == 0 {
		return time.Time{}
	}
	usual := slices.Sorted(slices.Values(values[:first]))[first/2]
	for i := first; i < len(times); i++ {
		if values[i] <= usual/2 {
			return times[i]
		}
	}
	return time.Time{}
}
