package words_test

import (
	"strings"
	"testing"

	"faultline"
	"faultline/internal/publish/words"
)

func TestWordsOfAMap(t *testing.T) {
	list := func(c ...faultline.Country) []faultline.Country { return c }
	for name, c := range map[string]struct {
		f    words.Where
		head string
		text string
	}{
		"nothing is known":                  {words.Where{Unsure: 244}, "We can’t tell where there is trouble", "For 244 areas we can’t say: too few people report there. Hatched is unknown, not fine."},
		"nothing is known of a failing one": {words.Where{Name: "X", State: faultline.Confirmed}, "We can’t tell where X has trouble", ""},
		"nothing is known of a service":     {words.Where{Name: "X", Unsure: 244, Young: true}, "We can’t tell how X does, country by country", "For 244 areas we can’t say: too few people report there, or what is usual isn’t known yet. Hatched is unknown, not fine."},
		"all is as usual":                   {words.Where{Usual: 3, Unsure: 241}, "No country stands out", "In 3 countries reports are as usual. For 241 areas"},
		"a service is as usual":             {words.Where{Name: "éa", Usual: 1, Unsure: 1}, "éa: no country stands out", "In 1 country reports are as usual. For 1 area we can’t say"},
		"one country":                       {words.Where{Trouble: list("GB"), Usual: 2, Unsure: 1}, "More reports than usual in the United Kingdom", "In 1 country reports run at 3 times the usual number or more, in 2 as usual."},
		"two countries and one of no name":  {words.Where{Name: "X", Trouble: list("ZZ", "KE", "GB"), Unsure: 1}, "X: more reports than usual in 2 countries, most of all in Kenya", "In 2 countries reports run at 3 times the usual number or more. For 1 area"},
		"only networks of no known country": {words.Where{Trouble: list("ZZ"), Unsure: 1}, "More reports than usual, from no known country", "For 1 area"},
		"every area can be told":            {words.Where{Trouble: list("GB"), Usual: 2}, "More reports than usual in the United Kingdom", "In 1 country reports run at 3 times the usual number or more, in 2 as usual."},
	} {
		t.Run(name, func(t *testing.T) {
			if v := words.SayWhere(c.f); v.Headline != c.head || !strings.HasPrefix(v.Text(), c.text) {
				t.Errorf("%q: %s", v.Headline, v.Text())
			}
		})
	}
}

// The pill does not contradict the headline.
func TestThePillOfAMapFitsItsHeadline(t *testing.T) {
	for name, c := range map[string]struct {
		f    words.Where
		want faultline.State
	}{
		"a service that is fine, of no country": {words.Where{State: faultline.Fine}, faultline.Unclear},
		"one that is fine but for a country":    {words.Where{State: faultline.Fine, Trouble: []faultline.Country{"GB"}}, faultline.OddState},
		"nobody can tell but countries":         {words.Where{State: faultline.Unclear, Usual: 2}, faultline.Fine},
		"an incident, in no country":            {words.Where{State: faultline.Possible}, faultline.Possible},
	} {
		if v := words.SayWhere(c.f); v.State != c.want || v.Shape != words.Shape(c.want) {
			t.Errorf("%s: %s", name, v.State)
		}
	}
}

func TestAReconstructedMapSaysSo(t *testing.T) {
	if v := words.SayWhere(words.Where{Origin: faultline.Reconstructed, State: faultline.Confirmed}); v.Caveat != words.Reconstructed || v.Pill != "Disrupted" {
		t.Errorf("%+v", v)
	}
}

// No doubt may read like a state of which something is known.
func TestWhatIsNotKnownOfACountryIsNeverFine(t *testing.T) {
	for _, d := range []words.Doubt{words.TooFew, words.TooYoung, words.Silent, words.ByChance, ""} {
		if w := words.Standing(0, d); w == words.Standing(1, "") || strings.Contains(w, "usual") {
			t.Errorf("%q: %s", d, w)
		}
	}
}
