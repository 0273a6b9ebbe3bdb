package wire

import (
	"context"
	"net"
	"net/netip"
	"time"

	"faultline"
)

// Conn is a connection whose reads and writes are timed. It ends with the
// context that it was opened with.
type Conn struct {
	net.Conn // what is written to and read from: the socket, or TLS on it
	Addr     netip.AddrPort
	socket   *socket
	ctx      context.Context //nolint:containedctx // the connection lives as long as the check
	release  func() bool
	began    time.Time // when the last write began
	sent     time.Time // when it ended
}

func newConn(ctx context.Context, raw net.Conn, to netip.AddrPort) *Conn {
	if end, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(end)
	}
	s := stamp(raw)
	// A check that is called off must not sit in a read until its deadline.
	release := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	return &Conn{Conn: s, Addr: to, socket: s, ctx: ctx, release: release}
}

// Close closes the socket. A TLS connection is not said goodbye to: the check
// is over, and a target that does not listen should not hold it up.
func (c *Conn) Close() error {
	c.release()
	return c.socket.Close()
}

// why replaces a time-out by the reason that the context gives for it.
func (c *Conn) why(err error) error {
	if err != nil && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	return err
}

// Send writes a request: the step send.
func (c *Conn) Send(t *Trace, request []byte) faultline.Failure {
	c.socket.arm()
	c.began = time.Now()
	_, err := c.Write(request)
	c.sent = time.Now()
	return t.Step(faultline.OpSend, c.began, c.sent, c.Addr, c.why(err))
}

// Wait waits for the first byte of the answer: the step wait, from the end of
// the last write to the moment the kernel received the byte, or we read it
// where the kernel does not tell. first returns when a byte can be read. The
// moment at which the step ended is returned with it.
func (c *Conn) Wait(t *Trace, first func() error) (time.Time, faultline.Failure) {
	err := first()
	end := time.Now()
	t.ReadLate, t.HasReadLate = 0, false
	if err == nil {
		end = c.received(t, end)
	}
	return end, t.Step(faultline.OpWait, c.sent, end, c.Addr, c.why(err))
}

// received gives the kernel's time of the first byte and notes how late we read
// it. The kernel stamps with the wall clock, so the stamp counts only if it
// lies between the write and the read; a clock that was set in between is
// thereby left out. An answer that overtook the return of the write was not
// waited for.
func (c *Conn) received(t *Trace, read time.Time) time.Time {
	ns, ok := c.socket.disarm()
	if !ok {
		return read
	}
	at := c.sent.Add(time.Duration(ns - c.sent.UnixNano()))
	if at.Before(c.began) || at.After(read) {
		return read
	}
	t.ReadLate, t.HasReadLate = read.Sub(at), true
	if at.Before(c.sent) {
		return c.sent
	}
	return at
}

// Body records the step body, from the first byte to the last.
func (c *Conn) Body(t *Trace, from time.Time, err error) faultline.Failure {
	return t.Step(faultline.OpBody, from, time.Now(), c.Addr, c.why(err))
}
