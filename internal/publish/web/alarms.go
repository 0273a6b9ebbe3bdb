package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// alarms is the site's own record over some days.
type alarms struct {
	Days        int         `json:"days"`
	Weeks       float64     `json:"series_weeks"` // for how long series of reports were watched
	Incidents   int         `json:"incidents"`    // opened in that time, without those merged into another
	Confirmed   int         `json:"confirmed"`    // at worst
	Retracted   int         `json:"retracted"`    // it was none
	Unconfirmed int         `json:"unconfirmed"`  // over, and never confirmed
	Open        int         `json:"open"`
	Known       jsonRate    `json:"known_false"`   // retracted, a series-week
	Most        jsonRate    `json:"at_most_false"` // with those never confirmed
	Reasons     []jsonCause `json:"reasons"`       // of retractions, most frequent first
	Cut         bool        `json:"cut"`           // older incidents of that time are no longer in memory
}

// jsonRate is a number a series-week, with its range of 95 %.
type jsonRate struct {
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// jsonCause is a reason and how often it was given.
type jsonCause struct {
	Reason string `json:"reason"`
	N      int    `json:"n"`
}

// reasonsShown is how many reasons are told.
const reasonsShown = 20

func alarmsOf(v *live.View) []alarms {
	out := []alarms{}
	for _, days := range []int{30, 90, 365} {
		out = append(out, alarmsIn(v, days))
	}
	return out
}

func alarmsIn(v *live.View, days int) alarms {
	a := alarms{Days: days, Weeks: faultline.Round(v.Quality.Weeks(days), 2)}
	from, oldest := v.At.AddDate(0, 0, -days), v.At
	reasons := map[string]int{}
	for _, log := range v.Incidents {
		i := log.Now()
		if i.Opened.Before(oldest) {
			oldest = i.Opened
		}
		if !i.Opened.Before(from) && i.MergedInto == "" {
			a.add(i, reasons)
		}
	}
	a.Cut = v.Full && oldest.After(from)
	a.Known, a.Most = rateOf(a.Retracted, a.Weeks), rateOf(a.Retracted+a.Unconfirmed, a.Weeks)
	a.Reasons = []jsonCause{}
	for reason, n := range reasons {
		a.Reasons = append(a.Reasons, jsonCause{reason, n})
	}
	slices.SortFunc(a.Reasons, func(a, b jsonCause) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	a.Reasons = a.Reasons[:min(len(a.Reasons), reasonsShown)]
	return a
}

func (a *alarms) add(i *faultline.Incident, reasons map[string]int) {
	a.Incidents++
	switch {
	case i.State == faultline.Retracted:
		a.Retracted++
		reasons[cmp.Or(i.Reason, "no reason was given")]++
	case i.Worst == faultline.Confirmed:
		a.Confirmed++
	case i.State.Open():
		a.Open++
	default:
		a.Unconfirmed++
	}
}

func rateOf(n int, weeks float64) jsonRate {
	rate, low, high := faultline.Rate(n, weeks)
	return jsonRate{faultline.Round(rate, 5), faultline.Round(low, 5), faultline.Round(high, 5)}
}

// Say is the record in a sentence.
func (a *alarms) Say() string {
	if a.Weeks == 0 {
		return "No series was watched for long enough to say how often that is."
	}
	s := fmt.Sprintf("In %s days and %s series-weeks %d of %s %s taken back: %s in a thousand series-weeks (%s to %s).", words.Count(float64(a.Days)), oneDigit(a.Weeks),
		a.Retracted, words.Plural(float64(a.Incidents), "incident", "incidents"), map[bool]string{true: "was", false: "were"}[a.Retracted == 1],
		oneDigit(1000*a.Known.Rate), oneDigit(1000*a.Known.Low), oneDigit(1000*a.Known.High))
	if a.Unconfirmed > 0 {
		s += fmt.Sprintf(" %d more ended without ever being confirmed: reports alone confirm nothing, so some were real and some were not. If all were false, it would be %s (%s to %s).",
			a.Unconfirmed, oneDigit(1000*a.Most.Rate), oneDigit(1000*a.Most.Low), oneDigit(1000*a.Most.High))
	}
	if a.Cut {
		s += " There were more incidents than are held here; the oldest are not in it."
	}
	return s
}

func oneDigit(x float64) string {
	if x >= 100 {
		return words.Count(x)
	}
	return fmt.Sprintf("%.1f", x)
}

// baselineDoc says how old the baselines are.
type baselineDoc struct {
	Series       int          `json:"series"`
	Distribution []ageRow     `json:"distribution"`
	Services     []serviceAge `json:"services"`
}

// ageRow is how many baselines are of an age.
type ageRow struct {
	Name string            `json:"name"`
	From faultline.Seconds `json:"from_s"` // included
	N    int               `json:"series"`
}

// serviceAge is the youngest and the oldest baseline of a service: of the world's
// series and the countries' that are shown.
type serviceAge struct {
	ID       faultline.ServiceID `json:"id"`
	Name     string              `json:"name"`
	Series   int                 `json:"series"`
	Youngest faultline.Seconds   `json:"youngest_s"`
	Oldest   faultline.Seconds   `json:"oldest_s"`
}

// agesShown is how many services the page lists, the youngest baselines first.
const agesShown = 20

func (w *errorRecord) ages(v *live.View) {
	const day = faultline.Seconds(24 * time.Hour)
	w.Ages = []ageRow{{"less than 3 days: nothing is known of nights and weekends", 0, 0}, {"3 days to 2 weeks: hours of the day are known", 3 * day, 0}, {"2 to 8 weeks: hours of the week are known", 14 * day, 0}, {"8 weeks or more", 56 * day, 0}}
	all := []serviceAge{}
	for _, svc := range v.Services {
		if a := w.age(svc); a.Series > 0 {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b serviceAge) int { return cmp.Compare(a.Youngest, b.Youngest) })
	sum := 0
	for _, a := range all {
		sum += a.Series
	}
	w.doc.Baselines = baselineDoc{sum, w.Ages, all}
	w.Oldest = all[:min(len(all), agesShown)]
	w.Left = len(all) - len(w.Oldest)
}

// age looks at the newest readings of a service's lines.
func (w *errorRecord) age(svc *live.Service) serviceAge {
	a := serviceAge{ID: svc.ID, Name: svc.Name}
	for _, l := range append([]live.Line{svc.World}, svc.Countries...) {
		if l.Reading.At.IsZero() {
			continue
		}
		age := l.Reading.Age
		if a.Series++; a.Series == 1 {
			a.Youngest, a.Oldest = age, age
		}
		a.Youngest, a.Oldest = min(a.Youngest, age), max(a.Oldest, age)
		k := len(w.Ages) - 1
		for age < w.Ages[k].From {
			k--
		}
		w.Ages[k].N++
	}
	return a
}
