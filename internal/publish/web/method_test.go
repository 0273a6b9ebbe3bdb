package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// meaning gives what the page about method says of a number.
func meaning(t *testing.T, s *site, anchor string) string {
	t.Helper()
	var doc struct{ Numbers []number }
	if err := json.Unmarshal(get(t, s, "/method.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, n := range doc.Numbers {
		if n.Anchor == anchor {
			return n.Meaning + " " + n.From
		}
	}
	t.Fatalf("no entry %s", anchor)
	return ""
}

func TestTheMethodPageSaysWhatIsInEffect(t *testing.T) {
	usual := newSite(t, busy())
	for anchor, wants := range map[string][]string{
		"state":      {"one chance in 10,000, from at least 5 people", "one chance in 1,000,000, from at least 5 people in at least 3 networks (20 people", "less than 3 days", "a network’s, a symptom’s or a surface’s a hundred times rarer", "2 times in a row", "within 15 minutes", "at least 3 vantage points in at least 2 networks", "50 % of the healthy groups", "for 10 minutes, or for 3 checks", "recovering for 30 minutes", "Reports alone, however many, stay possible."},
		"reports":    {"once in 10 minutes", "at most 3 people in 10 minutes, or 4 times its usual number", "at most 20 % of what all others bring together, or 2 times its usual share; up to 10 people"},
		"usual":      {"for 48 hours at most"},
		"connecting": {"every 60 seconds; every 10 seconds"},
		"affected":   {"at most 1000 times as readily, which nobody has measured", "at least 2 networks", "fewer than 5 people on record", "can’t tell, which is not nobody"},
		"what":       {"60 % of what is above usual or more, 2 times its usual share or more, and is 4 standard deviations", "with 80 %, 1.3 times and 3", "It never says for whom."},
		"duration":   {"less than 6 hours after"},
	} {
		for _, want := range wants {
			if got := meaning(t, usual, anchor); !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %q", anchor, want, got)
			}
		}
	}
	if got := meaning(t, usual, "state"); strings.Contains(got, "one healthy vantage") {
		t.Error("says that one vantage point confirms, which it does not")
	}
	set := newSite(t, busy(), func(d *Deps) {
		d.Rules = DefaultRules()
		d.Rules.OneVantage, d.Rules.Resolve, d.Rules.Interval = true, 2*time.Hour, 5*time.Second
	})
	if got := meaning(t, set, "state"); !strings.Contains(got, "after 3 failed checks") || !strings.Contains(got, "recovering for 2 hours") {
		t.Errorf("what the operator set is not said: %s", got)
	}
	if got := meaning(t, set, "connecting"); !strings.Contains(got, "every 5 seconds") {
		t.Errorf("the operator's interval is not said: %s", got)
	}
}

// Each link to the page about method goes to an entry that is there.
func TestEveryLinkIntoTheMethodPageArrives(t *testing.T) {
	s := newSite(t, busy())
	anchors := map[string]bool{}
	for _, n := range numbers(DefaultRules()) {
		if anchors[n.Anchor] {
			t.Errorf("%s is there twice", n.Anchor)
		}
		anchors[n.Anchor] = true
	}
	links := 0
	for _, path := range htmlPages {
		for _, part := range strings.Split(get(t, s, path).Body.String(), `href="/method#`)[1:] {
			anchor, _, _ := strings.Cut(part, `"`)
			links++
			if !anchors[anchor] {
				t.Errorf("%s links to #%s", path, anchor)
			}
		}
	}
	if links < 20 {
		t.Errorf("%d links only", links)
	}
}
