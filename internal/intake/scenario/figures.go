package scenario

import (
	"time"

	"faultline"
)

// Figure is one published number about the day.
type Figure struct {
	ID      string
	At      time.Time // when it holds; end of the interval where one was given
	Country faultline.Country
	// Metric is peak (largest 15 minutes of a wave), rate (the 15 minutes to
	// At), since (from the wave's onset to At), total (the day), share_app,
	// share_web or share_server (percent of a wave).
	Metric  string
	Value   float64
	Wave    string // "" for none
	Use     string // built_in, check, or misfit: known not to fit
	By      string // who published it
	Title   string
	Address string
	Quality string // A, B or C: how near the text is to its source, not whether it is true
	Note    string
}

const figureColumns = "id,at,country,metric,value,wave,use,published_by,title,address,quality,note"

// Comparison is a published number with the scenario's own beside it.
type Comparison struct {
	Figure
	Got float64
}

func (r *reader) figure(rw *row) {
	f := Figure{
		ID: rw.word("id"), At: rw.time("at"), Country: rw.country(), Metric: rw.text("metric"), Value: rw.number("value", 0, 1e9),
		Wave: rw.text("wave"), Use: rw.text("use"), By: rw.word("published_by"), Title: rw.text("title"), Address: rw.text("address"),
		Quality: rw.text("quality"), Note: rw.text("note"),
	}
	switch f.Metric {
	case "rate", "total":
	case "peak", "since", "share_app", "share_web", "share_server":
		if r.s.figureWave(&f) < 0 {
			rw.bad("metric %s needs a wave of waves.csv, not %q", f.Metric, f.Wave)
		}
	default:
		rw.bad("metric %q: want peak, rate, since, total, share_app, share_web or share_server", f.Metric)
	}
	if f.Use != "built_in" && f.Use != "check" && f.Use != "misfit" {
		rw.bad("use %q: want built_in, check or misfit", f.Use)
	}
	if f.Quality != "A" && f.Quality != "B" && f.Quality != "C" {
		rw.bad("quality %q: want A, B or C", f.Quality)
	}
	r.s.Figures = append(r.s.Figures, f)
}

func (s *Scenario) figureWave(f *Figure) int { return s.waveNamed(s.Services[0].ID, f.Wave) }

// Compare counts the day's problem reports of the first service again, from
// the observations themselves, and sets each published figure beside them.
// Shares are compared with the table that the reports were drawn from: which
// of them were "server connection" cannot be told from a report.
func (s *Scenario) Compare() []Comparison {
	t := s.tally(s.Day, s.To)
	out := make([]Comparison, len(s.Figures))
	for i, f := range s.Figures {
		out[i] = Comparison{f, s.value(&f, t)}
	}
	return out
}

// tally is problem reports per minute of a country; "ZZ" is the world.
type tally struct {
	from   time.Time
	counts map[faultline.Country][]int
}

func (s *Scenario) tally(from, to time.Time) tally {
	t := tally{from: from, counts: map[faultline.Country][]int{}}
	n := int(to.Sub(from) / time.Minute)
	for o := range s.Between(from, to) {
		r, ok := o.Payload.(*faultline.Report)
		if !ok || r.Works || r.Service != s.Services[0].ID {
			continue
		}
		for _, c := range []faultline.Country{r.Country, faultline.UnknownCountry} {
			if t.counts[c] == nil {
				t.counts[c] = make([]int, n)
			}
			t.counts[c][int(o.At.Sub(from)/time.Minute)]++
		}
	}
	return t
}

// between is the sum over [from, to).
func (t tally) between(c faultline.Country, from, to time.Time) int {
	a, b := int(from.Sub(t.from)/time.Minute), int(to.Sub(t.from)/time.Minute)
	counts := t.counts[c]
	return sum(counts[min(max(a, 0), len(counts)):min(max(b, 0), len(counts))])
}

func (s *Scenario) value(f *Figure, t tally) float64 {
	const width = bin * time.Minute
	switch f.Metric {
	case "rate":
		return float64(t.between(f.Country, f.At.Add(-width), f.At))
	case "total":
		return float64(t.between(f.Country, s.Day, s.Day.Add(day)))
	}
	w := s.Waves[s.figureWave(f)]
	switch f.Metric {
	case "since":
		return float64(t.between(f.Country, w.Onset, f.At))
	case "peak":
		most := 0
		for at := w.Onset; at.Before(w.End); at = at.Add(time.Minute) {
			most = max(most, t.between(f.Country, at, at.Add(width)))
		}
		return float64(most)
	}
	return s.surfaceShare(f)
}

func (s *Scenario) surfaceShare(f *Figure) float64 {
	c, err := mix(s.tables.surfaces, mixKey{s.Services[0].ID, f.Wave, string(f.Country)})
	if err != nil {
		return 0
	}
	i := map[string]int{"share_app": 0, "share_web": 1, "share_server": 2}[f.Metric]
	return faultline.Round(100*float64(c.weight(i))/float64(c.total()), 1)
}
