package esl

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
)

// Limits bound what one message may hold.
type Limits struct {
	Header int // bytes of a header block; 0 means 1 MiB
	Body   int // bytes of a body; 0 means 16 MiB, as in FreeSWITCH itself
}

// The limits where none are given.
const (
	DefaultHeaderLimit = 1 << 20
	DefaultBodyLimit   = 16 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Header <= 0 {
		l.Header = DefaultHeaderLimit
	}
	if l.Body <= 0 {
		l.Body = DefaultBodyLimit
	}
	return l
}

// A message is what travels from FreeSWITCH: header lines and perhaps a body.
// It refers to the reader's buffer and is valid until the next one is read.
type message struct {
	head []byte
	body []byte
}

// contentType returns what kind of message it is.
func (m message) contentType() []byte {
	value, _ := headerValue(m.head, "Content-Type")
	return value
}

const (
	// idleSize is what a connection holds while nothing arrives: enough for a
	// reply, or for the header that announces an event.
	idleSize = 1 << 10
	// busySize holds an event whole, with some of the next.
	busySize = 16 << 10
)

// busyBuffers are shared by all connections: only those that are in the middle
// of a message need one.
var busyBuffers = sync.Pool{New: func() any { return new([busySize]byte) }}

// A reader splits what FreeSWITCH sends into messages. Unread bytes are
// buf[start:end]. An idle reader holds only its small buffer.
type reader struct {
	source io.Reader
	limits Limits

	buf        []byte // idle[:], or pooled[:], or larger than both
	start, end int
	pooled     *[busySize]byte // nil when none is held
	err        error           // of source, reported once the buffer is used up

	partial bool            // a message has begun, and the rest is waited for
	begun   func(bool)      // is told so, and when it is whole; nil: nobody
	holds   func(bytes int) // is told how large a buffer is got beside those that all have, and 0 when it is given back; nil: nobody
	large   bool            // there is one

	idle [idleSize]byte
}

// await returns when there is something to read, or with the error that next
// would return. A connection spends its life here: next needs much more stack,
// and a goroutine keeps what its stack grew to unless it waits with little of it.
func (r *reader) await() error {
	if r.start < r.end {
		return nil
	}
	return r.fill(1)
}

// next reads one message. Lines may end in LF or CRLF; empty lines before a
// message are skipped. It returns io.EOF at the end between two messages, and
// io.ErrUnexpectedEOF within one.
func (r *reader) next() (message, error) {
	defer r.whole()
	headLen, bodyAt, err := r.findHeader()
	if err != nil {
		return message{}, err
	}
	head := r.buf[r.start : r.start+headLen]
	if first := firstLine(head); bytes.IndexByte(first, ':') < 0 {
		return message{}, notOurs(first)
	}
	bodyLen, err := contentLength(head, r.limits.Body)
	if err != nil {
		return message{}, err
	}
	total := bodyAt + bodyLen
	for r.end-r.start < total {
		r.waits()
		if err := r.fill(total); err != nil {
			return message{}, cutShort(err)
		}
	}
	whole := r.buf[r.start : r.start+total]
	r.start += total
	return message{head: whole[:headLen], body: whole[bodyAt:]}, nil
}

// findHeader reads until a whole header block is in the buffer. It begins at
// start, is headLen long, and what follows its empty line is bodyAt further on.
func (r *reader) findHeader() (headLen, bodyAt int, err error) {
	scanned := 0 // unread bytes known not to hold the end
	for {
		if scanned == 0 {
			r.skipNewlines()
		}
		unread := r.end - r.start
		// What begins so has no end that could be waited for: TLS, as a rule.
		if unread > 0 && (r.buf[r.start] <= ' ' || r.buf[r.start] >= 0x7f) {
			return 0, 0, notOurs(r.buf[r.start:r.end])
		}
		headLen, bodyAt = headerEnd(r.buf[r.start+scanned : r.end])
		if headLen >= 0 {
			headLen, bodyAt = headLen+scanned, bodyAt+scanned
		}
		// The end may have begun: with CR, LF and CR at most.
		scanned = max(0, unread-len("\r\n\r"))
		size := headLen
		if headLen < 0 {
			size = scanned
		}
		if size > r.limits.Header {
			return 0, 0, &LimitError{What: "header block", Size: strconv.Itoa(size), Limit: r.limits.Header}
		}
		if headLen >= 0 {
			return headLen, bodyAt, nil
		}
		if unread > 0 {
			r.waits()
		}
		if err := r.fill(unread + 1); err != nil {
			if unread > 0 {
				err = cutShort(err)
			}
			return 0, 0, err
		}
	}
}

