package web

import (
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// jsonOnMap is a country on a map: nobody is counted below three.
type jsonOnMap struct {
	Country faultline.Country `json:"country"`
	Name    string            `json:"name"`
	Step    int               `json:"step"`
	State   string            `json:"state"`
	Ratio   *float64          `json:"times_usual"` // of the service that stands worst; null: too few
	Reports *float64          `json:"reports"`     // null: fewer than three
	Area    bool              `json:"on_map"`
	About   []jsonTrouble     `json:"services"`
}

// jsonTrouble is a service with trouble in a country.
type jsonTrouble struct {
	ID    faultline.ServiceID `json:"id"`
	Name  string              `json:"name"`
	Ratio float64             `json:"times_usual"`
}

// jsonMoment is how countries stood at a moment of an incident.
type jsonMoment struct {
	From      time.Time   `json:"from,omitzero"` // missing: each country at its worst, by the record
	What      string      `json:"what"`
	Countries []jsonOnMap `json:"countries"`
}

// jsonReached is what the vantage points of a country reach.
type jsonReached struct {
	Country  faultline.Country `json:"country"`
	Vantages int               `json:"vantages"`
	Step     int               `json:"step"`
	State    string            `json:"state"`
	OK       *int              `json:"reached"` // null: fewer than three vantage points speak there
	N        *int              `json:"checks"`
}

// mapDoc is the twin of a map.
type mapDoc struct {
	head
	Verdict   string              `json:"verdict"`
	Detail    string              `json:"detail"`
	Service   faultline.ServiceID `json:"service,omitempty"`
	From      time.Time           `json:"from,omitzero"`
	To        time.Time           `json:"to,omitzero"`
	Countries []jsonOnMap         `json:"countries"`
	Unsure    int                 `json:"areas_unknown"`
	Incident  string              `json:"incident,omitempty"`
	Moments   []jsonMoment        `json:"moments"`
	Vantages  int                 `json:"vantages"`
	Reached   []jsonReached       `json:"reached"`
}

func (s *Site) mapJSON(v *live.View, svc *live.Service) ([]byte, error) {
	services := ofMap(v, svc)
	end := newestEnd(services)
	list := standings(services, end)
	ver := s.sayWhere(v, svc, list)
	d := mapDoc{head: s.head(v, ver.Headline), Verdict: ver.Headline, Detail: ver.Text(), Countries: s.onMap(list), Unsure: s.unsure(list), Moments: []jsonMoment{}, Reached: []jsonReached{}}
	if !end.IsZero() {
		d.From, d.To = end.Add(-mapWindow), end
	}
	if svc != nil {
		d.Service = svc.ID
		moments, i := momentsOf(svc, end)
		for _, m := range moments {
			d.Moments = append(d.Moments, jsonMoment{m.From, m.What, s.onMap(m.Standings)})
		}
		if len(moments) > 0 {
			d.Incident = i.ID
		}
	}
	reach, vantages := reachedFrom(services, v.At)
	d.Vantages = vantages
	for i := range reach {
		d.Reached = append(d.Reached, reachedJSON(&reach[i]))
	}
	return encode(d)
}

func (s *Site) onMap(list []standing) []jsonOnMap {
	out := make([]jsonOnMap, 0, len(list))
	for i := range list {
		x := &list[i]
		j := jsonOnMap{Country: x.Country, Name: words.Country(x.Country), Step: int(x.Step), State: words.Standing(int(x.Step), x.Doubt), Area: s.world.Has(string(x.Country)), About: []jsonTrouble{}}
		if x.Ratio > 0 {
			r := faultline.Round(x.Ratio, 1)
			j.Ratio = &r
		}
		if x.Reports >= live.MinReporters {
			n := faultline.Round(x.Reports, 0)
			j.Reports = &n
		}
		for _, t := range x.Trouble {
			j.About = append(j.About, jsonTrouble{t.Service.ID, t.Service.Name, faultline.Round(t.Ratio(), 1)})
		}
		out = append(out, j)
	}
	return out
}

func reachedJSON(r *reached) jsonReached {
	j := jsonReached{Country: r.Country, Vantages: r.Vantages, Step: int(r.Step), State: words.ReachStep(int(r.Step))}
	if r.Step > 0 {
		j.OK, j.N = &r.OK, &r.N
	}
	return j
}
