package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket reads with the kernel's receive time stamps (SO_TIMESTAMPNS,
// socket(7)) while it is armed, and plainly otherwise.
type socket struct {
	net.Conn
	raw   syscall.RawConn // nil: no stamps
	armed bool
	dgram bool
	last  int64 // CLOCK_REALTIME in ns of the newest segment read while armed; 0: none
	oob   [64]byte
}

// KeepStamps keeps the kernel's time stamping switched on until the result is
// closed. The kernel switches it on with the first socket that wants it, a
// little later, and off with the last; a check now and then would miss its own
// stamp.
func KeepStamps() (io.Closer, error) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("open a socket to keep time stamps on: %w", err)
	}
	if stamp(c).raw == nil {
		c.Close()
		return nil, errors.New("this kernel gives no receive time stamps")
	}
	return c, nil
}

func stamp(c net.Conn) *socket {
	s := &socket{Conn: c}
	_, s.dgram = c.(*net.UDPConn)
	sc, ok := c.(syscall.Conn)
	if !ok {
		return s
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return s
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }); err == nil && set == nil {
		s.raw = raw
	}
	return s
}

func (s *socket) arm() { s.armed, s.last = s.raw != nil, 0 }

func (s *socket) disarm() (int64, bool) {
	s.armed = false
	return s.last, s.last != 0
}

// firstRead bounds what one stamped read of a stream takes: the stamp is that
// of the last segment it touched, and we want the first.
const firstRead = 512

// Read reads, and notes when the kernel received what was read.
func (s *socket) Read(p []byte) (int, error) {
	if !s.armed || len(p) == 0 {
		return s.Conn.Read(p)
	}
	if !s.dgram {
		p = p[:min(len(p), firstRead)]
	}
	n, oobn, err := s.recvmsg(p)
	switch {
	case err != nil:
		return 0, err
	case n == 0 && !s.dgram:
		return 0, io.EOF
	}
	s.note(s.oob[:oobn])
	return n, nil
}

func (s *socket) recvmsg(p []byte) (n, oobn int, err error) {
	wait := s.raw.Read(func(fd uintptr) bool {
		for {
			n, oobn, _, _, err = unix.Recvmsg(int(fd), p, s.oob[:], 0)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	if wait != nil {
		return 0, 0, wait
	}
	return n, oobn, err
}

// note takes the time stamp out of a control message.
func (s *socket) note(oob []byte) {
	var ts unix.Timespec
	if len(oob) < unix.CmsgLen(int(unsafe.Sizeof(ts))) {
		return
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&ts)), unsafe.Sizeof(ts)), oob[unix.CmsgLen(0):])
		s.last = ts.Nano()
	}
}
