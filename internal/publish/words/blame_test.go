package words_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/publish/words"
)

func TestWordsOfASurgeOfSeveral(t *testing.T) {
	edge, iran := faultline.Party{Service: "edge", Name: "Edge"}, faultline.Party{Country: "IR", Name: "IR"}
	for name, c := range map[string]struct {
		state            faultline.State
		blame            faultline.Blame
		head, down, note string
	}{
		"blamed":                   {faultline.Possible, faultline.Blame{Role: faultline.RoleBlamed, Party: edge, Basis: faultline.BasisReports, Text: "Beside it."}, "Probably not X: the reports point to Edge", "Probably not", "it is reported beside Edge"},
		"collateral, by reports":   {faultline.Possible, faultline.Blame{Role: faultline.RoleCollateral, Party: edge, Basis: faultline.BasisReports, Text: "All use Edge."}, "X may be hit by trouble at Edge", "Possibly", "through Edge"},
		"collateral, measured":     {faultline.Confirmed, faultline.Blame{Role: faultline.RoleCollateral, Party: edge, Basis: faultline.BasisMeasured, Text: "All use Edge."}, "X is hit by trouble at Edge", "Yes", "through Edge"},
		"through a country":        {faultline.Confirmed, faultline.Blame{Role: faultline.RoleCollateral, Party: iran, Basis: faultline.BasisMeasured, Text: "From IR."}, "X is hit by trouble at networks in Iran", "Yes", "through networks in Iran"},
		"through a bare network":   {faultline.Possible, faultline.Blame{Role: faultline.RoleCollateral, Party: faultline.Party{ASN: 64500}, Basis: faultline.BasisReports, Text: "One."}, "X may be hit by trouble at the network AS64500", "Possibly", "through the network AS64500"},
		"the origin keeps its own": {faultline.Confirmed, faultline.Blame{Role: faultline.RoleOrigin, Party: edge, Basis: faultline.BasisMeasured, Text: "What fails is X."}, "X is failing in the United Kingdom", "Yes", ""},
		"over, blamed":             {faultline.Resolved, faultline.Blame{Role: faultline.RoleBlamed, Party: edge, Basis: faultline.BasisMeasured, Text: "Beside it."}, "X was reported for 30 min, and probably did not fail", "No longer", ""},
		"over, collateral":         {faultline.Resolved, faultline.Blame{Role: faultline.RoleCollateral, Party: edge, Basis: faultline.BasisMeasured, Text: "All."}, "X was hit by trouble at Edge for 30 min", "No longer", ""},
	} {
		t.Run(name, func(t *testing.T) {
			i := with(surge(400, 20), func(i *faultline.Incident) { i.State, i.Blame = c.state, &c.blame })
			v := words.Say(words.Facts{Name: "X", State: c.state, Now: now, Incident: i})
			if v.Headline != c.head || v.Down.Head != c.down || c.note != "" && v.Down.Note != c.note || !strings.Contains(v.Text(), c.blame.Text) {
				t.Errorf("%q, %q (%q): %s", v.Headline, v.Down.Head, v.Down.Note, v.Text())
			}
			if c.blame.Role == faultline.RoleBlamed && strings.Contains(v.Text(), "nothing has measured it") {
				t.Error("contradicts its finding: " + v.Text())
			}
		})
	}
}

func TestOneServiceThatPointsToNobodyIsNoNews(t *testing.T) {
	i := with(surge(400, 20), func(i *faultline.Incident) {
		i.Blame = &faultline.Blame{Role: faultline.RoleUndetermined, Text: "It cannot be told."}
	})
	if v := words.Say(words.Facts{Name: "X", State: faultline.Possible, Now: now, Incident: i}); strings.Contains(v.Text(), "cannot be told") {
		t.Error(v.Text())
	}
}
