package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"faultline"
	"faultline/internal/probe/address"
)

// Fault is an error that says by itself how a check failed.
type Fault struct {
	Failure faultline.Failure
	What    string
}

// Error gives what was wrong.
func (f *Fault) Error() string { return f.What }

// errnos are what the kernel says. Failures that come from a lack on our own
// machine are ours and not the target's.
var errnos = map[syscall.Errno]faultline.Failure{
	syscall.ECONNREFUSED:  faultline.ConnectionRefused,
	syscall.ECONNRESET:    faultline.ConnectionReset,
	syscall.ECONNABORTED:  faultline.ConnectionReset,
	syscall.EPIPE:         faultline.ConnectionReset,
	syscall.ETIMEDOUT:     faultline.GenericTimeout,
	syscall.EHOSTUNREACH:  faultline.HostUnreachable,
	syscall.ENETUNREACH:   faultline.NetworkUnreachable,
	syscall.EADDRNOTAVAIL: faultline.NetworkUnreachable, // no source address of that family
	syscall.EAFNOSUPPORT:  faultline.NetworkUnreachable,
	syscall.ENETDOWN:      faultline.NetworkDown,
	syscall.EMFILE:        faultline.ProbeFault,
	syscall.ENFILE:        faultline.ProbeFault,
	syscall.ENOBUFS:       faultline.ProbeFault,
	syscall.ENOMEM:        faultline.ProbeFault,
	syscall.EPERM:         faultline.ProbeFault, // our own packet filter
	syscall.EACCES:        faultline.ProbeFault,
}

// Failure names an error in the words of OONI's df-007 and our own. No error is
// no failure, and an error that nobody foresaw is unknown_failure.
func Failure(err error) faultline.Failure {
	if err == nil {
		return ""
	}
	for _, ask := range []func(error) faultline.Failure{byFault, byName, byErrno, byCertificate, byStream, byTLS} {
		if f := ask(err); f != "" {
			return f
		}
	}
	return faultline.UnknownFailure
}

func byFault(err error) faultline.Failure {
	var fault *Fault
	var refusal *address.Refusal
	switch {
	case errors.As(err, &fault):
		return fault.Failure
	case errors.As(err, &refusal):
		return faultline.AddressForbidden
	case errors.Is(err, context.Canceled): // the engine is stopping
		return faultline.ProbeFault
	}
	return ""
}

// byName reads the resolver's errors. The standard resolver tells a name that
// does not exist from a server that fails, but not an empty answer from a name
// that does not exist.
func byName(err error) faultline.Failure {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return faultline.DNSNXDomain
	case dns.IsTimeout:
		return faultline.GenericTimeout
	case strings.Contains(dns.Err, "server misbehaving"):
		return faultline.DNSServFail
	}
	return faultline.DNSTemporary
}

func byErrno(err error) faultline.Failure {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errnos[errno]
	}
	return ""
}

func byCertificate(err error) faultline.Failure {
	var (
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		noRoots x509.SystemRootsError
		other   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &name):
		return faultline.SSLInvalidHostname
	case errors.As(err, &unknown):
		return faultline.SSLUnknownAuthority
	case errors.As(err, &noRoots):
		return faultline.ProbeFault
	case errors.As(err, &invalid), errors.As(err, &other):
		return faultline.SSLInvalidCertificate
	}
	return ""
}

func byStream(err error) faultline.Failure {
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return faultline.GenericTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return faultline.EOFError
	}
	return ""
}

func byTLS(err error) faultline.Failure {
	var (
		alert  tls.AlertError
		header tls.RecordHeaderError
		remote *net.OpError
	)
	if errors.As(err, &alert) || errors.As(err, &header) || errors.As(err, &remote) && remote.Op == "remote error" ||
		strings.HasPrefix(err.Error(), "tls: ") {
		return faultline.SSLFailedHandshake
	}
	return ""
}
