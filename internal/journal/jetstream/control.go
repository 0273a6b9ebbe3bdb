package jetstream

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"faultline"
)

const (
	controlStream  = "CTL"
	controlSubject = "flt.ctl."
)

// control is the log of control records: one message a record, one subject an
// id, kept for ever. The index of newest revisions is rebuilt when it is opened.
type control struct {
	js     jetstream.JetStream
	mu     sync.Mutex
	newest map[string]revision // by subject
}

type revision struct {
	number   int
	sequence uint64 // of the stream; the next write expects it to be the newest
}

func openControl(ctx context.Context, js jetstream.JetStream, replicas int) (*control, error) {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: controlStream, Subjects: []string{controlSubject + ">"},
		Storage: jetstream.FileStorage, Replicas: replicas, MaxBytes: -1,
		DenyDelete: true, AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open control log: %w", err)
	}
	c := &control{js: js, newest: map[string]revision{}}
	err = c.each(ctx, func(seq uint64, r faultline.Record) error {
		c.newest[recordSubject(r)] = revision{r.Revision, seq}
		return nil
	})
	return c, err
}

// recordSubject is where records of one id go. Ids are slugs or hex by
// construction; what would break a subject is replaced.
func recordSubject(r faultline.Record) string {
	clean := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" .*>\t\r\n", c) {
			return '_'
		}
		return c
	}, r.ID)
	return controlSubject + string(r.Kind) + "." + clean
}

func (c *control) append(ctx context.Context, r faultline.Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write control record %s: %w", r.ID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	subject := recordSubject(r)
	last := c.newest[subject]
	if last.sequence != 0 && r.Revision <= last.number {
		return nil
	}
	ack, err := c.js.Publish(ctx, subject, b, jetstream.WithExpectLastSequencePerSubject(last.sequence))
	if err != nil {
		return fmt.Errorf("write control record %s revision %d: %w", r.ID, r.Revision, err)
	}
	c.newest[subject] = revision{r.Revision, ack.Sequence}
	return nil
}

func (c *control) read(ctx context.Context, fn func(faultline.Record) error) error {
	return c.each(ctx, func(_ uint64, r faultline.Record) error { return fn(r) })
}

func (c *control) each(ctx context.Context, fn func(uint64, faultline.Record) error) error {
	return each(ctx, c.js, controlStream, 1, false, func(seq uint64, b []byte) error {
		var r faultline.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("control record %d cannot be read: %w", seq, err)
		}
		return fn(seq, r)
	})
}
