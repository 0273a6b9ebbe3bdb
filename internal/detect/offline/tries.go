package offline

import (
	"fmt"
	"math"
	"strconv"
)

// maxTries is how many may be tried in a row; beyond it floats skip whole numbers.
const maxTries = 1 << 53

// tries is how many were tried in the row, of which Value succeeded; 0 if either is
// not known. It says what is wrong with them.
func (r *Row) tries() (float64, error) {
	if !r.Known || blank(r.Tried) {
		return 0, nil
	}
	n, err := strconv.ParseFloat(r.Tried, 64)
	switch {
	case err != nil || !(n >= 0 && n <= maxTries && n == math.Trunc(n)):
		return 0, fmt.Errorf("cannot use n %q: write how many were tried, a whole number from 0 up", r.Tried)
	case !(r.Value >= 0 && r.Value == math.Trunc(r.Value)):
		return 0, fmt.Errorf("value %s beside n %s: value is how many of the n succeeded, a whole number from 0 to n", r.Text, r.Tried)
	case r.Value > n:
		return 0, fmt.Errorf("value %s is more than n %s: value is how many of the n succeeded", r.Text, r.Tried)
	}
	return n, nil
}

// hasTries says whether some row has an n.
func hasTries(rows []Row) bool {
	for i := range rows {
		if !blank(rows[i].Tried) {
			return true
		}
	}
	return false
}

// ofTries says whether nine of ten rows that are known are successes of n: then the
// others are mistakes, and the column n means what it says.
func ofTries(rows []Row) bool {
	fit, other := 0, 0
	for i := range rows {
		switch n, err := rows[i].tries(); {
		case err != nil:
			other++
		case n > 0:
			fit++
		}
	}
	return fit > 0 && fit >= 9*other
}

// Check finds the first row of a ratio of n whose value and n do not fit. Files of
// other kinds, and ratios without n, have none.
func Check(name string, rows []Row, kind Kind) error {
	if kind == Auto && !ofTries(rows) || kind != Auto && kind != Ratio || !hasTries(rows) {
		return nil
	}
	for i := range rows {
		if _, err := rows[i].tries(); err != nil {
			return &FormatError{name, rows[i].Line, err.Error()}
		}
	}
	return nil
}
