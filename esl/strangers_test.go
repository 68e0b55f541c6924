package esl_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/esl"
	"ccxmld/remote/remotetest"
)

// wire is a listener in memory, on which strangers call.
type wire struct{ *remotetest.Listener }

// caller is the other end of a connection; heard is what the server has sent on it.
type caller struct {
	net.Conn
	heard  syncBuffer
	closed atomic.Bool
}

func (l *wire) dial(address string) *caller {
	ours := l.Dial(address)
	c := &caller{Conn: ours}
	go func() {
		lines := bufio.NewReader(ours)
		for {
			line, err := lines.ReadString('\n')
			if _, _ = io.WriteString(&c.heard, line); err != nil {
				c.closed.Store(true)
				return
			}
		}
	}()
	synctest.Wait()
	return c
}

// say sends something; on a connection that is closed it does nothing.
func (c *caller) say(text string) {
	go func() { _, _ = io.WriteString(c, text) }()
	synctest.Wait()
}

// overWire serves on a wire while f runs.
func overWire(t *testing.T, s *esl.Server, f func(l *wire, log *syncBuffer, taken *int)) {
	synctest.Test(t, func(t *testing.T) {
		var log syncBuffer
		taken := 0
		s.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.Handler = func(*esl.Call) { taken++ }
		l := &wire{remotetest.Listen(8084)}
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error)
		go func() { served <- s.Serve(ctx, l) }()
		f(l, &log, &taken)
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// TestStrangersOnTheSocket: what is not FreeSWITCH ends, at once where it can be known, and
// is one line of the log that shows what came.
func TestStrangersOnTheSocket(t *testing.T) {
	for name, c := range map[string]struct {
		says  string
		shown string
		after time.Duration
	}{
		"TLS":               {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\xaa", 500), `not an Event Socket message: \"\\x16\\x03\\x01`, 0},
		"TLS with newlines": {"\x16\x03\x01\n\n\n\n", `not an Event Socket message`, 0},
		"HTTP":              {"GET /healthz HTTP/1.1\r\nHost: pbx\r\n\r\n", `GET /healthz HTTP/1.1`, 0},
		"HTTP/2":            {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", `PRI * HTTP/2.0`, 0},
		"Redis":             {"*1\r\n$4\r\nPING\r\n\r\n", `*1`, 0},
		"SSH":               {"SSH-2.0-OpenSSH_9.6\r\n", "not answered in time", 10 * time.Second},
		"another ccxmld":    {"connect\n\n", `\"connect\"`, 0},
		"spaces":            {strings.Repeat(" ", 2000), "not an Event Socket message", 0},
		"UTF-8":             {"\xef\xbb\xbfContent-Type: command/reply\n\n", "not an Event Socket message", 0},
		"nothing":           {"", "not answered in time", 10 * time.Second},
		"newlines":          {strings.Repeat("\n", 100_000), "not answered in time", 10 * time.Second},
		"half a line":       {"Content-Type: command/re", "not answered in time", 10 * time.Second},
		"a refusal":         {"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n", "rejected by FreeSWITCH's access list", 0},
	} {
		t.Run(name, func(t *testing.T) {
			overWire(t, &esl.Server{}, func(l *wire, log *syncBuffer, taken *int) {
				conn := l.dial("192.0.2.1:1")
				conn.say(c.says)
				if c.after > 0 {
					if conn.closed.Load() {
						t.Errorf("closed at once: %s", log)
					}
					time.Sleep(c.after)
					synctest.Wait()
				}
				if !conn.closed.Load() {
					t.Error("not closed")
				}
				if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), c.shown) || len(log.String()) > 600 {
					t.Errorf("%d lines: %s", lines, log)
				}
				if *taken > 0 {
					t.Error("taken for a leg")
				}
			})
		})
	}
}

// TestSilentConnectionsMakeRoom: connections on which connect is not answered keep no
// leg out, of their own address nor of others; those that were answered stay.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	overWire(t, &esl.Server{MaxConnections: 8, PerAddress: 4, ConnectTimeout: time.Hour}, func(l *wire, log *syncBuffer, taken *int) {
		leg := func(address string) *caller {
			c := l.dial(address)
			c.say(channel("full", "async"))
			return c
		}
		first := leg("127.0.0.1:1")
		var silent []*caller
		for i := range 3 {
			silent = append(silent, l.dial(fmt.Sprintf("127.0.%d.1:1", i)))
		}
		refused := leg("127.0.0.1:2")
		if !strings.Contains(refused.heard.String(), "Hangup-Cause: SWITCH_CONGESTION") || silent[0].closed.Load() {
			t.Error("what may be FreeSWITCH that is about to answer was closed")
		}
		refused.Close()
		time.Sleep(3 * time.Second)
		second := leg("127.0.0.1:3")
		if *taken != 2 || !silent[0].closed.Load() || silent[1].closed.Load() {
			t.Errorf("%d legs taken: %s", *taken, log)
		}
		for i := range 6 {
			l.dial(fmt.Sprintf("192.0.2.%d:1", i))
		}
		time.Sleep(3 * time.Second)
		for i := range 5 {
			if leg(fmt.Sprintf("198.51.100.%d:1", i)); *taken != 3+i {
				t.Errorf("%d legs taken: %s", *taken, log)
			}
		}
		if first.closed.Load() || second.closed.Load() {
			t.Error("a leg was closed")
		}
		if n := strings.Count(log.String(), "connect is not answered, and others need the place"); n < 5 {
			t.Errorf("told of %d: %s", n, log)
		}
	})
}

// TestOneMachineIsOneAddress: a machine does not get more connections by the addresses
// that it has any number of.
func TestOneMachineIsOneAddress(t *testing.T) {
	for name, address := range map[string]string{"IPv6": "[2001:db8:0:1::%x]:1", "IPv6, another port": "[2001:db8:0:1::1]:%d", "loopback": "127.0.0.%d:1"} {
		t.Run(name, func(t *testing.T) {
			overWire(t, &esl.Server{PerAddress: 2}, func(l *wire, log *syncBuffer, taken *int) {
				for i := range 100 {
					l.dial(fmt.Sprintf(address, i+1)).say(channel("full", "async"))
				}
				if *taken != 2 {
					t.Errorf("%d legs", *taken)
				}
				if l.dial("[2001:db8:0:2::1]:1").say(channel("full", "async")); *taken != 3 {
					t.Error("another network was shut out")
				}
			})
		})
	}
}

// TestAcceptFails: that no connection can be accepted is said once, then ever less often,
// and when it is over; then connections are served again.
func TestAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncBuffer
		l := &wire{remotetest.Listen(8084)}
		l.Exhausted.Store(true)
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error)
		s := &esl.Server{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		go func() { served <- s.Serve(ctx, l) }()
		time.Sleep(5 * time.Minute)
		if n := strings.Count(log.String(), "level=ERROR"); n != 3 || strings.Count(log.String(), "times=") != 2 {
			t.Errorf("said %d times: %s", n, &log)
		}
		l.Exhausted.Store(false)
		conn := l.dial("192.0.2.1:1")
		if !strings.Contains(log.String(), "event socket connections are accepted again") || !strings.Contains(conn.heard.String(), "connect") {
			t.Errorf("heard %q: %s", &conn.heard, &log)
		}
		conn.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
