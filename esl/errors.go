package esl

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// Reasons for the end of a connection, and for commands that had no reply.
// Compare with errors.Is: what is returned may say more.
var (
	// ErrClosed is the end of a connection that this side closed.
	ErrClosed = errors.New("esl: connection closed")
	// ErrDisconnected is the end that FreeSWITCH announced with a
	// text/disconnect-notice.
	ErrDisconnected = errors.New("esl: disconnected by FreeSWITCH")
	// ErrRejected means that FreeSWITCH's access list (apply-inbound-acl in
	// event_socket.conf.xml) does not admit this host: text/rude-rejection.
	ErrRejected = errors.New("esl: rejected by FreeSWITCH's access list")
	// ErrWrongPassword means that FreeSWITCH refused the Link's password.
	ErrWrongPassword = errors.New("esl: wrong password")
	// ErrNotFreeSWITCH means that whatever answered the Link's call does not
	// greet as an Event Socket does.
	ErrNotFreeSWITCH = errors.New("esl: no Event Socket at this address")
	// ErrLinkDown is the error of commands and jobs given to a Link without a
	// connection, or that were in flight when it was lost. Whether FreeSWITCH
	// obeyed the latter is not known.
	ErrLinkDown = errors.New("esl: link is down")
	// ErrStalled is the end of a connection on which FreeSWITCH, or the network on
	// the way to it, takes nothing of what was written.
	ErrStalled = errors.New("esl: what was written is not taken")
	// ErrOverflow is the error of a command that was not sent, since too many wait
	// to be taken or answered.
	ErrOverflow = errors.New("esl: more commands wait than FreeSWITCH takes")
	// ErrMuted is the error of a command on a connection whose channel is another
	// controller's.
	ErrMuted = errors.New("esl: another controller has the channel")
	// ErrNotInControl is the end of an incoming leg whose socket action lacks
	// "async full".
	ErrNotInControl = errors.New("esl: socket action without async full")
	// ErrConnectTimeout is the end of an accepted connection on which connect
	// was not answered in time.
	ErrConnectTimeout = errors.New("esl: connect was not answered in time")
)

// Remedy says what to look at when a Link does not come up for this reason; "" when
// the reason says all there is to say.
func Remedy(reason error) string {
	timeout, unknown := net.Error(nil), (*net.DNSError)(nil)
	switch {
	case errors.Is(reason, ErrWrongPassword):
		return "the password is the one in FreeSWITCH's event_socket.conf.xml, as mod_event_socket has read it: fs_cli -x 'reload mod_event_socket' after a change"
	case errors.Is(reason, ErrRejected):
		return "admit this machine to the list that apply-inbound-acl names in FreeSWITCH's event_socket.conf.xml (loopback.auto without one), then fs_cli -x reloadacl"
	case errors.Is(reason, ErrNotFreeSWITCH):
		return "whoever listens there does not speak as an Event Socket, or says nothing at all: the port is listen-port of FreeSWITCH's event_socket.conf.xml, usually 8021, and not that of SIP or of the socket action"
	case errors.Is(reason, io.EOF):
		return "whoever listens there closes at once: a proxy without FreeSWITCH behind it, or FreeSWITCH being shut down"
	case errors.Is(reason, syscall.ECONNREFUSED):
		return "nothing listens there: FreeSWITCH must run, load mod_event_socket, and name this address in listen-ip and listen-port of event_socket.conf.xml"
	case errors.As(reason, &unknown):
		return "the name server gives no address for this name: look at the name, and at /etc/resolv.conf, or write the address"
	case errors.Is(reason, syscall.EHOSTUNREACH), errors.Is(reason, syscall.ENETUNREACH):
		return "there is no way to this address: it is wrong, or a route or a machine in between is missing"
	case errors.As(reason, &timeout) && timeout.Timeout():
		return "no answer at all: the address is wrong, or a firewall is in between"
	}
	return ""
}

// A LimitError ends a connection on which more was announced or sent than its
// Limits allow.
type LimitError struct {
	What  string // "header block" or "body"
	Size  string // bytes announced, or at least sent
	Limit int    // bytes
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("esl: %s of %s bytes, at most %d are allowed", e.What, e.Size, e.Limit)
}

// A ProtocolError ends a connection on which something other than the Event
// Socket protocol was read.
type ProtocolError struct {
	Message string
}

func (e *ProtocolError) Error() string { return "esl: " + e.Message }

// A PanicError ends a connection one of whose handlers or callbacks panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("esl: handler panicked: %v", e.Value) }

// A CommandError is FreeSWITCH's refusal of a command.
type CommandError struct {
	Text string // as it was sent, for example "-ERR No such channel!"
}

func (e *CommandError) Error() string { return "esl: FreeSWITCH answered " + e.Text }

// Reason returns what follows -ERR or -USAGE:, for example "USER_BUSY" for the
// outcome of an originate.
func (e *CommandError) Reason() string {
	reason := e.Text
	for _, prefix := range []string{"-ERR", "-USAGE:"} {
		if rest, ok := strings.CutPrefix(reason, prefix); ok {
			reason = rest
			break
		}
	}
	return strings.TrimSpace(reason)
}

// An InvalidError says that a command was not sent because a value in it cannot
// be sent safely.
type InvalidError struct {
	What  string // which value: "originate variable ccxml_id"
	Value string
	Why   string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("esl: %s %q: %s", e.What, abbreviate(e.Value), e.Why)
}

// abbreviate keeps error messages readable when the value is a long text.
func abbreviate(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
