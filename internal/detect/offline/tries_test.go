package offline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/offline"
)

func TestValueAndNMustFit(t *testing.T) {
	good := strings.Repeat("2025-03-10 09:45:00,3,5\n", 30)
	for _, c := range []struct {
		name, rows string
		kind       offline.Kind
		err        string // "" for none
	}{
		{"successes of n", good, offline.Auto, ""},
		{"a row in which nothing was tried, and one in which n is empty", good + "2025-03-10 09:50:00,0,0\n2025-03-10 09:55:00,0,\n2025-03-10 09:59:00,,5\n", offline.Ratio, ""},
		{"more succeeded than were tried", good + "2025-03-10 09:50:00,6,5\n", offline.Auto, "f.csv:32: value 6 is more than n 5"},
		{"fewer than none succeeded", good + "2025-03-10 09:50:00,-1,5\n", offline.Ratio, "f.csv:32: value -1 beside n 5"},
		{"half a success", good + "2025-03-10 09:50:00,2.5,5\n", offline.Auto, "f.csv:32: value 2.5 beside n 5"},
		{"a share beside n", "2025-03-10 09:50:00,0.5,5\n", offline.Ratio, "f.csv:2: value 0.5 beside n 5"},
		{"n below zero", good + "2025-03-10 09:50:00,3,-5\n", offline.Ratio, `f.csv:32: cannot use n "-5"`},
		{"n that is no number", good + "2025-03-10 09:50:00,3,five\n", offline.Ratio, `f.csv:32: cannot use n "five"`},
		{"n that no float holds", good + "2025-03-10 09:50:00,3,1e17\n", offline.Ratio, `f.csv:32: cannot use n "1e17"`},
		{"a column n that means something else", "2025-03-10 09:50:00,3,x\n2025-03-10 09:55:00,8,y\n", offline.Auto, ""},
		{"a count with a column n", good + "2025-03-10 09:50:00,6,5\n", offline.Count, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := offline.Read("f.csv", strings.NewReader("timestamp,value,n\n"+c.rows), c.kind)
			var bad *offline.FormatError
			if c.err == "" && err != nil || c.err != "" && (!errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.err)) {
				t.Fatalf("%v; want %q", err, c.err)
			}
		})
	}
}

func TestGuessOfAColumnN(t *testing.T) {
	for _, c := range []struct {
		name, rows string
		want       offline.Kind
	}{
		{"successes of n", "3,5 0,0 5,5", offline.Ratio},
		{"successes of n, columns that hold more", "3,5 4,9", offline.Ratio},
		{"more than n", "6,5 8,5", offline.Count},
		{"shares beside n", "0.5,10 1,10", offline.Ratio},
		{"no n in any row", "3, 4,", offline.Count},
		{"nothing was ever tried", "0,0 0,0", offline.Count},
	} {
		text := "timestamp,value,N\n"
		for _, r := range strings.Fields(c.rows) {
			text += "2025-03-10 09:45:00," + r + "\n"
		}
		rows, err := offline.ReadCSV("f", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := offline.Guess(rows); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A file of checks from which the share falls by ten points, for an hour in which as
// many are tried as ever; and a night in which hardly any are.
func TestARatioOfNIsScanned(t *testing.T) {
	c := detecttest.Ratios{Seed: 4, Start: monday, Width: 5 * time.Minute, Bins: 10 * 288, Tries: 80, Share: 0.98, Noise: 0.2, Echo: 0.5}
	from := monday.Add(8*day + 13*time.Hour)
	c.Falls = []detecttest.Fall{{From: from, To: from.Add(time.Hour), Points: 0.1}}
	var b strings.Builder
	b.WriteString("n,timestamp,value\n")
	for i, s := range c.Samples(faultline.Series{}) {
		k, n := s.Value, s.N
		switch {
		case i >= 2000 && i < 2040: // a fifth is tried
			n, k = float64(int(n/5)), float64(int(n/5))
		case i >= 2100 && i < 2130: // none
			n, k = 0, 0
		}
		fmt.Fprintf(&b, "%g,%s,%g\n", n, s.Start.Format("2006-01-02 15:04:05"), k)
	}
	for _, kind := range []offline.Kind{offline.Auto, offline.Ratio} {
		var scores, events bytes.Buffer
		sum, err := offline.File("f", strings.NewReader(b.String()), kind, nil, &scores, &events)
		if err != nil || sum.Kind != offline.Ratio || sum.Events != 1 || sum.Alarms < 1 || sum.Alarms > 5 {
			t.Fatalf("%+v, %v, %s; want one event and 1 to 5 alarms", sum, err, events.String())
		}
		var e offline.Event
		if err := json.Unmarshal(events.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		onset, err := offline.ParseTime(e.Onset)
		if err != nil || onset.Sub(from).Abs() > 10*time.Minute || e.Kind != "drop" || e.P > 1e-6 || e.Excess > -60 || e.Excess < -140 {
			t.Errorf("%+v; want a drop at %v of about 96 successes", e, from)
		}
	}
}
