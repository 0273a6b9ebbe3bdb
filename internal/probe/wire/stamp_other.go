//go:build !linux

package wire

import (
	"errors"
	"io"
	"net"
)

// KeepStamps has nothing to keep on this platform.
func KeepStamps() (io.Closer, error) {
	return nil, errors.New("this platform gives no receive time stamps")
}

// socket has no receive time stamps on this platform.
type socket struct{ net.Conn }

func stamp(c net.Conn) *socket { return &socket{c} }

func (s *socket) arm() {}

func (s *socket) disarm() (int64, bool) { return 0, false }
