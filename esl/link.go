package esl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/percipia/eslgo/command"

	"ccxmld/clock"
	"ccxmld/fsm"
	"ccxmld/logs"
	"ccxmld/random"
)

// LinkOptions say to which node a Link goes and what it brings. Its functions
// are called in the goroutine that called Run, one at a time, and must not
// block; all may be nil.
type LinkOptions struct {
	Name     string // for the log
	Address  string // host:port of mod_event_socket
	Password string

	// Events are subscribed to each time the link comes up, as Subscribe takes
	// them; BACKGROUND_JOB always is. Filters are pairs of header and value;
	// with any, a filter for BACKGROUND_JOB is added.
	Events  []string
	Filters [][2]string

	OnUp    func()             // logged in and subscribed; commands are taken
	OnDown  func(reason error) // after OnUp only, when commands and jobs in flight have failed
	OnEvent func(*Event)       // all events but the results of this link's own jobs

	Logger       *slog.Logger // nil: nothing is logged
	Limits       Limits
	WriteTimeout time.Duration // as in Options
	// Dial opens the network connection; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Handshake bounds dialling, and then all up to OnUp; 0 means 10 s.
	Handshake time.Duration
	// Ping is how often FreeSWITCH is asked for a sign of life; a link on which
	// the last one was not answered is given up. 0 means 20 s.
	Ping    time.Duration
	Backoff Backoff
	Clock   clock.Clock // of the waits; nil means the one on the wall
	Gate    *clock.Gate // while it is closed, commands are refused, as of a link that is down; nil is always open
	// Random is where the waits and the ids of jobs come from; nil is the system's.
	Random *random.Source
}

// Backoff says how long a Link waits before it dials again. Each wait is chosen
// at random between half of its length and the whole.
type Backoff struct {
	Min     time.Duration // after the first failure, doubled with each; 0 means 250 ms
	Max     time.Duration // at most; 0 means 15 s
	Refused time.Duration // after a wrong password or a refusal by access list; 0 means 30 s
}

func (b Backoff) wait(chance rand.Source, failures int, reason error) time.Duration {
	wait := b.Max
	if failures < 32 {
		wait = min(b.Max, b.Min<<failures)
	}
	if errors.Is(reason, ErrWrongPassword) || errors.Is(reason, ErrRejected) {
		wait = b.Refused
	}
	return wait/2 + time.Duration(rand.New(chance).Int64N(int64(wait/2+1)))
}

// A Link is a connection to a FreeSWITCH node's inbound Event Socket that comes
// again when it is lost. Its states are down, which includes dialling and
// logging in, and up.
type Link struct {
	o     LinkOptions
	log   *slog.Logger
	conn  atomic.Pointer[Conn] // nil when down
	state fsm.Machine[linkState, linkInput]

	mu     sync.Mutex
	jobs   map[string]func(result string, err error) // by Job-UUID
	reason error                                     // why it is down, or was; see Err
}

// NewLink makes a Link, which is down until Run is called.
func NewLink(o LinkOptions) *Link {
	o.Clock = clock.Or(o.Clock)
	o.Handshake = cmp.Or(o.Handshake, 10*time.Second)
	o.Ping = cmp.Or(o.Ping, 20*time.Second)
	o.Backoff.Min = cmp.Or(o.Backoff.Min, 250*time.Millisecond)
	o.Backoff.Max = max(cmp.Or(o.Backoff.Max, 15*time.Second), o.Backoff.Min)
	o.Backoff.Refused = cmp.Or(o.Backoff.Refused, 30*time.Second)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Link{
		o:      o,
		log:    o.Logger.With("node", o.Name, "address", o.Address),
		state:  linkStates.At(linkDown),
		jobs:   make(map[string]func(string, error)),
		reason: ErrLinkDown,
	}
}

