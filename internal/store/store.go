// Package store is what can be asked: rows made from the journal, in a form
// that answers questions. In: batches of what the chain made of journal
// frames. Out: points, observations, records, and archived hours.
//
// Promises: a batch goes in whole and once, together with the position up to
// which it reaches, so that a crash in between counts nothing twice and loses
// nothing. A store is disposable: it can be rebuilt from archive and journal.
// Times are UTC and cut to microseconds.
//
// A report's hashes of reporter and network (see faultline.Report) are kept in
// the rows and in the archive, because a rebuild needs them to count the same;
// they mean nothing without their keys, which are elsewhere and short-lived.
// Observations blanks them unless it is asked not to.
package store

import (
	"context"
	"errors"
	"time"

	"faultline"
)

// Errors that callers decide on.
var (
	// ErrGap: read Position and begin the next batch after it.
	ErrGap = errors.New("batch does not follow the store's position")
	// ErrBatch: a batch whose frames run backwards, or that holds observations
	// of other frames. A mistake of the program.
	ErrBatch = errors.New("batch contradicts itself")
	// ErrDiskFull: nothing was written. The store takes the batch when there
	// is room again; nobody has to restart anything.
	ErrDiskFull = errors.New("no room on the disk")
	ErrNewer    = errors.New("store was written by a newer version")
	ErrBroken   = errors.New("store cannot be read")
	ErrInUse    = errors.New("store is open in another program")
	ErrClosed   = errors.New("store is closed")
	// ErrArchive: a file of the archive is not what its manifest says.
	ErrArchive = errors.New("archive is damaged")
)

// Batch is what a run of journal frames led to.
type Batch struct {
	Partition    uint16
	First, Last  uint64 // frames covered, both included
	Observations []faultline.Observation
	Samples      []faultline.Sample // not those of single symptoms and surfaces
	Cells        []faultline.Cell
	Readings     []faultline.Reading // as Samples
	Records      []faultline.Record
	State        []byte // snapshot of the pure rooms after Last; nil for none
}

// Writer takes what the chain made.
type Writer interface {
	// Apply writes a batch in one transaction: rows, position and state. A
	// batch that the store has already is nothing to do; one that does not
	// follow, or that overlaps in part, is ErrGap. On any other error nothing
	// was written, unless the engine broke while it was being closed; then the
	// next Apply says ErrGap and Position says what is there.
	Apply(ctx context.Context, b *Batch) error
	// Position is the last frame applied; 0 for none.
	Position(ctx context.Context, partition uint16) (uint64, error)
	// State is the newest snapshot and the frame after which it was taken.
	State(ctx context.Context, partition uint16) (uint64, []byte, error)
}

// Reader answers questions.
type Reader interface {
	// Series gives the points of one series, oldest first, at multiples of the
	// step since 1970. A step in which nothing is known has no point. Minutes
	// that were rolled up are points an hour wide, whatever the step.
	Series(ctx context.Context, q SeriesQuery) ([]Point, error)
	// Places sums the reports of a service by country or network.
	Places(ctx context.Context, q PlacesQuery) ([]PlaceCount, error)
	// Mix sums the reports of a service by symptom and surface.
	Mix(ctx context.Context, service faultline.ServiceID, from, to time.Time) ([]MixCount, error)
	// Observations calls fn in the order of positions.
	Observations(ctx context.Context, f Filter, fn func(*faultline.Observation) error) error
	// Samples calls fn for the newest revision of each sample, oldest first.
	Samples(ctx context.Context, f Filter, fn func(*faultline.Sample) error) error
	// Readings calls fn, oldest first.
	Readings(ctx context.Context, f Filter, fn func(*faultline.Reading) error) error
	// Records gives control records, oldest first.
	Records(ctx context.Context, f RecordFilter) ([]faultline.Record, error)
}

// Archiver keeps closed hours as files that anybody can read.
type Archiver interface {
	// Archive writes one hour below dir, or nothing if what is there is
	// current. Rows that Prune took from the store stay in the archive.
	Archive(ctx context.Context, dir string, hour time.Time) (Manifest, error)
	// ReadArchive calls fn for all archived observations in the order of
	// positions, after checking every file's sum; ErrArchive names a file that
	// differs. fn may call Apply of the same store.
	ReadArchive(ctx context.Context, dir string, fn func(*faultline.Observation) error) error
	// PruneArchive drops the raw reports of hours before a time from the
	// archive, and says from how many hours.
	PruneArchive(ctx context.Context, dir string, before time.Time) (int, error)
	// Hours lists the hours that hold observations, oldest first.
	Hours(ctx context.Context) ([]time.Time, error)
	// FirstFrameAt is the first frame with an observation at or after t, or 0.
	FirstFrameAt(ctx context.Context, partition uint16, t time.Time) (uint64, error)
	// Prune rolls minutes up into hours and drops what is older than r says.
	Prune(ctx context.Context, r Retention, now time.Time) error
}

