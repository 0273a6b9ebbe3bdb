package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// head is what every JSON document begins with.
type head struct {
	Title   string    `json:"title"`
	At      time.Time `json:"at,omitzero"`      // data time; missing until there is any
	Replay  bool      `json:"replay,omitempty"` // true: these records did not happen now
	Notice  string    `json:"notice,omitempty"`
	Licence string    `json:"licence"`
}

const licence = "CC-BY-4.0"

func (s *Site) head(v *live.View, title string) head {
	h := head{Title: title, At: v.At, Licence: licence}
	if s.d.Replay != nil {
		h.Replay, h.Notice, h.Title = true, s.d.Replay.Notice, "Replay: "+title
	}
	return h
}

func encode(x any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}

// jsonBin is five minutes as published: no number below three.
type jsonBin struct {
	Start    time.Time `json:"start"`
	Reports  *float64  `json:"reports"` // null: not known, or fewer than three
	Few      bool      `json:"fewer_than_3,omitempty"`
	Usual    *float64  `json:"usual"`
	Low      *float64  `json:"low"`
	High     *float64  `json:"high"`
	Complete float64   `json:"complete"`
}

func jsonBins(bins []live.Bin) []jsonBin {
	out := make([]jsonBin, 0, len(bins))
	for _, b := range bins {
		j := jsonBin{Start: b.Start, Complete: b.Complete, Few: b.Known() && b.Few()}
		if b.Known() && !b.Few() {
			j.Reports = &b.Value
		}
		if b.Band {
			j.Usual, j.Low, j.High = &b.Expected, &b.Low, &b.High
		}
		out = append(out, j)
	}
	return out
}

type jsonStatus struct {
	ID       faultline.ServiceID `json:"id"`
	Name     string              `json:"name"`
	Category string              `json:"category,omitempty"`
	State    faultline.State     `json:"state"`
	Since    time.Time           `json:"since,omitzero"`
	Reason   string              `json:"reason,omitempty"`
	Incident string              `json:"incident,omitempty"`
	Awake    []string            `json:"awake"`
	Verdict  string              `json:"verdict"`
	Detail   string              `json:"detail"`
	Ratio    *float64            `json:"times_usual"` // of the newest five minutes; null: no usual number, or fewer than five reports
	Origin   faultline.Origin    `json:"origin,omitempty"`
}

// status is a service's state; with a country, sentence and ratio are of the
// reports from there.
func (s *Site) status(v *live.View, svc *live.Service, c faultline.Country) jsonStatus {
	f := s.facts(v, svc, c)
	ver := words.Say(f)
	j := jsonStatus{
		ID: svc.ID, Name: svc.Name, Category: svc.Category, State: f.State, Since: svc.Status.Since, Reason: svc.Status.Reason,
		Awake: append([]string{}, svc.Status.Awake...), Verdict: ver.Headline, Detail: ver.Text(), Origin: svc.Origin,
	}
	if i := svc.Open(); i != nil {
		j.Incident = i.Now().ID
	}
	j.Ratio = ratioOf(lineOf(svc, c))
	return j
}

// ratioOf is how many times the usual number the newest five minutes hold.
func ratioOf(l *live.Line) *float64 {
	if l == nil || l.Now().Value < 5 {
		return nil
	}
	r, ok := l.Now().Ratio()
	if !ok {
		return nil
	}
	r = faultline.Round(r, 1)
	return &r
}

// homeDoc is the twin of the home page.
type homeDoc struct {
	head
	Verdict   string                `json:"verdict"`
	Detail    string                `json:"detail"`
	Services  int                   `json:"services"`
	Unusual   []jsonStatus          `json:"most_unusual"`
	Incidents []*faultline.Incident `json:"open_incidents"`
}

func (s *Site) homeJSON(v *live.View) ([]byte, error) {
	p := s.home(v)
	var list []jsonStatus
	for _, r := range p.Rows {
		list = append(list, s.status(v, r.Service, ""))
	}
	var open []*faultline.Incident
	for _, i := range v.Incidents {
		if i.Now().State.Open() {
			open = append(open, shownOf(i))
		}
	}
	return encode(homeDoc{s.head(v, p.Verdict.Headline), p.Verdict.Headline, p.Verdict.Text(), p.Services, nonNil(list), nonNil(open)})
}

// shownOf is the newest revision as it may be published.
func shownOf(log *live.Incident) *faultline.Incident {
	i, _ := published(log.Now())
	return i
}

func nonNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// servicesDoc is the twin of the list of services.
type servicesDoc struct {
	head
	Services []jsonStatus `json:"services"`
}

