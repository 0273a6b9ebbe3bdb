package offline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/calendar"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/offline"
)

var monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		rows       int
		err        string // "" for none
	}{
		{"the plain form", "timestamp,value\n2025-03-10 09:45:00,3\n2025-03-10 09:50:00,4\n", 2, ""},
		{"columns in another order among others", "host,value,timestamp\na,3,2025-03-10T09:45:00Z\n", 1, ""},
		{"fractions of a second and zones", "timestamp,value\n2025-03-10 09:45:00.123456,3\n2025-03-10T10:45:00+01:00,4.5\n", 2, ""},
		{"a byte order mark and carriage returns", "\ufefftimestamp,value\r\n2025-03-10 09:45:00,3\r\n", 1, ""},
		{"values that are not known", "timestamp,value\n2025-03-10 09:45:00,\n2025-03-10 09:50:00,NaN\n", 2, ""},
		{"an empty file", "", 0, "f.csv:1: the file is empty"},
		{"no value column", "timestamp,count\n", 0, `f.csv:1: the first line names "timestamp,count"`},
		{"a broken time on line 3", "timestamp,value\n2025-03-10 09:45:00,3\nyesterday,4\n", 0, `f.csv:3: cannot read the time "yesterday"`},
		{"a broken value", "timestamp,value\n2025-03-10 09:45:00,three\n", 0, `f.csv:2: cannot read the value "three"`},
		{"an infinite value", "timestamp,value\n2025-03-10 09:45:00,+Inf\n", 0, `f.csv:2: cannot read the value "+Inf"`},
		{"a short line", "a,timestamp,value\nx,2025-03-10 09:45:00\n", 0, "f.csv:2: 2 columns, want at least 3"},
		{"a broken quote", "timestamp,value\n\"2025,3\n", 0, "f.csv:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := offline.ReadCSV("f.csv", strings.NewReader(c.text))
			if c.err == "" && (err != nil || len(rows) != c.rows) {
				t.Fatalf("%d rows, %v; want %d", len(rows), err, c.rows)
			}
			var bad *offline.FormatError
			if c.err != "" && (!errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.err)) {
				t.Fatalf("%v; want %s…", err, c.err)
			}
		})
	}
}

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		values string
		want   offline.Kind
	}{
		{"0 3 12", offline.Count},
		{"0 1 1", offline.Count},
		{"0 0.5 1", offline.Ratio},
		{"0 0.5 2", offline.Gauge},
		{"-1 3", offline.Gauge},
		{"97.0 99.0 0.0", offline.Gauge},
		{"97 99 0", offline.Count},
		{"3.0 0.0 101.0", offline.Count},
		{"3.0 0.0 99.0", offline.Count},
		{"", offline.Gauge},
	} {
		var rows []offline.Row
		for _, v := range strings.Fields(c.values) {
			var x float64
			fmt.Sscan(v, &x)
			rows = append(rows, offline.Row{Text: v, Value: x, Known: true})
		}
		if got := offline.Guess(rows); got != c.want {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
	if _, err := offline.ParseKind("counts"); err == nil || !strings.Contains(err.Error(), "count gauge ratio") {
		t.Errorf("a misspelt kind: %v", err)
	}
}

// file writes made-up counts as CSV, without the rows that drop says.
func file(c detecttest.Counts, drop func(i int) bool) string {
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i, s := range c.Samples(faultline.Series{}) {
		if drop == nil || !drop(i) {
			fmt.Fprintf(&b, "%s,%g\n", s.Start.Format("2006-01-02 15:04:05"), s.Value)
		}
	}
	return b.String()
}

func counts(seed uint64, base float64, days int) detecttest.Counts {
	return detecttest.Counts{
		Seed: seed, Start: monday, Width: 5 * time.Minute, Bins: days * 288,
		Base: base, Season: 0.6, Weekend: 0.8, Size: 12, Drift: 0.06,
	}
}

func TestAFileGivesARowForEachRowAndItsEvents(t *testing.T) {
	c := counts(1, 5, 15)
	from := monday.Add(14*day + 13*time.Hour)
	c.Surges = []detecttest.Disturbance{{From: from, To: from.Add(time.Hour), Add: 50}}
	text := file(c, func(i int) bool { return i > 3000 && i < 3030 })
	var scores, events bytes.Buffer
	sum, err := offline.File("a/b.csv", strings.NewReader(text), offline.Auto, nil, &scores, &events)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Kind != offline.Count || sum.Events != 1 || sum.Alarms < 1 || sum.Alarms > 5 {
		t.Errorf("%+v; want counts, one event, and rows in alarm only where it says more than before", sum)
	}
	in, out := strings.Split(text, "\n"), strings.Split(scores.String(), "\n")
	if len(in) != len(out) || out[0] != "timestamp,value,anomaly_score" {
		t.Fatalf("%d lines of %d, first %q", len(out), len(in), out[0])
	}
	for i := 1; i < len(in)-1; i++ {
		if !strings.HasPrefix(out[i], in[i]+",") {
			t.Fatalf("line %d is %q, from %q", i+1, out[i], in[i])
		}
	}
	var e offline.Event
	if err := json.Unmarshal(events.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if e.Series != "a/b.csv" || e.State != "closed" || e.Kind != "surge" || e.P > 1e-6 || e.Excess < 400 {
		t.Errorf("%+v", e)
	}
	onset, err := offline.ParseTime(e.Onset)
	if err != nil || onset.Sub(from).Abs() > 10*time.Minute {
		t.Errorf("onset %s, want %s", e.Onset, from)
	}
}

func TestRowsOutOfOrderAndTwiceChangeNothing(t *testing.T) {
	rows, err := offline.ReadCSV("f", strings.NewReader(file(counts(2, 5, 6), nil)))
	if err != nil {
		t.Fatal(err)
	}
	want := offline.Detect("f", rows, offline.Auto, nil)
	mixed := append([]offline.Row{}, rows[100:]...)
	mixed = append(append(mixed, rows[:100]...), rows[500])
	got := offline.Detect("f", mixed, offline.Auto, nil)
	for i := range rows[100:] {
		if got.Scores[i] != want.Scores[i+100] {
			t.Fatalf("row %d: %v, want %v", i, got.Scores[i], want.Scores[i+100])
		}
	}
}

func TestGaugesAndRatios(t *testing.T) {
	for _, c := range []struct {
		kind    offline.Kind
		usual   float64
		strange float64
	}{{offline.Gauge, 120.5, 480.25}, {offline.Ratio, 0.985, 0.41}} {
		var b strings.Builder
		b.WriteString("timestamp,value\n")
		for i := range 10 * 288 {
			v := c.usual * (1 + 0.004*math.Sin(float64(i)*1.7))
			if i >= 2500 && i < 2512 {
				v = c.strange
			}
			fmt.Fprintf(&b, "%s,%.5f\n", monday.Add(time.Duration(i)*5*time.Minute).Format("2006-01-02 15:04:05"), v)
		}
		var events bytes.Buffer
		sum, err := offline.File("g", strings.NewReader(b.String()), offline.Auto, nil, io.Discard, &events)
		if err != nil || sum.Kind != c.kind || sum.Events != 1 {
			t.Errorf("%s: %+v, %v, %s", c.kind, sum, err, events.String())
		}
	}
}

func TestAGapOfYearsBelongsToNoEvent(t *testing.T) {
	old, later := monday.AddDate(-55, 0, 0), monday
	for kind, half := range map[offline.Kind]float64{offline.Count: 0, offline.Gauge: 0.5} {
		var rows []offline.Row
		add := func(from time.Time, n int, mean float64) {
			for i := range n {
				v := mean + float64(i%7-3)*mean/20
				rows = append(rows, offline.Row{At: from.Add(time.Duration(i) * 5 * time.Minute), Value: math.Round(v) + half, Known: true})
			}
		}
		add(old, 8*288, 100)
		add(old.Add(8*day), 20, 2)
		add(later, 12, 2)
		events := offline.Detect("f", rows, kind, nil).Events
		if len(events) == 0 || events[0].Kind != "drop" || events[0].State != "closed" || events[0].End > old.Add(9*day).Format(time.DateOnly) || events[0].Excess < -2500 {
			t.Errorf("%s: %+v; want a drop that ends before the gap", kind, events)
		}
	}
}

func TestARowOfZerosIsASilentCollector(t *testing.T) {
	from := monday.Add(10*day + 12*time.Hour)
	for _, c := range []struct {
		name   string
		left   float64 // of what is usual, for three hours
		events int
	}{{"a tenth is left: a drop", 0.1, 1}, {"nothing is left: without heartbeats nobody can tell", 0, 0}} {
		t.Run(c.name, func(t *testing.T) {
			var rows []offline.Row
			for i := range 12 * 288 {
				at := monday.Add(time.Duration(i) * 5 * time.Minute)
				v := float64(40 + i*7%13)
				if !at.Before(from) && at.Before(from.Add(3*time.Hour)) {
					v = math.Round(v * c.left)
				}
				rows = append(rows, offline.Row{At: at, Value: v, Known: true})
			}
			got := offline.Detect("f", rows, offline.Count, nil)
			if len(got.Events) != c.events {
				t.Errorf("%d events, want %d: %+v", len(got.Events), c.events, got.Events)
			}
			if most := slices.Max(got.Scores[288:]); c.events == 0 && most > 0.2 {
				t.Errorf("a row scores %v", most)
			}
		})
	}
}

func TestTheFirstHoursOfCountsScoreNothing(t *testing.T) {
	var rows []offline.Row
	for i := range 288 {
		rows = append(rows, offline.Row{At: monday.Add(time.Duration(i) * 5 * time.Minute), Value: 100 + float64(i*7%31), Known: true})
	}
	for i, score := range offline.Detect("f", rows, offline.Count, nil).Scores {
		if score > 0.2 {
			t.Fatalf("row %d of a series of which nothing was known scores %v", i, score)
		}
	}
}

// The floor of what the scan must find: a small copy of the idea of the public
// benchmark, a third of its surges hardly above the noise. The bounds lie just
// below what is reached (0.727, none false), so that a loss is seen.
func TestRecallAndFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds")
	}
	var surges, found, false_, weeks int
	for i := range 36 {
		base := []float64{0.05, 0.5, 2, 10, 50, 100}[i%6]
		c := counts(uint64(100+i), base, 42)
		c.Size = 6 + float64(i%5)*6
		noise := math.Sqrt(12*base+144*base*base/c.Size) + 0.5
		for k := range 6 {
			from := monday.Add(29*day + time.Duration(k*48+i%7*3)*time.Hour)
			size := math.Max(3, noise*[]float64{2.5, 4, 7, 12, 20, 40}[(k+i)%6]) / 12
			length := []time.Duration{25 * time.Minute, 2 * time.Hour, 4 * time.Hour}[(k+i)%3]
			if length < time.Hour {
				size *= 2
			}
			c.Surges = append(c.Surges, detecttest.Disturbance{From: from, To: from.Add(length), Add: size})
		}
		rows, err := offline.ReadCSV("f", strings.NewReader(file(c, nil)))
		if err != nil {
			t.Fatal(err)
		}
		got := offline.Detect("f", rows, offline.Auto, nil)
		hit := make([]bool, len(c.Surges))
		for _, e := range got.Events {
			onset, _ := offline.ParseTime(e.Onset)
			end, _ := offline.ParseTime(e.End)
			if e.End == "" {
				end = rows[len(rows)-1].At
			}
			if onset.Before(monday.Add(28 * day)) {
				continue
			}
			mine := false
			for k, s := range c.Surges {
				if !onset.After(s.To) && !end.Before(s.From) {
					hit[k], mine = true, true
				}
			}
			if !mine {
				false_++
			}
		}
		surges += len(hit)
		weeks += 2
		for _, h := range hit {
			if h {
				found++
			}
		}
	}
	recall, alarms := float64(found)/float64(surges), float64(false_)/float64(weeks)
	t.Logf("recall %.3f (%d of %d), %.3f false events a series-week", recall, found, surges, alarms)
	if recall < 0.70 || alarms > 0.02 {
		t.Errorf("recall %.3f, %.3f false events a series-week; want at least 0.70 and at most 0.02", recall, alarms)
	}
}

