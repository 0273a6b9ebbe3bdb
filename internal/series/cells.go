package series

import "faultline"

// Cells are raw counts by symptom, surface and place: index = surface × 8 +
// symptom, the last two of eight standing for "works" and "no symptom".
const (
	symptomKinds = 8
	surfaceKinds = 4
	cellKinds    = symptomKinds * surfaceKinds
	cellWorks    = 6
	cellNone     = 7
)

func cellOf(p *faultline.Report) int {
	return surfaceIndex(p.Surface)*symptomKinds + symptomIndex(p)
}

func symptomIndex(p *faultline.Report) int {
	if p.Works {
		return cellWorks
	}
	switch p.Symptom {
	case faultline.CannotLoad:
		return 0
	case faultline.FeedNotRefreshing:
		return 1
	case faultline.CannotLogIn:
		return 2
	case faultline.CannotPost:
		return 3
	case faultline.Slow:
		return 4
	case faultline.OtherSymptom:
		return 5
	}
	return cellNone
}

func surfaceIndex(s faultline.Surface) int {
	switch s {
	case faultline.App:
		return 0
	case faultline.Web:
		return 1
	case faultline.API:
		return 2
	}
	return 3
}

// cell is the description that belongs to an index.
func cell(i int) (symptom faultline.Symptom, surface faultline.Surface, works bool) {
	if k := i % symptomKinds; k < cellWorks {
		symptom = [...]faultline.Symptom{faultline.CannotLoad, faultline.FeedNotRefreshing, faultline.CannotLogIn, faultline.CannotPost, faultline.Slow, faultline.OtherSymptom}[k]
	} else {
		works = k == cellWorks
	}
	if k := i / symptomKinds; k < 3 {
		surface = [...]faultline.Surface{faultline.App, faultline.Web, faultline.API}[k]
	}
	return symptom, surface, works
}

// cells emits what was counted since the last time and starts anew.
func (s *service) cells(b *bin, leaves []leaf, out *Output) {
	for i := range leaves {
		l := &leaves[i]
		for k, n := range l.cells {
			if n == 0 {
				continue
			}
			symptom, surface, works := cell(k)
			out.Cells = append(out.Cells, faultline.Cell{
				Service: s.id, Start: timeOf(b.minute), Place: faultline.Place{Country: countryOf(l.key), ASN: asnOf(l.key)},
				Symptom: symptom, Surface: surface, Works: works, N: int(n), Origin: l.origin,
			})
			l.cells[k] = 0
		}
	}
}
