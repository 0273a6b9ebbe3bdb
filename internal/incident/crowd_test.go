package incident_test

import (
	"fmt"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident"
)

// Where very many services are watched a surge must be more surprising, or chance
// makes some possible each week. Those that fell silent do not count.
func TestManyServicesShareOneFalseAlarmAWeek(t *testing.T) {
	for _, c := range []struct {
		services int
		later    time.Duration
		logP     float64
		open     bool
	}{
		{500, 0, 6, true},
		{5000, 0, 6.9, false},
		{5000, 0, 7.1, true},
		{5000, 25 * time.Hour, 6, true},
	} {
		var quiet []faultline.ServiceID
		for i := range c.services - 1 {
			quiet = append(quiet, faultline.ServiceID(fmt.Sprintf("s%d", i)))
		}
		room := incident.New(incident.Config{})
		room.Step(minute(t0, quiet...))
		now := t0.Add(c.later + time.Minute)
		in := minute(now, "x")
		e := surgeOf("x", now.Add(-2*time.Minute), 40)
		e.LogP = c.logP
		in.Events = append(in.Events, e)
		if out := room.Step(in); (len(out.Incidents) > 0) != c.open {
			t.Errorf("%d services, %v later, −log10 p = %v: %d incidents", c.services, c.later, c.logP, len(out.Incidents))
		}
	}
}
