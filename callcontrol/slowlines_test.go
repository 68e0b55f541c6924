package callcontrol_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"ccxmld/clock"
	"ccxmld/memnet"
	"ccxmld/sitetest"
)

// slowLines passes connections of a site's network on, and keeps what goes over each
// of them a while, so that what is told on several of them comes in any order.
type slowLines struct {
	clock    clock.Clock
	network  *memnet.Network
	listener net.Listener
	to       func() string // the address
	longest  time.Duration
	ctx      context.Context // ends with the test
	running  sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	down    bool // takes none
	open    []line
	loses   string       // what ends its connection instead of arriving, once
	late    lateText     // what is kept back on its way
	unheard string       // what is not answered, nor is anything after it
	answers *clock.Latch // opens when the answers to it come
	silent  net.Conn     // from where they come
}

// line is a connection that is passed on.
type line struct{ near, far net.Conn }

// slowLinesOf makes lines to an address on the network of a site that is being made.
func slowLinesOf(p *sitetest.Options, random *rand.Rand, longest time.Duration, to func() string) *slowLines {
	p.Helper()
	listener, err := p.Network.Listen("127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &slowLines{clock: p.Clock, network: p.Network, listener: listener, to: to, longest: longest, ctx: ctx, random: random}
	clock.GoIn(&s.running, s.clock, s.accept)
	p.Cleanup(func() {
		cancel()
		listener.Close()
		s.cutAll()
		clock.AwaitNow(s.clock, s.running.Wait)
	})
	return s
}

func (s *slowLines) address() string { return s.listener.Addr().String() }

func (s *slowLines) accept() {
	for {
		near, err := s.listener.Accept()
		if err != nil {
			return
		}
		far, err := s.network.DialContext(s.ctx, "tcp", s.to())
		if err != nil {
			near.Close()
			continue
		}
		one := line{near, far}
		if !s.keep(one) {
			one.cut()
			continue
		}
		clock.GoIn(&s.running, s.clock, func() { s.pass(one, near, far) })
		clock.GoIn(&s.running, s.clock, func() { s.pass(one, far, near) })
	}
}

func (l line) cut() {
	l.near.Close()
	l.far.Close()
}

func (s *slowLines) keep(one line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		s.open = append(s.open, one)
	}
	return !s.down
}

func (s *slowLines) forget(one line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other line) bool { return other == one })
}

// cutOne ends one of the connections, which neither side has asked for. It reports
// false if there is none.
func (s *slowLines) cutOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return false
	}
	s.open[s.random.IntN(len(s.open))].cut()
	return true
}

// cutAll ends all connections and takes no more until restore.
func (s *slowLines) cutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	for _, one := range s.open {
		one.cut()
	}
}

// lose cuts the next connection over which a text is to go, which does not arrive.
func (s *slowLines) lose(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loses = text
}

func (s *slowLines) isLost(piece []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loses == "" || !bytes.Contains(piece, []byte(s.loses)) {
		return false
	}
	s.loses = ""
	return true
}

func (s *slowLines) restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// wait gives the time that the next piece is kept: none for most.
func (s *slowLines) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.longest <= 0 || s.random.IntN(3) > 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(s.longest)))
}

// lateText is what is kept back with all that comes after it on its connection.
type lateText struct {
	text       string // "" for nothing
	came, goes *clock.Latch
}

// holdText keeps back the next text that is like this, and all that is said after it
// on its connection, until release is called. came opens when it is there.
func (s *slowLines) holdText(text string) (came *clock.Latch, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := lateText{text, clock.NewLatch(s.clock), clock.NewLatch(s.clock)}
	s.late = late
	return late.came, late.goes.Open
}

// isLate gives what a piece waits for that is kept back on its way, nil for nothing.
func (s *slowLines) isLate(piece []byte) *clock.Latch {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := s.late
	if late.text == "" || !bytes.Contains(piece, []byte(late.text)) {
		return nil
	}
	s.late.text = ""
	late.came.Open()
	return late.goes
}

// holdAnswers keeps back all that comes back on a connection once a text has gone
// there, until release is called.
func (s *slowLines) holdAnswers(text string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unheard, s.answers = text, clock.NewLatch(s.clock)
	return s.answers.Open
}

// waits gives what a piece that came over a line waits for, nil for nothing.
func (s *slowLines) waits(one line, from net.Conn, piece []byte) *clock.Latch {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case from == one.near && s.unheard != "" && bytes.Contains(piece, []byte(s.unheard)):
		s.unheard, s.silent = "", one.far
	case from == one.far && s.silent == from:
		return s.answers
	}
	return nil
}

// pass passes on what comes from one end of a line, which ends with it.
func (s *slowLines) pass(one line, from, to net.Conn) {
	defer s.forget(one)
	defer one.cut()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if wait := s.wait(); wait > 0 {
			clock.Sleep(s.ctx, s.clock, wait)
		}
		piece := buffer[:n]
		if n > 0 && s.isLost(piece) {
			return
		}
		for _, held := range []*clock.Latch{s.waits(one, from, piece), s.isLate(piece)} {
			if held != nil {
				_ = held.Wait(s.ctx)
			}
		}
		if _, fails := to.Write(piece); err != nil || fails != nil {
			return
		}
	}
}
