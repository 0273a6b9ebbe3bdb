package scenario

import (
	"strings"
	"testing"
	"testing/fstest"

	"faultline"
)

// A wave may come through one network, and checks may end in other ways than by
// a time-out; both tables say what is wrong with them.
func TestNewTablesAreChecked(t *testing.T) {
	const through, answers = "service,wave,country,asn,share_percent,basis\n", "service,vantage,from,to,failure,status,percent,basis\n"
	const span = "2025-06-16T14:00:00Z,2025-06-16T14:10:00Z,"
	for row, want := range map[string]string{
		through + "agreed,W1,GB,64500,90,":                                  "s/through.csv:2: network AS64500 of GB is not in networks.csv",
		through + "agreed,W9,GB,2856,90,":                                   `s/through.csv:2: wave "W9" of agreed is not in waves.csv`,
		through + "agreed,W1,GB,2856,60,\nagreed,W1,GB,5089,60,":            "s/through.csv:3: the shares of wave W1 in GB make more than 100 percent",
		through + "agreed,W1,GB,2856,40,\nagreed,W1,GB,2856,40,":            "s/through.csv:3: network AS2856 twice",
		through + "agreed,W1,GB,many,40,":                                   `s/through.csv:2: asn "many"`,
		answers + "agreed,moon," + span + "refused_to_us,403,100,":          `s/answers.csv:2: vantage "moon"`,
		answers + "agreed,*," + span + "bored,403,100,":                     `s/answers.csv:2: failure "bored"`,
		answers + "agreed,*," + span + "refused_to_us,0,100,":               "s/answers.csv:2: status 0 does not fit",
		answers + "agreed,*," + span + "dns_servfail_error,500,100,":        "s/answers.csv:2: status 500 does not fit",
		answers + "agreed,*,2025-06-16T14:10:00Z,2025-06-16T14:00:00Z,x,0,": "s/answers.csv:2:",
	} {
		m, file := subFS(t, "one-probe", "s"), "s/through.csv"
		if strings.HasPrefix(row, answers) {
			file = "s/answers.csv"
		}
		m[file] = &fstest.MapFile{Data: []byte(row + "\n")}
		if _, err := Open(m, "s"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", row, err, want)
		}
	}
}

func TestAWaveComesThroughItsNetwork(t *testing.T) {
	s := open(t, "isp-outage")
	in, all := 0, 0
	for o := range s.Between(s.Waves[0].Onset, s.Waves[0].End) {
		if r, ok := o.Payload.(*faultline.Report); ok && r.Service == "post" && r.Country == "JP" {
			if all++; r.ASN == 2516 {
				in++
			}
		}
	}
	if share := float64(in) / float64(all); all < 100 || share < 0.85 || share > 0.96 {
		t.Errorf("%d of %d reports come from the network", in, all)
	}
}

func TestChecksEndAsTheTableSays(t *testing.T) {
	seen := map[faultline.Failure]int{}
	for name, id := range map[string]faultline.ServiceID{"2023-03-06-twitter": "x", "2021-10-04-facebook": "facebook", "2026-01-16-x": "x"} {
		s := open(t, name)
		for o := range s.Between(s.Waves[0].Onset, s.Waves[0].End) {
			if m, ok := o.Payload.(*faultline.Measurement); ok && m.Service == id && m.Failure != "" {
				seen[m.Failure]++
				if last := m.Steps[len(m.Steps)-1]; m.Failure == faultline.DNSServFail && last.Op != faultline.OpResolve || m.Failure == faultline.RefusedToUs && m.Status != 403 {
					t.Errorf("%s ended at %s with status %d", m.Failure, last.Op, m.Status)
				}
			}
		}
	}
	for _, f := range []faultline.Failure{faultline.RefusedToUs, faultline.DNSServFail, faultline.HTTPServerError} {
		if seen[f] < 50 {
			t.Errorf("%s seen %d times", f, seen[f])
		}
	}
}
