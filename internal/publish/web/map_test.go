package web

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline"
	"faultline/internal/netinfo"
	"faultline/internal/publish/live"
)

// steady gives a country the same reports and the same usual number all day, in
// five minutes, and a detector's verdict on them.
func (f *fakeDay) steady(s faultline.Series, reports, usual float64, v faultline.Verdict) {
	from := noon.Truncate(live.Step).Add(-24 * time.Hour)
	for k := range live.Bins {
		t := from.Add(time.Duration(k) * live.Step)
		for m := range 5 {
			x := 0.0
			if m == 0 {
				x = reports
			}
			if k+m == 0 {
				x = max(x, 1) // nothing is held of a country in which nobody ever spoke
			}
			f.d.Samples = append(f.d.Samples, faultline.Sample{Series: s, Start: t.Add(time.Duration(m) * time.Minute), Width: faultline.Seconds(time.Minute), Value: x, Complete: 1, Revision: 1, Origin: faultline.Measured})
		}
		if v != "" {
			f.d.Readings = append(f.d.Readings, faultline.Reading{Series: s, At: t.Add(live.Step), Expected: usual, High: usual + 1, Width: faultline.Seconds(live.Step), Verdict: v})
		}
	}
}

// mapped is a model with a country for each way to stand.
func mapped() *live.Model {
	m := live.New(live.Limits{})
	m.SetServices(fixtureServices())
	f := &fakeDay{}
	f.d.At = noon
	f.steady(world("larkpost"), 900, 20, faultline.Surging)
	for c, x := range map[faultline.Country]struct {
		reports, usual float64
		v              faultline.Verdict
	}{
		"GB": {410, 10, faultline.Surging},
		"SG": {10, 1, faultline.Odd},
		"BR": {12, 3, faultline.Surging},
		"FR": {11, 10, faultline.Usual},
		"IT": {0, 10, faultline.Dropping},
		"DE": {4, 0.2, faultline.Usual},
		"JP": {40, 0, ""},
		"PL": {40, 1, faultline.CannotTell},
		"KE": {2, 0.1, faultline.Surging},
		"NO": {0, 0.1, faultline.Usual},
		"ZZ": {30, 1, faultline.Surging},
		"AN": {30, 5, faultline.Surging},
	} {
		f.steady(in("larkpost", c), x.reports, x.usual, x.v)
	}
	f.steady(in("hexwell", "GB"), 40, 10, faultline.Surging)
	f.steady(in("hexwell", "FR"), 100, 10, faultline.Surging)
	m.Apply(f.d)
	return m
}

