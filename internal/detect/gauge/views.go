package gauge

import "math"

// A view looks at the newest bin in one way. Its state is of fixed size and
// lies in views, so that it continues after a snapshot.
type view interface {
	// see takes the newest bin and says how strange it is: −log10 p by what
	// this series has shown so far, 0 where the view cannot tell.
	see(b *bin) float64
	// rest forgets the last stretch after a gap: what stands on both sides of
	// it are no neighbours.
	rest()
}

// bin is the newest bin as the views see it.
type bin struct {
	at    int64   // Unix second of its start
	width int64   // seconds
	x     float64 // its value
	known int64   // bins known before it
	last  *stretch
	said  [aspects]float64 // what look found, as far as it is believed
}

// aspect is what a view looks at. Views of one aspect see the same thing at
// different paces, so only the strangest of them counts.
type aspect uint8

const (
	ofRange aspect = iota
	ofMotion
	ofMixture
	ofPattern
	ofShape
	ofFlatness
	aspects
)

// aspectNames are their names in an event's working.
var aspectNames = [aspects]string{"range", "level", "mixture", "pattern", "shape", "standstill"}

// views are the states of all views.
type views struct {
	Last           stretch
	Extremes       extremesState
	Flat           flatState
	Hour, Shift    levelState
	Step, Swing    changeState
	Jumps, Swings  spreadState
	Brief, Broad   mixtureState
	Few, Some, Day patternState
	Shape          shapeState
}

type entry struct {
	of   aspect
	view view
}

// table lists the views; paces are in bins. A new view is one file, one state
// above and one line here.
func (v *views) table() []entry {
	return []entry{
		{ofRange, &extremes{&v.Extremes}},
		{ofFlatness, &flat{&v.Flat}},
		{ofMotion, &level{&v.Hour, 12}},
		{ofMotion, &level{&v.Shift, 48}},
		{ofMotion, &change{&v.Step, 12}},
		{ofMotion, &change{&v.Swing, 48}},
		{ofMotion, &spread{&v.Jumps, 24, ofChanges}},
		{ofMotion, &spread{&v.Swings, 48, ofDeviations}},
		{ofMixture, &mixture{&v.Brief, 24}},
		{ofMixture, &mixture{&v.Broad, 96}},
		{ofPattern, &pattern{&v.Few, 4, 1}},
		{ofPattern, &pattern{&v.Some, 8, 4}},
		{ofPattern, &pattern{&v.Day, 8, 12}},
		{ofShape, &shape{&v.Shape}},
	}
}

const (
	young    = 100   // bins, and
	aDay     = 86400 // seconds of them, known before views are heard: a first morning is news to all
	patience = 150   // bins for which what was told is no news
	news     = 1.0   // decades by which it must grow to be told again before that,
	manifold = 1.5   // and so many times
	hint     = 0.5   // evidence that is told at all
	echo     = 0.01
)

// believed is how far each aspect is believed. What is far outside the range is
// so whatever the model; the others extrapolate from their past.
var believed = [aspects]float64{ofRange: 30, ofMotion: 6, ofMixture: 6, ofPattern: 6, ofShape: 6, ofFlatness: 6}

// look shows the bin to every view and combines what they say: the root of the
// sum of the squares of the aspects. Two aspects that both find a bin strange
// count for more than one, and many that find it a little odd for little.
func (d *Detector) look(b *bin) float64 {
	strangest := &b.said
	heard := !d.young()
	for _, e := range d.table {
		if s := e.view.see(b); heard && s > strangest[e.of] {
			strangest[e.of] = min(s, believed[e.of])
		}
	}
	sum := 0.0
	for _, s := range strangest {
		sum += s * s
	}
	return math.Sqrt(sum)
}

// young says that too little is known to tell anything.
func (d *Detector) young() bool {
	return d.st.Bins < young || d.st.Bins*d.st.Width < aDay
}

// held is what was told last, and until when that makes the same no news.
type held struct {
	LogP  float64
	Until int64 // Unix seconds
}

// tell is the evidence as it is told. Something strange stays strange for a
// while; so for a time only what is clearly stranger than what was told is
// told in full, and the rest as an echo of it.
func (h *held) tell(logP float64, now, width int64) float64 {
	if now >= h.Until {
		h.LogP = 0
	}
	if logP <= max(h.LogP+news, h.LogP*manifold) && (h.LogP > 0 || logP <= hint) {
		return echo * logP
	}
	h.LogP, h.Until = logP, now+patience*width
	return logP
}
