package blame_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/incident/blame"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time {
	return noon.Add(time.Duration(minutes * float64(time.Minute)))
}

// town is a small Internet: a cloud with six services, a provider with a
// network, and four services that stand alone.
func town() []faultline.Service {
	list := []faultline.Service{{ID: "cloud", Name: "Cloud", Category: "cloud"}, {ID: "isp", Name: "Isp", Category: "internet provider", ASNs: []faultline.ASN{64500}}, {ID: "isp2", Name: "Isp2", Category: "internet provider", ASNs: []faultline.ASN{64501}}}
	for _, id := range []faultline.ServiceID{"c1", "c2", "c3", "c4", "c5", "c6"} {
		list = append(list, faultline.Service{ID: id, Name: strings.ToUpper(string(id)), Parents: []faultline.Parent{{ID: "cloud", As: "cdn"}}})
	}
	for _, id := range []faultline.ServiceID{"a1", "a2", "a3", "a4"} {
		list = append(list, faultline.Service{ID: id, Name: strings.ToUpper(string(id))})
	}
	return list
}

// told is a scene in the making.
type told struct {
	blame.Scene
	after float64 // minutes of noon at which it is judged
}

func story() *told {
	s := &told{after: 40}
	s.Topology = blame.NewTopology(town())
	return s
}

// surge adds a service that surges, spread over networks as usual.
func (s *told) surge(id faultline.ServiceID, onset, excess float64, with ...func(*blame.Witness)) *told {
	w := blame.Witness{ID: id, Onset: at(onset), Low: at(onset - 1), High: at(onset + 1), Excess: excess}
	for asn, share := range map[faultline.ASN]float64{64500: 0.3, 64501: 0.3, 64502: 0.4} {
		w.Networks = append(w.Networks, blame.Part{Place: faultline.Place{Country: "GB", ASN: asn}, Excess: share * excess, Usual: share})
	}
	slices.SortFunc(w.Networks, func(a, b blame.Part) int { return int(a.ASN) - int(b.ASN) })
	w.Countries = []blame.Part{{Place: faultline.Place{Country: "GB"}, Excess: 0.5 * excess, Usual: 0.5}, {Place: faultline.Place{Country: "FR"}, Excess: 0.5 * excess, Usual: 0.5}}
	for _, f := range with {
		f(&w)
	}
	s.Surging = append(s.Surging, w)
	return s
}

func (s *told) quiet(ids ...faultline.ServiceID) *told {
	for _, id := range ids {
		s.Quiet = append(s.Quiet, blame.Witness{ID: id})
	}
	return s
}

func looks(r blame.Result) func(*blame.Witness) {
	return func(w *blame.Witness) {
		for _, v := range []string{"v1", "v2", "v3"} {
			l := blame.Look{Vantage: v, Place: faultline.Place{Country: "NL", ASN: 64510}, Result: r}
			if r == blame.Fails {
				l.Failure, l.Op = faultline.GenericTimeout, faultline.OpConnect
			}
			w.Looks = append(w.Looks, l)
		}
	}
}

var works, fails, refused = looks(blame.Succeeds), looks(blame.Fails), looks(blame.Refused)

func confirmed(w *blame.Witness) { w.Confirmed = true }

// from puts all reports into one network of the provider.
func from(asn faultline.ASN) func(*blame.Witness) {
	return func(w *blame.Witness) {
		for i := range w.Networks {
			w.Networks[i].Excess = 0
			if w.Networks[i].ASN == asn {
				w.Networks[i].Excess = w.Excess
			}
		}
		w.Countries = []blame.Part{{Place: faultline.Place{Country: "GB"}, Excess: w.Excess, Usual: 0.5}}
	}
}

// in puts all reports into one country, over all its networks.
func in(c faultline.Country) func(*blame.Witness) {
	return func(w *blame.Witness) {
		w.Countries = []blame.Part{{Place: faultline.Place{Country: c}, Excess: w.Excess, Usual: 0.3}}
	}
}

// inside adds a vantage point in a network.
func inside(asn faultline.ASN, r blame.Result) func(*blame.Witness) {
	return func(w *blame.Witness) {
		w.Looks = append(w.Looks, blame.Look{Vantage: "in-" + asn.String(), Place: faultline.Place{Country: "GB", ASN: asn}, Result: r, Failure: faultline.GenericTimeout, Op: faultline.OpConnect})
	}
}

// judge gives the findings by service.
func (s *told) judge() map[faultline.ServiceID]*faultline.Blame {
	s.At = at(s.after)
	f, out := s.Judge(), map[faultline.ServiceID]*faultline.Blame{}
	for i := range s.Surging {
		out[s.Surging[i].ID] = f.Of(i)
	}
	return out
}

