package calibrate

import "math"

// Rank makes a strangeness of any unit into −log10 p by where it stands among
// all that the series has shown: inside what was seen it is the share of what
// was at least as strange, beyond it the highest share is continued by a power
// law (Hill, "A simple general approach to inference about the tail of a
// distribution", Annals of Statistics 3, 1975), and never by a steeper one than
// lightest says. The zero value has seen nothing. It is of fixed size.
type Rank struct {
	Seen  [places]float32 // how often, by quarter octaves
	N     float64
	From  int32   // the tail begins at this place
	Above float64 // seen in the tail
	Sum   float64 // of their places
}

const (
	places   = 80    // quarter octaves from 2^-10 to 2^10
	share    = 0.03  // of what was seen is the tail
	fewest   = 8     // that make a tail
	enough   = 100   // that must be seen before anything is said
	lightest = 2.0   // places an e-fold: a tenth as probable at 2.2 times the size
	oldest   = 16000 // bins after which what was seen counts half
	near     = 8.0   // places below the tail that are still looked at
)

// place is where a strangeness stands; what is not positive lies below all.
func place(s float64) float64 {
	if !(s > 0) {
		return -1
	}
	return 4/math.Ln2*math.Log(s) + 40
}

// Judge is Of, then Learn.
func (r *Rank) Judge(s float64) float64 {
	at := place(s)
	logP := r.of(at)
	r.learn(at)
	return logP
}

// Of is −log10 of the probability of something at least as strange; 0 while too
// little was seen to know, and for what is not positive, which is not strange.
// What is far from the tail is usual: 0 too.
func (r *Rank) Of(s float64) float64 { return r.of(place(s)) }

// Learn takes what was seen in a bin. Nothing is cut: a series that is strange
// now and then is one for which that is usual.
func (r *Rank) Learn(s float64) { r.learn(place(s)) }

func (r *Rank) of(at float64) float64 {
	from, above := float64(r.From), r.Above
	if r.N < enough || at < max(0, from-near) {
		return 0
	}
	if at >= from {
		slope := max(r.Sum/r.Above-from+0.5, lightest)
		return (at-from)/slope/math.Ln10 - math.Log10((above+1)/(r.N+1))
	}
	for i := r.From - 1; i >= int32(at); i-- {
		above += float64(r.Seen[i])
	}
	return -math.Log10(min(1, (above+1)/(r.N+1)))
}

func (r *Rank) learn(where float64) {
	if r.N >= oldest {
		r.fade()
	}
	at := int32(min(max(where, 0), places-1))
	r.Seen[at]++
	r.N++
	if at >= r.From {
		r.Above++
		r.Sum += float64(at)
	}
	r.settle()
}

// settle moves the tail's beginning to the highest place that has enough above it.
func (r *Rank) settle() {
	want := max(share*r.N, fewest)
	for r.From > 0 && r.Above < want {
		r.From--
		r.Above += float64(r.Seen[r.From])
		r.Sum += float64(r.Seen[r.From]) * float64(r.From)
	}
	for r.From < places-1 && r.Above-float64(r.Seen[r.From]) >= want {
		r.Above -= float64(r.Seen[r.From])
		r.Sum -= float64(r.Seen[r.From]) * float64(r.From)
		r.From++
	}
}

// fade halves the weight of all that was seen.
func (r *Rank) fade() {
	r.N, r.From, r.Above, r.Sum = 0, places, 0, 0
	for i := range r.Seen {
		r.Seen[i] /= 2
		r.N += float64(r.Seen[i])
	}
	r.settle()
}
