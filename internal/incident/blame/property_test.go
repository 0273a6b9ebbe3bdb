package blame_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"faultline"
	"faultline/internal/incident/blame"
)

// world is a random Internet: clouds that carry some services, providers with
// networks, services that stand alone.
type world struct {
	rng       *rand.Rand
	list      []faultline.Service
	clouds    []faultline.ServiceID
	providers []faultline.ServiceID
	services  []faultline.ServiceID
	usual     map[faultline.ASN]float64
}

const networks = 6 // of the one country where people report from most

func newWorld(rng *rand.Rand) *world {
	w := &world{rng: rng, usual: map[faultline.ASN]float64{}}
	for k := range 2 + rng.IntN(2) {
		w.add(&w.clouds, fmt.Sprintf("cloud%d", k), "cloud", nil)
	}
	left := 1.0
	for k := range networks {
		asn := faultline.ASN(64500 + k)
		w.usual[asn] = left * (0.2 + 0.2*rng.Float64())
		left -= w.usual[asn]
		w.add(&w.providers, fmt.Sprintf("isp%d", k), "internet provider", []faultline.ASN{asn})
	}
	for k := range 16 + rng.IntN(20) {
		w.add(&w.services, fmt.Sprintf("s%02d", k), "shop", nil)
		if rng.IntN(2) == 0 { // half of them stand on a cloud
			w.list[len(w.list)-1].Parents = []faultline.Parent{{ID: w.clouds[rng.IntN(len(w.clouds))]}}
		}
	}
	return w
}

func (w *world) add(to *[]faultline.ServiceID, id, category string, asns []faultline.ASN) {
	w.list = append(w.list, faultline.Service{ID: faultline.ServiceID(id), Name: id, Category: category, ASNs: asns})
	*to = append(*to, faultline.ServiceID(id))
}

