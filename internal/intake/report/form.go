package report

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseForm reads a form's body: fields symptom, surface, since, works and
// country, each at most once. Empty fields are fields that were left alone.
// The service stands in the address.
//
// since is RFC 3339, or what a form can offer without a script: "now", a time
// ago ("15m", "2h"), or the value of a datetime-local input, taken as UTC.
func parseForm(body []byte, service string, now time.Time) (*draft, *Problem) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, bad(ReasonMalformed, "", "the form is not application/x-www-form-urlencoded")
	}
	d := &draft{service: []byte(service), surface: []byte("web")}
	for _, name := range names(values) {
		if p := d.setFormField(name, values[name], now); p != nil {
			return nil, p
		}
	}
	return d, nil
}

// names lists the fields in order: which error comes first must not be chance.
func names(v url.Values) []string {
	all := make([]string, 0, len(v))
	for name := range v {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (d *draft) setFormField(name string, values []string, now time.Time) *Problem {
	i := fieldNumber([]byte(name))
	if i <= 0 {
		return unknownField([]byte(name))
	}
	if len(values) > 1 {
		return bad(ReasonMalformed, name, "%s is there twice", name)
	}
	value := strings.TrimSpace(values[0])
	switch {
	case value == "":
		return nil
	case name == "works":
		return d.setWorks(value)
	case name == "since":
		value = since(value, now)
	}
	*d.field(i) = []byte(value)
	return nil
}

func (d *draft) setWorks(value string) *Problem {
	switch strings.ToLower(value) {
	case "1", "true", "on", "yes":
		d.works = true
	case "0", "false", "off", "no":
	default:
		return bad(ReasonType, "works", "works wants 1 or nothing")
	}
	return nil
}

// since turns a form's words into RFC 3339, and leaves others as they are for
// the check to refuse.
func since(value string, now time.Time) string {
	if value == "now" {
		return now.UTC().Format(time.RFC3339)
	}
	if minutes, ok := ago(value); ok {
		return now.Add(-minutes).UTC().Format(time.RFC3339)
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, value); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	return value
}

// ago reads "15m" and "2h".
func ago(value string) (time.Duration, bool) {
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour}[value[len(value)-1]]
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 12)
	return time.Duration(n) * unit, unit > 0 && err == nil
}
