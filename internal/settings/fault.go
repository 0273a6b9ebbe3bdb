package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Fault is a value of the right kind that cannot work.
type Fault struct {
	Key  string // below the section that was checked, as "interval"
	What string // the value, and what is allowed
}

// Faults collects what cannot work; it is an error once there is something in
// it. The zero value is ready to use.
type Faults []Fault

// Error gives a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Key + ": " + f[i].What
	}
	return strings.Join(lines, "\n")
}

// Err is nil when nothing was found.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Under gives the faults as those of a section.
func (f Faults) Under(section string) (out Faults) {
	out.Take(section, f.Err())
	return out
}

// Take adds what a section's own check found, with keys below the section. An
// error of another kind is about the section as a whole.
func (f *Faults) Take(section string, err error) {
	var found Faults
	if err != nil && !errors.As(err, &found) {
		found.Say("", "%v", err)
	}
	for _, x := range found {
		f.Say(join(section, x.Key), "%s", x.What)
	}
}

// Say adds a fault of a key.
func (f *Faults) Say(key, format string, args ...any) {
	*f = append(*f, Fault{Key: key, What: fmt.Sprintf(format, args...)})
}

// Between wants a value from least to most; NaN is outside.
func Between[T cmp.Ordered](f *Faults, key string, got, least, most T) {
	if !(got >= least && got <= most) {
		f.Say(key, "%s: give %s to %s", Show(got), Show(least), Show(most))
	}
}

// NothingOr wants zero, which means what meaning says, or a value from least to
// most.
func NothingOr[T cmp.Ordered](f *Faults, key, meaning string, got, least, most T) {
	var zero T
	if got != zero && !(got >= least && got <= most) {
		f.Say(key, "%s: give 0 (%s), or %s to %s", Show(got), meaning, Show(least), Show(most))
	}
}

// Show writes a value as it would stand in the file: 6h and not 6h0m0s.
func Show(v any) string {
	switch v := v.(type) {
	case time.Duration:
		s := v.String()
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
		return s
	case float64:
		return fmt.Sprintf("%.12g", v)
	}
	return fmt.Sprint(v)
}
