package catalogue_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/intake/catalogue"
)

func newCatalogue(t testing.TB, own ...faultline.Service) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New(own...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShippedServicesAreFitToUse(t *testing.T) {
	list := catalogue.Shipped()
	if len(list) < 150 {
		t.Errorf("only %d services", len(list))
	}
	ids, hosts := map[faultline.ServiceID]bool{}, map[string]faultline.ServiceID{}
	for _, s := range list {
		if ids[s.ID] {
			t.Errorf("%s is there twice", s.ID)
		}
		ids[s.ID] = true
		if s.Name == "" || s.Category == "" || len(s.Targets) > 0 {
			t.Errorf("%s lacks a name or category, or has targets: %+v", s.ID, s)
		}
		for _, a := range s.Aliases {
			if a != strings.TrimSpace(a) || a == "" {
				t.Errorf("%s: alias %q", s.ID, a)
			}
			if other, taken := hosts[a]; taken && strings.Contains(a, ".") {
				t.Errorf("%s and %s both claim %s", s.ID, other, a)
			}
			hosts[a] = s.ID
		}
	}
}

func TestEveryServiceIsFoundByItsNameAndItsAliases(t *testing.T) {
	c := newCatalogue(t)
	for _, s := range c.All() {
		for _, q := range append([]string{s.Name, string(s.ID)}, s.Aliases...) {
			found := c.Search(q, 2)
			if !slices.ContainsFunc(found, func(f faultline.Service) bool { return f.ID == s.ID }) {
				t.Errorf("%q does not find %s but %v", q, s.ID, found)
			}
		}
	}
}

func TestSearchIsForgiving(t *testing.T) {
	c := newCatalogue(t, faultline.Service{ID: "sushi-bar", Name: "Sushi Bar", Targets: []faultline.Target{{URL: "https://sushi.example:8443/health"}}})
	for name, x := range map[string]struct {
		query string
		want  faultline.ServiceID
	}{
		"by id":                                 {"x", "x"},
		"by alias":                              {"twitter", "x"},
		"in capitals":                           {"TWITTER", "x"},
		"with a slip":                           {"twiter", "x"},
		"with two letters swapped":              {"isntagram", "instagram"},
		"by host":                               {"x.com", "x"},
		"by the address of a page":              {"https://x.com/foo", "x"},
		"by an address without its scheme":      {"x.com/foo?bar=1", "x"},
		"by a subdomain":                        {"https://mobile.twitter.com/home", "x"},
		"by www":                                {"www.reddit.com", "reddit"},
		"by the longest host that is known":     {"https://mail.google.com/mail/u/0", "gmail"},
		"without accents":                       {"credit agricole", "credit-agricole"},
		"with accents where there are none":     {"nétflix", "netflix"},
		"by the beginning":                      {"insta", "instagram"},
		"by the beginning of a later word":      {"teams", "microsoft-teams"},
		"with a sign for a word":                {"disney+", "disney-plus"},
		"in another script":                     {"微信", "wechat"},
		"by a target's host":                    {"https://sushi.example/", "sushi-bar"},
		"by an operator's name":                 {"sushi", "sushi-bar"},
		"with spaces around":                    {"  github  ", "github"},
		"a port does not matter":                {"github.com:443", "github"},
		"a user in an address does not matter":  {"https://me:secret@github.com/", "github"},
		"the end of a host name does not match": {"notx.com", ""},
		"nothing":                               {"", ""},
		"only signs":                            {"?!…", ""},
		"nonsense":                              {"qqqqzzzz", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.Search(x.query, 5)
			if x.want == "" {
				if len(found) > 0 {
					t.Errorf("%q finds %v", x.query, found)
				}
				return
			}
			if len(found) == 0 || found[0].ID != x.want {
				t.Errorf("%q finds %v, want %s first", x.query, found, x.want)
			}
		})
	}
}

