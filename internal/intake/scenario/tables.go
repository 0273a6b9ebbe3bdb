package scenario

import (
	"fmt"
	"time"

	"faultline"
)

// Wave is a stretch of failure as people's reports show it: they rise while
// people notice, fade while each reports once, and fall when it is over.
type Wave struct {
	Service          faultline.ServiceID
	Name             string
	Onset, End       time.Time // of the failure
	Rise, Fade, Fall float64   // minutes
	State            string    // how well it is known
}

// usual is the name of the time outside all waves, in tables by wave.
const usual = "usual"

// any stands for each wave, country or vantage that has no row of its own.
const anything = "*"

type (
	peak struct {
		wave  int // in Scenario.Waves
		area  string
		count int // reports in the busiest 15 minutes
		row   *row
	}
	portion struct { // of an area, that a country has
		country faultline.Country
		share   uint64
	}
	baseline struct {
		service   faultline.ServiceID
		country   faultline.Country
		low, high float64 // reports a minute in the quietest and the busiest hour
		offset    int     // minutes east of UTC on that day
	}
	network struct {
		place    faultline.Place
		networks uint64 // how many /24 or /56 its reporters come from
		people   uint64 // how many of a network may report
	}
	burst struct { // reports from few networks at once: a class room, an office
		service  faultline.ServiceID
		minute   int
		minutes  int
		reports  int
		place    faultline.Place
		networks uint64
	}
	vantage struct {
		faultline.Vantage
		slot                              time.Duration // after the full minute
		resolve, connect, tls, wait, body time.Duration // usual time of a phase
	}
	check struct {
		service  faultline.ServiceID
		vantage  int // in tables.vantages
		target   string
		from, to int // minutes
	}
	failure struct {
		service     faultline.ServiceID
		vantage     string // or "*"
		from, to    int    // minutes
		clear       int    // minutes until all is well again after to
		low, high   uint64 // share of checks that time out, drawn per vantage
		again       uint64 // share of second attempts that fail too
		errLow, err uint64 // share of 5xx among those that connect
	}
	awake struct {
		collector string
		from, to  time.Time
	}
)

// tables is all that the tables say, checked.
type tables struct {
	peaks      []peak
	areas      map[string][]portion
	hours      [24]float64 // 0 the quietest, 1 the busiest hour of a local day
	baselines  []baseline
	networks   map[faultline.Country][]network
	networkSum map[faultline.Country]choice
	surfaces   map[mixKey]choice // of app, web, server
	symptoms   map[mixKey]choice // of faultline.Symptoms
	leans      map[mixKey][]lean
	bursts     []burst
	vantages   []vantage
	checks     []check
	failures   []failure
	answers    []answer
	awake      []awake

	works, since uint64 // basis points
}

// mixKey says for whom a mix holds; empty country: symptoms have none.
type mixKey struct {
	service faultline.ServiceID
	wave    string
	country string
}

