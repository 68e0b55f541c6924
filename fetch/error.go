package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ErrNotAllowed is wrapped by the error of a fetch that policy forbids.
var ErrNotAllowed = errors.New("not allowed")

// Error says why a fetch failed.
type Error struct {
	// URI is what was fetched last: after redirects, where one was forbidden
	// or failed.
	URI string
	// Reason is in words, such as "HTTP 404 Not Found".
	Reason string
	// Status, ContentType and Body are those of the answer, if there was one.
	Status      int
	ContentType string
	Body        []byte
	charset     string
	cause       error
}

// Error returns the URI and the reason.
func (e *Error) Error() string { return e.URI + ": " + e.Reason }

// Text returns the answer's content as Response.Text does; "" if there was none.
func (e *Error) Text() string {
	return (&Response{Body: e.Body, Charset: e.charset}).Text()
}

// Unwrap returns what caused the failure, or nil.
func (e *Error) Unwrap() error { return e.cause }

func failure(uri string, cause error, format string, args ...any) *Error {
	return &Error{URI: uri, Reason: fmt.Sprintf(format, args...), cause: cause}
}

// transportFailure words an error of the network.
func transportFailure(ctx context.Context, uri string, timeout time.Duration, err error) *Error {
	var forbidden *Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &forbidden):
		return failure(uri, err, "%s", forbidden.Reason)
	case errors.Is(context.Cause(ctx), errTimedOut):
		return failure(uri, errTimedOut, "timed out after %v", timeout)
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded): // of who asked
		return failure(uri, errTimedOut, "timed out")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failure(uri, err, "given up: %v", context.Cause(ctx))
	case errors.As(err, &dns):
		return failure(uri, err, "the host %s cannot be found", dns.Name)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return failure(uri, err, "cannot connect: %v", op.Err)
	}
	return failure(uri, err, "%v", err)
}

var errTimedOut = errors.New("timed out")

// statusFailure is the error for an answer that is not 2xx.
func statusFailure(r *Response) *Error {
	e := failure(r.URI, nil, "HTTP %d %s", r.Status, http.StatusText(r.Status))
	e.Status, e.ContentType, e.charset, e.Body = r.Status, r.ContentType, r.Charset, r.Body
	return e
}

// sizeText writes a number of bytes as people do.
func sizeText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
