package web

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"faultline"
)

func TestAnIncidentSaysWhatFails(t *testing.T) {
	s := newSite(t, busy())
	body := get(t, s, "/i/larkpost-2026-05-04").Body.String()
	card := regexp.MustCompile(`(?s)id="h-what".*?</section>`).FindString(body)
	rows := regexp.MustCompile(`<tr><th scope="row">.*?</tr>`).FindAllString(card, -1)
	if len(rows) != 6 {
		t.Fatalf("%d rows; want three symptoms and three surfaces, those of fewer than three people left out:\n%s", len(rows), card)
	}
	for k, want := range [][]string{
		{"Can’t sign in", "stands out", ">5,400<", ">66 %<", ">12 %<", ">210 ×<"},
		{"Won’t open or load", ">24 ×<"},
		{"Very slow", ">none<"},
		{"App", "stands out", ">93 %<", ">61 ×<"},
		{"Website", ">6.0 ×<"},
		{"Interface for programs", ">4<", ">under 1 %<", ">too few<"},
	} {
		for _, w := range want {
			if !strings.Contains(rows[k], w) {
				t.Errorf("row %d has no %q: %s", k, w, rows[k])
			}
		}
		if len(want) == 2 && strings.Contains(rows[k], "stands out") {
			t.Errorf("stands out: %s", rows[k])
		}
	}
	const lede = "What stands out: “Can’t sign in”, <b>210 × the usual number</b>; the app, <b>93 % of the reports above usual</b>."
	for _, page := range []string{"/i/larkpost-2026-05-04", "/s/larkpost"} {
		if body := get(t, s, page).Body.String(); !strings.Contains(body, lede) {
			t.Errorf("%s does not say %q", page, lede)
		}
	}
	if old := get(t, s, "/i/larkpost-2026-05-04@1").Body.String(); strings.Contains(old, `id="h-what"`) {
		t.Error("a revision says what it did not know")
	}
}

func TestWhatFailsIsPublishedFromThreePeopleOn(t *testing.T) {
	s := newSite(t, busy())
	var doc struct{ Incident faultline.Incident }
	if err := json.Unmarshal(get(t, s, "/i/larkpost-2026-05-04.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if n := len(doc.Incident.What); n != 6 {
		t.Errorf("%d aspects: %+v", n, doc.Incident.What)
	}
	for _, a := range doc.Incident.What {
		if a.N < 3 {
			t.Errorf("%+v", a)
		}
	}
}

func TestARevisionNamesWhatCameToStandOut(t *testing.T) {
	list := fixtureIncidents()
	if got := changed(&list[1], &list[2]); !strings.Contains(got, "“Can’t sign in” stands out, the app stands out") {
		t.Error(got)
	}
}
