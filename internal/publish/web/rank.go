package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// measure is what a service's disruptions are ranked by.
type measure struct {
	Key, Most string // Key is also the last part of the list's address
	Title     string
	Rule      string
	of        func(*faultline.Incident, time.Time) (float64, bool) // false: not known
}

const counted = "Counted: the disruptions of this service that we hold, possible ones and those that go on among them; not those that were retracted or are part of another. Equal ones share a place."

// measures are the two ways to rank.
var measures = [...]measure{
	{"longest", "longest", "disruptions, longest first", counted + " Order: disrupted time, most first.", func(i *faultline.Incident, now time.Time) (float64, bool) {
		disrupted, _ := words.Lasting(i, now)
		return disrupted.Seconds(), true
	}},
	{"worst", "most severe", "disruptions, most severe first", counted + " Left out: those whose severity is not known. Order: severity, the value inside its range, most first.", func(i *faultline.Incident, _ time.Time) (float64, bool) {
		if i.Severity == nil {
			return 0, false
		}
		return i.Severity.Value, true
	}},
}

// ranked is an incident in the service's history.
type ranked struct {
	Rank int
	I    *faultline.Incident
	by   float64
}

// ranking is a service's history in the order of a measure.
type ranking struct {
	List    []ranked
	Since   time.Time // first start among them
	Unknown int       // left out, since the measure is not known of them
}

// rankingOf ranks a service's disruptions. Of equal ones the older comes first.
func rankingOf(svc *live.Service, by *measure, now time.Time) (out ranking) {
	for _, log := range svc.Incidents {
		i, _ := published(log.Now())
		if i.State == faultline.Retracted || i.MergedInto != "" {
			continue
		}
		value, known := by.of(i, now)
		if !known {
			out.Unknown++
			continue
		}
		out.List = append(out.List, ranked{I: i, by: value})
		if out.Since.IsZero() || i.Onset.Before(out.Since) {
			out.Since = i.Onset
		}
	}
	slices.SortFunc(out.List, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.by, a.by), a.I.Onset.Compare(b.I.Onset), cmp.Compare(a.I.ID, b.I.ID))
	})
	for k := range out.List {
		out.List[k].Rank = k + 1
		if k > 0 && out.List[k].by == out.List[k-1].by {
			out.List[k].Rank = out.List[k-1].Rank
		}
	}
	return out
}

// jsonRank is an incident's place in its service's history.
type jsonRank struct {
	By    string    `json:"by"`    // longest, worst
	Place int       `json:"place"` // from 1
	Of    int       `json:"of"`
	Since time.Time `json:"since"` // first start among them
	Text  string    `json:"text"`
	List  string    `json:"list"` // address of all of them, in this order
}

// ranksOf gives an incident's places: none when it does not count.
func (s *Site) ranksOf(svc *live.Service, id string, now time.Time) (out []jsonRank) {
	if svc == nil {
		return nil
	}
	for k := range measures {
		by := &measures[k]
		all := rankingOf(svc, by, now)
		at := slices.IndexFunc(all.List, func(r ranked) bool { return r.I.ID == id })
		if at < 0 {
			continue
		}
		place, of := all.List[at].Rank, len(all.List)
		out = append(out, jsonRank{by.Key, place, of, all.Since, words.Rank(place, of, by.Most, all.Since), s.d.Base + "/s/" + string(svc.ID) + "/" + by.Key})
	}
	return out
}

// rankingPage is the query behind a rank, with its answer.
type rankingPage struct {
	By      *measure
	Service *live.Service
	All     ranking
	Now     time.Time
}

func (s *Site) rankingPage(v *live.View, svc *live.Service, by *measure) rankingPage {
	return rankingPage{by, svc, rankingOf(svc, by, v.At), v.At}
}

func (p *rankingPage) title() string { return p.Service.Name + ": " + p.By.Title }

// rankingTarget is /s/{service}/longest or /worst, as a page, JSON or CSV.
func (s *Site) rankingTarget(by *measure) func([]string, string, faultline.Country) (target, bool) {
	return func(args []string, form string, _ faultline.Country) (target, bool) {
		of := func(f func(*live.View, rankingPage) ([]byte, error)) draw {
			return s.ofService(faultline.ServiceID(args[0]), func(v *live.View, svc *live.Service) ([]byte, error) {
				return f(v, s.rankingPage(v, svc, by))
			})
		}
		if form == "csv" {
			d := of(s.rankingCSV)
			return target{draw: d, contentType: typeCSV}, d != nil
		}
		return forms{html: of(s.drawRanking), json: of(s.rankingJSON)}.target(form)
	}
}

func (s *Site) drawRanking(v *live.View, p rankingPage) ([]byte, error) {
	path := "/s/" + string(p.Service.ID) + "/" + p.By.Key
	return s.page("ranking", frame{Title: p.title(), Nav: "services", Path: path, Live: true, Twin: path + ".json", Now: v.At, Data: p})
}

// rankingDoc is the twin of a ranking.
type rankingDoc struct {
	head
	Service faultline.ServiceID `json:"service"`
	By      string              `json:"by"`
	Rule    string              `json:"rule"`
	Since   time.Time           `json:"since,omitzero"`
	Unknown int                 `json:"left_out"`
	List    []jsonRanked        `json:"incidents"`
}

// jsonRanked is a line of a ranking.
type jsonRanked struct {
	Rank      int                 `json:"rank"`
	ID        string              `json:"id"`
	Revision  int                 `json:"revision"`
	Onset     time.Time           `json:"onset"`
	End       time.Time           `json:"end,omitzero"`
	State     faultline.State     `json:"state"`
	Worst     faultline.State     `json:"worst"`
	Disrupted faultline.Seconds   `json:"disrupted_s"`
	Severity  *faultline.Severity `json:"severity,omitempty"`
}

func (p *rankingPage) lines() []jsonRanked {
	out := []jsonRanked{}
	for _, r := range p.All.List {
		disrupted, _ := words.Lasting(r.I, p.Now)
		out = append(out, jsonRanked{r.Rank, r.I.ID, r.I.Revision, r.I.Onset, r.I.End, r.I.State, r.I.Worst, faultline.Seconds(disrupted), r.I.Severity})
	}
	return out
}

func (s *Site) rankingJSON(v *live.View, p rankingPage) ([]byte, error) {
	return encode(rankingDoc{s.head(v, p.title()), p.Service.ID, p.By.Key, p.By.Rule, p.All.Since, p.All.Unknown, p.lines()})
}

func (s *Site) rankingCSV(_ *live.View, p rankingPage) ([]byte, error) {
	var b bytes.Buffer
	if s.d.Replay != nil {
		b.WriteString("# replay: " + s.d.Replay.Notice + "\n")
	}
	w := csv.NewWriter(&b)
	rows := [][]string{{"rank", "id", "revision", "onset", "end", "state", "worst", "disrupted_s", "severity_h", "severity_low_h", "severity_high_h"}}
	for _, l := range p.lines() {
		row := []string{strconv.Itoa(l.Rank), l.ID, strconv.Itoa(l.Revision), l.Onset.UTC().Format(time.RFC3339), "", string(l.State), string(l.Worst), fmt.Sprint(faultline.Round(time.Duration(l.Disrupted).Seconds(), 3)), "", "", ""}
		if !l.End.IsZero() {
			row[4] = l.End.UTC().Format(time.RFC3339)
		}
		if x := l.Severity; x != nil {
			row[8], row[9], row[10] = fmt.Sprint(x.Value), fmt.Sprint(x.Low), fmt.Sprint(x.High)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write ranking: %w", err)
	}
	return b.Bytes(), nil
}
