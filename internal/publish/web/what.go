package web

import (
	"faultline"
	"faultline/internal/publish/words"
)

// aspect is a row of the tables of what fails.
type aspect struct {
	What   string
	N      string
	Share  string
	Usual  string
	Ratio  string
	Stands bool
}

// aspectsOf are the rows of a published incident: symptoms, and surfaces.
func aspectsOf(i *faultline.Incident) (symptoms, surfaces []aspect) {
	for k := range i.What {
		a := &i.What[k]
		row := aspect{N: words.People(a.N), Share: words.Percent(a.Share), Usual: words.Percent(a.Usual), Ratio: "none", Stands: a.StandsOut}
		switch {
		case a.Ratio > 0 && a.N >= ratioFrom:
			row.Ratio = words.Times(a.Ratio)
		case a.Ratio > 0:
			row.Ratio = "too few"
		}
		if a.Surface != "" {
			row.What = words.Surface(a.Surface)
			surfaces = append(surfaces, row)
			continue
		}
		row.What = words.Symptom(a.Symptom)
		symptoms = append(symptoms, row)
	}
	return symptoms, surfaces
}
