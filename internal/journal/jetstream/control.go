package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"faultline"
	"faultline/internal/journal"
)

const (
	controlStream  = "CTL"
	controlSubject = "flt.ctl."
	maxControl     = 512 << 10 // bytes of a record; below every server's default payload
	maxID          = 256
	maxIndex       = 64 << 10
)

// control is the log of control records: one message a record, one subject an
// id, kept for ever. A record is written only if the newest revision under its
// subject is still the one that it was compared with.
type control struct {
	j      *Journal
	mu     sync.Mutex
	newest map[string]revision // by subject; what is not in it is asked for
}

type revision struct {
	number   int
	sequence uint64 // 0: there is none
}

// recordSubject is where records of one id go. What a subject cannot hold is
// written as =XX, so that two ids never share one.
func recordSubject(r faultline.Record) (string, error) {
	if r.Kind == "" || r.ID == "" || len(r.ID) > maxID {
		return "", fmt.Errorf("%w: control record of kind %q with an id of %d bytes", journal.ErrInvalid, r.Kind, len(r.ID))
	}
	return controlSubject + escape(string(r.Kind)) + "." + escape(r.ID), nil
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(".*>=", c) >= 0 {
			fmt.Fprintf(&b, "=%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func (c *control) append(ctx context.Context, r faultline.Record) error {
	subject, err := recordSubject(r)
	if err != nil {
		return err
	}
	b, err := json.Marshal(r)
	if err == nil && len(b) > maxControl {
		err = fmt.Errorf("%w: %d bytes, at most %d", journal.ErrInvalid, len(b), maxControl)
	}
	if err != nil {
		return fmt.Errorf("write control record %s: %w", r.ID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.write(ctx, subject, r.Revision, b); err != nil {
		delete(c.newest, subject)
		return c.j.failure(fmt.Sprintf("write control record %s revision %d", r.ID, r.Revision), err)
	}
	return nil
}

// write compares and writes. If its view turns out to be old, or the server
// failed on the way, it looks again and tries once more.
func (c *control) write(ctx context.Context, subject string, number int, b []byte) (err error) {
	for range 2 {
		var last revision
		if last, err = c.find(ctx, subject); err != nil {
			return err
		}
		if last.sequence != 0 && number <= last.number {
			return nil
		}
		if err = c.j.checkRoom(4); err != nil {
			return err
		}
		var seq uint64
		seq, err = c.j.put(ctx, &nats.Msg{Subject: subject, Data: b}, jetstream.WithExpectLastSequencePerSubject(last.sequence))
		if err == nil {
			c.j.m.control.Inc()
			c.remember(subject, revision{number, seq})
			return nil
		}
		delete(c.newest, subject)
		if !isWrongSequence(err) && !errors.Is(err, journal.ErrUnknown) {
			return err
		}
	}
	return err
}

func isWrongSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

func (c *control) remember(subject string, r revision) {
	if len(c.newest) >= maxIndex {
		clear(c.newest)
	}
	c.newest[subject] = r
}

// find says what the newest revision under a subject is.
func (c *control) find(ctx context.Context, subject string) (revision, error) {
	if r, ok := c.newest[subject]; ok {
		return r, nil
	}
	e, err := c.j.engine()
	if err != nil {
		return revision{}, err
	}
	s, err := e.js.Stream(ctx, controlStream)
	if err != nil {
		return revision{}, err
	}
	msg, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return revision{}, nil
	}
	if err != nil {
		return revision{}, err
	}
	var r faultline.Record
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		c.j.corrupt(controlStream, msg.Sequence, 1, err) // any revision is newer than one that nobody can read
		return revision{-1 << 31, msg.Sequence}, nil
	}
	c.remember(subject, revision{r.Revision, msg.Sequence})
	return revision{r.Revision, msg.Sequence}, nil
}

// read gives all records to fn. One that cannot be read is counted, logged and
// skipped: those after it still hold.
func (c *control) read(ctx context.Context, fn func(faultline.Record) error) error {
	r := &reader{j: c.j, stream: controlStream, next: 1, trimmed: func() uint64 { return 0 }}
	r.lost = func(first, n uint64) error {
		c.j.corrupt(controlStream, first, n, errMissing)
		return nil
	}
	r.each = func(seq uint64, b []byte) error {
		var rec faultline.Record
		if err := json.Unmarshal(b, &rec); err != nil {
			c.j.corrupt(controlStream, seq, 1, err)
			return nil
		}
		return fn(rec)
	}
	return r.run(ctx)
}
