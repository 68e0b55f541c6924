package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// slowLines passes connections on, and keeps what goes over each of them a while,
// so that what is told on several of them comes in any order.
type slowLines struct {
	listener net.Listener
	to       func() string // the address
	longest  time.Duration
	mu       sync.Mutex
	random   *rand.Rand
	down     bool                  // takes none
	open     map[net.Conn]net.Conn // what is passed on, to which
	loses    string                // what ends its connection instead of arriving, once
	held     chan struct{}         // closed when what is held back goes on, nil for nothing
	late     lateText              // what is kept back on its way
	unheard  string                // what is not answered, nor is anything after it
	answers  chan struct{}         // closed when the answers to it come
	silent   net.Conn              // from where they come
	over     chan struct{}
	running  sync.WaitGroup
}

func newSlowLines(t testing.TB, random *rand.Rand, longest time.Duration, to func() string) *slowLines {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &slowLines{listener: listener, to: to, longest: longest, random: random, open: make(map[net.Conn]net.Conn), over: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(func() {
		close(s.over)
		listener.Close()
		s.running.Wait()
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
		far, err := net.Dial("tcp", s.to())
		if err != nil {
			near.Close()
			continue
		}
		if !s.keep(near, far) {
			near.Close()
			far.Close()
			continue
		}
		ended := make(chan struct{}, 2)
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			s.running.Go(func() { s.pass(pair[0], pair[1]); ended <- struct{}{} })
		}
		s.running.Go(func() {
			defer s.forget(near)
			defer near.Close()
			defer far.Close()
			for range 2 {
				select {
				case <-ended:
				case <-s.over:
					return
				}
			}
		})
	}
}

func (s *slowLines) keep(near, far net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		s.open[near] = far
	}
	return !s.down
}

func (s *slowLines) forget(near net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, near)
}

// cutOne ends one of the connections, which neither side has asked for. It reports
// false if there is none.
func (s *slowLines) cutOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	skip := 0
	if len(s.open) > 1 {
		skip = s.random.IntN(len(s.open))
	}
	for near, far := range s.open {
		if skip--; skip < 0 {
			near.Close()
			far.Close()
			return true
		}
	}
	return false
}

// cutAll ends all connections and takes no more until restore.
func (s *slowLines) cutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	for near, far := range s.open {
		near.Close()
		far.Close()
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

// hold keeps back all that comes from now on, until release is called.
func (s *slowLines) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := make(chan struct{})
	s.held = held
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = nil
		close(held)
	}
}

// holds gives what ends the hold, nil for none.
func (s *slowLines) holds() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// lateText is what is kept back with all that comes after it on its connection.
type lateText struct {
	text string // "" for nothing
	came chan struct{}
	goes chan struct{}
}

// holdText keeps back the next text that is like this, and all that is said after it
// on its connection, until release is called. came is closed when it is there.
func (s *slowLines) holdText(text string) (came <-chan struct{}, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := lateText{text, make(chan struct{}), make(chan struct{})}
	s.late = late
	return late.came, sync.OnceFunc(func() { close(late.goes) })
}

// isLate gives what a piece waits for that is kept back on its way, nil for nothing.
func (s *slowLines) isLate(piece []byte) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := s.late
	if late.text == "" || !bytes.Contains(piece, []byte(late.text)) {
		return nil
	}
	s.late.text = ""
	close(late.came)
	return late.goes
}

// holdAnswers keeps back all that comes back on a connection once a text has gone
// there, until release is called.
func (s *slowLines) holdAnswers(text string) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := make(chan struct{})
	s.unheard, s.answers = text, answers
	return sync.OnceFunc(func() { close(answers) })
}

// waits gives what a piece that came from a connection waits for, nil for nothing.
func (s *slowLines) waits(from net.Conn, piece []byte) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if far, asks := s.open[from]; asks {
		if s.unheard != "" && bytes.Contains(piece, []byte(s.unheard)) {
			s.unheard, s.silent = "", far
		}
		return nil
	}
	if s.silent != nil && s.silent == from {
		return s.answers
	}
	return nil
}

func (s *slowLines) pass(from, to net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if wait := s.wait(); wait > 0 {
			select {
			case <-time.After(wait):
			case <-s.over:
			}
		}
		if n > 0 && s.isLost(buffer[:n]) {
			from.Close()
			to.Close()
			return
		}
		for _, held := range []<-chan struct{}{s.holds(), s.waits(from, buffer[:n]), s.isLate(buffer[:n])} {
			if held != nil {
				select {
				case <-held:
				case <-s.over:
				}
			}
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok && err == io.EOF {
				_ = tcp.CloseWrite()
			} else {
				to.Close()
			}
			return
		}
	}
}
