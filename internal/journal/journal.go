// Package journal is the only memory of the outside: observations go in, are
// durable when Append returns, and come out again in one total order for each
// partition, as often as anybody asks.
//
// It also keeps the control log: revisions of events and incidents, and what
// operators did, for ever.
//
// Promises: what Append acknowledged is on disk (on a majority of nodes, in a
// cluster) and is never dropped to make room; a full journal refuses. Order
// and positions never change. A frame that cannot be read is delivered as
// corrupt, counted and skipped, not passed over in silence.
//
// It does not interpret what it keeps.
package journal

import (
	"context"
	"errors"
	"time"

	"faultline"
)

// Errors that callers decide on.
var (
	// ErrFull: the journal has no room. Nothing was written; try again later.
	ErrFull = errors.New("journal is full")
	// ErrBusy: too many callers wait already. Nothing was written; try again.
	ErrBusy = errors.New("journal is busy")
	// ErrClosed: the journal was closed. Nothing was written.
	ErrClosed = errors.New("journal is closed")
	// ErrInvalid: these records can never be written. Trying again is no use.
	ErrInvalid = errors.New("records cannot be written")
	// ErrUnknown: nobody can say whether the records were written. A retry
	// must be recognisable by its own key.
	ErrUnknown = errors.New("journal does not know whether this was written")
)

// Frame is a run of records of one kind that were made durable together.
// Number is its place in the partition, from 1; numbers may have gaps where
// frames were trimmed.
type Frame struct {
	Partition    uint16
	Number       uint64
	Kind         faultline.Kind
	MinAt, MaxAt time.Time
	Records      []faultline.Observation
	Corrupt      bool   // the frame cannot be read; Records is empty
	Lost         uint64 // of a corrupt frame: how many from Number on cannot be read
}

// Info is how full the journal is.
type Info struct {
	Bytes, MaxBytes uint64 // of observations; MaxBytes 0: no bound but the disk's
	First, Last     uint64 // frame numbers; 0 when empty
	Frames          uint64
}

// Journal keeps observations and control records.
type Journal interface {
	// Append makes observations of one partition durable, together and in this
	// order, and sets their Positions. It returns when they are on disk. All
	// must be of one kind, and MaxRecords at most; the partition is that of the
	// Position they come with. Times are kept to the microsecond, and an empty
	// Origin is measured.
	//
	// On ErrUnknown they may be written or not: the journal failed, or ctx
	// ended, while they were on their way. On any other error, ctx's own among
	// them, nothing was written. Records of one kind that wait at the same time
	// may be written before reports or measurements of another that came
	// earlier; nothing passes a heartbeat or a command.
	Append(ctx context.Context, obs ...*faultline.Observation) error
	// Read calls fn for the frames from number on, in order, up to the present
	// end. The frame and its records are fn's to keep.
	Read(ctx context.Context, partition uint16, from uint64, fn func(*Frame) error) error
	// Follow is Read, and then waits for more until ctx ends; it returns
	// ctx's error then, or ErrClosed when the journal was closed.
	Follow(ctx context.Context, partition uint16, from uint64, fn func(*Frame) error) error
	// AppendRecord makes a control record durable. A revision that is there
	// already, or an older one, is not written again.
	AppendRecord(ctx context.Context, r faultline.Record) error
	// ReadRecords calls fn for all control records in the order of writing.
	ReadRecords(ctx context.Context, fn func(faultline.Record) error) error
	// Trim drops the frames of one kind before a frame number.
	Trim(ctx context.Context, partition uint16, kind faultline.Kind, before uint64) error
	Info(ctx context.Context, partition uint16) (Info, error)
	// Close lets waiting callers finish, then closes.
	Close() error
}
