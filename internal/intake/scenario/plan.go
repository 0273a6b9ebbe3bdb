package scenario

import (
	"fmt"
	"math/rand/v2"
	"time"

	"faultline"
	"faultline/internal/settings"
)

// plan is what is drawn once, when a scenario is opened.
type plan struct {
	noise     int
	streams   []stream
	usual     []crowd    // of each baseline
	shares    [][]uint64 // [failure][vantage]: time-outs in basis points
	errors    [][]uint64 // likewise 5xx of those that connect
	listening []bool     // per minute: the collector of reports is awake
}

// stream is the reports of one wave from one country.
type stream struct {
	crowd
	wave   int
	area   string
	minute int   // of counts[0]
	counts []int // per minute
}

// crowd is what is alike in all its reports.
type crowd struct {
	service  faultline.ServiceID
	country  faultline.Country
	onset    time.Time // of its wave; zero: the usual time
	surfaces choice
	symptoms choice
	networks []network // of the country
	shares   choice    // theirs
}

func newPlan(s *Scenario, noise int) (plan, error) {
	p := plan{noise: noise, listening: s.listening()}
	if err := p.drawWaves(s); err != nil {
		return p, err
	}
	for _, b := range s.tables.baselines {
		c, err := s.crowd(b.service, usual, b.country)
		if err != nil {
			return p, &settings.Error{File: s.Name + "/baselines.csv", What: err.Error()}
		}
		p.usual = append(p.usual, c)
	}
	if err := s.checkBursts(); err != nil {
		return p, err
	}
	p.drawFailures(s)
	return p, p.fits(s)
}

func (p *plan) drawWaves(s *Scenario) error {
	all := 0
	for _, pk := range s.tables.peaks {
		g, top := s.Waves[pk.wave].shape()
		if all += pk.count * len(g) / bin; all > maxReports {
			pk.row.bad("the waves up to here have more than %d reports", maxReports)
			return pk.row.fault
		}
		parts, counts := s.split(&pk)
		for i, part := range parts {
			st, err := s.stream(&pk, part)
			if err != nil {
				pk.row.bad("%v", err)
				return pk.row.fault
			}
			rng := rand.NewPCG(s.Seed, named("wave", string(st.service), s.Waves[pk.wave].Name, string(part)))
			st.counts = waveCounts(rng, g, top, counts[i], p.noise)
			p.streams = append(p.streams, st)
		}
	}
	return nil
}

// split divides a peak between the countries of its area.
func (s *Scenario) split(pk *peak) (countries []faultline.Country, counts []int) {
	parts := s.tables.areas[pk.area]
	if parts == nil {
		return []faultline.Country{faultline.Country(pk.area)}, []int{pk.count}
	}
	shares := make([]int, len(parts))
	for i, part := range parts {
		countries = append(countries, part.country)
		shares[i] = int(part.share)
	}
	return countries, shareOut(pk.count, shares)
}

// stream is a wave's stream from one country, without its counts.
func (s *Scenario) stream(pk *peak, country faultline.Country) (stream, error) {
	w := &s.Waves[pk.wave]
	c, err := s.crowd(w.Service, w.Name, country)
	c.onset = w.Onset
	return stream{crowd: c, wave: pk.wave, area: pk.area, minute: s.minute(w.Onset)}, err
}

func (s *Scenario) crowd(service faultline.ServiceID, wave string, country faultline.Country) (c crowd, err error) {
	c = crowd{service: service, country: country, networks: s.tables.networks[country]}
	if c.shares, err = s.leaning(service, wave, country); err != nil {
		return c, err
	}
	if c.surfaces, err = mix(s.tables.surfaces, mixKey{service, wave, string(country)}); err != nil {
		return c, err
	}
	c.symptoms, err = mix(s.tables.symptoms, mixKey{service, wave, anything})
	return c, err
}

func (s *Scenario) checkBursts() error {
	for _, b := range s.tables.bursts {
		if _, err := s.crowd(b.service, usual, b.place.Country); err != nil {
			return &settings.Error{File: s.Name + "/bursts.csv", What: err.Error()}
		}
	}
	return nil
}

func (p *plan) drawFailures(s *Scenario) {
	for i, f := range s.tables.failures {
		rng := rand.NewPCG(s.Seed, blend(named("failure"), uint64(i)))
		var shares, errors []uint64
		for range s.tables.vantages {
			shares = append(shares, between(rng, f.low, f.high))
			errors = append(errors, between(rng, f.errLow, f.err))
		}
		p.shares, p.errors = append(p.shares, shares), append(p.errors, errors)
	}
}

// fits makes sure that a minute's observations have room in one frame.
func (p *plan) fits(s *Scenario) error {
	most := make([]float64, s.minutes())
	for _, st := range p.streams {
		for t, n := range st.counts {
			if m := st.minute + t; m < len(most) {
				most[m] += float64(n)
			}
		}
	}
	for _, b := range s.tables.bursts {
		most[b.minute] += float64(b.reports) // at most: all in its first minute
	}
	high := 0.0
	for _, b := range s.tables.baselines {
		high += b.high
	}
	others := float64(len(s.tables.awake) + 2*len(s.tables.checks))
	for m, n := range most {
		if need := 2*(n+8*high) + others; need > maxMinute {
			return &settings.Error{File: s.Name + "/peaks.csv", What: fmt.Sprintf("minute %s may have %.0f observations, more than %d", s.From.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), need, maxMinute)}
		}
	}
	return nil
}

// listening says for each minute whether reports are collected in it.
func (s *Scenario) listening() []bool {
	l := make([]bool, s.minutes())
	for _, a := range s.tables.awake {
		if a.collector != faultline.CollectorReports {
			continue
		}
		for m := max(s.minute(a.from), 0); m < len(l) && s.From.Add(time.Duration(m)*time.Minute).Before(a.to); m++ {
			l[m] = true
		}
	}
	return l
}

// rate is the usual number of reports in minute m, by the local hour.
func (b *baseline) rate(t time.Time, hours *[24]float64) float64 {
	local := t.Add(time.Duration(b.offset) * time.Minute)
	h, next := local.Hour(), (local.Hour()+1)%24
	level := hours[h] + float64((hours[next]-hours[h])*float64(local.Minute()))/60
	return b.low + float64((b.high-b.low)*level)
}
