package esl

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"ccxmld/clock"
	"ccxmld/logs"
	"ccxmld/remote"
)

// A Server accepts outbound sockets: the connections that FreeSWITCH's socket
// action opens, one for each leg. Its fields must not be changed once Serve was
// called.
type Server struct {
	// Handler gets each leg that is under full control, in the connection's
	// reader goroutine, before any of its events is read. It sets the
	// connection's handlers and returns; it must not block.
	Handler func(call *Call)

	Logger         *slog.Logger // nil: nothing is logged
	Limits         Limits
	MessageTimeout time.Duration  // as in Options
	InFlight       int            // bytes that messages under way may take on all connections together; 0 means 64 MiB
	WriteTimeout   time.Duration  // as in Options
	ConnectTimeout time.Duration  // for the answer to connect; 0 means 10 s
	MaxConnections int            // legs at a time, beyond which they are refused; 0 means no bound
	PerAddress     int            // connections of one address, beyond which its legs are refused; 0 means no bound
	RefuseCause    string         // hangup cause of refused legs; "" means SWITCH_CONGESTION
	Allow          []netip.Prefix // who may connect; empty admits all
	Clock          clock.Clock    // of the deadlines; nil means the one on the wall
	Gate           *clock.Gate    // of the connections, as in Options

	inFlight  inFlight
	accepting logs.Trouble

	mu         sync.Mutex
	legs       map[*Conn]struct{} // those that Handler got
	open       int                // connections
	byAddress  map[string]int     // connections
	unanswered list.List          // of unanswered: connect was sent, the oldest first
	ended      bool               // Serve's context has ended
}

// unanswered is a connection on which connect has not been answered.
type unanswered struct {
	conn  *Conn
	from  string
	since time.Time
}

// A Call is a leg that FreeSWITCH has handed over.
type Call struct {
	Conn    *Conn
	Channel *Event // the answer to connect, valid until Handler returns
}

const (
	defaultConnectTimeout = 10 * time.Second
	defaultRefuseCause    = "SWITCH_CONGESTION"
	// refusals is how many legs may be in refusal beyond MaxConnections; more
	// wait to be accepted.
	refusals = 256
	// hangupPatience is how long a refused leg may take to go before the
	// connection is given back with exit.
	hangupPatience = 5 * time.Second
	// addressRefusals is how many legs of one address may be in refusal beyond
	// PerAddress; more are closed at once, and FreeSWITCH is left with the call.
	addressRefusals = 64
	// answerPatience is how old a connection on which connect is not answered must be
	// to be closed for another one. FreeSWITCH answers at once.
	answerPatience = 2 * time.Second
)

// Serve accepts connections until ctx ends or ln is closed, and returns when all
// its goroutines have ended. It may be called once. A closed ln is a drain: legs go on until they end
// or ctx does. When ctx ends, ln and all connections are closed, so that the
// legs go on in their dialplans; a connection on which connect has not been
// answered is given the time for it, because closing it earlier would leave the
// call parked without an owner. The error is nil after either end, and that of
// the listener otherwise.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.accepting.Now = clock.Or(s.Clock).Now
	s.inFlight.most = cmp.Or(s.InFlight, defaultInFlight)
	stop := context.AfterFunc(ctx, func() {
		ln.Close()
		s.closeAll()
	})
	defer stop()
	var legs clock.Group
	defer func() { _ = legs.Wait(context.Background(), clock.Or(s.Clock)) }()
	var slots chan struct{}
	if s.MaxConnections > 0 {
		slots = make(chan struct{}, s.MaxConnections+refusals)
	}
	for {
		nc, err := s.accept(ctx, ln)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		if !s.admits(nc.RemoteAddr()) {
			s.logger().Warn("event socket connection from an address that is not allowed", "remote", nc.RemoteAddr())
			nc.Close()
			continue
		}
		from := remote.Counted(nc.RemoteAddr().String())
		others, silent := s.come(from)
		if silent != nil {
			silent.end(errMadeRoom)
		}
		if s.PerAddress > 0 && others >= s.PerAddress+addressRefusals {
			s.logger().Warn("event socket connection closed, too many of its address", "remote", nc.RemoteAddr(), "limit", s.PerAddress, "do", raiseAddress)
			s.leave(from)
			nc.Close()
			continue
		}
		if slots != nil {
			slots <- struct{}{}
		}
		legs.Go(clock.Or(s.Clock), func() {
			defer s.leave(from)
			s.serve(nc, from, s.PerAddress > 0 && others >= s.PerAddress)
			if slots != nil {
				<-slots
			}
		})
	}
}