func (w *world) under(cloud faultline.ServiceID) (ids []faultline.ServiceID) {
	for _, s := range w.list {
		if len(s.Parents) > 0 && s.Parents[0].ID == cloud {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// plot is what really happens, and what is seen of it.
type plot struct {
	*world
	truth   faultline.ServiceID
	broken  map[faultline.ServiceID]bool // checks of them fail
	surging []blame.Witness
	checked float64 // share of services with checks
}

// witness adds a surge. all is the network that brings nearly all of it, or 0.
func (p *plot) witness(id faultline.ServiceID, onset, excess float64, all faultline.ASN) {
	if slices.ContainsFunc(p.surging, func(w blame.Witness) bool { return w.ID == id }) {
		return
	}
	fuzz := 0.5 + 3*p.rng.Float64()
	t := onset + p.rng.NormFloat64()*fuzz/2
	w := blame.Witness{ID: id, Onset: at(t), Low: at(t - fuzz), High: at(t + fuzz), Excess: math.Round(excess)}
	for k := range networks {
		asn := faultline.ASN(64500 + k)
		share := p.usual[asn] * (0.8 + 0.4*p.rng.Float64())
		switch {
		case all == asn:
			share = 0.8 + 0.2*p.rng.Float64()
		case all != 0:
			share *= 0.1
		}
		w.Networks = append(w.Networks, blame.Part{Place: faultline.Place{Country: "GB", ASN: asn}, Excess: share * w.Excess, Usual: p.usual[asn]})
	}
	w.Countries = []blame.Part{{Place: faultline.Place{Country: "GB"}, Excess: 0.7 * w.Excess, Usual: 0.7}, {Place: faultline.Place{Country: "FR"}, Excess: 0.3 * w.Excess, Usual: 0.3}}
	w.Looks = p.looks(id)
	w.Confirmed = p.broken[id] && len(w.Looks) > 0
	p.surging = append(p.surging, w)
}

// looks are checks from outside the providers, for some of the services.
func (p *plot) looks(id faultline.ServiceID) (looks []blame.Look) {
	if float64(hash(string(id))%1000)/1000 >= p.checked {
		return nil
	}
	for k := range 3 {
		l := blame.Look{Vantage: fmt.Sprint("v", k), Place: faultline.Place{Country: "NL", ASN: 65000}, Result: blame.Succeeds}
		if p.broken[id] {
			l.Result, l.Failure, l.Op = blame.Fails, faultline.HTTPServerError, faultline.OpWait
		}
		looks = append(looks, l)
	}
	return looks
}

func hash(s string) (h uint32) {
	h = 2166136261
	for _, c := range []byte(s) {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// size is a lognormal number of reports around a middle.
func (p *plot) size(middle float64) float64 {
	return max(12, middle*math.Exp(p.rng.NormFloat64()))
}

// cloudFails hits most of what a cloud carries, and now and then is reported.
func (p *plot) cloudFails() bool {
	cloud := p.clouds[p.rng.IntN(len(p.clouds))]
	kids := p.under(cloud)
	if len(kids) < 4 {
		return false
	}
	p.truth, p.broken[cloud] = cloud, true
	share := 0.4 + 0.6*p.rng.Float64()
	for k, id := range kids {
		if k < 3 || p.rng.Float64() < share {
			p.broken[id] = true
			p.witness(id, 6*p.rng.Float64(), p.size(150), 0)
		}
	}
	if p.rng.IntN(10) < 7 {
		p.witness(cloud, 3+8*p.rng.Float64(), p.size(60), 0)
	}
	return true
}

// providerFails brings reports on many services from one network.
func (p *plot) providerFails() bool {
	k := p.rng.IntN(networks)
	asn := faultline.ASN(64500 + k)
	p.truth = p.providers[k]
	for range 3 + p.rng.IntN(5) {
		p.witness(p.services[p.rng.IntN(len(p.services))], 6*p.rng.Float64(), p.size(60), asn)
	}
	if p.rng.IntN(2) == 0 {
		p.witness(p.truth, 2+8*p.rng.Float64(), p.size(90), asn)
	}
	return len(p.surging) >= 3
}

// serviceFails is large, and providers and its cloud are blamed.
func (p *plot) serviceFails() bool {
	id := p.services[p.rng.IntN(len(p.services))]
	p.truth, p.broken[id] = id, true
	big := p.size(4000)
	p.witness(id, 0, big, 0)
	for _, other := range append(slices.Clone(p.providers[:1+p.rng.IntN(3)]), p.clouds[0]) {
		all := faultline.ASN(0)
		for k, isp := range p.providers {
			if isp == other {
				all = faultline.ASN(64500 + k)
			}
		}
		p.witness(other, 2+10*p.rng.Float64(), max(12, big*(0.005+0.08*p.rng.Float64())), all)
	}
	return true
}

// stage makes a scene of a plot: who surges, who is quiet.
func (p *plot) stage() *blame.Scene {
	slices.SortStableFunc(p.surging, func(a, b blame.Witness) int { return a.Onset.Compare(b.Onset) })
	s := &blame.Scene{Topology: blame.NewTopology(p.list), Surging: p.surging, At: at(40)}
	for _, x := range p.list {
		if !slices.ContainsFunc(p.surging, func(w blame.Witness) bool { return w.ID == x.ID }) && hash("heard"+string(x.ID))%10 < 8 {
			s.Quiet = append(s.Quiet, blame.Witness{ID: x.ID, Looks: p.looks(x.ID)})
		}
	}
	return s
}

func newPlot(seed uint64, checked float64) (*plot, bool) {
	rng := rand.New(rand.NewPCG(seed, 11))
	p := &plot{world: newWorld(rng), broken: map[faultline.ServiceID]bool{}, checked: checked}
	whole := []func() bool{p.cloudFails, p.providerFails, p.serviceFails}[seed%3]()
	if rng.IntN(3) == 0 { // and one more, by chance
		p.witness(p.services[rng.IntN(len(p.services))], 12*rng.Float64()-2, p.size(30), 0)
	}
	return p, whole
}

// Surges drawn at random with a hidden party, in three ways to fail, with and
// without checks: it is named right in nine of ten, and a healthy party is never
// called the origin or measured.
func TestAHiddenPartyIsFound(t *testing.T) {
	for _, checked := range []float64{0, 0.4, 1} {
		right, wrong, none, all := [3]int{}, [3]int{}, [3]int{}, [3]int{}
		for seed := range uint64(3000) {
			p, whole := newPlot(seed, checked)
			if !whole {
				continue
			}
			kind := seed % 3
			all[kind]++
			s := p.stage()
			f := s.Judge()
			switch party := f.Party(); {
			case party.Service == p.truth:
				right[kind]++
			case party.IsZero():
				none[kind]++
			default:
				wrong[kind]++
			}
			accuse(t, s, f, p, seed)
		}
		for kind, what := range []string{"a cloud fails", "a provider fails", "a service fails"} {
			t.Logf("%.0f %% checked, %s: of %d named right %.3f, wrong %.3f, nobody %.3f", 100*checked, what, all[kind], part(right[kind], all[kind]), part(wrong[kind], all[kind]), part(none[kind], all[kind]))
			if part(right[kind], all[kind]) < 0.9 || all[kind] < 500 {
				t.Errorf("%.0f %% checked, %s: named right in %.3f of %d", 100*checked, what, part(right[kind], all[kind]), all[kind])
			}
		}
	}
}

func part(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

// accuse fails if the finding makes a healthy party the origin, calls one
// measured, or gives anybody the role of the origin without a measurement.
func accuse(t *testing.T, s *blame.Scene, f blame.Finding, p *plot, seed uint64) {
	t.Helper()
	for i := range s.Surging {
		b := f.Of(i)
		switch id := s.Surging[i].ID; {
		case b.Role == faultline.RoleOrigin && (id != p.truth || b.Basis != faultline.BasisMeasured):
			t.Fatalf("seed %d: %s is called the origin by %s, the truth is %s: %s", seed, id, b.Basis, p.truth, b.Text)
		case b.Basis == faultline.BasisMeasured && b.Party.Service != p.truth:
			t.Fatalf("seed %d: %s is called measured, the truth is %s: %s", seed, b.Party.Name, p.truth, b.Text)
		case p.checked == 0 && b.Role == faultline.RoleOrigin:
			t.Fatalf("seed %d: reports alone make %s the origin", seed, id)
		}
	}
}

// When the catalogue does not know what carries the services, nobody is called
// measured but what fails, and hardly ever another is pointed to.
func TestAnUnknownParentIsNotReplacedByAnother(t *testing.T) {
	wrong, all := 0, 0
	for seed := uint64(0); seed < 3000; seed += 3 {
		p, whole := newPlot(seed, 0.4)
		for i := range p.list {
			p.list[i].Parents = nil
		}
		if !whole {
			continue
		}
		all++
		f := p.stage().Judge()
		if party := f.Party(); !party.IsZero() && party.Service != p.truth {
			wrong++
		}
		for i := range p.surging {
			if b := f.Of(i); b.Role == faultline.RoleOrigin && !p.broken[p.surging[i].ID] {
				t.Fatalf("seed %d: %s is called the origin: %s", seed, p.surging[i].ID, b.Text)
			}
		}
	}
	t.Logf("of %d another was pointed to in %.3f", all, part(wrong, all))
	if part(wrong, all) > 0.1 {
		t.Errorf("another was pointed to in %.3f of %d", part(wrong, all), all)
	}
}

// The same scene gives the same finding, and the order of equal onsets does not
// matter to whom it points.
func TestFindingsRepeat(t *testing.T) {
	for seed := range uint64(60) {
		a, whole := newPlot(seed, 0.4)
		b, _ := newPlot(seed, 0.4)
		if !whole {
			continue
		}
		x, y := a.stage().Judge(), b.stage().Judge()
		for i := range a.surging {
			if got, want := fmt.Sprintf("%+v", *x.Of(i)), fmt.Sprintf("%+v", *y.Of(i)); got != want {
				t.Fatalf("seed %d: %s\n%s", seed, got, want)
			}
		}
	}
}