// Store is all of it.
type Store interface {
	Writer
	Reader
	Archiver
	Close() error
}

// SeriesQuery asks for a series. A Step of 0 is chosen from the span.
type SeriesQuery struct {
	Series   faultline.Series
	From, To time.Time // From included, To not
	Step     time.Duration
}

// Point is one step of a series. Value, N, Raw and Works are sums of what is
// known; Complete is the share of the step that is known, so a step with a
// minute missing of five has at most 0.8. Expected, Low and High are what was
// usual, scaled in proportion from the reading's window to the step: the
// quantiles of a short step are wider than that in truth. HasUsual is false
// where no reading was kept.
type Point struct {
	Start               time.Time
	Width               time.Duration
	Value, N            float64
	Raw, Works          int
	Complete            float64
	Expected, Low, High float64
	HasUsual            bool
}

// PlacesQuery asks for reports by place.
type PlacesQuery struct {
	Service  faultline.ServiceID
	From, To time.Time
	Country  faultline.Country // set: its networks; empty: countries
}

// PlaceCount is the raw number of problem reports of a place.
type PlaceCount struct {
	faultline.Place
	N, Works int
}

// MixCount is the raw number of reports by symptom and surface.
type MixCount struct {
	Symptom faultline.Symptom
	Surface faultline.Surface
	Works   bool
	N       int
}

// Filter picks rows. Zero fields do not restrict.
type Filter struct {
	Kind     faultline.Kind // Observations only; empty: all kinds
	Service  faultline.ServiceID
	Level    *faultline.Level   // Samples and Readings only
	Since    time.Time          // included
	Until    time.Time          // not included
	After    faultline.Position // Observations only: later ones of its partition, and later partitions
	Limit    int                // at most so many; 0: all
	KeepHash bool               // Observations: do not blank Reporter, Network and Key
}

// RecordFilter picks control records. Zero fields do not restrict.
type RecordFilter struct {
	Kind    faultline.RecordKind
	ID      string
	Service faultline.ServiceID
	Since   time.Time // included
	Until   time.Time // not included
	Latest  bool      // only the newest revision of each id, of those that the other fields pick
	Limit   int       // only the newest so many, still oldest first; 0: all
}

// Manifest says what an archived hour holds.
type Manifest struct {
	Hour     time.Time      `json:"hour"`
	Revision int            `json:"revision"` // from 1; late rows make the next
	Files    []ArchivedFile `json:"files"`
	Written  bool           `json:"-"` // false: the files were current already
}

// ArchivedFile is one file of an archived hour.
type ArchivedFile struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	// First and Last are the positions at the ends of a file of observations.
	First faultline.Position `json:"first,omitzero"`
	Last  faultline.Position `json:"last,omitzero"`
}

// Retention says how long rows stay in the store; 0 is for ever. Whole hours
// go at a time. Control records and sums per hour stay for ever. Nothing is
// dropped before its hour is in the archive; that is the caller's to see to.
type Retention struct {
	Reports      time.Duration `yaml:"reports"`      // raw reports in the store (default 90 days)
	Measurements time.Duration `yaml:"measurements"` // measurements, heartbeats and commands (default 90 days)
	Minutes      time.Duration `yaml:"minutes"`      // cells, samples and readings per minute (default 90 days)
}

// DefaultRetention is what DESIGN says.
func DefaultRetention() Retention {
	const day = 24 * time.Hour
	return Retention{Reports: 90 * day, Measurements: 90 * day, Minutes: 90 * day}
}

// Step is the width of a point for a span: a minute up to 48 hours, five
// minutes up to 14 days, else an hour. More points nobody can draw.
func Step(span time.Duration) time.Duration {
	switch {
	case span <= 48*time.Hour:
		return time.Minute
	case span <= 14*24*time.Hour:
		return 5 * time.Minute
	}
	return time.Hour
}
