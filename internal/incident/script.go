package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline"
)

// Brigade flags an incident whose reports look like a script's. It is a flag
// beside the verdict, with its signs in Changes; it takes nothing away. Checks
// that fail withdraw it.
const Brigade = "brigade"

// What a script looks like, in the half hour of a Mix. One phrase (a symptom
// and a surface make nearly all reports) is needed, and three of the others.
// People bring a mix, some "works for me", some "since when", and a rise of
// minutes; a whole failure of one surface can bring one phrase, and a plateau
// an even rate, but not the rest.
const (
	scriptLeast  = 100  // problem reports
	scriptPhrase = 0.95 // share of the most frequent phrase, at least
	scriptWorks  = 0.005
	scriptSince  = 0.01
	scriptEven   = 2.0 // variance over mean, at most
	scriptEdge   = 0.8 // rate of the first minutes over the later ones, at least
	scriptSigns  = 3
	scriptRun    = 2 // minutes in a row
	scriptMemory = 15 * time.Minute
)

// script is what the newest readings say about the crowd. Signs are those of
// the strongest minute of the run.
type script struct {
	Run   int
	Last  time.Time // newest minute that looked like one
	Signs []string
}

// look judges the newest minute of the world's series. A minute with too few
// reports says nothing, and ends no run.
func (c *script) look(x *faultline.Reading, now time.Time) {
	if x.Mix.N < scriptLeast {
		if now.Sub(c.Last) > scriptMemory {
			*c = script{}
		}
		return
	}
	signs := signsOf(&x.Mix)
	if len(signs) == 0 {
		c.Run = 0
		return
	}
	if len(signs) > len(c.Signs) || c.Run == 0 {
		c.Signs = signs
	}
	c.Run++
	c.Last = x.At
}

// signsOf lists what looks like a script, or nothing if it is not enough. The
// last possible sign, checks that succeed, is the caller's.
func signsOf(m *faultline.Mix) []string {
	if m.Top < scriptPhrase {
		return nil
	}
	signs := []string{fmt.Sprintf("%.0f %% of %d reports name the same symptom and surface", 100*m.Top, m.N)}
	if m.Works <= scriptWorks {
		signs = append(signs, "almost nobody says that it works")
	}
	if m.Since <= scriptSince {
		signs = append(signs, "almost nobody says since when")
	}
	if m.Even > 0 && m.Even <= scriptEven {
		signs = append(signs, "the rate is even")
	}
	if m.Edge >= scriptEdge {
		signs = append(signs, "it began within a minute")
	}
	if len(signs) < scriptSigns {
		return nil
	}
	return signs
}

// flag adds or withdraws the flag.
func (r *Room) flag(s *service, rec *record) {
	i := slices.Index(rec.Incident.Flags, Brigade)
	switch {
	case !rec.open():
	case i >= 0 && (rec.Incident.State == faultline.Confirmed || slices.Contains(rec.speaking(), Probes)):
		rec.Incident.Flags = slices.Delete(slices.Clone(rec.Incident.Flags), i, i+1)
		rec.step(r, rec.Incident.State, By, "no longer flagged as a possible brigade: checks fail too", rec.widest(Probes))
	case i < 0 && rec.Incident.State != faultline.Confirmed:
		if signs := r.scripted(s, rec); signs != nil {
			rec.Incident.Flags = append(slices.Clone(rec.Incident.Flags), Brigade)
			rec.step(r, rec.Incident.State, By, "flagged as a possible brigade: "+strings.Join(signs, "; "), rec.widest(Reports))
		}
	}
}

// scripted gives the signs if there are enough: the phrase and three others,
// of which one may be that vantages see nothing.
func (r *Room) scripted(s *service, rec *record) []string {
	c := &s.Script
	if c.Run < scriptRun || r.now.Sub(c.Last) > scriptMemory || slices.Contains(rec.speaking(), Probes) {
		return nil
	}
	signs := slices.Clone(c.Signs)
	if p := r.probesOf(s); p.healthy > 0 && p.up == p.healthy {
		signs = append(signs, "all checks succeed")
	}
	if len(signs) < 1+scriptSigns {
		return nil
	}
	return signs
}
