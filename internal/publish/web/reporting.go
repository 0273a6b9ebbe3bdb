package web

import (
	"net/http"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

type reportPage struct {
	Service  *live.Service
	Count    string
	Symptoms []faultline.Symptom
	Surfaces []faultline.Surface
	Place    faultline.Place
	HasPlace bool
	Replay   bool
}

// report is the form, or its twin. It is drawn for each reader, because it says
// where the reader seems to be; nothing about the reader is kept.
func (s *Site) report(w http.ResponseWriter, r *http.Request, id faultline.ServiceID, form string) {
	v := s.d.View()
	svc := v.Service(id)
	if svc == nil {
		s.notFound(w, r)
		return
	}
	p := reportPage{Service: svc, Symptoms: faultline.Symptoms(), Surfaces: []faultline.Surface{faultline.Web, faultline.App, faultline.API}, Replay: s.d.Replay != nil}
	if b := svc.World.Now(); b.Known() {
		p.Count = words.People(b.Value)
	}
	if s.d.Place != nil {
		p.Place, p.HasPlace = s.d.Place(r), true
	}
	if form == "json" {
		s.reportJSON(w, r, v, p)
		return
	}
	path := "/s/" + string(id) + "/report"
	s.now(w, r, http.StatusOK, "report", frame{Title: "Report a problem with " + svc.Name, Nav: "services", Path: path, Twin: path + ".json", Now: v.At, Data: p})
}

// jsonChoice is an answer that the form offers.
type jsonChoice struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

func choices[T ~string](all []T, text func(T) string) (out []jsonChoice) {
	for _, x := range all {
		out = append(out, jsonChoice{string(x), text(x)})
	}
	return out
}

// reportDoc is the twin of the form: what a report may say, and where to send it.
type reportDoc struct {
	head
	ID       faultline.ServiceID `json:"id"`
	Name     string              `json:"name"`
	Post     string              `json:"post,omitempty"`
	Symptoms []jsonChoice        `json:"symptoms"`
	Surfaces []jsonChoice        `json:"surfaces"`
	Reports  *float64            `json:"reports_last_5_minutes"`
	Few      bool                `json:"fewer_than_3,omitempty"`
	Place    *faultline.Place    `json:"you_seem_to_be_in,omitempty"`
}

func (s *Site) reportJSON(w http.ResponseWriter, r *http.Request, v *live.View, p reportPage) {
	d := reportDoc{head: s.head(v, "Report a problem with "+p.Service.Name), ID: p.Service.ID, Name: p.Service.Name, Post: "/api/v1/reports"}
	d.Symptoms, d.Surfaces = choices(p.Symptoms, words.Symptom), choices(p.Surfaces, words.Surface)
	d.Reports, d.Few = newest(p.Service)
	if p.HasPlace {
		d.Place = &p.Place
	}
	if p.Replay { // it takes none
		d.Post = ""
	}
	b, err := encode(d)
	s.once(w, r, http.StatusOK, typeJSON, true, b, err)
}

// newest is the number of reports of the last five minutes as it may be printed.
func newest(svc *live.Service) (reports *float64, few bool) {
	b := jsonBins([]live.Bin{svc.World.Now()})[0]
	return b.Reports, b.Few
}

type thanksPage struct {
	Service *live.Service
	Verdict words.Verdict
	Others  string
	Open    *faultline.Incident
}

func (s *Site) thanks(v *live.View, svc *live.Service) thanksPage {
	p := thanksPage{Service: svc, Verdict: words.Say(s.facts(v, svc, ""))}
	if b := svc.World.Now(); b.Known() {
		p.Others = words.People(b.Value)
	}
	if i := svc.Open(); i != nil {
		p.Open = i.Now()
	}
	return p
}

func (s *Site) drawThanks(v *live.View, svc *live.Service) ([]byte, error) {
	path := "/s/" + string(svc.ID) + "/thanks"
	return s.page("thanks", frame{Title: "Thank you", Nav: "services", Path: path, Twin: path + ".json", Now: v.At, Data: s.thanks(v, svc)})
}

// thanksDoc is the twin of the page after a report.
type thanksDoc struct {
	head
	ID       faultline.ServiceID `json:"id"`
	Name     string              `json:"name"`
	Verdict  string              `json:"verdict"`
	Incident string              `json:"incident,omitempty"`
	Reports  *float64            `json:"reports_last_5_minutes"`
	Few      bool                `json:"fewer_than_3,omitempty"`
}

func (s *Site) thanksJSON(v *live.View, svc *live.Service) ([]byte, error) {
	p := s.thanks(v, svc)
	d := thanksDoc{head: s.head(v, "Thank you"), ID: svc.ID, Name: svc.Name, Verdict: p.Verdict.Headline}
	d.Reports, d.Few = newest(svc)
	if p.Open != nil {
		d.Incident = p.Open.ID
	}
	return encode(d)
}
