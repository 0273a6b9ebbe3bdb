package blame_test

import (
	"testing"

	"faultline"
	"faultline/internal/incident/blame"
)

// failsOtherwise is a way to fail that nothing else shares.
func failsOtherwise(w *blame.Witness) {
	fails(w)
	for i := range w.Looks {
		w.Looks[i].Failure, w.Looks[i].Op = faultline.DNSServFail, faultline.OpResolve
	}
}

// errors are answers of 5xx.
func errors(w *blame.Witness) {
	fails(w)
	for i := range w.Looks {
		w.Looks[i].Failure, w.Looks[i].Op = faultline.HTTPServerError, faultline.OpWait
	}
}

// leaning puts two of three reports into one network.
func leaning(asn faultline.ASN) func(*blame.Witness) {
	return func(w *blame.Witness) {
		for i := range w.Networks {
			w.Networks[i].Excess = w.Excess / 6
			if w.Networks[i].ASN == asn {
				w.Networks[i].Excess = w.Excess * 2 / 3
			}
		}
	}
}

// Two scenes that differ in one piece of evidence: the first speaks more for its
// best explanation.
func TestEachPieceOfEvidenceWeighs(t *testing.T) {
	for name, c := range map[string]struct {
		more, less *told
		party      string // of the first; "": not asked
	}{
		"a provider that began later": {
			story().surge("a1", 0, 200).surge("isp", 12, 150), story().surge("a1", 0, 200).surge("isp", 0, 150), "A1",
		},
		"a cloud whose checks succeed, against the service on it": {
			story().surge("c1", 0, 300).surge("cloud", 1, 280, works), story().surge("c1", 0, 300).surge("cloud", 1, 280), "C1",
		},
		"services that fail in one way": {
			story().surge("c1", 0, 300, fails).surge("c2", 1, 280, fails).quiet("c3", "c4"), story().surge("c1", 0, 300, fails).surge("c2", 1, 280, failsOtherwise).quiet("c3", "c4"), "",
		},
		"one that cannot be reached at all, and its cloud": {
			story().surge("c1", 0, 300, fails).surge("cloud", 1, 300), story().surge("c1", 0, 300, errors).surge("cloud", 1, 300), "",
		},
		"a vantage point inside that is cut off": {
			story().surge("a1", 0, 9, leaning(64502), works, inside(64502, blame.Cut)).surge("a2", 1, 9, leaning(64502), works),
			story().surge("a1", 0, 9, leaning(64502), works).surge("a2", 1, 9, leaning(64502), works),
			"AS64502",
		},
		"quiet services that answer checks": {
			story().surge("c1", 0, 300).surge("cloud", 0, 290).quietWorks("c2", "c3"), story().surge("c1", 0, 300).surge("cloud", 0, 290).quiet("c2", "c3"), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			more, less := weight(c.more), weight(c.less)
			if more.Party.Name != "" && less.Party.Name != "" && more.Party != less.Party {
				t.Fatalf("not alike: %q and %q", more.Text, less.Text)
			}
			if c.party != "" && more.Party.Name != c.party {
				t.Errorf("points to %q, want %q: %s", more.Party.Name, c.party, more.Text)
			}
			if more.P <= less.P {
				t.Errorf("weight %.2f with it, %.2f without\n%s\n%s", more.P, less.P, more.Text, less.Text)
			}
		})
	}
}

func (s *told) quietWorks(ids ...faultline.ServiceID) *told {
	for _, id := range ids {
		w := blame.Witness{ID: id}
		works(&w)
		s.Quiet = append(s.Quiet, w)
	}
	return s
}

// weight is the finding about the first service.
func weight(s *told) *faultline.Blame {
	s.At = at(s.after)
	f := s.Judge()
	return f.Of(0)
}

// Whatever else speaks for it: who answers all checks is not named.
func TestWhoAnswersChecksIsNeverNamed(t *testing.T) {
	found := story().surge("c1", 3, 30).surge("c2", 3, 30).surge("c3", 3, 30).surge("c4", 3, 30).surge("c5", 3, 30).surge("c6", 3, 30).surge("cloud", 0, 900, works).judge()
	for id, b := range found {
		if b.Party.Service == "cloud" || b.Role == faultline.RoleOrigin {
			t.Errorf("%s: %s is named: %s", id, b.Party.Name, b.Text)
		}
	}
}

// In the first minutes a service that something carries is not named.
func TestWhatIsCarriedWaits(t *testing.T) {
	early := func(with ...func(*blame.Witness)) *faultline.Blame {
		s := story().surge("c1", 0, 900, fails, confirmed).quiet("c2", "c3", "c4", "c5", "c6")
		s.after = 6
		cloud := blame.Witness{ID: "cloud"}
		for _, f := range with {
			f(&cloud)
		}
		s.Quiet = append(s.Quiet, cloud)
		return s.judge()["c1"]
	}
	if b := early(); b.Role != faultline.RoleUndetermined || !b.Party.IsZero() {
		t.Errorf("after six minutes: %s, %s", b.Role, b.Text)
	}
	if b := early(works); b.Role != faultline.RoleOrigin {
		t.Errorf("after six minutes, its cloud at work: %s, %s", b.Role, b.Text)
	}
}

func TestOnsetsMakeGroups(t *testing.T) {
	surge := func(id faultline.ServiceID, onset float64, with ...faultline.ServiceID) blame.Witness {
		w := blame.Witness{ID: id, Onset: at(onset), Low: at(onset - 1), High: at(onset + 1)}
		if with != nil {
			w.Before = &faultline.Blame{With: with}
		}
		return w
	}
	for name, c := range map[string]struct {
		list []blame.Witness
		want []int
	}{
		"none":                       {nil, nil},
		"within the window":          {[]blame.Witness{surge("a", 0), surge("b", 14), surge("c", 28)}, []int{3}},
		"beyond it":                  {[]blame.Witness{surge("a", 0), surge("b", 20)}, []int{1, 1}},
		"beyond it, but seen as one": {[]blame.Witness{surge("a", 0, "b"), surge("b", 20)}, []int{2}},
		"a chain ends":               {[]blame.Witness{surge("a", 0), surge("b", 14), surge("c", 28), surge("d", 42), surge("e", 56), surge("f", 70)}, []int{5, 1}},
	} {
		var got []int
		for _, g := range blame.Together(c.list) {
			got = append(got, len(g))
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	p, _ := newPlot(0, 0.4)
	s := p.stage()
	b.ReportMetric(float64(len(s.Surging)), "surging")
	b.ReportMetric(float64(len(s.Quiet)), "quiet")
	b.ReportAllocs()
	for b.Loop() {
		f := s.Judge()
		for i := range s.Surging {
			_ = f.Of(i)
		}
	}
}