func notOurs(beginning []byte) error {
	return &ProtocolError{"not an Event Socket message: " + strconv.Quote(abbreviate(string(beginning)))}
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *reader) skipNewlines() {
	for r.start < r.end && (r.buf[r.start] == '\n' || r.buf[r.start] == '\r') {
		r.start++
	}
}

// fill reads more, into a buffer that has room for want unread bytes or is
// growing towards it.
func (r *reader) fill(want int) error {
	if r.err != nil {
		return r.err
	}
	r.makeRoom(want)
	n, err := r.source.Read(r.buf[r.end:])
	r.end += n
	if err != nil {
		r.err = err
		if n == 0 {
			return err
		}
	}
	return nil
}

func (r *reader) makeRoom(want int) {
	unread := r.end - r.start
	if unread == 0 {
		r.release()
		return
	}
	if r.end < len(r.buf) && r.start+want <= len(r.buf) {
		return
	}
	if want <= len(r.buf) && len(r.buf) > idleSize {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, unread
		return
	}
	r.grow(want)
}

// grow moves the unread bytes to a larger buffer. A large body gets its memory
// as it arrives, not when it is announced.
func (r *reader) grow(want int) {
	old, unread := r.buf[r.start:r.end], r.end-r.start
	held := r.pooled
	if want <= busySize && held == nil {
		r.pooled = busyBuffers.Get().(*[busySize]byte)
		r.buf = r.pooled[:]
	} else {
		size := min(want, 4*unread)
		if want == unread+1 { // of a header block nobody knows how long it gets
			size = 2 * unread
		}
		r.buf = make([]byte, max(2*busySize, size))
		r.pooled, r.large = nil, true
		if r.holds != nil {
			r.holds(len(r.buf))
		}
	}
	copy(r.buf, old)
	r.start, r.end = 0, unread
	if held != nil {
		busyBuffers.Put(held)
	}
}

// release goes back to the small buffer. Nothing may be unread.
func (r *reader) release() {
	if r.pooled != nil {
		busyBuffers.Put(r.pooled)
		r.pooled = nil
	}
	r.buf, r.start, r.end = r.idle[:], 0, 0
	if r.large {
		r.large = false
		if r.holds != nil {
			r.holds(0)
		}
	}
}

// headerEnd finds the end of a header block: end is behind its last character,
// next behind the empty line. Both are -1 when the block is not complete.
func headerEnd(data []byte) (end, next int) {
	for next = 0; ; {
		i := bytes.IndexByte(data[next:], '\n')
		if i < 0 {
			return -1, -1
		}
		end = next + i
		next = end + 1
		if rest := data[next:]; len(rest) > 0 && rest[0] == '\n' {
			next++
			break
		} else if len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' {
			next += 2
			break
		}
	}
	if end > 0 && data[end-1] == '\r' {
		end--
	}
	return end, next
}

// contentLength returns the length that a header block announces, 0 when it
// announces none.
func contentLength(head []byte, limit int) (int, error) {
	value, ok := headerValue(head, "Content-Length")
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, &ProtocolError{"Content-Length is no number: " + strconv.Quote(abbreviate(string(value)))}
	}
	if err != nil || n < 0 || n > int64(limit) {
		return 0, &LimitError{What: "body", Size: abbreviate(string(value)), Limit: limit}
	}
	return int(n), nil
}

func firstLine(block []byte) []byte {
	if i := bytes.IndexByte(block, '\n'); i >= 0 {
		return block[:i]
	}
	return block
}

// waits notes that the rest of a message is waited for.
func (r *reader) waits() {
	if !r.partial && r.begun != nil {
		r.partial = true
		r.begun(true)
	}
}

// whole notes that the message has come, or never will.
func (r *reader) whole() {
	if r.partial {
		r.partial = false
		r.begun(false)
	}
}
