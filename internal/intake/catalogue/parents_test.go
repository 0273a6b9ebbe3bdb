package catalogue_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/intake/catalogue"
)

func TestShippedParentsAndNetworks(t *testing.T) {
	c := newCatalogue(t)
	runs := map[faultline.ASN]faultline.ServiceID{}
	carried := 0
	for _, s := range c.All() {
		for _, p := range s.Parents {
			carried++
			if _, ok := c.Get(p.ID); !ok || p.As == "" || p.Known != "catalogue" {
				t.Errorf("%s: %+v", s.ID, p)
			}
		}
		for _, a := range s.ASNs {
			if other, taken := runs[a]; taken {
				t.Errorf("%s and %s both run %s", s.ID, other, a)
			}
			runs[a] = s.ID
		}
	}
	if x, _ := c.Get("instagram"); carried < 20 || len(runs) < 20 || len(x.Parents) != 1 || x.Parents[0].ID != "facebook" {
		t.Errorf("%d carried, %d networks, %+v", carried, len(runs), x.Parents)
	}
}

func TestTheOperatorsParentsReplaceTheShippedOnes(t *testing.T) {
	c := newCatalogue(t, faultline.Service{ID: "reddit", Parents: []faultline.Parent{{ID: "my-edge"}}}, faultline.Service{ID: "my-edge", Category: "cloud"}, faultline.Service{ID: "x", Name: "X"})
	if s, _ := c.Get("reddit"); len(s.Parents) != 1 || s.Parents[0] != (faultline.Parent{ID: "my-edge", Known: "operator"}) {
		t.Errorf("%+v", s.Parents)
	}
	if s, _ := c.Get("x"); len(s.Parents) != 1 || s.Parents[0].ID != "cloudflare" {
		t.Errorf("an entry without parents takes the shipped ones away: %+v", s.Parents)
	}
}

func TestParentsAreChecked(t *testing.T) {
	own := []faultline.Service{{ID: "shop"}, {ID: "edge"}}
	for want, p := range map[string]faultline.Parent{
		"its own parent": {ID: "shop"}, `parent "moon" is no service`: {ID: "moon"}, `as "magic"`: {ID: "edge", As: "magic"}, "": {ID: "edge", As: "cdn"},
	} {
		err := catalogue.CheckParents(own, &faultline.Service{ID: "shop", Parents: []faultline.Parent{p}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	if err := catalogue.CheckParents(own, &faultline.Service{ID: "shop", Parents: []faultline.Parent{{ID: "cloudflare"}}}); err != nil {
		t.Errorf("a shipped parent: %v", err)
	}
}