// mix finds the most particular row: this wave and country, this wave, this
// country, any.
func mix(m map[mixKey]choice, k mixKey) (choice, error) {
	for _, try := range []mixKey{k, {k.service, k.wave, anything}, {k.service, anything, k.country}, {k.service, anything, anything}} {
		if c := m[try]; c.total() > 0 {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no row of surfaces.csv or symptoms.csv fits service %s, wave %s, country %s: add one with wave * and country *", k.service, k.wave, k.country)
}

func (r *reader) readAll() {
	t := &r.s.tables
	t.areas = map[string][]portion{}
	t.networks, t.networkSum = map[faultline.Country][]network{}, map[faultline.Country]choice{}
	t.surfaces, t.symptoms, t.leans = map[mixKey]choice{}, map[mixKey]choice{}, map[mixKey][]lean{}
	r.each("waves.csv", "service,wave,onset,end,rise_min,fade_min,fall_min,state", r.wave)
	r.each("networks.csv", "country,asn,name,share_percent,networks,people", r.network)
	r.each("spread.csv", "area,country,share_percent", r.spread)
	r.each("peaks.csv", "service,wave,country,per_15min,basis,figures", r.peak)
	r.each("hours.csv", "hour,level", func(rw *row) { t.hours[rw.whole("hour", 0, 23)] = rw.number("level", 0, 1) })
	r.each("baselines.csv", "service,country,low_per_min,high_per_min,utc_offset_min", r.baseline)
	r.each("surfaces.csv", "service,wave,country,app,web,server,basis", r.surface)
	r.each("symptoms.csv", "service,wave,symptom,share,words", r.symptom)
	r.each("through.csv", "service,wave,country,asn,share_percent,basis", r.through)
	r.each("bursts.csv", "service,at,minutes,reports,country,asn,networks,why", r.burst)
	r.each("vantages.csv", "vantage,country,asn,network,slot_s,resolve_ms,connect_ms,tls_ms,wait_ms,body_ms", r.vantage)
	r.each("checks.csv", "service,vantage,target,from,to", r.check)
	r.each("failures.csv", "service,vantage,from,to,clear_min,timeout_low,timeout_high,again,server_error_low,server_error_high,basis", r.failure)
	r.each("answers.csv", "service,vantage,from,to,failure,status,percent,basis", r.answer)
	r.each("collectors.csv", "collector,from,to", r.collector)
	r.each("figures.csv", figureColumns, r.figure)
}

func (r *reader) wave(rw *row) {
	w := Wave{Service: rw.service(r.s), Name: rw.word("wave"), State: rw.text("state")}
	w.Onset, w.End = rw.span("onset", "end")
	w.Rise, w.Fade, w.Fall = rw.number("rise_min", 0.1, 600), rw.number("fade_min", 1, 6000), rw.number("fall_min", 0.1, 120)
	switch {
	case w.Name == usual || w.Name == anything:
		rw.bad("a wave cannot be called %q", w.Name)
	case r.s.waveNamed(w.Service, w.Name) >= 0:
		rw.bad("wave %s of %s twice", w.Name, w.Service)
	case w.End.Sub(w.Onset) > 24*time.Hour:
		rw.bad("a wave lasts at most 24 h")
	case w.Onset.Before(r.s.From) || w.End.After(r.s.To):
		rw.bad("wave %s does not lie between from and to of the scenario", w.Name)
	}
	r.s.Waves = append(r.s.Waves, w)
}

func (s *Scenario) waveNamed(service faultline.ServiceID, name string) int {
	for i, w := range s.Waves {
		if w.Service == service && w.Name == name {
			return i
		}
	}
	return -1
}

// knownWave is a wave's name, or "*" or "usual", for a table of mixes.
func (r *reader) knownWave(rw *row, service faultline.ServiceID) string {
	w := rw.text("wave")
	if w != anything && w != usual && r.s.waveNamed(service, w) < 0 {
		rw.bad("wave %q of %s is not in waves.csv", w, service)
	}
	return w
}

func (r *reader) network(rw *row) {
	p := faultline.Place{Country: rw.country(), ASN: rw.asn()}
	n := network{place: p, networks: uint64(rw.whole("networks", 1, 1<<24)), people: uint64(rw.whole("people", 1, 1<<20))}
	t := &r.s.tables
	t.networks[p.Country] = append(t.networks[p.Country], n)
	t.networkSum[p.Country] = t.networkSum[p.Country].with(rw.percent("share_percent"))
}

// hasNetworks notes a fault if nobody could report from the country.
func (r *reader) hasNetworks(rw *row, c faultline.Country) {
	if rw.fault == nil && r.s.tables.networkSum[c].total() == 0 {
		rw.bad("country %s has no network in networks.csv", c)
	}
}

func (r *reader) spread(rw *row) {
	area, p := rw.word("area"), portion{country: rw.country(), share: rw.percent("share_percent")}
	r.hasNetworks(rw, p.country)
	r.s.tables.areas[area] = append(r.s.tables.areas[area], p)
}

func (r *reader) peak(rw *row) {
	service := rw.service(r.s)
	p := peak{wave: r.s.waveNamed(service, rw.text("wave")), area: rw.word("country"), count: rw.whole("per_15min", 0, maxPeak), row: rw}
	if p.wave < 0 {
		rw.bad("wave %q of %s is not in waves.csv", rw.text("wave"), service)
	}
	if _, spread := r.s.tables.areas[p.area]; !spread {
		r.hasNetworks(rw, rw.country())
	}
	switch b := rw.text("basis"); b {
	case "published", "filled", "rest", "assumed":
	default:
		rw.bad("basis %q: want published, filled, rest or assumed", b)
	}
	for _, q := range r.s.tables.peaks {
		if q.wave == p.wave && q.area == p.area {
			rw.bad("peak of %s in %s twice", p.area, rw.text("wave"))
		}
	}
	r.s.tables.peaks = append(r.s.tables.peaks, p)
}

func (r *reader) baseline(rw *row) {
	b := baseline{service: rw.service(r.s), country: rw.country(), offset: rw.whole("utc_offset_min", -12*60, 14*60)}
	b.low = rw.number("low_per_min", 0, maxRate)
	b.high = rw.number("high_per_min", b.low, maxRate)
	r.hasNetworks(rw, b.country)
	r.s.tables.baselines = append(r.s.tables.baselines, b)
}

func (r *reader) surface(rw *row) {
	k := mixKey{service: rw.service(r.s), country: rw.text("country")}
	k.wave = r.knownWave(rw, k.service)
	if k.country != anything {
		rw.country()
	}
	var c choice
	c = c.with(rw.percent("app")).with(rw.percent("web")).with(rw.percent("server"))
	if c.total() == 0 || c[1] == 0 {
		rw.bad("app and web cannot both be 0")
	}
	r.s.tables.surfaces[k] = c
}

func (r *reader) symptom(rw *row) {
	k := mixKey{service: rw.service(r.s), country: anything}
	k.wave = r.knownWave(rw, k.service)
	symptom, add := faultline.Symptom(rw.text("symptom")), rw.percent("share")
	if !symptom.Valid() {
		rw.bad("symptom %q: want one of %v", symptom, faultline.Symptoms())
	}
	r.s.tables.symptoms[k] = r.s.tables.symptoms[k].plus(len(faultline.Symptoms()), indexOf(symptom), add)
}

func indexOf(symptom faultline.Symptom) int {
	for i, s := range faultline.Symptoms() {
		if s == symptom {
			return i
		}
	}
	return 0
}

func (r *reader) burst(rw *row) {
	b := burst{service: rw.service(r.s), minute: r.s.minute(rw.time("at")), minutes: rw.whole("minutes", 1, 1440), reports: rw.whole("reports", 1, 10_000)}
	b.place = faultline.Place{Country: rw.country(), ASN: rw.asn()}
	b.networks = uint64(rw.whole("networks", 1, 10_000))
	if b.minute < 0 || b.minute+b.minutes > r.s.minutes() {
		rw.bad("the burst does not lie between from and to of the scenario")
	}
	r.s.tables.bursts = append(r.s.tables.bursts, b)
}
