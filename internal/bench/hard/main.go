// Command hard writes made-up series of report counts that are harder than life
// usually is, with known surges, so that a detector can be scored where the
// assumptions of its own model do not hold. The same seed gives the same files.
//
// Out, below -out: data/GROUP/NAME.csv with the columns timestamp, value and
// usual (the true mean without surges, which no detector may look at),
// windows.json (from and to of each surge) and events.json (onset, peak and end).
// With -oracle also oracle/GROUP/NAME.csv: timestamp, value and the score of a
// scan that knows the true mean, the limit of what can be found.
//
// What makes them hard: days differ in height and phase; noise lasts for an hour
// and more; a report brings others; a script or a batch fills single bins;
// ordinary things make people talk for half an hour; special days; a collector
// that falls silent and writes zeros; a level that drifts and sometimes steps.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

const (
	step   = 5 * time.Minute
	day    = 288 // bins
	layout = "2006-01-02 15:04:05"
)

var origin = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// surge is one that was put in, as events.json tells it.
type surge struct {
	Series string  `json:"series"`
	Kind   string  `json:"kind"`
	Onset  string  `json:"onset"`
	Peak   string  `json:"peak"`
	End    string  `json:"end"`
	Excess float64 `json:"expected_excess"`
}

func main() {
	out := flag.String("out", "", "folder to write")
	n := flag.Int("series", 240, "number of series")
	weeks := flag.Int("weeks", 6, "length in weeks")
	train := flag.Int("train", 4, "weeks before the first surge")
	seed := flag.Uint64("seed", 1, "seed")
	null := flag.Bool("null", false, "no surges: every event found is false")
	truth := flag.Bool("oracle", false, "write the scores of an oracle too")
	flag.Parse()
	if *out == "" || *train < 1 || *train >= *weeks {
		fmt.Fprintln(os.Stderr, "hard: needs -out, at least one week to learn, and one more")
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*out, *n, *weeks, *train, *seed, *null, *truth); err != nil {
		fmt.Fprintln(os.Stderr, "hard:", err)
		os.Exit(1)
	}
}

func write(out string, n, weeks, train int, seed uint64, null, truth bool) error {
	windows, surges := map[string][][2]string{}, []surge{}
	for k := range n {
		m := newMaker(rand.New(rand.NewPCG(seed, uint64(k)+1<<32)), k, weeks*7*day)
		name := fmt.Sprintf("base%g/h%03d.csv", bases[k%len(bases)], k)
		windows[name] = [][2]string{}
		if !null {
			m.surges(train * 7 * day)
		}
		m.count()
		for _, s := range m.put {
			s.Series = name
			surges = append(surges, s)
			windows[name] = append(windows[name], [2]string{s.Onset, s.End})
		}
		if err := rows(filepath.Join(out, "data", name), "usual", m.x, m.mean); err != nil {
			return err
		}
		if truth {
			if err := rows(filepath.Join(out, "oracle", name), "anomaly_score", m.x, oracle(m.x, m.mean, m.mute)); err != nil {
				return err
			}
		}
	}
	if err := writeJSON(filepath.Join(out, "windows.json"), windows); err != nil {
		return err
	}
	return writeJSON(filepath.Join(out, "events.json"), surges)
}

// rows writes one series; a negative count is a row that is missing.
func rows(path, column string, x []int, more []float64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "timestamp,value,%s\n", column)
	for i, v := range x {
		if v >= 0 {
			fmt.Fprintf(w, "%s,%d,%.4f\n", stamp(i), v, more[i])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func stamp(bin int) string { return origin.Add(time.Duration(bin) * step).Format(layout) }

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
