package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"faultline/internal/journal"
	"faultline/internal/telemetry"
)

// listen opens the address. A taken port is told with what to do about it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: choose another address with --listen", address, err)
	}
	return l, nil
}

// closed closes a listener that its server may have closed before.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// unready says why this program cannot do all of its work now.
func (a *App) unready() string {
	switch {
	case !a.obs.ready.Load():
		return "reading the journal"
	case a.keeper.full.Load():
		return "no reports are taken: the disk budget is used up"
	case a.full.Load():
		return "no reports are taken: the journal has no room"
	}
	return ""
}

// tellRoom remembers whether the journal had room for the newest append. Our
// heartbeats ask it every ten seconds, so it is known in a quiet hour too.
func (a *App) tellRoom(err error) {
	if err == nil || errors.Is(err, journal.ErrFull) {
		a.full.Store(err != nil)
	}
}

// newServer bounds everything that a slow or hostile client can hold: time to
// send a head and a body, size of a head, idle time. Event streams lift the
// write bound for themselves.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ErrorLog:          slog.NewLogLogger(telemetry.Room(log, "server").Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
}

// serve runs the server until it is shut down.
func serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// health answers /healthz and /readyz. unready says why reports cannot be taken
// now, or nothing.
func health(mux *http.ServeMux, unready func() string) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := unready(); why != "" {
			w.Header().Set("Retry-After", "1")
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
}
