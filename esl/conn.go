package esl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/percipia/eslgo/command"

	"ccxmld/clock"
)

// Options of a connection. The zero value is usable.
type Options struct {
	Limits Limits
	Logger *slog.Logger // nil: nothing is logged
	// MessageTimeout is the time in which a message that has begun must be whole; 0
	// means 20 s.
	MessageTimeout time.Duration
	WriteTimeout   time.Duration // in which the network must take something of what waits for it; 0 means 5 s
	Gate           *clock.Gate   // while it is closed, commands wait; nil is always open
}

const (
	defaultWriteTimeout   = 5 * time.Second
	defaultMessageTimeout = 20 * time.Second
)

// A Conn is one Event Socket connection, opened by either side. All methods may
// be called from any goroutine, if not said otherwise.
type Conn struct {
	nc     net.Conn
	log    *slog.Logger
	reader reader

	onEvent  atomic.Pointer[func(*Event)]
	onLinger atomic.Pointer[func(*Event)]
	onEnd    atomic.Pointer[func(error)]
	onAuth   func() // set before Run by those who log in

	out            *outbox // its lock is taken before mu
	gate           *clock.Gate
	held           []heldCommands // under out's lock
	muted          bool           // likewise; see Mute
	messageTimeout time.Duration

	mu       sync.Mutex
	pending  pendingQueue
	answered uint64    // commands
	running  bool      // Run was called
	err      error     // why the connection ends, the first reason only
	lastRead time.Time // until when what has come is read, after a failed write; zero for none
	done     chan struct{}

	event Event                                  // the one being handled
	told  struct{ unknownType, strayReply bool } // which were logged
}

// NewConn makes a Conn of a network connection, which it owns from now on.
// Nothing is read before Run; commands may be sent before.
func NewConn(nc net.Conn, o Options) *Conn {
	c := &Conn{
		nc:   nc,
		log:  o.Logger,
		done: make(chan struct{}),
		gate: o.Gate,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	c.messageTimeout = cmp.Or(max(0, o.MessageTimeout), defaultMessageTimeout)
	c.out = newOutbox(nc, o.WriteTimeout, c.writeFailed)
	c.reader.source, c.reader.limits = nc, o.Limits.withDefaults()
	c.reader.begun = c.messageBegun
	return c
}

// SetHandler sets who gets the events from the next one on; nil drops them.
// Called within the reader goroutine, no event is missed or seen twice.
func (c *Conn) SetHandler(onEvent func(*Event)) { c.onEvent.Store(&onEvent) }

// SetLingerHandler sets what is called when FreeSWITCH announces that the leg
// is gone but that it keeps the connection open to deliver the last events: a
// text/disconnect-notice with Content-Disposition linger. Its headers are those
// of the notice, in the clear.
func (c *Conn) SetLingerHandler(onLinger func(*Event)) { c.onLinger.Store(&onLinger) }

// SetEndHandler sets what is called once when the connection has ended, after
// all commands in flight got their error, with the reason that Err returns. It
// must be set before the end, for example within the reader goroutine.
func (c *Conn) SetEndHandler(onEnd func(error)) { c.onEnd.Store(&onEnd) }

// RemoteAddr returns the address of the other side.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Done is closed when the connection has ended and its last callback returned.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended, nil as long as it has not: ErrClosed
// after Close, ErrDisconnected after FreeSWITCH's notice, io.EOF when the other
// side closed without one, a *LimitError, a *ProtocolError, a *PanicError, or
// an error of the network.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection without telling FreeSWITCH; send Exit before for
// that. It may be called several times, also by handlers, and does not wait for
// the reader.
func (c *Conn) Close() error {
	c.end(ErrClosed)
	return nil
}

// messageBegun gives a message that has begun its time to be whole.
func (c *Conn) messageBegun(begun bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := c.lastRead
	if whole := time.Now().Add(c.messageTimeout); begun && (deadline.IsZero() || whole.Before(deadline)) {
		deadline = whole
	}
	_ = c.nc.SetReadDeadline(deadline) // fails on a connection that was closed, which reads nothing
}

// end notes the reason and closes the network connection, which wakes the
// reader. Only the first reason counts.
func (c *Conn) end(reason error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = reason
	running := c.running
	c.mu.Unlock()
	c.nc.Close()
	if !running {
		c.finish()
	}
}

// Run reads until the connection ends and returns the reason, as Err does. It
// may be called once; the goroutine that calls it is the connection's reader.
// onEvent gets the events unless SetHandler replaces it; with nil, it leaves
// the handler as it is.
func (c *Conn) Run(onEvent func(*Event)) error {
	c.mu.Lock()
	if c.err != nil || c.running {
		defer c.mu.Unlock()
		if c.err == nil {
			return errors.New("esl: Run called twice")
		}
		return c.err
	}
	c.running = true
	c.mu.Unlock()
	if onEvent != nil {
		c.SetHandler(onEvent)
	}
	c.end(c.readAll())
	c.out.wait()
	c.reader.release()
	c.finish()
	return c.Err()
}

// readAll handles messages until one ends the connection.
func (c *Conn) readAll() (err error) {
	defer recoverAsError(&err)
	for {
		if err := c.reader.await(); err != nil {
			return err
		}
		if err := c.handleNext(); err != nil {
			return err
		}
	}
}

// handleNext reads and handles one message. Its error ends the connection.
func (c *Conn) handleNext() error {
	m, err := c.reader.next()
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.writeHasFailed() {
		return fmt.Errorf("%w: %s", ErrSlowMessage, c.messageTimeout)
	}
	if err != nil {
		return err
	}
	if err := c.handle(m); err != nil {
		return err
	}
	return c.Err()
}

// finish gives the commands in flight their error: since the reason is noted,
// none is queued any more.
func (c *Conn) finish() {
	reason := c.Err()
	for {
		c.mu.Lock()
		p, ok := c.pending.pop()
		c.mu.Unlock()
		if !ok {
			break
		}
		c.guard(func() { p.call(nil, reason) })
	}
	c.guard(func() { c.refuseHeld(reason) })
	if onEnd := c.onEnd.Load(); onEnd != nil && *onEnd != nil {
		c.guard(func() { (*onEnd)(reason) })
	}
	var panicked *PanicError
	if errors.As(reason, &panicked) {
		c.logPanic(panicked)
	}
	close(c.done)
}

// guard runs a callback after the connection ended; a panic cannot end it once
// more, so it is logged.
func (c *Conn) guard(callback func()) {
	var err error
	func() {
		defer recoverAsError(&err)
		callback()
	}()
	var panicked *PanicError
	if errors.As(err, &panicked) {
		c.logPanic(panicked)
	}
}

func (c *Conn) logPanic(p *PanicError) {
	c.log.Error("event socket handler panicked", "remote", c.nc.RemoteAddr(), "panic", p.Value, "stack", string(p.Stack))
}

func recoverAsError(err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{Value: value, Stack: debug.Stack()}
	}
}