// Run keeps the link up until ctx ends, and returns nil then. It may be called
// once at a time.
func (l *Link) Run(ctx context.Context) error {
	logged := "" // the last failure that was logged as such
	failing := logs.Trouble{Now: l.o.Clock.Now}
	for failures := 0; ; failures++ {
		wasUp, err := l.connectOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if wasUp {
			failures, logged = 0, ""
			failing.Over() // that the link came up was said
		}
		wait := l.o.Backoff.wait(l.o.Random, failures, err)
		level := slog.LevelDebug
		text := cause(err)
		again, about := failing.Found()
		if text != logged || again {
			level, logged = slog.LevelWarn, text
		}
		l.log.Log(ctx, level, "node link is down, trying again", append([]any{"error", err, "do", Remedy(err), "wait", wait}, about...)...)
		if !clock.Sleep(ctx, l.o.Clock, wait) {
			return nil
		}
	}
}

// RunOnce is Run without another try: it returns why the link did not come up, or
// went down; nil when ctx ended. It is for looking at a node.
func (l *Link) RunOnce(ctx context.Context) error {
	_, err := l.connectOnce(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// cause names a failure without what differs from one try to the next, such as
// the port that was dialled from.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// connectOnce dials, and serves the connection until it ends.
func (l *Link) connectOnce(ctx context.Context) (wasUp bool, err error) {
	if err := l.o.Gate.Wait(ctx); err != nil {
		return false, err
	}
	l.take(linkDials)
	dialing, cancel := context.WithTimeout(ctx, l.o.Handshake)
	nc, err := l.o.Dial(dialing, "tcp", l.o.Address)
	cancel()
	if err != nil {
		l.setReason(err)
		l.take(linkConnectionEnds)
		return false, err
	}
	l.take(linkConnected)
	c := NewConn(nc, Options{Limits: l.o.Limits, Logger: l.log, WriteTimeout: l.o.WriteTimeout, Gate: l.o.Gate})
	defer context.AfterFunc(ctx, func() { c.Close() })()
	login := l.logIn(c)
	err = login.explain(c.Run(l.handleEvent))
	login.timer.Stop()
	wasUp = l.take(linkConnectionEnds) == tellDown
	l.down(err, wasUp)
	return wasUp, err
}

// take gives an input to the link's state, and tells what is to be done.
func (l *Link) take(input linkInput) fsm.Action {
	return l.state.Take(input, func() *slog.Logger { return l.log })
}

// A login takes a fresh connection from the greeting to the state up, in the
// reader goroutine.
type login struct {
	link  *Link
	conn  *Conn
	timer *clock.Timer // gives the handshake up; once up, sends the next ping
}

func (l *Link) logIn(c *Conn) *login {
	in := &login{link: l, conn: c}
	in.timer = clock.Start(l.o.Clock, l.o.Handshake, nil, func() { c.end(errHandshake) })
	c.onAuth = func() {
		if l.take(linkGreeted) == sendPassword {
			c.Send(Auth(l.o.Password), in.next(ErrWrongPassword, in.subscribe))
		}
	}
	return in
}

var errHandshake = errors.New("esl: handshake not finished in time")

// next makes the callback of a step: the following step, or the end.
func (in *login) next(refusal error, step func()) func(*Reply, error) {
	return func(r *Reply, err error) {
		switch {
		case err != nil:
			in.conn.end(err)
		case r.Err() != nil && refusal != nil:
			in.conn.end(fmt.Errorf("%w: %w", refusal, r.Err()))
		case r.Err() != nil:
			in.conn.end(r.Err())
		default:
			step()
		}
	}
}

func (in *login) subscribe() {
	if in.link.take(linkLoggedIn) != sendEvents {
		return
	}
	o := &in.link.o
	commands := []command.Command{Subscribe(append([]string{"BACKGROUND_JOB"}, o.Events...)...)}
	for _, filter := range o.Filters {
		commands = append(commands, Filter(filter[0], filter[1]))
	}
	if len(o.Filters) > 0 {
		commands = append(commands, Filter("Event-Name", "BACKGROUND_JOB"))
	}
	last := len(commands) - 1
	in.conn.SendAll(func(i int, r *Reply, err error) {
		in.next(nil, func() {
			if i == last {
				in.finish()
			}
		})(r, err)
	}, commands...)
}

// finish is the change from down to up.
func (in *login) finish() {
	l := in.link
	if !in.timer.Stop() {
		return // the handshake was given up this moment
	}
	if l.take(linkSubscribed) != tellUp {
		return
	}
	in.keepAlive()
	l.conn.Store(in.conn)
	l.log.Info("node link is up")
	if l.o.OnUp != nil {
		l.o.OnUp()
	}
}

// errSilent ends a connection whose other side does not answer.
var errSilent = errors.New("esl: no answer to a ping")

// keepAlive asks for a sign of life after a while, and again after each answer.
func (in *login) keepAlive() {
	ping := in.link.o.Ping
	in.timer = clock.Start(in.link.o.Clock, ping, nil, func() {
		patience := clock.Start(in.link.o.Clock, ping, nil, func() { in.conn.end(errSilent) })
		in.conn.Send(API("uptime"), func(r *Reply, err error) {
			patience.Stop()
			if err == nil {
				in.keepAlive()
			}
		})
	})
}

// explain turns the end of a connection that never came up into what is most
// likely wrong.
func (in *login) explain(err error) error {
	var protocol *ProtocolError
	switch {
	case !in.link.state.Is(linkGreeting):
		return err
	case errors.As(err, &protocol), errors.Is(err, errHandshake):
		return fmt.Errorf("%w: %w", ErrNotFreeSWITCH, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("closed without a greeting: %w", err)
	}
	return err
}

func (l *Link) setReason(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = err
}

// down is the change to down: commands in flight have failed already, jobs fail
// now.
func (l *Link) down(reason error, wasUp bool) {
	l.setReason(reason)
	l.conn.Store(nil)
	l.failJobs(lost(reason))
	if wasUp && l.o.OnDown != nil {
		l.guard(func() { l.o.OnDown(reason) })
	}
}

// guard runs a callback outside a connection's reader; its panic must not end
// the process either.
func (l *Link) guard(callback func()) {
	var err error
	func() {
		defer recoverAsError(&err)
		callback()
	}()
	var panicked *PanicError
	if errors.As(err, &panicked) {
		l.log.Error("node link callback panicked", "panic", panicked.Value, "stack", string(panicked.Stack))
	}
}

// lost is the error of what was in flight on a lost link.
func lost(reason error) error { return fmt.Errorf("%w: %w", ErrLinkDown, reason) }

// Up tells whether the link takes commands.
func (l *Link) Up() bool { return l.live() != nil }

// Err returns why the link is down, nil when it is up. A connection that has ended says
// why before the link is noted as down.
func (l *Link) Err() error {
	if c := l.conn.Load(); c != nil {
		return c.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

// live returns the connection, nil when the link is down or about to be.
func (l *Link) live() *Conn {
	if c := l.conn.Load(); c != nil && c.Err() == nil {
		return c
	}
	return nil
}

// Do is Conn.Do on the link's connection. Without one, or when it is lost before
// the reply, the error is ErrLinkDown.
func (l *Link) Do(ctx context.Context, cmd command.Command) (*Reply, error) {
	return do(ctx, func(done func(*Reply, error)) { l.Send(cmd, done) })
}

// Send is Conn.Send on the link's connection. Without one, done is called with
// ErrLinkDown before Send returns.
func (l *Link) Send(cmd command.Command, done func(*Reply, error)) {
	if !l.o.Gate.IsOpen() {
		if done != nil {
			done(nil, errStopped)
		}
		return
	}
	l.send(cmd, done, (*Conn).Send)
}

// errStopped refuses commands: what they are for is to be found out first.
var errStopped = fmt.Errorf("%w: this process was stopped for a while", ErrLinkDown)

// Ask is Send for what only asks, and must be known before the link's gate can open.
func (l *Link) Ask(cmd command.Command, done func(*Reply, error)) { l.send(cmd, done, (*Conn).Ask) }

func (l *Link) send(cmd command.Command, done func(*Reply, error), send func(*Conn, command.Command, func(*Reply, error))) {
	c := l.live()
	if c == nil {
		if done != nil {
			done(nil, ErrLinkDown)
		}
		return
	}
	if done == nil {
		send(c, cmd, nil)
		return
	}
	send(c, cmd, func(r *Reply, err error) {
		if err != nil && err == c.Err() {
			err = lost(err)
		}
		done(r, err)
	})
}

func (l *Link) handleEvent(e *Event) {
	if e.Name() == "BACKGROUND_JOB" && l.finishJob(e) {
		return
	}
	if l.o.OnEvent != nil {
		l.o.OnEvent(e)
	}
}
