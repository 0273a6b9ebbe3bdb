package offline

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"faultline/internal/calendar"
)

// A FormatError says which line of a file cannot be read, and why.
type FormatError struct {
	File string
	Line int // from 1
	What string
}

// Error gives "file:line: what".
func (e *FormatError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What) }

// forms are the ways to write a time; the fraction of a second is optional.
var forms = []string{"2006-01-02 15:04:05", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"}

// ParseTime reads "2006-01-02 15:04:05[.ffffff]" (UTC) or RFC 3339.
func ParseTime(s string) (time.Time, error) {
	for _, form := range forms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("cannot read the time %q: write it as 2006-01-02 15:04:05 or RFC 3339", s)
}

// maxRows bounds a file: two years of seconds.
const maxRows = 64 << 20

// ReadCSV reads rows from a CSV file with a header line that names the columns
// timestamp and value, and may name n: how many were tried, of which value
// succeeded. name is used in errors. An empty value, NaN or null is a row that is
// not known. What stands in n is judged by Check, since files of another kind may
// have a column of that name.
func ReadCSV(name string, in io.Reader) ([]Row, error) {
	r := csv.NewReader(bufio.NewReader(in))
	r.ReuseRecord, r.FieldsPerRecord, r.TrimLeadingSpace = true, -1, true
	head, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, &FormatError{name, 1, "the file is empty: the first line must name the columns timestamp and value"}
	case err != nil:
		return nil, csvError(name, err)
	}
	c := columnsOf(head)
	if c.at < 0 || c.value < 0 {
		return nil, &FormatError{name, 1, fmt.Sprintf("the first line names %q: it must name the columns timestamp and value", strings.Join(head, ","))}
	}
	var rows []Row
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, csvError(name, err)
		}
		line, _ := r.FieldPos(0)
		row, err := c.row(rec)
		if err != nil {
			return nil, &FormatError{name, line, err.Error()}
		}
		if len(rows) == maxRows {
			return nil, &FormatError{name, line, fmt.Sprintf("more than %d rows: split the file", maxRows)}
		}
		row.Line = line
		rows = append(rows, row)
	}
}

func csvError(name string, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return &FormatError{name, p.Line, p.Err.Error()}
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// columns are the places of timestamp, value and n in a header; −1 where there is
// none.
type columns struct{ at, value, n int }

func columnsOf(head []string) columns {
	c := columns{-1, -1, -1}
	places := map[string]*int{"timestamp": &c.at, "value": &c.value, "n": &c.n}
	for i, h := range head {
		place := places[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))]
		if place != nil && *place < 0 {
			*place = i
		}
	}
	return c
}

func (c columns) row(rec []string) (Row, error) {
	if last := max(c.at, c.value); last >= len(rec) {
		return Row{}, fmt.Errorf("%d columns, want at least %d", len(rec), last+1)
	}
	row := Row{Time: strings.Clone(strings.TrimSpace(rec[c.at])), Text: strings.Clone(strings.TrimSpace(rec[c.value]))}
	if c.n >= 0 && c.n < len(rec) {
		row.Tried = strings.Clone(strings.TrimSpace(rec[c.n]))
	}
	var err error
	if row.At, err = ParseTime(row.Time); err != nil {
		return Row{}, err
	}
	if blank(row.Text) {
		return row, nil
	}
	row.Value, err = strconv.ParseFloat(row.Text, 64)
	if err != nil || math.IsInf(row.Value, 0) || math.IsNaN(row.Value) || math.Abs(row.Value) > maxValue {
		return Row{}, fmt.Errorf("cannot read the value %q: write a decimal number within ±%g", row.Text, float64(maxValue))
	}
	row.Known = true
	return row, nil
}

// blank says that a field holds nothing that is known.
func blank(field string) bool {
	switch strings.ToLower(field) {
	case "", "nan", "null":
		return true
	}
	return false
}

// maxValue keeps squares and sums of values finite.
const maxValue = 1e30

// WriteScores writes timestamp,value,anomaly_score, with times and values as
// they were read.
func WriteScores(out io.Writer, rows []Row, scores []float64) error {
	w := csv.NewWriter(out)
	rec := []string{"timestamp", "value", "anomaly_score"}
	if err := w.Write(rec); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	for i := range rows {
		rec[0], rec[1], rec[2] = rows[i].Time, rows[i].Text, strconv.FormatFloat(scores[i], 'f', -1, 64)
		if err := w.Write(rec); err != nil {
			return fmt.Errorf("write scores: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	return nil
}

// WriteEvents writes a line of JSON for each event.
func WriteEvents(out io.Writer, events []Event) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for i := range events {
		if err := enc.Encode(&events[i]); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	return nil
}

// Read is ReadCSV, then Check.
func Read(name string, in io.Reader, kind Kind) ([]Row, error) {
	rows, err := ReadCSV(name, in)
	if err != nil {
		return nil, err
	}
	return rows, Check(name, rows, kind)
}

// Summary is what a run over one file found.
type Summary struct {
	Kind   Kind
	Rows   int
	Alarms int // rows at or above AlarmLevel
	Events int
}

// File reads one series, writes its scores and appends its events; scores or
// events may be nil. name is the path below the folder that was given: errors
// and events carry it.
func File(name string, in io.Reader, kind Kind, place *calendar.Place, scores, events io.Writer) (Summary, error) {
	rows, err := Read(name, in, kind)
	if err != nil {
		return Summary{}, err
	}
	r := Detect(name, rows, kind, place)
	s := Summary{Kind: r.Kind, Rows: len(rows), Events: len(r.Events)}
	for _, x := range r.Scores {
		if x >= AlarmLevel {
			s.Alarms++
		}
	}
	if scores != nil {
		if err := WriteScores(scores, rows, r.Scores); err != nil {
			return s, err
		}
	}
	if events != nil {
		if err := WriteEvents(events, r.Events); err != nil {
			return s, err
		}
	}
	return s, nil
}
