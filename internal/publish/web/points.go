package web

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"faultline/internal/publish/chart"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// points are a chart's numbers for the island that reads out one point at a
// time. They are what is drawn: nothing below three people is in them.
type points struct {
	From int64    `json:"from"` // Unix time of the first step, in seconds
	Step int64    `json:"step"` // seconds
	Line []line   `json:"line"`
	Low  readable `json:"low"` // what is usual; empty when it is not drawn
	High readable `json:"high"`
}

type line struct {
	Name string   `json:"name"`
	Unit string   `json:"unit"` // "%": a share of checks; else people
	V    readable `json:"v"`
}

// readable is values of which some are not known: those are null, and left out
// at the end of the list.
type readable []float64

// MarshalJSON writes whole numbers.
func (r readable) MarshalJSON() ([]byte, error) {
	n := len(r)
	for n > 0 && math.IsNaN(r[n-1]) {
		n--
	}
	b := []byte{'['}
	for i, x := range r[:n] {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(x) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, math.Round(x), 'f', 0, 64)
		}
	}
	return append(b, ']'), nil
}

func pointsOf(k chart.Clock) points {
	p := points{From: k.From.Unix(), Step: int64(k.Step / time.Second), Low: readable(k.Lanes[0].Low), High: readable(k.Lanes[0].High)}
	for _, lane := range k.Lanes {
		for _, l := range lane.Lines {
			name := l.Name
			if name == "" {
				name = lane.Title
			}
			p.Line = append(p.Line, line{name, lane.Unit, readable(atLeastThree(l.V, lane.Unit))})
		}
	}
	return p
}

// atLeastThree draws counts of one or two people, as a difference of two lines
// can have them, as none.
func atLeastThree(v []float64, unit string) []float64 {
	if unit != "" {
		return v
	}
	out := make([]float64, len(v))
	for i, x := range v {
		if out[i] = x; x < live.MinReporters { // false for unknown
			out[i] = 0
		}
	}
	return out
}

type tableRow struct {
	From    time.Time
	Reports string
	Usual   string
	Reach   string
}

// table is the window up to now by whole hours, or by days (UTC) where that
// would be more rows than anybody reads.
func table(checks []live.Reach, all []live.Bin, w window, now time.Time) (out []tableRow, daily bool) {
	per := time.Hour
	if daily = w.to.Sub(w.from) > 48*time.Hour; daily {
		per = 24 * time.Hour
	}
	per = max(per, w.step)
	reach := reachPer(checks, per)
	for i := 0; i < len(all) && all[i].Start.Before(now); {
		from, j := all[i].Start.Truncate(per), i
		for j < len(all) && all[j].Start.Truncate(per).Equal(from) {
			j++
		}
		out = append(out, rowOf(from, all[i:j], reach[from]))
		i = j
	}
	return out, daily
}

func rowOf(from time.Time, bins []live.Bin, r live.Reach) tableRow {
	row := tableRow{From: from, Reports: "not known", Usual: "not known", Reach: "none"}
	sum, low, high, known, band := 0.0, 0.0, 0.0, 0, 0
	for _, b := range bins {
		if b.Known() {
			sum += b.Value
			known++
		}
		if b.Band {
			low += b.Low
			high += b.High
			band++
		}
	}
	if known > 0 {
		row.Reports = words.People(sum)
	}
	if band > 0 {
		row.Usual = words.Range(low, high)
	}
	if r.N > 0 {
		row.Reach = fmt.Sprintf("%d of %d", r.OK, r.N)
	} else if r.Impaired > 0 {
		row.Reach = "not counted"
	}
	return row
}

func reachPer(checks []live.Reach, per time.Duration) map[time.Time]live.Reach {
	out := map[time.Time]live.Reach{}
	for _, r := range checks {
		h := r.Start.Truncate(per)
		sum := out[h]
		sum.OK += r.OK
		sum.N += r.N
		sum.Impaired += r.Impaired
		out[h] = sum
	}
	return out
}