// Lone spikes, noise that lasts, and both: what fails in practice.
func TestHarderSeriesStayQuiet(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *detecttest.Counts)
		most   int // events in 12 series of two weeks
	}{
		{"lone spikes, two a week", func(c *detecttest.Counts) { c.Spikes, c.SpikeSize = 2, 40 }, 2},
		{"noise that lasts for an hour", func(c *detecttest.Counts) { c.Echo = 0.8 }, 2},
		{"both", func(c *detecttest.Counts) { c.Echo, c.Spikes, c.SpikeSize = 0.8, 2, 40 }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			for i := range 12 {
				s := counts(uint64(900+i), []float64{0.2, 2, 20}[i%3], 42)
				c.change(&s)
				rows, err := offline.ReadCSV("f", strings.NewReader(file(s, nil)))
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range offline.Detect("f", rows, offline.Auto, nil).Events {
					if onset, _ := offline.ParseTime(e.Onset); onset.After(monday.Add(28 * day)) {
						n++
					}
				}
			}
			t.Logf("%d events", n)
			if n > c.most {
				t.Errorf("%d events, want at most %d", n, c.most)
			}
		})
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{
		"timestamp,value\n2025-03-10 09:45:00,3\n", "value,timestamp\n1e30,2025-03-10T09:45:00Z\n-5,0001-01-01\n",
		"timestamp,value\n9999-12-31 23:59:59,NaN\n0000-01-01 00:00:00,1\n", "timestamp,value\n\"a\nb\",1\n", "timestamp,value,n\n2025-03-10 09:45:00,3,5\n2025-03-10 09:50:00,6,5\n2025-03-10 09:55:00,2,1e15\n", "\xef\xbb\xbftimestamp,value\n,\n",
		"timestamp,value\n2025-03-10 09:45:00.999999,0.5\n2025-03-10 09:45:00.999999,0.5\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := offline.ReadCSV("f", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, kind := range []offline.Kind{offline.Auto, offline.Count, offline.Gauge, offline.Ratio} {
			r := offline.Detect("f", rows, kind, nil)
			if len(r.Scores) != len(rows) {
				t.Fatalf("%d scores for %d rows", len(r.Scores), len(rows))
			}
			for _, s := range r.Scores {
				if math.IsNaN(s) || s < 0 || s > 1 {
					t.Fatalf("score %v", s)
				}
			}
		}
	})
}

