package scenario

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"faultline/scenarios"
)

// subFS copies a shipped scenario to memory under another name.
func subFS(t testing.TB, name, as string) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	entries, err := fs.ReadDir(scenarios.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := fs.ReadFile(scenarios.Files, path.Join(name, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m[path.Join(as, e.Name())] = &fstest.MapFile{Data: b, Mode: 0o600}
	}
	return m
}

func TestABrokenLineIsAnErrorWithFileAndLine(t *testing.T) {
	for _, c := range []struct{ name, file, old, with, want string }{
		{"a misspelt key of the manifest", "scenario.yaml", "seed:", "sede:", `s/scenario.yaml:9: unknown key "sede" (did you mean "seed"?)`},
		{"a manifest that is no YAML", "scenario.yaml", "title: One probe", "title: [", "s/scenario.yaml:"},
		{"an origin of measured", "scenario.yaml", "origin: simulated", "origin: measured", `s/scenario.yaml:10: origin "measured": a scenario is`},
		{"no notice", "scenario.yaml", "notice: simulated, not measured", `notice: ""`, "s/scenario.yaml:11: notice is missing"},
		{"a clock outside the scenario", "scenario.yaml", `"09:50"`, `"23:50"`, "s/scenario.yaml:8: clock_start"},
		{"a clock that is none", "scenario.yaml", `"09:50"`, `"25:50"`, `s/scenario.yaml:8: clock_start "25:50": want HH:MM`},
		{"an end before its beginning", "scenario.yaml", "to: 2025-06-16T20:00:00Z", "to: 2025-06-15T20:00:00Z", "s/scenario.yaml:7: to must come after from"},
		{"a service id with capitals", "scenario.yaml", "id: alone", "id: Alone", `s/scenario.yaml:17: service id "Alone"`},
		{"noise below one", "scenario.yaml", "noise: 20", "noise: 0", "s/scenario.yaml:14: noise must be"},
		{"a misspelt column", "peaks.csv", "per_15min", "per_15mins", `s/peaks.csv:1: unknown column "per_15mins" (did you mean "per_15min"?)`},
		{"a column twice", "peaks.csv", "basis,figures", "basis,basis", `s/peaks.csv:1: column "basis" twice`},
		{"a missing column", "peaks.csv", ",figures", "", `s/peaks.csv:1: column "figures" is missing`},
		{"a number that is none", "peaks.csv", ",90,", ",ninety,", `s/peaks.csv:2: per_15min "ninety"`},
		{"more reports than a frame holds", "peaks.csv", ",90,", ",500000,", "s/peaks.csv: minute 2025-06-16T14:"},
		{"a wave that nobody described", "peaks.csv", "agreed,W1", "agreed,W9", `s/peaks.csv:2: wave "W9" of agreed is not in waves.csv`},
		{"a service that is not listed", "peaks.csv", "agreed,W1", "agree,W1", `s/peaks.csv:2: service "agree" is not listed`},
		{"a country without networks", "peaks.csv", ",GB,", ",FR,", "s/peaks.csv:2: country FR has no network"},
		{"a basis of its own", "peaks.csv", "assumed", "guessed", `s/peaks.csv:2: basis "guessed"`},
		{"too few fields", "waves.csv", ",made up", "", "s/waves.csv:2: wrong number of fields"},
		{"an open quote", "waves.csv", "made up", `"made up`, "s/waves.csv:"},
		{"a wave that ends before it begins", "waves.csv", "14:10:00Z", "13:10:00Z", "s/waves.csv:2: end must come after onset"},
		{"a wave outside the scenario", "waves.csv", "2025-06-16T14:10:00Z", "2025-06-16T22:10:00Z", "s/waves.csv:2: wave W1 does not lie"},
		{"a wave of more than a day", "waves.csv", "2025-06-16T14:10:00Z", "2025-06-18T14:10:00Z", "s/waves.csv:2: a wave lasts at most 24 h"},
		{"a time with seconds", "waves.csv", "14:10:00Z", "14:10:30Z", "s/waves.csv:2: end \"2025-06-16T14:10:30Z\": want a whole minute"},
		{"a symptom that the form does not have", "symptoms.csv", "cannot_load", "is_sad", `s/symptoms.csv:2: symptom "is_sad"`},
		{"no mix for a wave", "surfaces.csv", "agreed,W1", "agreed,usual", "s/peaks.csv:2: no row of surfaces.csv or symptoms.csv fits"},
		{"a surface in no country", "surfaces.csv", ",*,", ",gb,", `s/surfaces.csv:2: country "gb"`},
		{"a share above all", "networks.csv", ",30,40000", ",130,40000", `s/networks.csv:2: share_percent "130"`},
		{"a vantage that nobody described", "checks.csv", "q-amsterdam", "q-rotterdam", `s/checks.csv:2: vantage "q-rotterdam" is not in vantages.csv`},
		{"a target that is no address", "checks.csv", "https://", "gopher://", "s/checks.csv:2: target"},
		{"a range that ends below its beginning", "failures.csv", ",100,100,100,", ",100,50,100,", "s/failures.csv:2: a range"},
		{"a collector that nobody knows", "collectors.csv", "probe:q-amsterdam", "flows", `s/collectors.csv:3: collector "flows"`},
		{"a collector of a vantage that nobody described", "collectors.csv", "probe:q-amsterdam", "probe:moon", `s/collectors.csv:3: vantage "moon"`},
		{"nobody collects reports", "collectors.csv", "reports,2025-06-16T00:00:00Z,2025-06-16T20:00:00Z\n", "", `s/collectors.csv: collector "reports" is missing`},
		{"a collector awake twice", "collectors.csv", "probe:q-amsterdam,", "reports,", "s/collectors.csv:3: reports is awake twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := subFS(t, "one-probe", "s")
			f := m["s/"+c.file]
			broken := strings.Replace(string(f.Data), c.old, c.with, 1)
			if broken == string(f.Data) {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			f.Data = []byte(broken)
			_, err := Open(m, "s")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "s/") {
				t.Errorf("no file in %v", err)
			}
		})
	}
}

