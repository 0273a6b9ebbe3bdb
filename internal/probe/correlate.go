package probe

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"faultline"
)

// correlate says whether a failure is shared by everything unrelated. What is
// not known for now is found out: unrelated targets and controls are checked at
// once, at most maxControls of them, and none that was checked a moment ago.
func (h *health) correlate(ctx context.Context, own evidence) faultline.Impairment {
	came := time.Now()
	if !h.asking.take(ctx) {
		return ""
	}
	defer h.asking.leave()
	proven, ask, _ := h.survey(own)
	if proven {
		return ""
	}
	if len(ask) > 0 && time.Since(came) <= maxWait && h.budget.take(time.Now()) {
		h.ask(ctx, ask)
		if ctx.Err() != nil {
			return ""
		}
	}
	proven, _, failing := h.survey(own)
	if proven {
		return ""
	}
	return verdict(own, failing)
}

// survey looks at what is unrelated to a failed target: whether it proves that
// the network works, what should be asked, and what fails with the target.
func (h *health) survey(own evidence) (proven bool, ask []*slot, failing []evidence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	var stale []evidence
	for _, e := range h.known {
		switch {
		case e.local || !e.unrelated(&own):
		case e.proof && now.Sub(e.begun) <= fresh:
			return true, nil, nil
		case e.fails(own.since, h.together) && now.Sub(e.known) <= fresh:
			failing = append(failing, *e)
		case e.since.IsZero() || e.fails(own.since, h.together) || e.control:
			stale = append(stale, *e)
		}
	}
	slices.SortFunc(stale, func(a, b evidence) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.known.Compare(b.known), cmp.Compare(a.slot.hash, b.slot.hash))
	})
	for _, e := range stale {
		if len(ask) < maxControls && now.Sub(e.known) > fresh {
			ask = append(ask, e.slot)
		}
	}
	return false, ask, failing
}

// rank orders who is asked: controls, then who answered last time, then the
// rest. Among equals it is the one not seen for longest.
func (e *evidence) rank() int {
	switch {
	case e.control:
		return 0
	case e.since.IsZero():
		return 1
	}
	return 2
}

// budget bounds the rounds of controls in a while. When a thousand targets fail
// at once, the first who ask find out for all, and nobody's result comes late.
type budget struct {
	from time.Time
	used int
}

// take says whether there is a round left.
func (b *budget) take(now time.Time) bool {
	if now.Sub(b.from) > fresh {
		*b = budget{from: now}
	}
	b.used++
	return b.used <= maxRounds
}

// ask checks the targets at once and takes the results in.
func (h *health) ask(ctx context.Context, slots []*slot) {
	var wg sync.WaitGroup
	for _, s := range slots {
		wg.Go(func() {
			begun := time.Now()
			m := h.check(ctx, s)
			if ctx.Err() == nil {
				h.learn(s, &m, pathOf(&m), begun, time.Now())
			}
		})
	}
	wg.Wait()
}

// verdict names what it means that everything unrelated fails too. Nothing
// unrelated to look at means nothing.
func verdict(own evidence, failing []evidence) faultline.Impairment {
	if len(failing) == 0 {
		return ""
	}
	portal, onlyControls := foreign(own.failure), true
	for _, e := range failing {
		portal = portal && foreign(e.failure)
		onlyControls = onlyControls && e.control
	}
	switch {
	case portal:
		return faultline.CaptivePortal
	case onlyControls:
		return faultline.ControlsFail
	}
	return faultline.AllFail
}

// foreign says whether somebody else answered in the target's name.
func foreign(f faultline.Failure) bool {
	return f == faultline.SSLUnknownAuthority || f == faultline.SSLInvalidHostname
}
