package jetstream

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"faultline/internal/journal"
)

// checkRoom refuses while the disk has less than a part of MinFree left:
// JetStream stops for good when a write fails, so that must not come to pass.
func (j *Journal) checkRoom(part uint64) error {
	if j.opts.URL != "" {
		return nil
	}
	free, ok := freeBytes(j.opts.Dir)
	if need := j.opts.MinFree / part; ok && free < need {
		return fmt.Errorf("%w: %d MiB left on the disk of %s, %d MiB must stay free", journal.ErrFull, free>>20, j.opts.Dir, need>>20)
	}
	return nil
}

// Refusals of JetStream that mean "no room"; see its errors.json.
var fullCodes = []jetstream.ErrorCode{10002, 10023, 10047}

// errStoreFailed is the code of everything that a store may answer, in words.
const errStoreFailed jetstream.ErrorCode = 10077

func isFull(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	return slices.Contains(fullCodes, api.ErrorCode) ||
		api.ErrorCode == errStoreFailed && (strings.Contains(api.Description, "maximum bytes") || strings.Contains(api.Description, "no space left"))
}

// failure turns what the server said into what callers decide on.
func (j *Journal) failure(action string, err error) error {
	switch {
	case errors.Is(err, journal.ErrClosed):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %w", journal.ErrFull, err)
	case errors.Is(err, errDown) && !errors.Is(err, journal.ErrUnknown):
		if full := j.checkRoom(1); full != nil {
			return full
		}
	}
	j.opts.Logger.Error("journal cannot write", slog.String("action", action), slog.Any("error", err))
	return fmt.Errorf("%s: %w", action, err)
}