func TestMissingAndEmptyFilesAreSaid(t *testing.T) {
	m := subFS(t, "one-probe", "s")
	m["s/figures.csv"] = &fstest.MapFile{}
	if _, err := Open(m, "s"); err == nil || err.Error() != "s/figures.csv:1: is empty: the first line names the columns" {
		t.Error(err)
	}
	m["s/figures.csv"].Data = []byte(strings.Repeat("x", maxFile+1))
	if _, err := Open(m, "s"); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
	delete(m, "s/figures.csv")
	if _, err := Open(m, "s"); err != nil {
		t.Errorf("a table that is not there has no rows: %v", err)
	}
	delete(m, "s/scenario.yaml")
	if _, err := Open(m, "s"); err == nil {
		t.Error("no manifest, no error")
	}
}

func TestFiguresAreCheckedToo(t *testing.T) {
	const head = "id,at,country,metric,value,wave,use,published_by,title,address,quality,note\n"
	for row, want := range map[string]string{
		"F1,2025-06-16T14:00:00Z,GB,peak,90,W1,check,A paper,,,A,":   `needs a wave of waves.csv, not "W1"`, // W1 is of the second service
		"F1,2025-06-16T14:00:00Z,GB,speed,90,,check,A paper,,,A,":    `metric "speed"`,
		"F1,2025-06-16T14:00:00Z,GB,total,90,,maybe,A paper,,,A,":    `use "maybe"`,
		"F1,2025-06-16T14:00:00Z,GB,total,90,,check,A paper,,,D,":    `quality "D"`,
		"F1,2025-06-16T14:00:00Z,GB,total,90,,check,,,,A,":           "published_by is empty",
		"F1,2025-06-16T14:00:00Z,GB,total,-1,,check,A paper,,,A,":    `value "-1"`,
		"F1,2025-06-16T14:00:00Z,GB,total,NaN,,check,A paper,,,A,":   `value "NaN"`,
		"F1,16 June,GB,total,90,,check,A paper,,,A,":                 `at "16 June"`,
		"F1,2025-06-16T14:00:00Z,XXX,total,90,,check,A paper,,,A,ok": `country "XXX"`,
	} {
		m := subFS(t, "one-probe", "s")
		m["s/figures.csv"] = &fstest.MapFile{Data: []byte(head + row + "\n")}
		if _, err := Open(m, "s"); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "s/figures.csv:2: ") {
			t.Errorf("%s: got %v, want %s", row, err, want)
		}
	}
}

// Whatever a folder holds: an error or observations, never a panic or an
// endless wait.
func FuzzOpen(f *testing.F) {
	files, err := fs.ReadDir(scenarios.Files, "one-probe")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range files {
		b, err := fs.ReadFile(scenarios.Files, "one-probe/"+e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Name(), b)
	}
	f.Add("bursts.csv", []byte("service,at,minutes,reports,country,asn,networks,why\nagreed,2025-06-16T09:10:00Z,6,25,GB,2856,1,class\n"))
	f.Add("spread.csv", []byte("area,country,share_percent\nGB,GB,0\n"))
	f.Add("baselines.csv", []byte("service,country,low_per_min,high_per_min,utc_offset_min\nagreed,GB,0,200,840\n"))
	f.Add("figures.csv", []byte(figureColumns+"\nF1,1925-06-16T14:00:00Z,GB,rate,1,,check,p,,,A,\n"))
	f.Add("symptoms.csv", []byte("service,wave,symptom,share,words\nagreed,*,slow,0,\n"))
	f.Fuzz(func(t *testing.T, file string, data []byte) {
		m := subFS(t, "one-probe", "s")
		if _, ok := m["s/"+file]; !ok && !fs.ValidPath("s/"+file) {
			return
		}
		m["s/"+file] = &fstest.MapFile{Data: data}
		s, err := Open(m, "s")
		if err != nil {
			return
		}
		n := 0
		for range s.All() {
			if n++; n > 20_000 {
				break
			}
		}
		for range s.Between(s.Start, s.Start.Add(10*60*1e9)) {
			n++
		}
		if len(s.Figures) > 0 && s.minutes() < 3000 {
			s.Compare()
		}
	})
}
