package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"faultline/internal/journal"
	"faultline/internal/telemetry"
)

// engine is a connection to JetStream and, when embedded, the server behind
// it. It is replaced as a whole when the server inside fails.
type engine struct {
	server *server.Server // nil when the server is elsewhere
	conn   *nats.Conn
	js     jetstream.JetStream
	// ctx ends when the engine is stopped, or when its server said that it
	// cannot write any more: nobody needs to wait for an answer then.
	ctx  context.Context //nolint:containedctx // it is the engine's lifetime
	fail context.CancelFunc
}

// startEngine starts the embedded server, if it is to be, and connects.
func startEngine(ctx context.Context, o Options) (e *engine, err error) {
	e = &engine{}
	e.ctx, e.fail = context.WithCancel(context.WithoutCancel(ctx))
	log := telemetry.Room(o.Logger, "journal")
	opts := []nats.Option{
		nats.Name("faultline"), nats.MaxReconnects(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("journal connection", slog.Any("error", err))
		}),
	}
	if o.URL == "" {
		if e.server, err = startServer(o.Dir, serverLog{log, e.fail}); err != nil {
			e.fail()
			return nil, err
		}
		opts = append(opts, nats.InProcessServer(e.server))
	}
	if e.conn, err = nats.Connect(o.URL, opts...); err != nil {
		e.stop()
		return nil, fmt.Errorf("connect to journal %s: %w", o.URL, err)
	}
	if e.js, err = jetstream.New(e.conn, jetstream.WithDefaultTimeout(callTimeout)); err != nil {
		e.stop()
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return e, nil
}

// startServer runs NATS in this process, without a port.
func startServer(dir string, log server.Logger) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "faultline", DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: dir, SyncAlways: true,
		JetStreamMaxMemory: 16 << 20,
		// The disk and MaxBytes are the bounds; JetStream's own, three quarters
		// of what was free at the start, would be a third.
		JetStreamMaxStore: 1 << 60,
		MaxPayload:        2 << 20, MaxConn: 64, DisableShortFirstPing: true,
	})
	if err != nil {
		return nil, fmt.Errorf("configure embedded journal: %w", err)
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("embedded journal in %s did not start: is the folder writable, and is there room on the disk?", dir)
	}
	return s, nil
}

func (e *engine) stop() {
	e.fail()
	if e.conn != nil {
		e.conn.Close()
	}
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
}

// publish sends a message once. It gives up when the engine fails or ctx ends.
func (e *engine) publish(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	ack, err := e.js.PublishMsg(ctx, msg, opts...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// engine gives the one in use. An embedded server that failed is started
// again, at most once a second.
func (j *Journal) engine() (*engine, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return nil, journal.ErrClosed
	case j.current.ctx.Err() == nil:
		return j.current, nil
	case time.Since(j.lastTry) < time.Second:
		return nil, errDown
	}
	j.lastTry = time.Now()
	j.current.stop()
	fresh, err := startEngine(context.Background(), j.opts)
	if err != nil {
		j.opts.Logger.Error("journal does not start again", slog.Any("error", err))
		return nil, fmt.Errorf("%w: %w", errDown, err)
	}
	j.m.restarts.Inc()
	j.opts.Logger.Warn("journal started again after a failure")
	j.current = fresh
	return fresh, nil
}

var errDown = errors.New("the journal's server is down and is started again every second")

// suspect is told that e gave no answer. An embedded server that does not
// answer in callTimeout is not waited for any longer; one elsewhere may come
// back by itself.
func (j *Journal) suspect(e *engine) {
	if e.server != nil {
		e.fail()
	}
}

// put sends a message until its fate is known, and says it: a sequence, a
// definite refusal, or ErrUnknown. The message must carry an id or an expected
// sequence, so that JetStream takes it once.
func (j *Journal) put(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (uint64, error) {
	sent := false
	var last error
	for range putAttempts {
		e, err := j.engine()
		if errors.Is(err, journal.ErrClosed) {
			return 0, err
		}
		if err != nil {
			last = err
		} else if seq, err := e.publish(ctx, msg, opts...); err == nil || definite(err) {
			return seq, err
		} else {
			sent, last = true, err
			j.suspect(e)
		}
		if !pause(ctx, retryAfter) {
			break
		}
	}
	if !sent {
		return 0, last
	}
	return 0, fmt.Errorf("%w: %w", journal.ErrUnknown, last)
}

const (
	putAttempts = 3
	retryAfter  = 1100 * time.Millisecond // a little more than between two starts
)

// definite says that the server answered: the message was not taken.
func definite(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api)
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// serverLog passes on what the embedded server warns of. A server that says it
// cannot write never answers again, so it is declared failed at once; if a
// later version says it in other words, the time-out of a call finds out.
type serverLog struct {
	log    *slog.Logger
	failed func()
}

func (l serverLog) Noticef(string, ...any) {}
func (l serverLog) Debugf(string, ...any)  {}
func (l serverLog) Tracef(string, ...any)  {}
func (l serverLog) Warnf(f string, v ...any) {
	l.log.Warn("journal server", slog.String("message", l.watch(f, v)))
}

func (l serverLog) Errorf(f string, v ...any) {
	l.log.Error("journal server", slog.String("message", l.watch(f, v)))
}

func (l serverLog) Fatalf(f string, v ...any) {
	l.log.Error("journal server", slog.String("message", fmt.Sprintf(f, v...)))
	l.failed()
}

func (l serverLog) watch(f string, v []any) string {
	text := fmt.Sprintf(f, v...)
	for _, sign := range []string{"rite error", "failed to store a msg", "disabling JetStream", "DISABLED"} {
		if strings.Contains(text, sign) {
			l.failed()
		}
	}
	return text
}
