package incident

import (
	"cmp"
	"slices"

	"faultline"
)

// scopeOf says for whom: the countries' and ASNs' parts of the reports above
// usual, and the vantages. The numbers of vantages are those of the moment
// when most failed.
func (rec *record) scopeOf(r *Room, list []*tracked) {
	scope := &rec.Incident.Scope
	world, byCountry, byASN := excess(list)
	countries := make([]faultline.CountryShare, 0, len(byCountry))
	total := world
	for _, c := range byCountry {
		total = max(total, sum(byCountry))
		countries = append(countries, c.country())
	}
	for i := range countries {
		countries[i].Share = ratio(countries[i].N, total)
	}
	scope.Countries = countries
	scope.ASNs = nil
	for _, a := range byASN {
		scope.ASNs = append(scope.ASNs, faultline.ASNShare{Country: a.series.Country, ASN: a.series.ASN, N: faultline.Round(a.excess, 1), Share: ratio(a.excess, max(total, a.excess))})
	}
	scope.Global = world > 0 && (len(countries) == 0 || countries[0].Share < r.cfg.GlobalShare)
	rec.vantages(r, list)
}

// part is what one place brought, over all its surges.
type part struct {
	series  faultline.Series
	excess  float64
	ratio   float64 // at its peak
	surging bool
}

// excess sums the events of the world, of each country and of each ASN.
func excess(list []*tracked) (world float64, countries, asns []part) {
	for _, t := range list {
		switch {
		case t.kind() == Probes:
		case t.Event.Series.Level == faultline.World:
			world += max(0, t.Event.Excess)
		case t.Event.Series.Level == faultline.InCountry:
			countries = plus(countries, t)
		case t.Event.Series.Level == faultline.InASN:
			asns = plus(asns, t)
		}
	}
	byExcess := func(a, b part) int {
		return cmp.Or(cmp.Compare(b.excess, a.excess), cmp.Compare(a.series.Country, b.series.Country), cmp.Compare(a.series.ASN, b.series.ASN))
	}
	slices.SortFunc(countries, byExcess)
	slices.SortFunc(asns, byExcess)
	return world, countries, asns
}

func plus(parts []part, t *tracked) []part {
	i := slices.IndexFunc(parts, func(p part) bool { return p.series == t.Event.Series })
	if i < 0 {
		parts, i = append(parts, part{series: t.Event.Series}), len(parts)
	}
	p := &parts[i]
	p.excess += max(0, t.Event.Excess)
	p.surging = p.surging || t.active()
	if t.Event.PeakUsual > 0 {
		p.ratio = max(p.ratio, t.Event.PeakValue/t.Event.PeakUsual)
	}
	return parts
}

func (p *part) country() faultline.CountryShare {
	return faultline.CountryShare{Country: p.series.Country, N: faultline.Round(p.excess, 1), Ratio: faultline.Round(p.ratio, 1), Surging: p.surging}
}

func sum(parts []part) float64 {
	total := 0.0
	for _, p := range parts {
		total += p.excess
	}
	return total
}

func ratio(n, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return faultline.Round(n/of, 3)
}

// vantages counts those that fail now of those that can tell.
func (rec *record) vantages(r *Room, list []*tracked) {
	failing := map[string]bool{}
	for _, t := range list {
		if t.kind() == Probes && t.active() {
			failing[t.Event.Series.Vantage] = true
		}
	}
	scope := &rec.Incident.Scope
	if len(failing) == 0 || len(failing) < scope.Vantages {
		return
	}
	scope.Vantages = len(failing)
	scope.OfVantages = max(len(failing), len(vantages(r.views(r.service(rec.Incident.Service)), r.now)))
}
