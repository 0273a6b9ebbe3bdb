package app

import (
	"testing"
	"time"

	"faultline"
)

// A start that continues from a snapshot shows at once what was known, though
// nothing has changed since.
func TestAStatusSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := consoleSim(t)
	s.pass(5*time.Minute, func() { s.check("beta", ""); s.check("alpha", faultline.ConnectionRefused) })
	for _, when := range []string{"before", "after"} {
		view := s.app.model.View()
		for id, want := range map[faultline.ServiceID]faultline.State{"beta": faultline.Fine, "alpha": faultline.Possible} {
			if got := view.Service(id).Status; got.State != want || got.Since.IsZero() {
				t.Errorf("%s the restart %s is %q since %s, want %s", when, id, got.State, got.Since, want)
			}
		}
		s.restart()
	}
}
