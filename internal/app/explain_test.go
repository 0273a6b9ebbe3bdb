package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"faultline"
)

func (s *sim) explain(id, token string) *httptest.ResponseRecorder {
	return s.do(http.MethodGet, "/console/explain?id="+id, "", "Authorization", "Bearer "+token)
}

func (s *sim) explained(id string) (x Explanation) {
	s.Helper()
	w := s.explain(id, consoleToken)
	if err := json.Unmarshal(w.Body.Bytes(), &x); err != nil || w.Code != http.StatusOK {
		s.Fatalf("%s: %d %s", id, w.Code, w.Body)
	}
	return x
}

// An incident is explained out of the store, with its events' working as it was
// kept, also after a restart and out of a store that was made anew.
func TestAnIncidentIsExplained(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	id := s.surge("beta")
	s.restart()
	x := s.explained(id)
	if x.Incident == nil || x.Incident.ID != id || len(x.Rules) < 4 || len(x.Events) == 0 || len(x.Events) != len(x.Incident.Events) {
		t.Fatalf("%+v", x)
	}
	for _, e := range x.Events {
		best, ok := e.Working.Decided()
		if !ok || e.Working.Rule != faultline.YoungRule || best.Seen < 20 || e.Working.Reporters < 20 {
			t.Errorf("%s: %+v", e.ID, e.Working)
		}
	}
	one := s.explained(x.Events[0].ID)
	if diff := cmp.Diff(x.Events[:1], one.Events); diff != "" || one.Incident != nil {
		t.Errorf("an event alone is explained otherwise:\n%s", diff)
	}
	if first := s.explained(id + "@1"); first.Incident.Revision != 1 || first.Events[0].At.After(first.Incident.At) {
		t.Errorf("revision 1: %+v", first.Incident)
	}
	s.close()
	if _, err := Rebuild(t.Context(), s.opts); err != nil {
		t.Fatal(err)
	}
	s.open()
	if diff := cmp.Diff(x, s.explained(id)); diff != "" {
		t.Errorf("a rebuilt store explains otherwise:\n%s", diff)
	}
}

func TestAnExplanationIsRefusedWithAReasonThatIsCounted(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	id := s.surge("beta")
	s.restart() // what is in the store is what can be explained
	for reason, c := range map[string]struct {
		id, token, says string
		status          int
	}{
		"unauthorized": {id, "wrong", "token of the console", http.StatusUnauthorized},
		"unknown_id":   {strings.Replace(id, "beta", "bets", 1), consoleToken, id, http.StatusNotFound},
	} {
		w := s.explain(c.id, c.token)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || s.counter(`faultline_export_refused_total{reason="`+reason+`"}`) != 1 {
			t.Errorf("%s: %d %s", reason, w.Code, w.Body)
		}
	}
}
