package words

import (
	"fmt"
	"time"
)

// Sometimes is a vantage point whose checks fail now and then, more often than is
// usual there.
type Sometimes struct {
	Vantage    string
	Failed, Of int           // checks that count
	Over       time.Duration // up to now
}

func sometimesHeadline(f Facts) string {
	if len(f.Sometimes) == 1 {
		return f.Name + " fails now and then, as one vantage point sees it"
	}
	return fmt.Sprintf("%s fails now and then, as %s vantage points see it", f.Name, Small(len(f.Sometimes)))
}

// sometimesPieces says how many checks fail, at the vantage point that sees it most.
func sometimesPieces(f Facts) []Piece {
	worst := f.Sometimes[0]
	for _, s := range f.Sometimes {
		if s.Failed*worst.Of > worst.Failed*s.Of {
			worst = s
		}
	}
	return []Piece{
		plain(" "), strong(fmt.Sprintf("%d of %d checks", worst.Failed, worst.Of)),
		plain(" from vantage point " + worst.Vantage + " failed in the last " + Duration(worst.Over) + ", more than usual there; between them others reached it. That opens no incident: the fault may lie on the way."),
	}
}