// The content types of messages from FreeSWITCH.
const (
	eventPlain       = "text/event-plain"
	commandReply     = "command/reply"
	apiResponse      = "api/response"
	authRequest      = "auth/request"
	disconnectNotice = "text/disconnect-notice"
	rudeRejection    = "text/rude-rejection"
)

// handle deals with one message. Its error ends the connection.
func (c *Conn) handle(m message) error {
	kind := m.contentType()
	switch string(kind) {
	case eventPlain:
		c.handleEvent(m)
	case commandReply, apiResponse:
		c.handleReply(m)
	case authRequest:
		if c.onAuth != nil {
			c.onAuth()
		}
	case disconnectNotice:
		return c.handleNotice(m)
	case rudeRejection:
		return ErrRejected
	default:
		if !c.told.unknownType {
			c.told.unknownType = true
			c.log.Warn("event socket message of unknown type ignored", "remote", c.nc.RemoteAddr(), "type", string(kind))
		}
	}
	return nil
}

func (c *Conn) handleEvent(m message) {
	handler := c.onEvent.Load()
	if handler == nil || *handler == nil {
		return
	}
	c.event.parse(m.body)
	(*handler)(&c.event)
	c.event = Event{}
}

func (c *Conn) handleReply(m message) {
	c.mu.Lock()
	p, ok := c.pending.pop()
	if ok {
		c.answered++
	}
	c.mu.Unlock()
	if !ok {
		if !c.told.strayReply {
			c.told.strayReply = true
			c.log.Warn("event socket reply to no command", "remote", c.nc.RemoteAddr(), "reply", newReply(m).Text)
		}
		return
	}
	switch {
	case p.view:
		p.call(viewReply(m), nil)
	case p.wanted():
		p.call(newReply(m), nil)
	}
}

// handleNotice tells a notice that only announces lingering from the end.
func (c *Conn) handleNotice(m message) error {
	disposition, _ := headerValue(m.head, "Content-Disposition")
	if string(disposition) != "linger" {
		return ErrDisconnected
	}
	if handler := c.onLinger.Load(); handler != nil && *handler != nil {
		(*handler)(&Event{head: m.head, body: m.body})
	}
	return nil
}

// Do sends a command and waits for its reply. When ctx ends first, Do returns
// its error; the command may have been obeyed, and its reply is consumed when it
// comes. The error is an *InvalidError when the command cannot be sent, and the
// connection's when that ended. A refusal by FreeSWITCH is no error here:
// see Reply.Err. Do must not be called in the reader goroutine.
func (c *Conn) Do(ctx context.Context, cmd command.Command) (*Reply, error) {
	return do(ctx, func(done func(*Reply, error)) { c.Send(cmd, done) })
}

