// Package backtest scores what a detector said of recorded series against
// windows that people labelled.
//
// In: per series the times, a score for each row and the labelled windows. Out:
// the score of the Numenta Anomaly Benchmark (Lavin and Ahmad, "Evaluating
// real-time anomaly detection algorithms", ICMLA 2015, arXiv 1510.03336),
// computed from that description. It opens no files. The same input gives the
// same result.
//
// The benchmark rewards the first detection in a window, the more the earlier,
// and charges each detection outside of one. Its windows are hours to days wide
// and begin before what they mark: it ranks detectors, and says nothing about
// minutes to detect.
package backtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"time"
)

// Window is a labelled stretch of time; both ends belong to it.
type Window struct{ From, To time.Time }

// Series is what a detector said of one series: a score for each row, in the
// order of time, higher for stranger, and what was labelled in it.
type Series struct {
	Name    string
	Times   []time.Time
	Scores  []float64
	Windows []Window // in order, not overlapping
}

// Profile is what each outcome is worth.
type Profile struct {
	Name string
	Hit  float64 // a window's first detection, at its beginning
	Miss float64 // a window without one, taken away
	Fake float64 // a detection far from any window, taken away
}

// Profiles are the three of the benchmark.
func Profiles() []Profile {
	return []Profile{{"standard", 1, 1, 0.11}, {"low_fp", 1, 1, 0.22}, {"low_fn", 1, 2, 0.11}}
}

// Result is how a detector did over all series.
type Result struct {
	Threshold float64
	Score     float64 // 100 finds all at once and nothing else; 0 says nothing
	Windows   int
	Found     int
	Fakes     int // rows at or above the threshold outside of windows
}

// head is the share of a series that is for learning, of at most its first headRows.
const (
	head     = 0.15
	headRows = 5000
)

// position is what a detection is worth by where it stands to the right edge
// of a window, in window lengths: 1 far before, 0 on it, −1 far behind.
func position(y float64) float64 {
	if y > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*y)) - 1
}

// mark is a row that may be a detection.
type mark struct {
	score  float64
	window int     // number among all windows, −1 outside
	worth  float64 // of 1 for a hit, of −1 for a fake
}

// marks lists the rows of a series after its head that have a score. first is
// the number of its first window.
func (s *Series) marks(first int) []mark {
	var out []mark
	spans := s.spans()
	for i := int(head * float64(min(len(s.Times), headRows))); i < len(s.Times); i++ {
		if s.Scores[i] > 0 {
			m := worth(spans, i)
			m.score = s.Scores[i]
			if m.window >= 0 {
				m.window += first
			}
			out = append(out, m)
		}
	}
	return out
}

// span is a window as rows, both ends included.
type span struct{ left, right int }

func (s *Series) spans() []span {
	out := make([]span, 0, len(s.Windows))
	for _, w := range s.Windows {
		left := sort.Search(len(s.Times), func(i int) bool { return !s.Times[i].Before(w.From) })
		right := sort.Search(len(s.Times), func(i int) bool { return s.Times[i].After(w.To) }) - 1
		out = append(out, span{left, right})
	}
	return out
}

// worth is what a detection at row i brings or costs.
func worth(spans []span, i int) mark {
	m := mark{window: -1, worth: -1}
	for k, w := range spans {
		switch {
		case i >= w.left && i <= w.right:
			return mark{window: k, worth: position(-float64(w.right-i+1)/float64(w.right-w.left+1)) / position(-1)}
		case i > w.right && w.right > w.left:
			m.worth = position(float64(i-w.right) / float64(w.right-w.left))
		}
	}
	return m
}

// tally adds detections up, from the highest score down.
type tally struct {
	p            Profile
	best         []float64 // per window, what its best detection brings
	raw          float64
	found, fakes int
}

func (t *tally) take(m mark) {
	if m.window < 0 {
		t.raw += t.p.Fake * m.worth
		t.fakes++
		return
	}
	was := &t.best[m.window]
	if math.IsNaN(*was) {
		t.found++
		t.raw += t.p.Miss
		*was = 0
	}
	if now := t.p.Hit * m.worth; now > *was {
		t.raw += now - *was
		*was = now
	}
}

func (t *tally) result(threshold float64) Result {
	n := float64(len(t.best))
	r := Result{Threshold: threshold, Windows: len(t.best), Found: t.found, Fakes: t.fakes}
	if n > 0 {
		r.Score = 100 * (t.raw + n*t.p.Miss) / (n * (t.p.Hit + t.p.Miss))
	}
	return r
}

// begin sorts the marks of all series and makes an empty tally.
func begin(all []Series, p Profile) ([]mark, *tally) {
	var marks []mark
	windows := 0
	for i := range all {
		marks = append(marks, all[i].marks(windows)...)
		windows += len(all[i].Windows)
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(b.score, a.score) })
	t := &tally{p: p, best: make([]float64, windows), raw: -p.Miss * float64(windows)}
	for i := range t.best {
		t.best[i] = math.NaN()
	}
	return marks, t
}

// At scores all series at one threshold.
func At(all []Series, p Profile, threshold float64) Result {
	marks, t := begin(all, p)
	for _, m := range marks {
		if m.score >= threshold {
			t.take(m)
		}
	}
	return t.result(threshold)
}

// Best scores all series at the one threshold that is best for them: what the
// benchmark publishes. It is chosen in hindsight, so quote At beside it.
func Best(all []Series, p Profile) Result {
	marks, t := begin(all, p)
	best := t.result(math.Inf(1))
	for i, m := range marks {
		t.take(m)
		if last := i == len(marks)-1 || marks[i+1].score < m.score; !last {
			continue
		}
		if r := t.result(m.score); r.Score > best.Score {
			best = r
		}
	}
	return best
}

// ReadWindows reads labels: a JSON object of series names, each with a list of
// pairs of times. parse reads a time. Windows come back in order.
func ReadWindows(in io.Reader, parse func(string) (time.Time, error)) (map[string][]Window, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read labels: %w", err)
	}
	var raw map[string][][2]string
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf(`read labels: line %d: %s: want {"GROUP/NAME.csv": [["from","to"], …]}`, lineOf(text, err), plain(err))
	}
	out := map[string][]Window{}
	for name, pairs := range raw {
		windows := []Window{}
		for _, pair := range pairs {
			w, err := window(pair, parse)
			if err != nil {
				return nil, fmt.Errorf("read labels of %s: %w", name, err)
			}
			windows = append(windows, w)
		}
		slices.SortFunc(windows, func(a, b Window) int { return a.From.Compare(b.From) })
		out[name] = windows
	}
	return out, nil
}

// lineOf is the line, from 1, in which text stops being what was wanted.
func lineOf(text []byte, err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(len(text))
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	return 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
}

// plain is an error of the decoder without names of the language's types.
func plain(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return "found " + kind.Value
	}
	return err.Error()
}

func window(pair [2]string, parse func(string) (time.Time, error)) (Window, error) {
	from, err := parse(pair[0])
	if err != nil {
		return Window{}, err
	}
	to, err := parse(pair[1])
	if err != nil {
		return Window{}, err
	}
	if to.Before(from) {
		return Window{}, fmt.Errorf("the window %s to %s ends before it begins", pair[0], pair[1])
	}
	return Window{from, to}, nil
}
