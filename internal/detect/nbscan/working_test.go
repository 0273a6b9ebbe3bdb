package nbscan_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"faultline"
	"faultline/internal/detect/detecttest"
	"faultline/internal/detect/nbscan"
)

// byHand is the calibrated −log10 p of a window, as a reader works it out from
// what the record says.
func byHand(w *faultline.Working, x faultline.Window) float64 {
	p := max(0, x.LogP-w.Choice)
	switch {
	case w.Slope == 0:
	case p > 2:
		p = w.TailAt + (p-2)/w.Slope
	default:
		p *= w.TailAt / 2
	}
	return max(0, p-w.Youth)
}

// holds says that a working explains the event that carries it.
func holds(t *testing.T, e *faultline.Event) {
	t.Helper()
	w := e.Working
	best, ok := w.Decided()
	if !ok || len(w.Windows) > 6 || w.At.After(e.At) || w.At.Before(e.Opened) {
		t.Fatalf("%s revision %d: no working that is whole: %+v", e.ID, e.Revision, w)
	}
	for i, x := range w.Windows {
		if math.Abs(byHand(w, x)-x.Calibrated) > 0.02+1e-3*x.Calibrated { // its slope has three decimals
			t.Errorf("revision %d: %v nominal is %v, by hand %.2f", e.Revision, x.LogP, x.Calibrated, byHand(w, x))
		}
		if x.LogP > best.LogP || i > 0 && x.Width <= w.Windows[i-1].Width || x.Phi <= 0 {
			t.Errorf("revision %d: window %d is %+v, the one that decided %+v", e.Revision, i, x, best)
		}
	}
}

func TestAnEventCarriesItsWorking(t *testing.T) {
	up := ordinary(15)
	up.Surges = []detecttest.Disturbance{surge(monday.Add(14*day+13*time.Hour), 2*time.Hour, 30)}
	down := ordinary(15)
	down.Base, down.Season = 40, 0.2
	down.Surges = []detecttest.Disturbance{{From: monday.Add(14*day + 13*time.Hour), To: monday.Add(14*day + 15*time.Hour), Factor: 0.1}}
	for name, c := range map[string]struct {
		counts detecttest.Counts
		rule   faultline.Rule
		needs  faultline.Needs
	}{
		"a surge": {up, faultline.TailRule, faultline.Needs{LogP: 6, Reporters: 5, Networks: 3}},
		"a drop":  {down, faultline.DropRule, faultline.Needs{LogP: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			events := slices.DeleteFunc(play(c.counts), func(e faultline.Event) bool { return e.Young })
			if len(events) < 3 {
				t.Fatalf("%d revisions", len(events))
			}
			for i := range events {
				e := &events[i]
				holds(t, e)
				best, _ := e.Working.Decided()
				if e.Working.Rule != c.rule || e.Working.Needs != c.needs || math.Abs(best.Calibrated-e.LogP) > 0.02 {
					t.Errorf("revision %d: log p %v by %+v", e.Revision, e.LogP, e.Working)
				}
			}
			first := events[0].Working
			if !first.At.Equal(events[0].Opened) || first.Age < faultline.Seconds(13*day) || first.Hour <= 0 || first.Level <= 0 || first.Slope < 0.7 {
				t.Errorf("opened by %+v", first)
			}
			best, _ := first.Decided()
			share := best.Against / best.Usual
			if down := c.rule == faultline.DropRule; down != (math.Abs(share-0.6) < 0.01) || down != (best.Seen < best.Against) {
				t.Errorf("compared with %v times what is usual: %+v", share, best)
			}
		})
	}
}

// A surge of a young series is opened by people: the one window that was looked
// at is told, and what it had to pass.
func TestAYoungEventSaysThatPeopleOpenedIt(t *testing.T) {
	d := nbscan.New(series, nbscan.Defaults())
	events := minutes(d, 120, func(i int) float64 {
		if i < 90 {
			return 0
		}
		return float64(i - 85)
	})
	if len(events) < 2 {
		t.Fatalf("%d revisions", len(events))
	}
	w := events[0].Working
	if w.Rule != faultline.YoungRule || len(w.Windows) != 1 || w.Needs != (faultline.Needs{LogP: 3, Reporters: 20, Networks: 3}) {
		t.Fatalf("opened by %+v", w)
	}
	if x := w.Windows[0]; x.Width != faultline.Seconds(15*time.Minute) || x.LogP < 3 || x.Calibrated != x.LogP || w.Reporters < 20 || w.Networks < 3 {
		t.Errorf("opened by %+v", w)
	}
	before := *w
	last := events[len(events)-1].Working
	if !last.At.After(w.At) || len(last.Windows) < 3 || last.Youth != 2 || last.Rule != faultline.YoungRule {
		t.Errorf("with more evidence: %+v", last)
	}
	if w.At != before.At || w.Windows[0] != before.Windows[0] {
		t.Error("a later revision changed what an earlier one said")
	}
}