func (s *Site) servicesJSON(v *live.View) ([]byte, error) {
	list := []jsonStatus{}
	for _, svc := range v.Services {
		list = append(list, s.status(v, svc, ""))
	}
	return encode(servicesDoc{s.head(v, "Services"), list})
}

type jsonReach struct {
	Start    time.Time `json:"start"`
	OK       int       `json:"reached"`
	N        int       `json:"checks"`
	Impaired int       `json:"not_counted,omitempty"`
}

type jsonVantage struct {
	Vantage  string               `json:"vantage"`
	Target   string               `json:"target"`
	Place    faultline.Place      `json:"place"`
	At       time.Time            `json:"at"`
	Reached  bool                 `json:"reached"`
	Counts   bool                 `json:"counts"`
	Failure  faultline.Failure    `json:"failure,omitempty"`
	Op       faultline.Op         `json:"op,omitempty"`
	Impaired faultline.Impairment `json:"impaired,omitempty"`
}

type jsonCountry struct {
	Country faultline.Country `json:"country"`
	Name    string            `json:"name"`
	Reports float64           `json:"reports_last_hour"`
	State   string            `json:"state"`
}

// serviceDoc is the twin of a service's page.
type serviceDoc struct {
	head
	jsonStatus
	Country   faultline.Country     `json:"country,omitempty"`
	Bins      []jsonBin             `json:"last_24_hours"`
	Reach     []jsonReach           `json:"reachability"`
	Vantages  []jsonVantage         `json:"vantages"`
	Countries []jsonCountry         `json:"countries"`
	Incidents []*faultline.Incident `json:"incidents"`
}

func (s *Site) serviceJSON(v *live.View, svc *live.Service, c faultline.Country) ([]byte, error) {
	var bins []live.Bin
	if l := lineOf(svc, c); l != nil {
		bins = l.Bins
	}
	st := s.status(v, svc, c)
	var reach []jsonReach
	for _, r := range svc.Reach {
		reach = append(reach, jsonReach(r))
	}
	var vantages []jsonVantage
	for _, x := range svc.Vantages {
		vantages = append(vantages, jsonVantage{x.Vantage, x.Target, x.Place, x.At, x.Reached, x.Counts, x.Failure, x.Op, x.Impaired})
	}
	var countries []jsonCountry
	shown, _ := places(svc)
	for _, p := range shown {
		countries = append(countries, jsonCountry{p.Country, words.Country(p.Country), faultline.Round(svc.Country(p.Country).Sum(12), 0), p.State})
	}
	var incidents []*faultline.Incident
	for _, i := range svc.Incidents {
		incidents = append(incidents, shownOf(i))
	}
	return encode(serviceDoc{s.head(v, st.Verdict), st, c, jsonBins(bins), nonNil(reach), nonNil(vantages), nonNil(countries), nonNil(incidents)})
}

// incidentsDoc is the twin of the list of incidents, newest onset first.
type incidentsDoc struct {
	head
	Incidents []*faultline.Incident `json:"incidents"`
}

func (s *Site) incidentsJSON(v *live.View) ([]byte, error) {
	list := []*faultline.Incident{}
	for _, i := range v.Incidents {
		list = append(list, shownOf(i))
	}
	return encode(incidentsDoc{s.head(v, "Incidents"), list})
}

// jsonRevision is a line of the list of revisions.
type jsonRevision struct {
	Revision int       `json:"revision"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Changed  string    `json:"changed"`
}

// incidentDoc is the twin of an incident's page, or of one revision of it.
type incidentDoc struct {
	head
	Incident *faultline.Incident `json:"incident"`
	Verdict  string              `json:"verdict"`
	Detail   string              `json:"detail"`
	Why      string              `json:"why"`
	HowBad   string              `json:"how_bad"`
	Ranks    []jsonRank          `json:"ranks"` // none of an old revision, or of one that does not count
	Citation string              `json:"citation"`
	Newest   int                 `json:"newest_revision"`
	Revs     []jsonRevision      `json:"revisions"`
	Evidence []jsonEvent         `json:"evidence"` // events behind it that are in memory, newest onset first
}

func (s *Site) incidentJSON(v *live.View, log *live.Incident, i *faultline.Incident, pinned bool) ([]byte, error) {
	p := s.incidentPage(v, log, i, pinned)
	var revs []jsonRevision
	for _, r := range p.Revisions {
		revs = append(revs, jsonRevision{r.N, r.At, r.By, r.Changed})
	}
	return encode(incidentDoc{s.head(v, p.Verdict.Headline), p.I, p.Verdict.Headline, p.Verdict.Text(), p.Verdict.Why.Note, p.Bad.Text(), nonNil(p.Ranks), p.Cite + ", " + p.Address, p.Newest, nonNil(revs), evidenceOf(v, i)})
}
