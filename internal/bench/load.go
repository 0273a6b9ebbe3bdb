package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load sends requests over so many keep-alive connections, one after the other
// on each, until total are answered. make gives the n-th request as bytes.
type load struct {
	addr        string
	connections int
	total       int
	make        func(n int) []byte
	want        int // status
	body        func(n int, b []byte)
}

// result is what a load measured.
type result struct {
	took     time.Duration
	answered int
	refused  int // other statuses
}

func (l *load) run(ctx context.Context) (result, error) {
	var next, answered, refused atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, l.connections)
	begin := time.Now()
	for range l.connections {
		wg.Go(func() {
			if err := l.connection(ctx, &next, &answered, &refused); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return result{time.Since(begin), int(answered.Load()), int(refused.Load())}, <-errs
}

func (l *load) connection(ctx context.Context, next, answered, refused *atomic.Int64) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 4096)
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		if n >= l.total {
			return nil
		}
		if _, err := conn.Write(l.make(n)); err != nil {
			return fmt.Errorf("request %d: %w", n, err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return fmt.Errorf("answer %d: %w", n, err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Errorf("answer %d: %w", n, err)
		}
		if resp.StatusCode != l.want {
			refused.Add(1)
			continue
		}
		answered.Add(1)
		if l.body != nil {
			l.body(n, b)
		}
	}
	return ctx.Err()
}

// reportRequest is one report from the n-th of many addresses, through a
// trusted proxy on this machine.
func reportRequest(n int) []byte {
	body := `{"service":"x","symptom":"cannot_load","surface":"web"}`
	var b strings.Builder
	fmt.Fprintf(&b, "POST /api/v1/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Forwarded-For: %d.%d.%d.%d\r\nIdempotency-Key: bench-%d\r\nContent-Length: %d\r\n\r\n%s",
		11+n%150, (n/150)%250, (n/37500)%250, 1+n%200, n, len(body), body)
	return []byte(b.String())
}
