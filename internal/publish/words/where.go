package words

import (
	"strings"

	"faultline"
)

// Where are the facts of a map.
type Where struct {
	Name    string              // of the service; empty: the map is of all
	State   faultline.State     // of the service, or the worst of all
	Trouble []faultline.Country // at three times the usual number or more, worst first
	Usual   int                 // countries in which reports are as usual
	Unsure  int                 // areas on the map of which nothing can be said
	Young   bool                // in some of them only because what is usual isn't known yet
	Origin  faultline.Origin
}

// Doubt is why nothing can be said of a country.
type Doubt string

// Doubts.
const (
	TooFew   Doubt = "too_few" // people
	TooYoung Doubt = "young"   // what is usual isn't known
	Silent   Doubt = "silent"  // nobody listened
	ByChance Doubt = "chance"  // three times the usual number, as chance has it with so few
)

// steps are the steps of a map by their number.
var steps = [...]string{"Too few to say", "As usual, below 3 ×", "3 to 8 ×", "8 to 20 ×", "20 × or more"}

// Step names a step of a map, 0 to 4: none, usual, 3, 8 and 20 times the usual.
func Step(n int) string { return steps[n] }

// Standing is a country's state in words.
func Standing(step int, d Doubt) string {
	switch {
	case step > 1:
		return steps[step]
	case step == 1:
		return "As usual"
	}
	switch d {
	case TooYoung:
		return "Can’t tell yet"
	case Silent:
		return "Nobody listened"
	case ByChance:
		return "May be chance"
	case TooFew:
	}
	return steps[0]
}

// reachSteps are the steps of a map of checks by their number.
var reachSteps = [...]string{"Fewer than 3 vantage points", "95 % or more reach it", "50 to 95 % reach it", "10 to 50 % reach it", "Less than 10 % reach it"}

// ReachStep names a step of a map of checks, 0 to 4.
func ReachStep(n int) string { return reachSteps[n] }

// SayWhere makes the verdict over a map. It speaks of reports: that there are
// more of them in a country is no proof that anything fails there.
func SayWhere(f Where) Verdict {
	if !f.State.Open() {
		f.State = f.without()
	}
	v := Verdict{State: f.State, Pill: State(f.State), Shape: Shape(f.State), Caveat: Caveat(f.Origin)}
	v.Headline, v.Lede = whereHeadline(f), whereLede(f)
	return v
}

// without is the state of a map while no incident goes on.
func (f Where) without() faultline.State {
	switch {
	case len(f.Trouble) > 0:
		return faultline.OddState
	case f.Usual > 0:
		return faultline.Fine
	}
	return faultline.Unclear
}

func whereHeadline(f Where) string {
	named := f.named()
	var head string
	switch {
	case len(f.Trouble) == 0 && f.Usual == 0 && f.Name != "" && !f.State.Open():
		return "We can’t tell how " + f.Name + " does, country by country"
	case len(f.Trouble) == 0 && f.Usual == 0 && f.Name != "":
		return "We can’t tell where " + f.Name + " has trouble"
	case len(f.Trouble) == 0 && f.Usual == 0:
		return "We can’t tell where there is trouble"
	case len(f.Trouble) == 0:
		head = "No country stands out"
	case len(named) == 0:
		head = "More reports than usual, from no known country"
	case len(named) == 1:
		head = "More reports than usual in " + The(named[0])
	default:
		head = "More reports than usual in " + Plural(float64(len(named)), "country", "countries") + ", most of all in " + The(named[0])
	}
	if f.Name == "" {
		return head
	}
	return f.Name + ": " + strings.ToLower(head[:1]) + head[1:]
}

// named are the countries with trouble that have a name.
func (f Where) named() (out []faultline.Country) {
	for _, c := range f.Trouble {
		if c != faultline.UnknownCountry {
			out = append(out, c)
		}
	}
	return out
}

func whereLede(f Where) []Piece {
	countries := func(n int) Piece { return strong(Plural(float64(n), "country", "countries")) }
	var out []Piece
	switch n := len(f.named()); {
	case n > 0 && f.Usual > 0:
		out = []Piece{plain("In "), countries(n), plain(" reports run at 3 times the usual number or more, in "), strong(Count(float64(f.Usual))), plain(" as usual. ")}
	case n > 0:
		out = []Piece{plain("In "), countries(n), plain(" reports run at 3 times the usual number or more. ")}
	case f.Usual > 0:
		out = []Piece{plain("In "), countries(f.Usual), plain(" reports are as usual. ")}
	}
	if f.Unsure == 0 {
		return out
	}
	why := ": too few people report there"
	if f.Young {
		why += ", or what is usual isn’t known yet"
	}
	areas := strong(Plural(float64(f.Unsure), "area", "areas") + " we can’t say")
	return append(out, plain("For "), areas, plain(why+". Hatched is unknown, not fine."))
}
