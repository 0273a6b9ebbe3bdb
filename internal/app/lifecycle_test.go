package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestStopsRunInReverseAndAllOfThem(t *testing.T) {
	s := &stops{log: quiet()}
	var order []string
	for _, name := range []string{"journal", "store", "server"} {
		s.add(name, func(context.Context) error {
			order = append(order, name)
			if name == "store" {
				return errors.New("no room")
			}
			return nil
		})
	}
	err := s.run()
	if !slices.Equal(order, []string{"server", "store", "journal"}) {
		t.Errorf("order %v", order)
	}
	if err == nil || !strings.Contains(err.Error(), "stop store: no room") {
		t.Errorf("error %v", err)
	}
}

func TestAStepThatHangsIsNamedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stops{log: quiet()}
		release := make(chan struct{})
		s.add("first", func(context.Context) error { return nil })
		s.add("hanging", func(context.Context) error { <-release; return nil })
		err := s.run()
		close(release)
		if err == nil || !strings.Contains(err.Error(), "stop hanging: not done after 10s") {
			t.Errorf("error %v", err)
		}
	})
}

func TestATaskThatFailsIsToldAtOnce(t *testing.T) {
	failed := make(chan error, 1)
	boom := errors.New("boom")
	task := start(t.Context(), func(err error) { failed <- err }, func(context.Context) error { return boom })
	if err := <-failed; !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if err := task.stop(t.Context()); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
}

func TestATaskThatIsStoppedDoesNotFail(t *testing.T) {
	task := start(t.Context(), func(err error) { t.Errorf("failed: %v", err) }, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err := task.stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
}
