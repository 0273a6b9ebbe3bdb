package words

import (
	"fmt"
	"strings"
	"time"

	"faultline"
)

// Event says in a sentence what a detector found in one series. Times are UTC.
func Event(e *faultline.Event) string {
	when := e.Onset.UTC().Format("15:04")
	if e.End.IsZero() {
		when = "from " + when
	} else {
		when += " to " + e.End.UTC().Format("15:04")
	}
	if e.Kind == faultline.Unreachable {
		return fmt.Sprintf("%s could not reach it, %s: %s", e.Series.Vantage, when, strings.TrimSpace(Failure(e.Failure)+" "+Op(e.Op)))
	}
	out := fmt.Sprintf("Reports %s, %s", inSeries(e.Series), when)
	if e.PeakValue < 3 {
		return out
	}
	out += fmt.Sprintf(": %s in %s", Count(e.PeakValue), Duration(time.Duration(e.PeakWidth)))
	if e.PeakUsual >= 1 {
		return out + ", where " + Count(e.PeakUsual) + " are usual"
	}
	return out + ", where hardly any are usual"
}

func inSeries(s faultline.Series) string {
	switch s.Level {
	case faultline.InCountry:
		return "in " + The(s.Country)
	case faultline.InASN:
		return "in the network " + s.ASN.String() + ", " + Country(s.Country)
	case faultline.BySymptom:
		return "of “" + Symptom(s.Symptom) + "”"
	case faultline.BySurface:
		return "about " + TheSurface(s.Surface)
	}
	return "in the world"
}

// SeriesName names a series in a cell of a table.
func SeriesName(s faultline.Series) string {
	switch s.Level {
	case faultline.InCountry:
		return Country(s.Country)
	case faultline.InASN:
		return s.ASN.String() + ", " + Country(s.Country)
	case faultline.BySymptom:
		return Symptom(s.Symptom)
	case faultline.BySurface:
		return TheSurface(s.Surface)
	}
	return "The world"
}

// UsualCount writes what is usual in a window; below one it says so.
func UsualCount(v float64) string {
	if v < 1 {
		return "hardly any"
	}
	return Count(v)
}
