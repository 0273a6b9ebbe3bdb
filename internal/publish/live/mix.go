package live

import (
	"time"

	"faultline"
)

const (
	mixMinutes = 60
	nSymptoms  = 6
	nSurfaces  = 3
)

// Mix is what people said in the last hour. The counts are of reports, not of
// people: they add up.
type Mix struct {
	Symptom map[faultline.Symptom]int
	Surface map[faultline.Surface]int
	Problem int // all problem reports
	Works   int // "it works for me"
}

type mixMinute struct {
	at      int32
	problem [nSymptoms][nSurfaces]int32
	works   int32
}

// mixRing holds an hour of raw counts.
type mixRing [mixMinutes]mixMinute

func symptomIndex(s faultline.Symptom) int {
	for i, k := range faultline.Symptoms() {
		if k == s {
			return i
		}
	}
	return nSymptoms - 1
}

func surfaceIndex(s faultline.Surface) int {
	for i, k := range faultline.Surfaces() {
		if k == s {
			return i
		}
	}
	return 0
}

// cell adds a count; a cell that comes again for the same minute and place is
// a further part of it.
func (m *mixRing) cell(c *faultline.Cell) {
	at := minuteOf(c.Start)
	b := &m[at%mixMinutes]
	if b.at > at {
		return
	}
	if b.at < at {
		*b = mixMinute{at: at}
	}
	if c.Works {
		b.works += int32(c.N)
		return
	}
	b.problem[symptomIndex(c.Symptom)][surfaceIndex(c.Surface)] += int32(c.N)
}

func (m *mixRing) view(now time.Time) Mix {
	out := Mix{Symptom: map[faultline.Symptom]int{}, Surface: map[faultline.Surface]int{}}
	oldest := minuteOf(now) - mixMinutes
	for i := range m {
		b := &m[i]
		if b.at < oldest || b.at == 0 {
			continue
		}
		out.Works += int(b.works)
		for s, row := range b.problem {
			for f, n := range row {
				out.Symptom[faultline.Symptoms()[s]] += int(n)
				out.Surface[faultline.Surfaces()[f]] += int(n)
				out.Problem += int(n)
			}
		}
	}
	return out
}
