package report_test

import (
	"net/http"
	"slices"
	"testing"

	"faultline"
	"faultline/api/apitest"
)

// TestReportsKeepTheContract sends what the contract allows and what it does not,
// and holds both the requests and the answers against it.
func TestReportsKeepTheContract(t *testing.T) {
	c := apitest.Load(t)
	for name, d := range map[string]struct {
		body, schema string
		status       int
	}{
		"all fields":          {`{"service":"x","symptom":"slow","surface":"app","since":"2026-03-10T11:30:00Z","country":"gb"}`, "Accepted", http.StatusAccepted},
		"it works":            {`{"service":"x","surface":"api","works":true}`, "Accepted", http.StatusAccepted},
		"an array":            {`[` + good + `,` + good + `]`, "AcceptedBatch", http.StatusAccepted},
		"an unknown field":    {`{"service":"x","symptom":"slow","surface":"app","mood":"bad"}`, "Problem", http.StatusBadRequest},
		"an unknown symptom":  {`{"service":"x","symptom":"sad","surface":"app"}`, "Problem", http.StatusUnprocessableEntity},
		"a missing surface":   {`{"service":"x","symptom":"slow"}`, "Problem", http.StatusUnprocessableEntity},
		"an unknown surface":  {`{"service":"x","symptom":"slow","surface":"fax"}`, "Problem", http.StatusUnprocessableEntity},
		"a country of three":  {`{"service":"x","symptom":"slow","surface":"app","country":"GBR"}`, "Problem", http.StatusUnprocessableEntity},
		"a time that is none": {`{"service":"x","symptom":"slow","surface":"app","since":"noon"}`, "Problem", http.StatusUnprocessableEntity},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRig(t, setup{}).post(d.body, nil)
			if w.Code != d.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if faults := c.Check(d.schema, w.Body.Bytes()); len(faults) > 0 {
				t.Errorf("the answer breaks the contract: %v", faults)
			}
			if name == "an array" {
				return
			}
			if broken := len(c.Check("Report", []byte(d.body))) > 0; broken != (d.status != http.StatusAccepted) {
				t.Errorf("the intake answers %d, and by the contract the request is broken: %v", d.status, broken)
			}
		})
	}
}

// TestTheContractListsWhatTheIntakeTakes: its lists are the vocabulary's.
func TestTheContractListsWhatTheIntakeTakes(t *testing.T) {
	c := apitest.Load(t)
	for _, s := range faultline.Symptoms() {
		for _, u := range faultline.Surfaces() {
			if faults := c.Check("Report", []byte(`{"service":"x","symptom":"`+string(s)+`","surface":"`+string(u)+`"}`)); len(faults) > 0 {
				t.Errorf("%s, %s: %v", s, u, faults)
			}
		}
	}
	names, required := c.Fields("Report")
	if !slices.Equal(names, []string{"country", "service", "since", "surface", "symptom", "works"}) || !slices.Equal(required, []string{"service", "surface"}) {
		t.Errorf("fields %v, of which %v are needed", names, required)
	}
}
