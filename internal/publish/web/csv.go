package web

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"faultline"
	"faultline/internal/publish/live"
)

// incidentCSV is the incident's window in its steps, for spreadsheets: of an old
// revision the window that its page shows. Reports are those of a country, if one
// is given; checks are always those of all vantage points.
func (s *Site) incidentCSV(c faultline.Country) func(*live.View, *live.Incident, *faultline.Incident, bool) ([]byte, error) {
	return func(v *live.View, _ *live.Incident, i *faultline.Incident, pinned bool) ([]byte, error) {
		svc, now := v.Service(i.Service), v.At
		if svc == nil {
			return nil, errGone
		}
		if pinned {
			now = i.At
		}
		return s.csv(v, svc, c, incidentWindow(i, now)), nil
	}
}

func (s *Site) csv(v *live.View, svc *live.Service, c faultline.Country, w window) []byte {
	var b bytes.Buffer
	if s.d.Replay != nil {
		b.WriteString("# replay: " + s.d.Replay.Notice + "\n")
	}
	b.WriteString("start,reports,usual,low,high,complete,checks,reached\n")
	reach := map[time.Time]live.Reach{}
	for _, r := range s.reach(v, svc, w) {
		k := r.Start.Truncate(w.step)
		sum := reach[k]
		sum.OK, sum.N = sum.OK+r.OK, sum.N+r.N
		reach[k] = sum
	}
	for _, x := range s.series(v, svc, c, w) {
		j := jsonBins([]live.Bin{x})[0]
		row := []string{x.Start.UTC().Format(time.RFC3339), cell(j.Reports), cell(j.Usual), cell(j.Low), cell(j.High), fmt.Sprint(x.Complete), "", ""}
		if j.Few {
			row[1] = "<3"
		}
		if r := reach[x.Start]; r.N > 0 {
			row[6], row[7] = fmt.Sprint(r.N), fmt.Sprint(r.OK)
		}
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	return b.Bytes()
}

// cell writes a number with at most two decimals, or nothing for unknown.
func cell(f *float64) string {
	if f == nil {
		return ""
	}
	return fmt.Sprint(faultline.Round(*f, 2))
}