// accept outlasts passing failures, such as too many open files.
func (s *Server) accept(ctx context.Context, ln net.Listener) (net.Conn, error) {
	wait := 5 * time.Millisecond
	for {
		nc, err := ln.Accept()
		if err == nil {
			if say, about := s.accepting.Over(); say {
				s.logger().Info("event socket connections are accepted again", about...)
			}
		}
		if err == nil || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			if err != nil && ctx.Err() != nil {
				err = net.ErrClosed
			}
			return nc, err
		}
		//lint:ignore SA1019 net/http asks the same of its listeners.
		if passing := net.Error(nil); !errors.As(err, &passing) || !passing.Temporary() {
			return nil, err
		}
		if say, about := s.accepting.Found(); say {
			s.logger().Error("event socket accept failed, trying again", append(about, "error", err)...)
		}
		clock.Sleep(ctx, clock.Or(s.Clock), wait)
		wait = min(2*wait, time.Second)
	}
}

func (s *Server) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

func (s *Server) admits(addr net.Addr) bool {
	if len(s.Allow) == 0 {
		return true
	}
	_, listed := remote.Within(addr.String(), s.Allow)
	return listed
}

const raiseAddress = "raise esl.connections_per_address if these are calls"

// come counts a connection of an address, and tells how many others it has. Where it has,
// or all have, as many as they may, silent is the one to be closed for it: a connection
// that is not FreeSWITCH's, or whose FreeSWITCH hangs, must not take the place of a call.
func (s *Server) come(from string) (others int, silent *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAddress == nil {
		s.byAddress = make(map[string]int)
	}
	switch others = s.byAddress[from]; {
	case s.PerAddress > 0 && others >= s.PerAddress:
		if silent = s.longestSilent(from); silent != nil {
			others-- // its end counts when it has come
		}
	case s.MaxConnections > 0 && s.open >= s.MaxConnections:
		silent = s.longestSilent("")
	}
	s.open++
	s.byAddress[from]++
	return others, silent
}

// longestSilent is the connection of an address, or of any, that owes the answer to
// connect for longest, if it owes it for long; it is looked at no more. s.mu is held.
func (s *Server) longestSilent(from string) *Conn {
	now := clock.Or(s.Clock).Now()
	for at := s.unanswered.Front(); at != nil; at = at.Next() {
		u := at.Value.(unanswered)
		if now.Sub(u.since) < answerPatience {
			return nil
		}
		if from == "" || u.from == from {
			s.unanswered.Remove(at)
			return u.conn
		}
	}
	return nil
}

func (s *Server) leave(from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.byAddress[from]--; s.byAddress[from] <= 0 {
		delete(s.byAddress, from)
	}
}

// serve owns one connection from its first byte to its end. crowded is that of an
// address that has as many as it may.
func (s *Server) serve(nc net.Conn, from string, crowded bool) {
	c := NewConn(nc, Options{Limits: s.Limits, Logger: s.Logger, MessageTimeout: s.MessageTimeout, WriteTimeout: s.WriteTimeout, Gate: s.Gate})
	c.reader.holds = func(bytes int) { s.inFlight.hold(c, bytes) }
	defer s.detach(c)
	s.connect(c, from, crowded)
	_ = c.Run(nil) // the handlers are told
}

// connect asks for the channel, which take gets.
func (s *Server) connect(c *Conn, from string, crowded bool) {
	patience := s.ConnectTimeout
	if patience <= 0 {
		patience = defaultConnectTimeout
	}
	timer := clock.Start(clock.Or(s.Clock), patience, nil, func() { c.end(ErrConnectTimeout) })
	s.mu.Lock()
	waiting := s.unanswered.PushBack(unanswered{c, from, clock.Or(s.Clock).Now()})
	s.mu.Unlock()
	channel := pendingReply{view: true}
	channel.done = func(r *Reply, err error) {
		timer.Stop()
		s.mu.Lock()
		s.unanswered.Remove(waiting)
		s.mu.Unlock()
		if err != nil {
			level := slog.LevelWarn
			if isOrdinaryEnd(err) { // as of controllers that look whether this one is there
				level = slog.LevelDebug
			}
			s.logger().Log(context.Background(), level, "event socket connection ended before connect was answered", "remote", c.RemoteAddr(), "error", err)
			return
		}
		s.take(c, r, crowded)
	}
	c.send(channel, Connect())
}

