package chart

import (
	"math"
	"strconv"
	"strings"
)

// Sample is a value and where it stood.
type Sample struct {
	Index int
	Value float64
}

// Extremes keeps at most columns values: of each column the largest, or with
// minima the smallest. A column in which nothing is known is Unknown; one in
// which something is known is not.
func Extremes(v []float64, columns int, minima bool) []Sample {
	if columns < 1 {
		columns = 1
	}
	if len(v) <= columns {
		columns = len(v)
	}
	out := make([]Sample, 0, columns)
	for c := range columns {
		from, to := c*len(v)/columns, (c+1)*len(v)/columns
		best := Sample{from, Unknown}
		for i := from; i < to; i++ {
			if !math.IsNaN(v[i]) && (math.IsNaN(best.Value) || (minima && v[i] < best.Value) || (!minima && v[i] > best.Value)) {
				best = Sample{i, v[i]}
			}
		}
		out = append(out, best)
	}
	return out
}

// known gives the stretches [from, to) in which both lists hold values.
func known(a, b []float64) (out [][2]int) {
	from := -1
	n := min(len(a), len(b))
	for i := 0; i <= n; i++ {
		ok := i < n && !math.IsNaN(a[i]) && !math.IsNaN(b[i])
		if ok && from < 0 {
			from = i
		}
		if !ok && from >= 0 {
			out, from = append(out, [2]int{from, i}), -1
		}
	}
	return out
}

func largest(l *Lane) (m float64) {
	for _, list := range append([][]float64{l.High}, values(l.Lines)...) {
		for _, v := range list {
			if v > m { // false for NaN
				m = v
			}
		}
	}
	return m
}

func values(lines []Series) [][]float64 {
	out := make([][]float64, len(lines))
	for i, l := range lines {
		out[i] = l.V
	}
	return out
}

// niceMax is the top of a scale: 4 × 1, 2, 2.5 or 5 × a power of ten, so that
// four ticks are round numbers; at least 4.
func niceMax(m float64) float64 {
	if m <= 4 {
		return 4
	}
	unit := math.Pow10(int(math.Floor(math.Log10(m / 4))))
	for _, k := range []float64{1, 2, 2.5, 5, 10} {
		if s := 4 * k * unit; s >= m && s == math.Trunc(s) {
			return s
		}
	}
	return 40 * unit
}

// ticks divides a scale by four, or by two where four gives fractions.
func ticks(scale float64) []float64 {
	n := 4.0
	if q := scale / 4; q != math.Trunc(q) {
		n = 2
	}
	if scale == 100 {
		n = 2
	}
	out := make([]float64, 0, 5)
	for i := 0.0; i <= n; i++ {
		out = append(out, scale*i/n)
	}
	return out
}

// Number writes a count with thousands set off: "21,450"; fractions with at
// most one decimal.
func Number(v float64) string {
	if v != math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	var b strings.Builder
	if v < 0 {
		b.WriteString("−")
	}
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
