package web

import (
	"html"
	"strings"
	"testing"

	"faultline"
	"faultline/api/apitest"
	"faultline/internal/publish/live"
)

// A service that is reported because of another: the page, its twin and the
// revisions say so, and the contract holds.
func TestAServiceThatIsBlamedIsNotCalledDown(t *testing.T) {
	m := busy()
	var next faultline.Incident
	for _, i := range fixtureIncidents() {
		if i.ID == "hexwell-2026-05-04" {
			next = i
		}
	}
	next.Revision++
	next.Blame = &faultline.Blame{
		Role: faultline.RoleBlamed, Party: faultline.Party{Service: "larkpost", Name: "Larkpost"}, Basis: faultline.BasisMeasured, P: 0.97, Since: at(13, 38), With: []faultline.ServiceID{"larkpost"},
		Text: "Reports about Hexwell Cloud began with those about Larkpost, at 13:38.", For: []string{"Our checks of Larkpost fail from 2 of 2 vantage points."}, Against: []string{"No check of ours measures Hexwell Cloud."},
	}
	m.Apply(live.Delta{At: noon, Incidents: []faultline.Incident{next}})
	s := newSite(t, m)
	page := html.UnescapeString(get(t, s, "/i/hexwell-2026-05-04").Body.String())
	for _, want := range []string{"Probably not Hexwell Cloud: the reports point to Larkpost", "Whom it points to", next.Blame.Text, next.Blame.For[0], next.Blame.Against[0], `href="/s/larkpost"`, "points to Larkpost (probably blamed)", "it is reported beside Larkpost", "For Larkpost"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the incident does not say %q", want)
		}
	}
	if service := html.UnescapeString(get(t, s, "/s/hexwell").Body.String()); !strings.Contains(service, "Probably not Hexwell Cloud") || !strings.Contains(service, next.Blame.Text) {
		t.Error("the page of the service does not say that it is blamed")
	}
	twin := get(t, s, "/i/hexwell-2026-05-04.json").Body.Bytes()
	hold(t, apitest.Load(t), "twin", "IncidentPage", twin)
	if !strings.Contains(string(twin), `"role":"probably_blamed"`) {
		t.Error("the twin does not have the role")
	}
}