// isOrdinaryEnd tells whether a connection ended as many do: the caller gave up in that
// moment, with FreeSWITCH's notice or without, or this side is shutting down.
func isOrdinaryEnd(err error) bool {
	for _, ordinary := range []error{ErrDisconnected, io.EOF, ErrClosed, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, ordinary) {
			return true
		}
	}
	return false
}

// take decides about a leg whose channel is known.
func (s *Server) take(c *Conn, r *Reply, crowded bool) {
	control, mode := r.Get("Control"), r.Get("Socket-Mode")
	switch {
	case r.Err() != nil:
		s.log(c, r).Error("connect refused", "error", r.Err())
		c.end(r.Err())
	case control != "full" || mode != "async":
		s.log(c, r).Error(`the dialplan's socket action must read: socket HOST:PORT async full`, "control", control, "mode", mode)
		s.refuse(c, ErrNotInControl)
	case crowded:
		s.log(c, r).Warn("leg refused, too many connections of its address", "limit", s.PerAddress, "do", raiseAddress)
		s.refuse(c, errTooMany)
	default:
		s.attach(c, r)
	}
}

// log gives the logger for a leg; most have nothing to log.
func (s *Server) log(c *Conn, r *Reply) *slog.Logger {
	return s.logger().With("remote", c.RemoteAddr(), "leg", r.Get("Unique-ID"))
}

// attach hands a leg to the Handler if there is room and time left for it.
func (s *Server) attach(c *Conn, r *Reply) {
	s.mu.Lock()
	ended, full := s.ended, s.MaxConnections > 0 && len(s.legs) >= s.MaxConnections
	if !ended && !full {
		if s.legs == nil {
			s.legs = make(map[*Conn]struct{})
		}
		s.legs[c] = struct{}{}
	}
	s.mu.Unlock()
	switch {
	case ended: // the leg goes on in its dialplan
		s.giveBack(c, ErrClosed)
	case full:
		s.log(c, r).Warn("leg refused, too many connections", "limit", s.MaxConnections, "do", "raise esl.connections if these are calls")
		s.refuse(c, errTooMany)
	default:
		s.Handler(&Call{Conn: c, Channel: r.Event()})
	}
}

func (s *Server) detach(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.legs, c)
}

// closeAll closes the connections of all legs and keeps others from becoming
// one.
func (s *Server) closeAll() {
	s.mu.Lock()
	s.ended = true
	legs := slices.Collect(maps.Keys(s.legs))
	s.mu.Unlock()
	for _, c := range legs {
		c.Close()
	}
}

var (
	errTooMany  = errors.New("esl: too many connections")
	errMadeRoom = errors.New("esl: connect is not answered, and others need the place")
)

// refuse hangs the leg up. FreeSWITCH then ends the connection; exit is for
// when it does not.
func (s *Server) refuse(c *Conn, reason error) {
	cause := s.RefuseCause
	if cause == "" {
		cause = defaultRefuseCause
	}
	c.Send(Hangup(cause), func(r *Reply, err error) {
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			s.logger().Warn("refused leg was not hung up", "remote", c.RemoteAddr(), "error", err)
			c.end(reason)
		}
	})
	timer := clock.Start(clock.Or(s.Clock), hangupPatience, nil, func() { s.giveBack(c, reason) })
	c.SetEndHandler(func(error) { timer.Stop() })
}

// giveBack ends a connection with exit, or without FreeSWITCH's answer to it if
// that does not come.
func (s *Server) giveBack(c *Conn, reason error) {
	c.Send(Exit(), nil)
	timer := clock.Start(clock.Or(s.Clock), hangupPatience, nil, func() { c.end(reason) })
	c.SetEndHandler(func(error) { timer.Stop() })
}