func mapOf(t *testing.T, s *site, path string) mapDoc {
	t.Helper()
	var d mapDoc
	if w := get(t, s, s.d.Base+path); w.Code != 200 {
		t.Fatalf("%s: %d", path, w.Code)
	} else if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// rowOf gives a country's row of the table on a page, or "".
func rowOfCountry(body, name string) string {
	for _, row := range strings.Split(body, "<tr")[1:] {
		row, _, _ = strings.Cut(row, "</tr>")
		if strings.Contains(row, ">"+name+"<") {
			return row
		}
	}
	return ""
}

func TestHowACountryStands(t *testing.T) {
	s := newSite(t, mapped())
	doc, page := mapOf(t, s, "/map/larkpost.json"), get(t, s, "/map/larkpost").Body.String()
	for c, want := range map[faultline.Country]struct {
		name, state, times, reports string
		step                        int
		area                        bool
	}{
		"GB": {"United Kingdom", "20 × or more", "41 ×", "1,230", 4, true},
		"SG": {"Singapore", "8 to 20 ×", "10 ×", "30", 3, true},
		"BR": {"Brazil", "3 to 8 ×", "4.0 ×", "36", 2, true},
		"FR": {"France", "As usual", "1.1 ×", "33", 1, true},
		"IT": {"Italy", "As usual", "too few", "no", 1, true}, // 30 are usual: that nobody reports can be told
		"DE": {"Germany", "May be chance", "12 ×", "12", 0, true},
		"JP": {"Japan", "Can’t tell yet", "120 ×", "120", 0, true},
		"PL": {"Poland", "Can’t tell yet", "40 ×", "120", 0, true},
		"ZZ": {"Unknown country", "20 × or more", "30 ×", "90", 4, false},
		"AN": {"AN", "3 to 8 ×", "6.0 ×", "90", 2, false}, // an operator's own table says so
	} {
		k := slices.IndexFunc(doc.Countries, func(j jsonOnMap) bool { return j.Country == c })
		if k < 0 {
			t.Errorf("%s is not in the document", c)
			continue
		}
		if j := doc.Countries[k]; j.Step != want.step || j.State != want.state || j.Area != want.area {
			t.Errorf("%s: step %d, %q, on the map %v", c, j.Step, j.State, j.Area)
		}
		row := rowOfCountry(page, want.name)
		for _, text := range []string{want.state, ">" + want.times + "<", ">" + want.reports + "<"} {
			if !strings.Contains(row, text) {
				t.Errorf("%s: no %q in the row %s", c, text, row)
			}
		}
		if drawn := strings.Contains(page, `#`+string(c)+`" class="l`); drawn != (want.area && want.step > 0) {
			t.Errorf("%s is drawn: %v", c, drawn)
		}
	}
	if strings.Contains(page, `class="l0"><title>`) || !strings.Contains(page, "United Kingdom: 41 × the usual number") {
		t.Error("what is unknown has a colour, or who points at a country reads nothing")
	}
}

func TestACountryOfTwoPeopleIsNotNamedOnAMap(t *testing.T) {
	s := newSite(t, mapped())
	for _, path := range []string{"/map", "/map/larkpost", "/map.json", "/map/larkpost.json"} {
		body := get(t, s, path).Body.String()
		for _, name := range []string{"Kenya", "Norway", `"KE"`, `"NO"`, "#KE", "#NO"} {
			if strings.Contains(body, name) {
				t.Errorf("%s names %s, of which too few speak", path, name)
			}
		}
	}
}

// Two people in a five minutes that is summed up with others are not counted, and
// their number cannot be got by subtraction.
func TestFiveMinutesOfTwoPeopleCountAsNone(t *testing.T) {
	bin := func(k int, v float64) live.Bin {
		return live.Bin{Start: at(12, 5*k), Value: v, Expected: 2, Complete: 1, Band: true, Verdict: faultline.Usual}
	}
	l := live.Line{Bins: []live.Bin{bin(0, 50), bin(1, 7), bin(2, 2), bin(3, 8), bin(4, 60)}}
	if s := stretchOf(nil, &l, at(12, 20)); s.Reports != 15 || !s.Few || s.Usual != 6 || s.Step != 1 {
		t.Errorf("%+v", s)
	}
	l.Bins[2].Complete, l.Bins[3].Complete = 0, 0
	if s := stretchOf(nil, &l, at(12, 20)); s.Step != 0 || s.Doubt != "silent" {
		t.Errorf("where nobody listened most of the time: %+v", s)
	}
	if s := stretchOf(nil, &live.Line{}, at(12, 20)); s.Step != 0 {
		t.Errorf("a line without numbers: %+v", s)
	}
}

func TestTheMapOfAllTakesTheServiceThatStandsWorst(t *testing.T) {
	s := newSite(t, mapped())
	d := mapOf(t, s, "/map.json")
	of := func(c faultline.Country) jsonOnMap {
		return d.Countries[slices.IndexFunc(d.Countries, func(j jsonOnMap) bool { return j.Country == c })]
	}
	if gb := of("GB"); gb.Step != 4 || *gb.Ratio != 41 || *gb.Reports != 1350 || len(gb.About) != 2 || gb.About[0].ID != "larkpost" || gb.About[1].Ratio != 4 {
		t.Errorf("GB: %+v", gb)
	}
	if fr := of("FR"); fr.Step != 3 || *fr.Ratio != 10 || len(fr.About) != 1 || fr.About[0].ID != "hexwell" {
		t.Errorf("FR, where one service is as usual and one is not: %+v", fr)
	}
	if d.Countries[0].Country != "GB" || !strings.Contains(d.Verdict, "most of all in the United Kingdom") {
		t.Errorf("%q, first %s", d.Verdict, d.Countries[0].Country)
	}
	page := get(t, s, "/map").Body.String()
	if row := rowOfCountry(page, "United Kingdom"); !strings.Contains(row, "Larkpost</bdi></a> <small>41 ×") || !strings.Contains(row, `href="/s/hexwell?country=GB"`) {
		t.Errorf("the row does not name the services: %s", row)
	}
	if !strings.Contains(page, `<b aria-current="page"><bdi>All services</bdi></b>`) || !strings.Contains(page, `href="/map/larkpost"`) {
		t.Error("no way to the map of one service")
	}
}

func TestNothingKnownIsAHatchedMap(t *testing.T) {
	empty := live.New(live.Limits{})
	empty.SetServices(fixtureServices())
	s := newSite(t, empty)
	for _, path := range []string{"/map", "/map/larkpost"} {
		body := get(t, s, path).Body.String()
		if !strings.Contains(body, "We can’t tell ") || !strings.Contains(body, "isn’t the same as fine") || strings.Contains(body, `.svg#GB"`) || !strings.Contains(body, `.svg#land" fill="url(#h`) {
			t.Errorf("%s does not say that nothing is known", path)
		}
	}
	if d := mapOf(t, s, "/map.json"); d.Unsure != s.world.Len() || !d.To.IsZero() || len(d.Countries) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestAMapOfAnUnknownServiceIsNotThere(t *testing.T) {
	s := newSite(t, mapped())
	for _, path := range []string{"/map/nobody", "/map/nobody.json", "/map/larkpost/x", "/map.csv"} {
		if w := get(t, s, path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Every country that a table of networks may name has an area, but for these.
func TestTheSpriteHasEveryCountry(t *testing.T) {
	w, err := loadWorld()
	if err != nil {
		t.Fatal(err)
	}
	without := map[string]string{
		"AQ": "its people are few, and it is large on every map", "ZZ": "unknown",
		"BV": "not in the source", "GI": "not in the source", "TK": "not in the source", "TV": "not in the source", "UM": "not in the source",
	}
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			c := string(a) + string(b)
			_, known := netinfo.Country(c)
			if why := without[c]; w.Has(c) != (known && why == "") {
				t.Errorf("%s: an area %v, a country %v, %s", c, w.Has(c), known, why)
			}
			if w.Has(c) {
				n++
			}
		}
	}
	if n != w.Len() {
		t.Errorf("%d countries, %d areas", n, w.Len())
	}
}

func TestTheSpriteIsOneSmallFileForEver(t *testing.T) {
	s := newSite(t, mapped())
	w := get(t, s, s.names["world.svg"], "Accept-Encoding", "gzip")
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() > 25_000 {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestMomentsOfAnIncidentThatGoesOn(t *testing.T) {
	s := newSite(t, busy())
	d := mapOf(t, s, "/map/larkpost.json")
	var got []string
	for _, m := range d.Moments {
		got = append(got, m.From.Format("15:04")+" "+m.What)
	}
	want := []string{"09:30 before", "09:50 wave 1 of 2", "13:45 wave 2 of 2, the highest", "15:45 now"}
	if !slices.Equal(got, want) || d.Incident != "larkpost-2026-05-04" {
		t.Fatalf("%q, of %s", got, d.Incident)
	}
	step := func(k int) int { return d.Moments[k].Countries[0].Step }
	if step(0) != 1 || step(2) != 4 {
		t.Errorf("before: %+v, at the highest: %+v", d.Moments[0].Countries, d.Moments[2].Countries)
	}
	page := get(t, s, "/map/larkpost").Body.String()
	if strings.Count(page, "<figure>") != 4 || !strings.Contains(page, "13:45, wave 2 of 2, the highest: 3 countries at 3 times the usual number or more, most of all the United Kingdom, 0 as usual.") {
		t.Error("the four maps are not there, or one does not say what it shows")
	}
}

// What is older than memory is known from the record only.
func TestAnOldIncidentIsDrawnFromItsRecord(t *testing.T) {
	s := newSite(t, busy())
	d := mapOf(t, s, "/map/tallybank.json")
	if len(d.Moments) != 1 || !d.Moments[0].From.IsZero() || len(d.Moments[0].Countries) != 1 || d.Moments[0].Countries[0].Step != 2 || d.Incident != "tallybank-2026-05-02" {
		t.Fatalf("%+v", d.Moments)
	}
	if page := get(t, s, "/map/tallybank").Body.String(); !strings.Contains(page, "In the record:") || !strings.Contains(page, `href="/i/tallybank-2026-05-02"`) {
		t.Error("the page does not say where the map comes from")
	}
	if d := mapOf(t, s, "/map/quillmail.json"); len(d.Moments) != 0 {
		t.Errorf("moments of an incident that was retracted: %+v", d.Moments)
	}
}

func TestMomentsAreToldOnceAndInOrder(t *testing.T) {
	in := func(h, m, last int) instant { return instant{at(h, m), "", last} }
	got := told([]instant{in(16, 0, 0), in(9, 30, 2), in(9, 45, 4), in(10, 0, 1), in(12, 0, 3), in(15, 50, 1), in(13, 0, 7)})
	if want := []instant{in(9, 30, 2), in(10, 0, 1), in(12, 0, 3), in(16, 0, 0)}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestReachIsDrawnWhereThreeVantagePointsSpeak(t *testing.T) {
	with := func(vantages ...string) *site {
		m := mapped()
		f := &fakeDay{}
		for k, name := range vantages {
			f.checks("larkpost", name, "https://larkpost.example/", func(t time.Time) bool { return k > 0 && t.Minute()%2 == 0 })
		}
		m.Apply(f.d)
		return newSite(t, m)
	}
	two, three := with("a", "b"), with("a", "b", "c")
	if d := mapOf(t, two, "/map.json"); d.Vantages != 2 || len(d.Reached) != 1 || d.Reached[0].Step != 0 || d.Reached[0].OK != nil {
		t.Errorf("two: %+v", d.Reached)
	}
	if page := get(t, two, "/map").Body.String(); !strings.Contains(page, "2 vantage points of ours speak, in no country 3 or more") || strings.Contains(page, "what our vantage points reach") {
		t.Error("two are drawn, or it is not said that they are too few")
	}
	d := mapOf(t, three, "/map/larkpost.json")
	if len(d.Reached) != 1 || d.Reached[0].Country != "DE" || d.Reached[0].Step != 2 || math.Abs(float64(*d.Reached[0].OK)/float64(*d.Reached[0].N)-0.67) > 0.1 {
		t.Errorf("three: %+v", d.Reached)
	}
	if page := get(t, three, "/map/larkpost").Body.String(); !strings.Contains(page, `#DE" class="l2"><title>Germany: 50 to 95 % reach it`) {
		t.Error("three are not drawn")
	}
	if page := get(t, newSite(t, mapped()), "/map/larkpost").Body.String(); !strings.Contains(page, "None of our vantage points speaks about Larkpost") {
		t.Error("that nobody measures is not said")
	}
}

func TestPagesLeadToTheMap(t *testing.T) {
	s := newSite(t, busy(), replaying)
	for path, want := range map[string]string{"/": "/map", "/s/larkpost": "/map/larkpost", "/i/larkpost-2026-05-04": "/map/larkpost", "/map": "/map/larkpost", "/map/larkpost": "/map"} {
		body := get(t, s, s.d.Base+path).Body.String()
		_, main, _ := strings.Cut(body, "<main")
		if !strings.Contains(main, `href="`+s.d.Base+want+`"`) {
			t.Errorf("%s does not lead to %s", path, want)
		}
	}
}

// On the worst day, with trouble in every country, the page still fits its budget:
// the style, the script, the font and the sprite take 61 of the 80 kB.
func TestAMapOfTroubleEverywhereStaysSmall(t *testing.T) {
	m := live.New(live.Limits{})
	f := &fakeDay{}
	f.d.At = noon
	var services []faultline.Service
	w, err := loadWorld()
	if err != nil {
		t.Fatal(err)
	}
	k := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if !w.Has(string(a) + string(b)) {
				continue
			}
			for n := range 6 { // 1,464 series: as many as the model holds
				id := faultline.ServiceID(fmt.Sprintf("service-%d-%d", n, k/40))
				if k%40 == 0 {
					services = append(services, faultline.Service{ID: id, Name: "Service " + string(id)})
				}
				f.lately(in(id, faultline.Country(string(a)+string(b))), float64(20+k*7%390+13*n))
			}
			k++
		}
	}
	m.SetServices(services)
	m.Apply(f.d)
	s := newSite(t, m)
	for _, path := range []string{"/map", "/map/service-0-0"} {
		page := get(t, s, path, "Accept-Encoding", "gzip")
		if page.Code != 200 || page.Body.Len() > 19_000 {
			t.Errorf("%s: %d, %d bytes", path, page.Code, page.Body.Len())
		}
		t.Logf("%s: %d bytes", path, page.Body.Len())
	}
	if d := mapOf(t, s, "/map.json"); len(d.Countries) != w.Len() || d.Unsure != 0 || len(d.Countries[0].About) != 6 {
		t.Errorf("%d countries, %d unknown", len(d.Countries), d.Unsure)
	}
}

// lately gives a country reports in the newest 15 minutes, of which 1 is usual.
func (f *fakeDay) lately(s faultline.Series, reports float64) {
	for k := range 15 {
		t := noon.Truncate(live.Step).Add(-time.Duration(k+1) * time.Minute)
		f.d.Samples = append(f.d.Samples, faultline.Sample{Series: s, Start: t, Width: faultline.Seconds(time.Minute), Value: reports, Complete: 1, Revision: 1, Origin: faultline.Measured})
		f.d.Readings = append(f.d.Readings, faultline.Reading{Series: s, At: t.Add(time.Minute), Expected: 1, High: 2, Width: faultline.Seconds(live.Step), Verdict: faultline.Surging})
	}
}
