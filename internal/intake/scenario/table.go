package scenario

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline"
	"faultline/internal/settings"
)

// reader reads the tables of a folder; the first error stays.
type reader struct {
	fsys fs.FS
	dir  string
	s    *Scenario
	err  error
}

// row is one line of a table. Its getters note the first fault.
type row struct {
	file   string
	line   int
	names  []string
	fields []string
	fault  error
}

// each reads a table and hands on its rows. A table that is missing has none;
// columns must be those named, in any order.
func (r *reader) each(file string, columns string, take func(*row)) {
	if r.err != nil {
		return
	}
	file = path.Join(r.dir, file)
	b, err := readFile(r.fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = eachRow(file, b, strings.Split(columns, ","), take)
	}
	r.err = err
}

func eachRow(file string, b []byte, columns []string, take func(*row)) error {
	c := csv.NewReader(bytes.NewReader(b))
	head, err := c.Read()
	if err != nil {
		return csvError(file, c, err)
	}
	if err := checkHead(file, head, columns); err != nil {
		return err
	}
	for n := 1; ; n++ {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return csvError(file, c, err)
		}
		line, _ := c.FieldPos(0)
		rw := &row{file: file, line: line, names: head, fields: fields}
		if n > maxRows {
			rw.bad("more than %d rows", maxRows)
		} else {
			take(rw)
		}
		if rw.fault != nil {
			return rw.fault
		}
	}
}

func csvError(file string, c *csv.Reader, err error) error {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return &settings.Error{File: file, Line: pe.Line, What: pe.Err.Error()}
	}
	if errors.Is(err, io.EOF) {
		return &settings.Error{File: file, Line: 1, What: "is empty: the first line names the columns"}
	}
	line, _ := c.FieldPos(0)
	return &settings.Error{File: file, Line: line, What: err.Error()}
}

func checkHead(file string, head, columns []string) error {
	for i, name := range head {
		if !slices.Contains(columns, name) {
			return &settings.Error{File: file, Line: 1, What: fmt.Sprintf("unknown column %q", name), Near: settings.Nearest(name, columns)}
		}
		if slices.Contains(head[:i], name) {
			return &settings.Error{File: file, Line: 1, What: fmt.Sprintf("column %q twice", name)}
		}
	}
	for _, name := range columns {
		if !slices.Contains(head, name) {
			return &settings.Error{File: file, Line: 1, What: fmt.Sprintf("column %q is missing", name)}
		}
	}
	return nil
}

// bad notes a fault of the row unless it has one.
func (r *row) bad(format string, args ...any) {
	if r.fault == nil {
		r.fault = &settings.Error{File: r.file, Line: r.line, What: fmt.Sprintf(format, args...)}
	}
}

// text is a field; asking for a column that the table does not name is a
// mistake of this package and shows as a fault.
func (r *row) text(name string) string {
	i := slices.Index(r.names, name)
	if i < 0 {
		r.bad("column %q is missing", name)
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// word is a field that may not be empty.
func (r *row) word(name string) string {
	s := r.text(name)
	if s == "" {
		r.bad("%s is empty", name)
	}
	return s
}

// number is a decimal number from low to high.
func (r *row) number(name string, low, high float64) float64 {
	x, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil || math.IsNaN(x) || x < low || x > high {
		r.bad("%s %q: want a number from %v to %v", name, r.text(name), low, high)
		return low
	}
	return x
}

// whole is a whole number from low to high.
func (r *row) whole(name string, low, high int) int {
	n, err := strconv.Atoi(r.text(name))
	if err != nil || n < low || n > high {
		r.bad("%s %q: want a whole number from %d to %d", name, r.text(name), low, high)
		return low
	}
	return n
}

// percent is a percentage as basis points.
func (r *row) percent(name string) uint64 { return basisPoints(r.number(name, 0, 100) / 100) }

// time is a whole minute in UTC.
func (r *row) time(name string) time.Time {
	t, err := wholeMinute(r.text(name))
	if err != nil {
		r.bad("%s %v", name, err)
	}
	return t
}

// span is the columns from and to.
func (r *row) span(from, to string) (a, b time.Time) {
	a, b = r.time(from), r.time(to)
	if !b.After(a) {
		r.bad("%s must come after %s", to, from)
	}
	return a, b
}

func (r *row) country() faultline.Country {
	c := faultline.Country(r.text("country"))
	if !c.Valid() {
		r.bad("country %q: want an ISO 3166 code in capitals", c)
	}
	return c
}

func (r *row) asn() faultline.ASN {
	n, err := strconv.ParseUint(r.text("asn"), 10, 32)
	if err != nil {
		r.bad("asn %q: want the number of an autonomous system", r.text("asn"))
	}
	return faultline.ASN(n)
}

// service is a service that the manifest lists.
func (r *row) service(s *Scenario) faultline.ServiceID {
	id := faultline.ServiceID(r.text("service"))
	if !slices.ContainsFunc(s.Services, func(x faultline.Service) bool { return x.ID == id }) {
		r.bad("service %q is not listed in scenario.yaml", id)
	}
	return id
}
