package scenario

import (
	"time"

	"faultline"
)

const day = 24 * time.Hour

// addReports draws the reports of the minute: the usual ones, those of waves,
// those of bursts.
func (d *draft) addReports() {
	d.makeRoom()
	for i := range d.s.tables.baselines {
		b := &d.s.tables.baselines[i]
		n := negativeBinomial(d.rng, b.rate(d.start, &d.s.tables.hours), d.s.plan.noise)
		d.people(&d.s.plan.usual[i], n)
	}
	for i := range d.s.plan.streams {
		st := &d.s.plan.streams[i]
		if t := d.m - st.minute; t >= 0 && t < len(st.counts) {
			d.people(&st.crowd, st.counts[t])
		}
	}
	for i := range d.s.tables.bursts {
		d.burst(&d.s.tables.bursts[i])
	}
}

// makeRoom takes the memory that the minute's waves will need in one piece.
func (d *draft) makeRoom() {
	n := 16
	for i := range d.s.plan.streams {
		st := &d.s.plan.streams[i]
		if t := d.m - st.minute; t >= 0 && t < len(st.counts) {
			n += st.counts[t]
		}
	}
	n += n / 32
	d.reports, d.received = make([]faultline.Report, 0, n), make([]entry, 0, n)
}

// people adds n problem reports of a crowd, and beside them the few people for
// whom it works.
func (d *draft) people(c *crowd, n int) {
	for range n {
		d.report(c, d.network(c))
		if happens(d.rng, d.s.tables.works) {
			d.works(c, d.network(c))
		}
	}
}

func (d *draft) network(c *crowd) *network { return &c.networks[c.shares.pick(d.rng)] }

// burst adds this minute's part of a burst: evenly spread, the rest at first.
func (d *draft) burst(b *burst) {
	t := d.m - b.minute
	if t < 0 || t >= b.minutes {
		return
	}
	n := b.reports / b.minutes
	if t < b.reports%b.minutes {
		n++
	}
	c, _ := d.s.crowd(b.service, usual, b.place.Country) // checked when the scenario was opened
	for range n {
		d.report(&c, &network{place: b.place, networks: b.networks, people: 200})
	}
}

func (d *draft) report(c *crowd, n *network) {
	r := d.person(c, n)
	r.Symptom = faultline.Symptoms()[c.symptoms.pick(d.rng)]
	switch c.surfaces.pick(d.rng) {
	case 0:
		r.Surface = faultline.App
	case 1:
		r.Surface = faultline.Web
	default: // "server connection": nothing loads, wherever the person stands
		r.Surface, r.Symptom = d.appOrWeb(c), faultline.CannotLoad
	}
	if !c.onset.IsZero() && happens(d.rng, d.s.tables.since) {
		r.Since = d.since(c.onset)
	}
}

func (d *draft) works(c *crowd, n *network) {
	r := d.person(c, n)
	r.Works, r.Surface = true, d.appOrWeb(c)
}

func (d *draft) appOrWeb(c *crowd) faultline.Surface {
	if c.surfaces[:2].pick(d.rng) == 0 {
		return faultline.App
	}
	return faultline.Web
}

// person adds an empty report of somebody in a network, at some moment of the
// minute. The hashes stand for nobody: they are drawn, not made of addresses.
func (d *draft) person(c *crowd, n *network) *faultline.Report {
	at := time.Duration(below(d.rng, 60_000)) * time.Millisecond
	net := blend(d.s.Seed, uint64(n.place.ASN), squared(d.rng, n.networks))
	host := below(d.rng, n.people)
	days := uint64(d.start.Unix() / int64(day/time.Second))
	d.receive(at, isReport, len(d.reports))
	d.reports = append(d.reports, faultline.Report{
		Service: c.service, Place: n.place,
		Network:  blend(net, (days+3)/7), // weeks begin on Mondays
		Reporter: blend(net, host, days, named(string(c.service))),
	})
	return &d.reports[len(d.reports)-1]
}

// since is when a person thinks that it began: the onset to five minutes, or
// five minutes off, and never later than the minute of the report.
func (d *draft) since(onset time.Time) time.Time {
	t := onset.Round(5 * time.Minute).Add(time.Duration(below(d.rng, 3)) * 5 * time.Minute).Add(-5 * time.Minute)
	if t.After(d.start) {
		return d.start
	}
	return t
}
