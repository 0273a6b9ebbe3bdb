package scenario

import (
	"fmt"

	"faultline"
	"faultline/internal/settings"
)

// lean says that so much of a wave's reports from a country comes from one
// network; the others share what is left as they usually do.
type lean struct {
	asn   faultline.ASN
	share uint64 // basis points
}

func (r *reader) through(rw *row) {
	k := mixKey{service: rw.service(r.s), country: rw.text("country")}
	k.wave = r.knownWave(rw, k.service)
	country, l := rw.country(), lean{rw.asn(), rw.percent("share_percent")}
	if rw.fault == nil && !r.hasNetwork(country, l.asn) {
		rw.bad("network %s of %s is not in networks.csv", l.asn, country)
	}
	sum := l.share
	for _, other := range r.s.tables.leans[k] {
		if sum += other.share; other.asn == l.asn {
			rw.bad("network %s twice for wave %s", l.asn, k.wave)
		}
	}
	if sum > 10_000 {
		rw.bad("the shares of wave %s in %s make more than 100 percent", k.wave, country)
	}
	r.s.tables.leans[k] = append(r.s.tables.leans[k], l)
}

func (r *reader) hasNetwork(c faultline.Country, asn faultline.ASN) bool {
	for _, n := range r.s.tables.networks[c] {
		if n.place.ASN == asn {
			return true
		}
	}
	return false
}

// leaning gives the shares of a crowd's networks: those of its wave, else those
// of all waves, else the country's.
func (s *Scenario) leaning(service faultline.ServiceID, wave string, country faultline.Country) (choice, error) {
	leans := s.tables.leans[mixKey{service, wave, string(country)}]
	if leans == nil {
		leans = s.tables.leans[mixKey{service, anything, string(country)}]
	}
	usual := s.tables.networkSum[country]
	if leans == nil {
		return usual, nil
	}
	var out choice
	left, rest := s.unleaned(leans, country)
	if rest == 0 && left > 0 {
		return nil, &settings.Error{File: s.Name + "/through.csv", What: fmt.Sprintf("service %s, wave %s, country %s: no network is left for the other reports", service, wave, country)}
	}
	for i, n := range s.tables.networks[country] {
		w := usual.weight(i) * left
		for _, l := range leans {
			if l.asn == n.place.ASN {
				w = l.share * max(rest, 1)
			}
		}
		out = out.with(w)
	}
	return out, nil
}

// unleaned is the share that is left for the other networks, and the sum of
// their usual shares.
func (s *Scenario) unleaned(leans []lean, country faultline.Country) (left, rest uint64) {
	left = 10_000
	for _, l := range leans {
		left -= l.share
	}
	for i, n := range s.tables.networks[country] {
		named := false
		for _, l := range leans {
			named = named || l.asn == n.place.ASN
		}
		if !named {
			rest += s.tables.networkSum[country].weight(i)
		}
	}
	return left, rest
}
