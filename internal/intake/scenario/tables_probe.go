package scenario

import (
	"fmt"
	"path"
	"strings"
	"time"

	"faultline"
	"faultline/internal/settings"
)

// A check's time-out, and when the second attempt follows a failed one. Slots
// are early enough in the minute that both attempts end before the collector's
// heartbeat.
const (
	checkTimeout = 10 * time.Second
	secondAfter  = time.Second
	lastSlot     = 25 // seconds after the full minute
)

func (r *reader) vantage(rw *row) {
	ms := func(name string) time.Duration { return time.Duration(rw.whole(name, 0, 900)) * time.Millisecond }
	v := vantage{
		slot:    time.Duration(rw.whole("slot_s", 0, lastSlot)) * time.Second,
		resolve: ms("resolve_ms"), connect: ms("connect_ms"), tls: ms("tls_ms"), wait: ms("wait_ms"), body: ms("body_ms"),
	}
	v.ID, v.Network = rw.word("vantage"), rw.text("network")
	v.Place = faultline.Place{Country: rw.country(), ASN: rw.asn()}
	if r.vantageNamed(v.ID) >= 0 {
		rw.bad("vantage %s twice", v.ID)
	}
	r.s.tables.vantages = append(r.s.tables.vantages, v)
}

func (r *reader) vantageNamed(id string) int {
	for i, v := range r.s.tables.vantages {
		if v.ID == id {
			return i
		}
	}
	return -1
}

func (r *reader) check(rw *row) {
	c := check{service: rw.service(r.s), vantage: r.vantageNamed(rw.text("vantage")), target: rw.word("target")}
	if c.vantage < 0 {
		rw.bad("vantage %q is not in vantages.csv", rw.text("vantage"))
	}
	if !strings.HasPrefix(c.target, "https://") {
		rw.bad("target %q: a scenario's checks are of https:// addresses", c.target)
	}
	c.from, c.to = r.minutes(rw, "from", "to")
	r.s.tables.checks = append(r.s.tables.checks, c)
}

// minutes is a span in minutes of the scenario, inside it.
func (r *reader) minutes(rw *row, from, to string) (a, b int) {
	f, t := rw.span(from, to)
	if f.Before(r.s.From) || t.After(r.s.To) {
		rw.bad("%s and %s do not lie between from and to of the scenario", from, to)
	}
	return r.s.minute(f), r.s.minute(t)
}

func (r *reader) failure(rw *row) {
	f := failure{service: rw.service(r.s), vantage: rw.word("vantage"), clear: rw.whole("clear_min", 0, 120)}
	f.from, f.to = r.minutes(rw, "from", "to")
	f.low, f.high, f.again = rw.percent("timeout_low"), rw.percent("timeout_high"), rw.percent("again")
	f.errLow, f.err = rw.percent("server_error_low"), rw.percent("server_error_high")
	if f.vantage != anything && r.vantageNamed(f.vantage) < 0 {
		rw.bad("vantage %q is not in vantages.csv", f.vantage)
	}
	if f.high < f.low || f.err < f.errLow {
		rw.bad("a range must not end below its beginning")
	}
	r.s.tables.failures = append(r.s.tables.failures, f)
}

func (r *reader) collector(rw *row) {
	a := awake{collector: rw.word("collector")}
	a.from, a.to = rw.span("from", "to")
	if v, ok := strings.CutPrefix(a.collector, faultline.CollectorProbe("")); ok && r.vantageNamed(v) < 0 {
		rw.bad("vantage %q is not in vantages.csv", v)
	} else if !ok && a.collector != faultline.CollectorReports {
		rw.bad("collector %q: want reports or probe:VANTAGE", a.collector)
	}
	for _, b := range r.s.tables.awake {
		if b.collector == a.collector && a.from.Before(b.to) {
			rw.bad("%s is awake twice at %s: list its spans in order", a.collector, rw.text("from"))
		}
	}
	r.s.tables.awake = append(r.s.tables.awake, a)
}

// collected notes a fault if something would be observed that nobody collects.
func (r *reader) collected() {
	if r.err != nil {
		return
	}
	t, has := &r.s.tables, map[string]bool{}
	for _, a := range t.awake {
		has[a.collector] = true
	}
	need := func(collector string) {
		if r.err == nil && !has[collector] {
			r.err = &settings.Error{File: path.Join(r.dir, "collectors.csv"), What: fmt.Sprintf("collector %q is missing: what it would collect is in other tables", collector)}
		}
	}
	if len(t.peaks)+len(t.baselines)+len(t.bursts) > 0 {
		need(faultline.CollectorReports)
	}
	for _, c := range t.checks {
		need(faultline.CollectorProbe(t.vantages[c.vantage].ID))
	}
}
