package apitest

import (
	"strings"
	"testing"
)

// TestTheCheckBites: each broken document breaks one promise.
func TestTheCheckBites(t *testing.T) {
	c := Load(t)
	for name, d := range map[string]struct{ schema, document, says string }{
		"good":                         {"Report", `{"service":"x","symptom":"slow","surface":"web","since":"2026-05-04T10:00:00Z","country":"gb"}`, ""},
		"a field too many":             {"Report", `{"service":"x","surface":"web","mood":"bad"}`, "$ has mood"},
		"a field too few":              {"Report", `{"service":"x"}`, "$ has no surface"},
		"another type":                 {"Report", `{"service":7,"surface":"web"}`, "$.service is integer"},
		"a word that is not in a list": {"Report", `{"service":"x","surface":"fax"}`, "$.surface is fax"},
		"no time":                      {"Report", `{"service":"x","surface":"web","since":"noon"}`, "$.since is no time"},
		"a pattern":                    {"Report", `{"service":"x","surface":"web","country":"GBR"}`, "does not match"},
		"too short":                    {"Report", `{"service":"","surface":"web"}`, "below minLength"},
		"inside a list":                {"AcceptedBatch", `{"ids":["0-1-0",7]}`, "$.ids[1] is integer"},
		"below a minimum":              {"ASNShare", `{"country":"GB","asn":1,"share":0.1,"n":2}`, "$.n is 2, below minimum 3"},
		"above a maximum":              {"Problem", `{"type":"about:blank","title":"","status":700,"detail":""}`, "above maximum"},
		"null where it is allowed":     {"Bin", `{"start":"2026-05-04T10:00:00Z","reports":null,"usual":null,"low":null,"high":null,"complete":1}`, ""},
		"null where it is not":         {"Reach", `{"start":null,"reached":1,"checks":1}`, "$.start is null"},
		"no JSON":                      {"Report", `{`, "is no JSON"},
		"a schema that is not there":   {"Nothing", `{}`, "is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(c.Check(d.schema, []byte(d.document)), "; ")
			if (got == "") != (d.says == "") || !strings.Contains(got, d.says) {
				t.Errorf("says %q, want %q", got, d.says)
			}
		})
	}
}

func TestAKeywordThatIsNotCheckedIsSaid(t *testing.T) {
	c := &Contract{doc: object{"components": object{"schemas": object{"X": object{"multipleOf": 2.0}}}}}
	if got := c.Check("X", []byte("3")); len(got) != 1 || !strings.Contains(got[0], "multipleOf") {
		t.Errorf("says %v", got)
	}
}