func TestFindings(t *testing.T) {
	const none = faultline.RoleUndetermined
	for name, c := range map[string]struct {
		scene *told
		party string
		basis faultline.Basis
		roles map[faultline.ServiceID]faultline.Role
	}{
		"a cloud fails under what it carries, by reports alone": {
			story().surge("c1", 0, 900).surge("c2", 1, 300).surge("c3", 2, 80).surge("c4", 2, 60).surge("cloud", 4, 40).quiet("c5", "a1", "a2", "a3", "a4"),
			"Cloud", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"cloud": none, "c1": faultline.RoleCollateral, "c4": faultline.RoleCollateral},
		},
		"a cloud fails, and its checks do": {
			story().surge("c1", 0, 900, fails).surge("c2", 1, 300).surge("cloud", 4, 40, fails, confirmed).quiet("c3", "a1", "a2", "a3", "a4"),
			"Cloud", faultline.BasisMeasured,
			map[faultline.ServiceID]faultline.Role{"cloud": faultline.RoleOrigin, "c1": faultline.RoleCollateral, "c2": faultline.RoleCollateral},
		},
		"a cloud that nobody reports, while checks of what it carries fail": {
			story().surge("c1", 0, 900, fails, confirmed).surge("c2", 1, 300, fails).surge("c3", 3, 100, fails).quiet("a1", "a2", "a3", "a4"),
			"Cloud", faultline.BasisInferred,
			map[faultline.ServiceID]faultline.Role{"c1": faultline.RoleCollateral},
		},
		"one service fails, and its healthy cloud is blamed": {
			story().surge("c1", 0, 9000, fails, confirmed).surge("cloud", 6, 200, works).quiet("c2", "c3", "c4", "a1"),
			"C1", faultline.BasisMeasured,
			map[faultline.ServiceID]faultline.Role{"c1": faultline.RoleOrigin, "cloud": faultline.RoleBlamed},
		},
		"the same, and nothing is measured": {
			story().surge("c1", 0, 9000).surge("cloud", 6, 200).quiet("c2", "c3", "c4", "a1"),
			"C1", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"c1": none, "cloud": faultline.RoleBlamed},
		},
		"one large service fails, and providers are blamed": {
			story().surge("a1", 0, 20000).surge("isp", 10, 900, from(64500), inside(64500, blame.Succeeds)).surge("isp2", 12, 500, from(64501)).quiet("a2", "a3"),
			"A1", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"a1": none, "isp": faultline.RoleBlamed, "isp2": faultline.RoleBlamed},
		},
		"a provider fails, and what its customers use is blamed": {
			story().surge("isp", 0, 400).surge("a1", 1, 60, from(64500), works).surge("a2", 2, 90, from(64500), works).surge("c1", 2, 50, from(64500), works).quiet("c2", "c3", "a3"),
			"Isp", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"isp": none, "a1": faultline.RoleCollateral, "c1": faultline.RoleCollateral},
		},
		"a provider fails that nobody names, and a vantage point inside sees it": {
			story().surge("a1", 1, 60, from(64500), works, inside(64500, blame.Cut)).surge("a2", 2, 90, from(64500), works).quiet("c2", "a3"),
			"Isp", faultline.BasisMeasured,
			map[faultline.ServiceID]faultline.Role{"a1": faultline.RoleCollateral},
		},
		"a network without a page of its own": {
			story().surge("a1", 1, 60, from(64502)).surge("a2", 2, 90, from(64502)).surge("c1", 2, 90, from(64502)).quiet("c2", "a3"),
			"AS64502", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"a1": faultline.RoleCollateral},
		},
		"a country's networks": {
			story().surge("a1", 1, 60, in("GB"), works).surge("a2", 2, 90, in("GB"), works).surge("c1", 2, 90, in("GB")).quiet("c2", "a3"),
			"GB", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"a1": faultline.RoleCollateral, "c1": faultline.RoleCollateral},
		},
		"two that have nothing in common": {
			story().surge("a1", 0, 50, works).surge("a2", 9, 55, works).quiet("a3", "a4", "c1", "c2"),
			"", faultline.BasisNone,
			map[faultline.ServiceID]faultline.Role{"a1": none, "a2": none},
		},
		"four alike that share nothing that we know": {
			story().surge("a1", 0, 50).surge("a2", 1, 55).surge("a3", 2, 60).surge("a4", 2, 52).quiet("c1", "c2", "c3"),
			"", faultline.BasisNone,
			map[faultline.ServiceID]faultline.Role{"a1": none, "a4": none},
		},
		"one service alone, its cloud at work": {
			story().surge("c1", 0, 500, refused).quiet("c2", "c3", "c4", "c5", "c6"),
			"C1", faultline.BasisReports,
			map[faultline.ServiceID]faultline.Role{"c1": none},
		},
		"another fails by itself at the same time": {
			story().surge("c1", 0, 900).surge("c2", 1, 300).surge("c3", 2, 80).surge("cloud", 4, 40, fails, confirmed).surge("a1", 5, 100, fails, confirmed).quiet("c5", "a2", "a3", "a4"),
			"Cloud", faultline.BasisMeasured,
			map[faultline.ServiceID]faultline.Role{"cloud": faultline.RoleOrigin, "a1": none, "c1": faultline.RoleCollateral},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.scene.judge()
			for id, b := range found {
				if b.Party.Name != c.party || b.Basis != c.basis {
					t.Errorf("%s: party %q by %s with %.2f, want %q by %s: %s\nfor %q\nagainst %q", id, b.Party.Name, b.Basis, b.P, c.party, c.basis, b.Text, b.For, b.Against)
				}
			}
			for id, role := range c.roles {
				if found[id].Role != role {
					t.Errorf("%s is %s, want %s: %s", id, found[id].Role, role, found[id].Text)
				}
			}
		})
	}
}
