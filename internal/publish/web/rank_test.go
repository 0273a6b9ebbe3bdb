package web

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

func rankingDocOf(t *testing.T, s *site, path string) rankingDoc {
	t.Helper()
	var d rankingDoc
	if err := json.Unmarshal(get(t, s, path).Body.Bytes(), &d); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return d
}

func ids(d rankingDoc) (out []string) {
	for _, l := range d.List {
		out = append(out, l.ID)
	}
	return out
}

// The list behind a rank holds what was counted, in that order, and says so.
func TestTheQueryBehindARankListsWhatWasCounted(t *testing.T) {
	s := newSite(t, busy())
	long, bad := rankingDocOf(t, s, "/s/larkpost/longest.json"), rankingDocOf(t, s, "/s/larkpost/worst.json")
	if want := []string{"larkpost-2026-04-12", "larkpost-2026-05-04", "larkpost-2026-03-30"}; !slices.Equal(ids(long), want) || long.Unknown != 0 {
		t.Errorf("longest: %v, left out %d", ids(long), long.Unknown)
	}
	if want := []string{"larkpost-2026-05-04", "larkpost-2026-04-12"}; !slices.Equal(ids(bad), want) || bad.Unknown != 1 {
		t.Errorf("worst: %v, left out %d", ids(bad), bad.Unknown)
	}
	if day := long.Since.Format(time.DateOnly); day != "2026-03-30" || bad.Since.Format(time.DateOnly) != "2026-04-12" {
		t.Errorf("since %s and %s", day, bad.Since)
	}
	rows, err := csv.NewReader(strings.NewReader(get(t, s, "/s/larkpost/longest.csv").Body.String())).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v: %v", err, rows)
	}
	for k, l := range long.List {
		if rows[k+1][1] != l.ID || l.Rank != k+1 {
			t.Errorf("row %v of the CSV, line %+v of the JSON", rows[k+1], l)
		}
	}
	body := get(t, s, "/i/larkpost-2026-05-04").Body.String()
	for _, want := range []string{"2nd longest of 3 since 30 March 2026", "most severe of 2 since 12 April 2026", `href="/s/larkpost/longest.json"`, `href="/s/larkpost/worst.csv"`, "between 3 and 98 of 100 people who use it", "as far as reports and checks can tell", "2 h 6 min (8 min to 5 h)", "for 7 % of the time nothing is known", `<td class="n hm">between 3 and 98 of 100</td>`, `<td class="n hm">can’t tell</td>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestARankIsOfNowAndOfWhatCounts(t *testing.T) {
	s := newSite(t, busy())
	for path, want := range map[string][]string{
		"/i/larkpost-2026-05-04.json":   {"2nd longest of 3 since 30 March 2026", "most severe of 2 since 12 April 2026"},
		"/i/larkpost-2026-05-04@1.json": nil, // an old revision is kept as it was
		"/i/hexwell-2026-05-04.json":    {"the first that we hold"},
		"/i/quillmail-2026-05-01.json":  nil, // retracted
	} {
		var d incidentDoc
		if err := json.Unmarshal(get(t, s, path).Body.Bytes(), &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var got []string
		for _, r := range d.Ranks {
			got = append(got, r.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	replay := newSite(t, busy(), replaying)
	if body := get(t, replay, replay.d.Base+"/s/larkpost/longest.csv").Body.String(); !strings.HasPrefix(body, "# replay: ") {
		t.Errorf("a replay's list is not labelled: %.80s", body)
	}
}

func TestEqualDisruptionsShareAPlace(t *testing.T) {
	svc := &live.Service{}
	for k, minutes := range []int{30, 60, 30, 10} {
		i := faultline.Incident{ID: string(rune('a' + k)), State: faultline.Resolved, Onset: at(0, 0).AddDate(0, 0, -k), End: at(1, 0), Disrupted: faultline.Seconds(time.Duration(minutes) * time.Minute)}
		svc.Incidents = append(svc.Incidents, &live.Incident{Revisions: []faultline.Incident{i}})
	}
	merged := faultline.Incident{ID: "m", State: faultline.Resolved, MergedInto: "a", Disrupted: faultline.Seconds(9 * time.Hour)}
	svc.Incidents = append(svc.Incidents, &live.Incident{Revisions: []faultline.Incident{merged}})
	var got []string
	for _, r := range rankingOf(svc, &measures[0], noon).List {
		got = append(got, r.I.ID+" "+string(rune('0'+r.Rank)))
	}
	if want := []string{"b 1", "c 2", "a 2", "d 4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
