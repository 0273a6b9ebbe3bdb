package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"faultline"
	"faultline/internal/publish/live"
)

func TestTheIncidentPageSaysHowWeKnow(t *testing.T) {
	s := newSite(t, eventful())
	body := get(t, s, "/i/larkpost-2026-05-04").Body.String()
	for _, want := range []string{
		"How we know this", "The world", "10 min to 4 May, 14:05", "4,100", "132", "less than 1 in 1,000,000,000", "1 in 1,000,000, 5 people in 3 networks", `href="/method#chance"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if body := get(t, s, "/i/tallybank-2026-05-02").Body.String(); strings.Contains(body, "How we know this") {
		t.Error("an incident whose events are gone has the section")
	}
}

// Fewer than three people are not told in the twin either.
func TestTheTwinsWorkingHoldsNoFew(t *testing.T) {
	var doc incidentDoc
	if err := json.Unmarshal(get(t, newSite(t, eventful()), "/i/larkpost-2026-05-04.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	w := doc.Evidence[len(doc.Evidence)-1].Working
	for _, e := range doc.Evidence {
		if e.ID == "e2" {
			w = e.Working
		}
	}
	best, ok := w.Decided()
	if !ok || len(w.Windows) != 1 || best.Seen != 4100 {
		t.Errorf("%+v", w)
	}
	if whole := worked(); len(whole.Windows) != 2 || publishedWorking(nil) != nil {
		t.Error("the record was changed")
	}
	few := worked()
	few.Best = 0
	if publishedWorking(few) != nil {
		t.Error("a window of two people decided, and is told")
	}
}

// A surge of a hundred networks does not fill the page: six rows, the widest
// series first, and how many are left.
func TestThePageTellsAFewEventsOnly(t *testing.T) {
	m := eventful()
	var d live.Delta
	i := *m.View().Incident("larkpost-2026-05-04").Now()
	i.Revision++
	for n := range 30 {
		e := faultline.Event{ID: fmt.Sprintf("n%d", n), Revision: 1, Series: faultline.Series{Metric: faultline.MetricReports, Service: "larkpost", Level: faultline.InASN, Country: "GB", ASN: faultline.ASN(1000 + n)}, Kind: faultline.Surge, Onset: at(13, 40), LogP: float64(n), Working: worked()}
		d.Events = append(d.Events, e)
		i.Events = append(i.Events[:len(i.Events):len(i.Events)], e.ID)
	}
	d.Incidents = []faultline.Incident{i}
	m.Apply(d)
	h := howOf(m.View().Service("larkpost"), &i)
	if len(h.Counts) != howShown || h.Left != 25 || h.Counts[0].Where != "The world" || !strings.HasPrefix(h.Counts[1].Where, "AS1029,") {
		t.Errorf("%d rows, %d left: %+v", len(h.Counts), h.Left, h.Counts)
	}
	if body := get(t, newSite(t, m), "/i/larkpost-2026-05-04").Body.String(); !strings.Contains(body, "25 more events") {
		t.Error("the page does not say what it leaves out")
	}
}