// In a file too, people get up by their own clock.
func TestAClockChangeInAFileOpensNothingWhereTheClockIsKnown(t *testing.T) {
	london, err := calendar.In("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	c := detecttest.Counts{
		Seed: 7, Start: time.Date(2025, 3, 10, 0, 0, 0, 0, time.UTC), Width: 5 * time.Minute, Bins: 28 * 288,
		Base: 50, Night: 0.01, Size: 40, Zone: london.Zone(),
	}
	var rows []offline.Row
	for _, s := range c.Samples(faultline.Series{}) {
		rows = append(rows, offline.Row{At: s.Start, Value: s.Value, Known: true})
	}
	for place, want := range map[*calendar.Place]bool{london: false, nil: true} {
		n := 0
		for _, e := range offline.Detect("f", rows, offline.Count, place).Events {
			if e.Onset >= "2025-03-24" {
				n++
			}
		}
		if (n > 0) != want {
			t.Errorf("place known: %v: %d events after two weeks, want some: %v", place != nil, n, want)
		}
	}
}

// A daily count is held against Sundays on a holiday of its country.
func TestAHolidayInDailyCountsOpensNothingWhereItIsKnown(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var rows []offline.Row
	for at := time.Date(2024, 9, 2, 0, 0, 0, 0, time.UTC); at.Year() < 2026; at = at.AddDate(0, 0, 1) {
		mean := 1000.0
		if at.Weekday() == time.Sunday || at.Equal(time.Date(2025, 10, 3, 0, 0, 0, 0, time.UTC)) {
			mean = 100
		}
		rows = append(rows, offline.Row{At: at, Value: math.Round(mean * (1 + 0.05*r.NormFloat64())), Known: true})
	}
	for _, c := range []struct {
		place *calendar.Place
		want  int
	}{{calendar.Of("DE"), 0}, {calendar.Of("GB"), 1}, {nil, 1}} {
		n := 0
		for _, e := range offline.Detect("f", rows, offline.Count, c.place).Events {
			if e.Onset >= "2025-06-01" {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%v: %d events, want %d", c.place, n, c.want)
		}
	}
}