func TestSearchNeverPanicsAndRepeatsItself(t *testing.T) {
	c := newCatalogue(t)
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z]{1,9}( [a-z]{1,9})?`), rapid.StringMatching(`(https?://)?[a-z.]{1,20}(/.*)?`)).Draw(t, "q")
		a, b := c.Search(q, 3), c.Search(q, 3)
		if len(a) > 3 || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%q: %v and %v", q, a, b)
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"x", "https://x.com/foo", "://", "http://[::1", "\xff\xfe", strings.Repeat("é", 150), "%zz.com"} {
		f.Add(s)
	}
	c := newCatalogue(f)
	f.Fuzz(func(_ *testing.T, q string) { c.Search(q, 5); c.Nearest(q) })
}

func TestOperatorsServicesAddAndOverride(t *testing.T) {
	c := newCatalogue(t,
		faultline.Service{ID: "bar"},
		faultline.Service{ID: "x", Targets: []faultline.Target{{URL: "https://x.com/"}}},
		faultline.Service{ID: "github", Name: "Our GitHub", Aliases: []string{"forge"}, Category: "ours"})
	if s, ok := c.Get("bar"); !ok || s.Name != "bar" {
		t.Errorf("bar: %+v", s)
	}
	if s, _ := c.Get("x"); s.Name != "X" || len(s.Targets) != 1 || !slices.Contains(s.Aliases, "Twitter") {
		t.Errorf("x: %+v", s)
	}
	if s, _ := c.Get("github"); s.Name != "Our GitHub" || len(s.Aliases) != 1 || s.Category != "ours" {
		t.Errorf("github: %+v", s)
	}
	if err := c.Set(nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get("bar"); ok {
		t.Error("bar is still there")
	}
	if s, _ := c.Get("x"); len(s.Targets) > 0 {
		t.Error("x still has targets")
	}
}

func TestWrongServicesAreRefusedAndChangeNothing(t *testing.T) {
	c := newCatalogue(t, faultline.Service{ID: "bar"})
	for name, x := range map[string]struct {
		own  []faultline.Service
		want string
	}{
		"a reserved word":     {[]faultline.Service{{ID: "report"}}, "word of the site's own"},
		"capitals":            {[]faultline.Service{{ID: "Bar"}}, "use 1 to 48"},
		"nothing":             {[]faultline.Service{{ID: ""}}, "use 1 to 48"},
		"too long":            {[]faultline.Service{{ID: faultline.ServiceID(strings.Repeat("a", 49))}}, "use 1 to 48"},
		"a slash":             {[]faultline.Service{{ID: "a/b"}}, "use 1 to 48"},
		"the same once again": {[]faultline.Service{{ID: "one"}, {ID: "one"}}, "twice"},
	} {
		if err := c.Set(x.own); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := c.Get("bar"); !ok {
		t.Error("a refused list replaced the old one")
	}
}

func TestReservedWordsAreThoseOfTheDesign(t *testing.T) {
	words := catalogue.Reserved()
	if !slices.IsSorted(words) {
		t.Error("not in order: CheckID searches by halves")
	}
	for _, w := range []string{"report", "thanks", "replay", "console", "method", "data", "privacy", "corrections", "docs", "claimants", "causes", "vantages", "map", "score", "api", "healthz", "readyz", "metrics"} {
		if catalogue.CheckID(faultline.ServiceID(w)) == nil {
			t.Errorf("%s may be a service", w)
		}
	}
	if err := catalogue.CheckID("x"); err != nil {
		t.Error(err)
	}
}

func TestKnownGivesItsOwnCopy(t *testing.T) {
	c := newCatalogue(t)
	b := []byte("x")
	id, ok := c.Known(b)
	b[0] = 'y'
	if !ok || id != "x" {
		t.Errorf("got %q, %v", id, ok)
	}
	if _, ok := c.Known([]byte("nobody")); ok {
		t.Error("knows nobody")
	}
}

func TestSetWhileOthersRead(t *testing.T) {
	c := newCatalogue(t, faultline.Service{ID: "bar"})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 200 {
				if s, ok := c.Get("x"); !ok || s.Name != "X" {
					t.Error("x is gone for a moment")
				}
				c.Search("bar", 1)
			}
		})
	}
	for range 20 {
		if err := c.Set([]faultline.Service{{ID: "bar"}}); err != nil {
			t.Error(err)
		}
	}
	readers.Wait()
}

func BenchmarkSearch(b *testing.B) {
	c := newCatalogue(b)
	for b.Loop() {
		c.Search("twiter", 5)
	}
}