// do turns a Send into a call that waits.
func do(ctx context.Context, send func(done func(*Reply, error))) (*Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type answer struct {
		reply *Reply
		err   error
	}
	answers := make(chan answer, 1)
	send(func(r *Reply, err error) { answers <- answer{r, err} })
	select {
	case a := <-answers:
		return a.reply, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Send sends a command without waiting. done, which may be nil, is called
// exactly once: in the reader goroutine, with the reply or with the error that
// ended the connection. When the command cannot be sent at all, because a value
// in it is invalid or the connection has ended, done is called before Send
// returns: ErrOverflow where FreeSWITCH takes no more. Send does not wait for the
// network; what that does not take within the write timeout ends the connection.
func (c *Conn) Send(cmd command.Command, done func(*Reply, error)) {
	c.send(pendingReply{done: done}, cmd)
}

// SendAll sends several commands in one write. done, which may be nil, is
// called once for each, with its index, as Send does. When one of them is
// invalid, none is sent.
func (c *Conn) SendAll(done func(i int, r *Reply, err error), cmds ...command.Command) {
	c.send(pendingReply{each: done}, cmds...)
}

// Ask is Send for what only asks, and must be known before the connection's gate can open.
func (c *Conn) Ask(cmd command.Command, done func(*Reply, error)) {
	c.send(pendingReply{done: done, asks: true}, cmd)
}

func (c *Conn) send(p pendingReply, cmds ...command.Command) {
	out := writeBuffers.Get().(*[]byte)
	defer recycle(out)
	for _, cmd := range cmds {
		message, err := wireForm(cmd)
		if err != nil {
			refuse(p, len(cmds), err)
			return
		}
		*out = append(append(*out, message...), endOfMessage...)
	}
	if err := c.write(*out, p, len(cmds)); err != nil {
		refuse(p, len(cmds), err)
	}
}

// refuse reports that commands were not sent.
func refuse(p pendingReply, n int, err error) {
	for p.index = range n {
		p.call(nil, err)
	}
}

// write queues n commands and writes them. Its error says that they were not
// queued; if they were, they are answered or fail with the connection.
func (c *Conn) write(data []byte, p pendingReply, n int) error {
	failed, err := c.queueAndWrite(data, p, n)
	if err == nil && failed != nil {
		c.writeFailed(failed)
	}
	return err
}

func (c *Conn) queueAndWrite(data []byte, p pendingReply, n int) (failed, refused error) {
	c.out.Lock()
	defer c.out.Unlock()
	if c.muted {
		return nil, ErrMuted
	}
	if !p.asks && (len(c.held) > 0 || c.gate.Hold(c.sendHeld)) {
		return nil, c.hold(data, p, n)
	}
	return c.queueAndWriteNow(data, p, n)
}

// queueAndWriteNow is queueAndWrite whatever is held. out's lock is held.
func (c *Conn) queueAndWriteNow(data []byte, p pendingReply, n int) (failed, refused error) {
	if err := c.queue(len(data), p, n); err != nil {
		return nil, err
	}
	return c.out.write(data), nil
}

func (c *Conn) queue(bytes int, p pendingReply, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.out.full(bytes), c.pending.len()+n > maxInFlight:
		return ErrOverflow
	}
	for p.index = range n {
		c.pending.push(p)
	}
	return nil
}

// writeFailed ends the connection, now or when what has come is read.
func (c *Conn) writeFailed(failed error) {
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if !running || errors.Is(failed, ErrStalled) {
		c.end(fmt.Errorf("write: %w", failed))
		return
	}
	// The other side has closed. What it sent before is still to be read, and
	// the reader finds the end behind it; the deadline is for a network that
	// never shows it.
	c.mu.Lock()
	c.lastRead = time.Now().Add(c.out.timeout)
	err := c.nc.SetReadDeadline(c.lastRead)
	c.mu.Unlock()
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.end(fmt.Errorf("write: %w", failed))
	}
}

func (c *Conn) writeHasFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.lastRead.IsZero()
}

// Answered is how many commands FreeSWITCH has answered, and how many it has not
// answered yet.
func (c *Conn) Answered() (answered uint64, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered, c.pending.len()
}

// endOfMessage follows each command. Behind a body it is too much, and skipped
// by FreeSWITCH (read_packet).
const endOfMessage = "\r\n\r\n"

// writeBuffers spare an allocation for each write.
var writeBuffers = sync.Pool{New: func() any { return new([]byte) }}

func recycle(buffer *[]byte) {
	const keep = 16 << 10
	if cap(*buffer) > keep {
		return
	}
	*buffer = (*buffer)[:0]
	writeBuffers.Put(buffer)
}
