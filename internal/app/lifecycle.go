package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// stopTimeout bounds one step of stopping. What has not ended by then is named
// in the log and left behind.
const stopTimeout = 10 * time.Second

// stops is the way back: each step of starting registers its undoing by name,
// and they run in reverse order, each within stopTimeout, whatever the others
// say.
type stops struct {
	log   *slog.Logger
	steps []stopStep
}

type stopStep struct {
	name string
	stop func(context.Context) error
}

// add registers the undoing of the step just done.
func (s *stops) add(name string, stop func(context.Context) error) {
	s.steps = append(s.steps, stopStep{name, stop})
}

// run stops everything in reverse order and joins the errors.
func (s *stops) run() error {
	var errs []error
	for len(s.steps) > 0 {
		last := s.steps[len(s.steps)-1]
		s.steps = s.steps[:len(s.steps)-1]
		if err := bounded(last); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", last.name, err))
		}
		s.log.Debug("stopped", slog.String("part", last.name))
	}
	return errors.Join(errs...)
}

// bounded runs one step. A step that ignores its context is not waited for.
func bounded(step stopStep) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- step.stop(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not done after %s: %w", stopTimeout, ctx.Err())
	}
}

// task is a goroutine with an owner: stopping it cancels and waits.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// start runs f until it returns or stop is called. An error is given to fail
// at once, so that the first failure stops the program.
func start(ctx context.Context, fail func(error), f func(context.Context) error) *task {
	ctx, cancel := context.WithCancel(ctx)
	t := &task{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		if t.err = f(ctx); t.err != nil && ctx.Err() == nil {
			fail(t.err)
		}
	}()
	return t
}

// stop cancels and waits. What a cancelled task returns is not an error.
func (t *task) stop(ctx context.Context) error {
	t.cancel()
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
