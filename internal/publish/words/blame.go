package words

import (
	"time"

	"faultline"
)

// Party names what a surge of several services points to.
func Party(p faultline.Party) string {
	switch {
	case p.Service != "":
		return p.Name
	case p.ASN != 0:
		return "the network " + p.ASN.String()
	case p.Country != "":
		return "networks in " + The(p.Country)
	}
	return "nobody"
}

// blameOf is the finding about an incident that changes its words: who is
// blamed beside another, or hit through it. Nil leaves them as they are.
func blameOf(f Facts) *faultline.Blame {
	if f.Incident == nil || f.Incident.Blame == nil {
		return nil
	}
	b := f.Incident.Blame
	if b.Role == faultline.RoleBlamed || b.Role == faultline.RoleCollateral {
		return b
	}
	return nil
}

// throughHeadline is the headline of a service that is reported because of
// another, or nothing.
func throughHeadline(f Facts) string {
	b := blameOf(f)
	if b == nil {
		return ""
	}
	party, lasted := Party(b.Party), Duration(time.Duration(f.Incident.Disrupted))
	blamed := b.Role == faultline.RoleBlamed
	switch f.State {
	case faultline.Possible, faultline.Confirmed:
		switch {
		case blamed:
			return "Probably not " + f.Name + ": the reports point to " + party
		case b.Basis == faultline.BasisMeasured:
			return f.Name + " is hit by trouble at " + party
		}
		return f.Name + " may be hit by trouble at " + party
	case faultline.Resolved:
		switch {
		case blamed:
			return f.Name + " was reported for " + lasted + ", and probably did not fail"
		case b.Basis == faultline.BasisMeasured:
			return f.Name + " was hit by trouble at " + party + " for " + lasted
		}
		return f.Name + " may have been hit by trouble at " + party + " for " + lasted
	case faultline.Fine, faultline.Unclear, faultline.OddState, faultline.Recovering, faultline.Retracted:
	}
	return ""
}

// togetherPieces is the finding in sentences. That one service surges alone and
// nobody can be named is no news.
func togetherPieces(i *faultline.Incident) []Piece {
	if b := i.Blame; b != nil && (!b.Party.IsZero() || len(b.With) > 0) {
		return []Piece{plain(" " + b.Text)}
	}
	return nil
}

// throughDown answers "is it down?" for such a service; ok is false for others.
func throughDown(f Facts) (a Answer, ok bool) {
	b := blameOf(f)
	if b == nil || f.State != faultline.Possible && f.State != faultline.Confirmed {
		return Answer{}, false
	}
	party := Party(b.Party)
	switch {
	case b.Role == faultline.RoleBlamed:
		return Answer{"Probably not", "it is reported beside " + party}, true
	case f.State == faultline.Confirmed:
		return Answer{"Yes", "through " + party}, true
	}
	return Answer{"Possibly", "through " + party}, true
}

// exonerated says that the finding about an incident speaks for its service:
// that reports alone stay possible needs no saying then.
func exonerated(i *faultline.Incident) bool {
	return i.Blame != nil && i.Blame.Role == faultline.RoleBlamed
}
