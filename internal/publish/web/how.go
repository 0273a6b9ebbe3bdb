package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"faultline"
	"faultline/internal/publish/live"
	"faultline/internal/publish/words"
)

// how is the working behind an incident: the window that decided of each event
// of reports, and the checks in a row of each event of probes.
type how struct {
	Counts []howRow
	Checks []string
	Left   int // events that the page leaves to the JSON twin
}

// howRow is one event of reports.
type howRow struct {
	Where, Seen, Usual, Chance, Needed string
	Width                              faultline.Seconds
	At                                 time.Time // end of the window
}

// howShown is how many events of each kind the page tells.
const howShown = 6

// howOf tells the events that an incident names and that are still in memory,
// wide series before narrow ones, and of equals the most surprising first.
func howOf(svc *live.Service, i *faultline.Incident) (h how) {
	if svc == nil {
		return h
	}
	var events []*faultline.Event
	for k := range svc.Events {
		if e := &svc.Events[k]; e.Working != nil && slices.Contains(i.Events, e.ID) {
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b *faultline.Event) int {
		return cmp.Or(cmp.Compare(a.Series.Level, b.Series.Level), cmp.Compare(b.LogP, a.LogP), a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID))
	})
	for _, e := range events {
		h.add(e)
	}
	return h
}

func (h *how) add(e *faultline.Event) {
	if e.Kind == faultline.Unreachable {
		if h.full(len(h.Checks)) {
			return
		}
		h.Checks = append(h.Checks, words.How(e)...)
		return
	}
	x, ok := e.Working.Decided()
	if !ok || x.Seen < live.MinReporters || h.full(len(h.Counts)) {
		return
	}
	h.Counts = append(h.Counts, howRow{
		Where: words.SeriesName(e.Series), Seen: words.Count(x.Seen), Usual: words.UsualCount(x.Usual), Chance: words.Chance(x.Calibrated),
		Needed: needed(e.Working), Width: x.Width, At: e.Working.At,
	})
}

// full says whether there is no more room on the page, and counts what is left.
func (h *how) full(n int) bool {
	if n >= howShown {
		h.Left++
	}
	return n >= howShown
}

// needed is what an event had to pass, in a cell of the table.
func needed(w *faultline.Working) string {
	people := fmt.Sprintf("%d people in %d networks", w.Needs.Reporters, w.Needs.Networks)
	if w.Rule == faultline.YoungRule {
		return people + ", since little was known"
	}
	return words.Chance(w.Needs.LogP) + ", " + people
}

// publishedWorking is a working without counts of fewer than three people.
func publishedWorking(w *faultline.Working) *faultline.Working {
	if w == nil {
		return nil
	}
	best, decided := w.Decided()
	if decided && best.Seen < live.MinReporters {
		return nil
	}
	c := *w
	c.Windows = slices.Clone(w.Windows)
	c.Windows = slices.DeleteFunc(c.Windows, func(x faultline.Window) bool { return x.Seen < live.MinReporters })
	c.Best = max(0, slices.Index(c.Windows, best))
	if c.Reporters < live.MinReporters {
		c.Reporters, c.Networks = 0, 0
	}
	return &c
}
