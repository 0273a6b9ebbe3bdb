package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/api/apitest"
	"faultline/internal/publish/live"
)

// twins are the addresses of the contract, each with the documents that are
// fetched from it and their schema.
var twins = map[string]struct {
	schema string
	get    []string
}{
	"/index.json":                   {"Now", []string{"/index.json", "/.json"}},
	"/services.json":                {"Services", []string{"/services.json"}},
	"/s/{slug}.json":                {"Service", []string{"/s/larkpost.json", "/s/larkpost.json?country=GB", "/s/hexwell.json", "/s/tallybank.json", "/s/ferryline.json", "/s/orrery.json"}},
	"/s/{slug}/report.json":         {"ReportForm", []string{"/s/larkpost/report.json", "/s/orrery/report.json"}},
	"/s/{slug}/thanks.json":         {"Thanks", []string{"/s/larkpost/thanks.json", "/s/orrery/thanks.json"}},
	"/s/{slug}/longest.json":        {"Ranking", []string{"/s/larkpost/longest.json", "/s/tallybank/longest.json", "/s/quillmail/longest.json", "/s/orrery/longest.json"}},
	"/s/{slug}/worst.json":          {"Ranking", []string{"/s/larkpost/worst.json", "/s/tallybank/worst.json", "/s/orrery/worst.json"}},
	"/s/{slug}/longest.csv":         {"", []string{"/s/larkpost/longest.csv", "/s/orrery/longest.csv"}},
	"/s/{slug}/worst.csv":           {"", []string{"/s/larkpost/worst.csv"}},
	"/privacy.json":                 {"Privacy", []string{"/privacy.json"}},
	"/docs.json":                    {"Document", []string{"/docs.json", "/docs/.json", "/docs/index.json"}},
	"/docs/{document}.json":         {"Document", []string{"/docs/howto/operate.json"}},
	"/incidents.json":               {"Incidents", []string{"/incidents.json"}},
	"/i/{incident}.json":            {"IncidentPage", []string{"/i/larkpost-2026-05-04.json", "/i/hexwell-2026-05-04.json", "/i/tallybank-2026-05-02.json", "/i/quillmail-2026-05-01.json"}},
	"/i/{incident}@{revision}.json": {"IncidentPage", []string{"/i/larkpost-2026-05-04@1.json", "/i/larkpost-2026-05-04@3.json"}},
	"/map.json":                     {"Map", []string{"/map.json"}},
	"/map/{slug}.json":              {"Map", []string{"/map/larkpost.json", "/map/hexwell.json", "/map/tallybank.json", "/map/orrery.json"}},
	"/method.json":                  {"Method", []string{"/method.json"}},
	"/data.json":                    {"Data", []string{"/data.json"}},
	"/corrections.json":             {"Corrections", []string{"/corrections.json"}},
	"/i/{incident}.csv":             {"", []string{"/i/larkpost-2026-05-04.csv", "/i/larkpost-2026-05-04.csv?country=GB"}},
	"/index.atom":                   {"", []string{"/index.atom"}},
	"/possible.atom":                {"", []string{"/possible.atom"}},
	"/s/{slug}.atom":                {"", []string{"/s/larkpost.atom"}},
	"/i/{incident}.atom":            {"", []string{"/i/larkpost-2026-05-04.atom"}},
	"/api/v1/reports":               {}, // intake's own test
}

// eventful adds events to the fixture's incidents, so that every list has something.
func eventful() *live.Model {
	m := busy()
	m.Apply(live.Delta{Events: []faultline.Event{
		{ID: "e2", Revision: 2, By: "nbscan/1", Series: world("larkpost"), Kind: faultline.Surge, State: faultline.EventOpen, Opened: at(13, 42), At: at(13, 50), Onset: at(13, 38), OnsetLow: at(13, 35), OnsetHigh: at(13, 41), Peak: at(14, 0), PeakValue: 8120, PeakUsual: 198, PeakWidth: faultline.Seconds(1200e9), LogP: 40, Reporters: 8120, Networks: 900, Working: worked(), Origin: faultline.Measured},
		{ID: "e3", Revision: 1, By: "reach/1", Series: faultline.Series{Metric: faultline.MetricReach, Service: "larkpost", Level: faultline.AtVantage, Vantage: "local", Target: "https://larkpost.example/", Country: "DE", ASN: 64496}, Kind: faultline.Unreachable, State: faultline.EventOpen, Opened: at(13, 40), At: at(13, 40), Onset: at(13, 38), OnsetLow: at(13, 38), OnsetHigh: at(13, 38), Failure: faultline.GenericTimeout, Op: faultline.OpConnect, Failed: 2, Working: &faultline.Working{At: at(13, 40), Rule: faultline.FailedRule, Needs: faultline.Needs{Failed: 2}}, Origin: faultline.Measured},
	}})
	return m
}

