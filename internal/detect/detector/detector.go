// Package detector is the contract between the detect room and its detectors.
//
// In: the samples of one series, oldest first, each possibly again with a
// higher Revision. Out: readings and revisions of events. A detector is a
// function of what it was given: no clock, no file, no goroutine, no random
// number; after a snapshot it continues bit-identically. detecttest is the
// suite that each of them passes.
package detector

import (
	"encoding"
	"time"

	"faultline"
	"faultline/internal/kind"
)

// Detector watches one series.
type Detector interface {
	// Step takes a sample and says what it makes of the newest bin. A sample
	// that changes nothing (seen before, or too old) gives a reading whose At
	// is zero and no event.
	Step(s *faultline.Sample) (faultline.Reading, []faultline.Event)
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// Accepter is a detector with a notion of usual that an operator can set: what
// is now becomes usual, with the next sample.
type Accepter interface{ Accept(at time.Time) }

// Shaper is a detector whose season others can lean on, and which can lean on
// the season of the next wider series.
type Shaper interface {
	// Shape is the season at a moment relative to its mean; 0: not known yet.
	Shape(at time.Time) float64
	// Listened says whether the bin at a moment is known. Where the wider series
	// was heard and the narrow one did not exist yet, its count was zero.
	Listened(at time.Time) bool
	Under(parent Shaper)
}

// Factory makes the detector of one series.
type Factory func(s faultline.Series) Detector

// Deps is what the room gives to a kind of detector when it is opened: nothing
// so far.
type Deps struct{}

// Kind is a kind of detector; a Table lists those that the binary was built with.
type (
	Kind  = kind.Kind[Factory, Deps]
	Table = kind.Table[Factory, Deps]
)
