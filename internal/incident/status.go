package incident

import (
	"slices"

	"faultline"
)

// Reasons of a status that cannot tell, besides those of readings.
const (
	NoData       = "no_data"       // nothing was ever measured
	Impaired     = "impaired"      // the vantages cannot be trusted
	ProbesSilent = "probes_silent" // no checks arrive any more
	Silent       = "collector_silent"
	Checking     = "checking" // checks fail, not often enough to say more
	// YoungBaseline is of readings: what is usual is not known yet.
	YoungBaseline = "young_baseline"
)

// setStatus emits the service's status when it changed.
func (r *Room) setStatus(s *service, out *Output) {
	if r.now.IsZero() {
		return // a check may come before the first heartbeat: there is no "since" yet
	}
	next := r.statusOf(s)
	old := &s.Status
	if next.State == old.State && next.Incident == old.Incident && next.Reason == old.Reason && slices.Equal(next.Awake, old.Awake) {
		return
	}
	next.Since = r.now
	if next.State == old.State {
		next.Since = old.Since
	}
	s.Status = next
	next.Awake = slices.Clone(next.Awake)
	out.Statuses = append(out.Statuses, next)
}

func (r *Room) statusOf(s *service) faultline.Status {
	p := r.probesOf(s)
	reports := s.reportsAwake(r)
	st := faultline.Status{Service: s.ID, At: r.now, Awake: []string{}, Origin: s.Origin}
	if reports {
		st.Awake = append(st.Awake, Reports)
	}
	if p.healthy > 0 {
		st.Awake = append(st.Awake, Probes)
	}
	rec := r.current(s)
	open := rec != nil && rec.open()
	if open {
		st.Incident = rec.Incident.ID
	}
	switch {
	case len(st.Awake) == 0:
		st.State, st.Reason = faultline.Unclear, r.reason(s, &p)
	case open:
		st.State = rec.Incident.State
	case r.isOdd(s) || len(s.Weak) > 0 || r.failsSometimes(s) || rec != nil && len(rec.speaking()) > 0:
		st.State = faultline.OddState
	case p.known > 0 && p.healthy == 0:
		st.State, st.Reason = faultline.Unclear, r.reason(s, &p)
	case p.healthy > 0 && p.up == 0 && (p.doubtful == 0 || s.Status.State != faultline.Fine):
		st.State, st.Reason = faultline.Unclear, Checking
	default:
		st.State = faultline.Fine
	}
	return st
}

// failsSometimes says whether a vantage point that can tell sees checks fail now and
// then.
func (r *Room) failsSometimes(s *service) bool {
	for key := range s.Sometimes {
		if v := s.Views[key]; v != nil && v.healthy(r.now) {
			return true
		}
	}
	return false
}

// panel counts the vantage series of a service.
type panel struct {
	known, fresh, healthy, up int
	doubtful                  int    // failed, too few times to say anything
	reason                    string // of the first that cannot tell
}

func (r *Room) probesOf(s *service) (p panel) {
	for _, v := range r.views(s) {
		p.known++
		switch {
		case !v.fresh(r.now):
		case v.Verdict == faultline.CannotTell:
			p.fresh++
			if p.reason == "" {
				p.reason = v.Reason
			}
		default:
			p.fresh++
			p.healthy++
			if v.Up {
				p.up++
			} else if v.Fails < r.cfg.FailedChecks {
				p.doubtful++
			}
		}
	}
	return p
}

// reportsAwake says whether the reports can tell.
func (s *service) reportsAwake(r *Room) bool {
	return s.heard(r) && s.World.Verdict != faultline.CannotTell
}

// reason says why nothing can tell. A vantage that cannot be trusted comes
// before reports that never had a say.
func (r *Room) reason(s *service, p *panel) string {
	switch {
	case p.fresh > 0 && p.reason != "":
		return p.reason
	case p.fresh > 0:
		return Impaired
	case p.known > 0:
		return ProbesSilent
	case s.World.At.IsZero():
		return NoData
	case r.now.Sub(s.World.At) > r.cfg.Fresh || s.World.Reason == "":
		return Silent
	}
	return s.World.Reason
}

// anyAwake says whether any instrument can tell that an event is over. Reports
// can when somebody listens: a young baseline does not know what is usual, but
// its detector has closed what it opened.
func (r *Room) anyAwake(s *service) bool {
	return r.probesOf(s).healthy > 0 || s.reportsAwake(r) || s.World.Reason == YoungBaseline && s.heard(r)
}

// heard says whether the reports were listened to a short time ago.
func (s *service) heard(r *Room) bool {
	return !s.World.At.IsZero() && r.now.Sub(s.World.At) <= r.cfg.Fresh
}