// worked is the working of the fixture's surge, with a window that holds too few
// to be printed.
func worked() *faultline.Working {
	return &faultline.Working{
		At: at(14, 5), Rule: faultline.TailRule, Age: faultline.Seconds(30 * 24 * time.Hour), Best: 1, Hour: 190, HourWidth: faultline.Seconds(15 * time.Minute), Level: 1.04,
		Choice: 0.3, Slope: 1.1, Reporters: 4100, Networks: 700, Needs: faultline.Needs{LogP: 6, Reporters: 5, Networks: 3},
		Windows: []faultline.Window{
			{Width: faultline.Seconds(5 * time.Minute), Seen: 2, Counted: 2, Usual: 66, Against: 66, Phi: 0.08},
			{Width: faultline.Seconds(10 * time.Minute), Seen: 4100, Counted: 4100, Usual: 132, Against: 132, Phi: 0.06, LogP: 44, Calibrated: 40},
		},
	}
}

// TestEveryAnswerKeepsTheContract fetches each address of the contract, of the
// live site and of a replay, and holds the answer against its schema.
func TestEveryAnswerKeepsTheContract(t *testing.T) {
	c := apitest.Load(t)
	if named, tested := c.Paths(), slices.Sorted(maps.Keys(twins)); !slices.Equal(named, tested) {
		t.Errorf("the contract names %v\nwe test %v", named, tested)
	}
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	sites := map[string]*site{"live": newSite(t, eventful(), public), "replay": newSite(t, eventful(), replaying)}
	for which, s := range sites {
		for _, twin := range twins {
			for _, path := range twin.get {
				w := get(t, s, s.d.Base+path)
				if w.Code != http.StatusOK {
					t.Errorf("%s %s: %d", which, path, w.Code)
				} else if twin.schema != "" {
					hold(t, c, which+" "+path, twin.schema, w.Body.Bytes())
				}
			}
		}
		hold(t, c, which+" problem", "Problem", get(t, s, s.d.Base+"/s/nobody.json").Body.Bytes())
	}
	for _, path := range []string{"/index.json", "/services.json", "/s/larkpost.json", "/incidents.json", "/corrections.json", "/map.json", "/map/larkpost.json"} {
		hold(t, c, "empty "+path, twins[strings.Replace(path, "larkpost", "{slug}", 1)].schema, get(t, newSite(t, empty), path).Body.Bytes())
	}
}

func hold(t *testing.T, c *apitest.Contract, what, schema string, document []byte) {
	t.Helper()
	for _, fault := range c.Check(schema, document) {
		t.Errorf("%s: %s", what, fault)
	}
}

