package esl_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"
)

// ends is a server whose legs tell why they ended.
func ends(s *esl.Server) (*esl.Server, <-chan error) {
	ended := make(chan error, 100)
	s.Handler = func(call *esl.Call) { call.Conn.SetEndHandler(func(err error) { ended <- err }) }
	return s, ended
}

// attached is a leg that was handed over.
func attached(t *testing.T, address string) *peer {
	t.Helper()
	p := leg(t, address)
	p.expect("connect")
	p.write(channel("full", "async"))
	return p
}

// A message that has begun must be whole in time, its header and its body; one that
// comes in pieces within it is well, and a connection on which nothing comes stays.
func TestMessagesMustBeWhole(t *testing.T) {
	for name, beginning := range map[string]string{
		"header": "Content-Type: text/event-plain\nContent-Le",
		"body":   "Content-Type: text/event-plain\nContent-Length: 1000\n\nEvent-Name: DTMF\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, ended := ends(&esl.Server{MessageTimeout: 50 * time.Millisecond})
			address, _, _, _ := serve(t, s)
			attached(t, address).write(beginning)
			if err := receive(t, ended); !errors.Is(err, esl.ErrSlowMessage) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
	events := make(chan string, 10)
	s := &esl.Server{MessageTimeout: time.Minute, Handler: func(call *esl.Call) {
		call.Conn.SetHandler(func(e *esl.Event) { events <- e.Name() })
	}}
	address, _, _, _ := serve(t, s)
	p := attached(t, address)
	for _, piece := range []string{"Content-Type: text/event-pl", "ain\nContent-Length: 18\n", "\nEvent-Name:", " DTMF\n\n"} {
		p.write(piece)
	}
	if got := receive(t, events); got != "DTMF" {
		t.Errorf("got %s", got)
	}
}

// The deadline of one message is none for the next, nor for a connection that is idle.
func TestDeadlineOfAMessageIsItsOwn(t *testing.T) {
	ours, theirs := net.Pipe()
	deadlines := &deadlines{Conn: ours}
	c := esl.NewConn(deadlines, esl.Options{})
	events := make(chan string)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(func(e *esl.Event) { events <- e.Name() }) }()
	for range 2 {
		fmt.Fprint(theirs, "Content-Type: text/event-plain\nContent-Length: 18\n\nEvent")
		fmt.Fprint(theirs, "-Name: DTMF\n\n")
		receive(t, events)
	}
	c.Close()
	receive(t, ended)
	if got := strings.Join(deadlines.set, " "); got != "some none some none" {
		t.Errorf("deadlines: %s", got)
	}
}

// deadlines notes the deadlines of reads.
type deadlines struct {
	net.Conn
	set []string
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		d.set = append(d.set, "none")
	} else {
		d.set = append(d.set, "some")
	}
	return d.Conn.SetReadDeadline(t)
}

// A FreeSWITCH that announces more than it sends, or more than may be, ends the link,
// which connects again.
func TestLinkToALiar(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		want    string
		time    time.Duration // 0: as long as it takes
	}{
		"less than announced": {"Content-Type: text/event-plain\nContent-Length: 1000000\n\nEvent-Name: DTMF\n\n", "a message was not whole in time", 50 * time.Millisecond},
		"too much announced":  {"Content-Type: text/event-plain\nContent-Length: 1000000000\n\n", "at most 16777216 are allowed", 0},
		"no number":           {"Content-Type: text/event-plain\nContent-Length: 1e9\n\n", "Content-Length is no number", 0},
		"header without end":  {"Content-Type: text/event-plain\n" + strings.Repeat("x: y\n", 1<<18), "header block of", 0},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			conn := esl.NewConn(ours, esl.Options{MessageTimeout: c.time})
			ended := make(chan error, 1)
			go func() { ended <- conn.Run(func(*esl.Event) {}) }()
			go func() { fmt.Fprint(theirs, c.message) }()
			if err := receive(t, ended); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the link ended with %v", err)
			}
			theirs.Close()
		})
	}
}

// Bodies under way are bounded together: beyond the bound the connection of the
// largest ends, and those of an ordinary size go on.
func TestBodiesAreBoundedTogether(t *testing.T) {
	s, ended := ends(&esl.Server{InFlight: 1 << 20})
	address, _, _, _ := serve(t, s)
	ordinary := attached(t, address)
	ordinary.write("Content-Type: text/event-plain\nContent-Length: 40000\n\n" + strings.Repeat("x", 35_000))
	for range 3 {
		p := attached(t, address)
		go fmt.Fprint(p.nc, "Content-Type: text/event-plain\nContent-Length: 900000\n\n"+strings.Repeat("x", 800_000))
	}
	for range 2 {
		if err := receive(t, ended); !errors.Is(err, esl.ErrCrowded) {
			t.Errorf("it ended with %v", err)
		}
	}
	ordinary.write(strings.Repeat("x", 5000) + "Content-Type: text/disconnect-notice\n\n")
	if err := receive(t, ended); !errors.Is(err, esl.ErrDisconnected) {
		t.Errorf("the ordinary one ended with %v", err)
	}
}

// An address has so many connections; its further legs are refused, and those far
// beyond closed.
func TestConnectionsOfAnAddress(t *testing.T) {
	var log syncBuffer
	s, _ := ends(&esl.Server{PerAddress: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	address, _, _, _ := serve(t, s)
	one := attached(t, address)
	attached(t, address)
	third := attached(t, address)
	third.expectLines("Call-Command: hangup", "Hangup-Cause: SWITCH_CONGESTION")
	if !strings.Contains(log.String(), "raise esl.connections_per_address if these are calls") {
		t.Errorf("logged %s", log.String())
	}
	for range 70 { // of which some are refused, and the last ones closed
		leg(t, address)
	}
	leg(t, address).expectClosed()
	one.nc.Close()
	third.nc.Close()
}

// What a connection does wrong again and again is logged once.
func TestWrongAgainAndAgain(t *testing.T) {
	var log syncBuffer
	s, ended := ends(&esl.Server{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	address, _, _, _ := serve(t, s)
	p := attached(t, address)
	for range 100 {
		p.write("Content-Type: command/reply\nReply-Text: +OK\n\nContent-Type: text/unheard-of\n\n")
	}
	p.write("Content-Type: text/disconnect-notice\n\n")
	receive(t, ended)
	for _, line := range []string{"event socket reply to no command", "event socket message of unknown type ignored"} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("%q was logged %d times", line, n)
		}
	}
}