// schemas are the documents' types: the contract names each of their fields and
// no other, also those that the fixture leaves empty.
var schemas = map[string]reflect.Type{
	"Now": reflect.TypeFor[homeDoc](), "Services": reflect.TypeFor[servicesDoc](), "Service": reflect.TypeFor[serviceDoc](), "Incidents": reflect.TypeFor[incidentsDoc](),
	"IncidentPage": reflect.TypeFor[incidentDoc](), "Method": reflect.TypeFor[methodDoc](), "Data": reflect.TypeFor[dataDoc](), "Corrections": reflect.TypeFor[correctionsDoc](),
	"ReportForm": reflect.TypeFor[reportDoc](), "Choice": reflect.TypeFor[jsonChoice](), "Thanks": reflect.TypeFor[thanksDoc](), "Privacy": reflect.TypeFor[privacyDoc](), "Promise": reflect.TypeFor[promise](),
	"Document": reflect.TypeFor[docDoc](), "DocumentEntry": reflect.TypeFor[jsonDocument](), "Problem": reflect.TypeFor[jsonProblem](),
	"Status": reflect.TypeFor[jsonStatus](), "Bin": reflect.TypeFor[jsonBin](), "Reach": reflect.TypeFor[jsonReach](), "Vantage": reflect.TypeFor[jsonVantage](),
	"Map": reflect.TypeFor[mapDoc](), "CountryOnMap": reflect.TypeFor[jsonOnMap](), "TroubleThere": reflect.TypeFor[jsonTrouble](), "MapMoment": reflect.TypeFor[jsonMoment](), "ReachedFrom": reflect.TypeFor[jsonReached](),
	"CountryNow": reflect.TypeFor[jsonCountry](), "Revision": reflect.TypeFor[jsonRevision](), "Event": reflect.TypeFor[jsonEvent](), "Peak": reflect.TypeFor[jsonPeak](),
	"Working": reflect.TypeFor[faultline.Working](), "Window": reflect.TypeFor[faultline.Window](), "View": reflect.TypeFor[faultline.View](), "Needs": reflect.TypeFor[faultline.Needs](),
	"HowOftenWrong": reflect.TypeFor[qualityDoc](), "Calibration": reflect.TypeFor[jsonCurve](), "Often": reflect.TypeFor[jsonOften](), "FalseAlarms": reflect.TypeFor[alarms](), "Rate": reflect.TypeFor[jsonRate](),
	"RetractionReason": reflect.TypeFor[jsonCause](), "Baselines": reflect.TypeFor[baselineDoc](), "BaselineAge": reflect.TypeFor[ageRow](), "ServiceBaselines": reflect.TypeFor[serviceAge](),
	"Number": reflect.TypeFor[number](), "Retention": reflect.TypeFor[jsonRetention](), "Correction": reflect.TypeFor[jsonCorrection](),
	"Incident": reflect.TypeFor[faultline.Incident](), "Blame": reflect.TypeFor[faultline.Blame](), "Party": reflect.TypeFor[faultline.Party](), "Episode": reflect.TypeFor[faultline.Episode](), "Scope": reflect.TypeFor[faultline.Scope](),
	"CountryShare": reflect.TypeFor[faultline.CountryShare](), "ASNShare": reflect.TypeFor[faultline.ASNShare](), "PeakReports": reflect.TypeFor[faultline.PeakReports](),
	"Affected": reflect.TypeFor[faultline.Affected](), "Severity": reflect.TypeFor[faultline.Severity](), "Rank": reflect.TypeFor[jsonRank](), "Ranking": reflect.TypeFor[rankingDoc](), "Ranked": reflect.TypeFor[jsonRanked](),
	"Change": reflect.TypeFor[faultline.Change](), "Note": reflect.TypeFor[faultline.Note](), "Place": reflect.TypeFor[faultline.Place](),
}

func TestTheContractNamesEveryField(t *testing.T) {
	c := apitest.Load(t)
	for schema, x := range schemas {
		names, always := fields(x)
		gotNames, gotAlways := c.Fields(schema)
		if !slices.Equal(names, gotNames) || !slices.Equal(always, gotAlways) {
			t.Errorf("%s: the program writes %v (always %v),\nthe contract names %v (always %v)", schema, names, always, gotNames, gotAlways)
		}
	}
}

// fields lists the names that a type writes, and those that it always writes.
func fields(x reflect.Type) (names, always []string) {
	for _, f := range reflect.VisibleFields(x) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		names = append(names, name)
		if !strings.Contains(options, "omit") {
			always = append(always, name)
		}
	}
	slices.Sort(names)
	slices.Sort(always)
	return names, always
}

func TestTheContractIsServedAndLinked(t *testing.T) {
	s := newSite(t, busy())
	w := get(t, s, "/api/v1/openapi.json")
	var doc struct{ OpenAPI string }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" || w.Header().Get("Content-Type") != typeJSON {
		t.Errorf("%v: openapi %q, %v", err, doc.OpenAPI, w.Header())
	}
	if w := get(t, s, "/api/v1/openapi.yaml"); !strings.HasPrefix(w.Body.String(), "openapi: 3.1.0") {
		t.Errorf("as YAML: %d %.40s", w.Code, w.Body)
	}
	if body := get(t, s, "/data").Body.String(); !strings.Contains(body, `href="/api/v1/openapi.json"`) {
		t.Error("the page about data does not link to it")
	}
}
