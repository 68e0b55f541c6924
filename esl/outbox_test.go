package esl_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"
)

// unread gives a Conn over TCP whose other side reads nothing yet.
func unread(t *testing.T, o esl.Options) (*esl.Conn, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	here, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	there, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	return esl.NewConn(here, o), there
}

// stuff sends commands until one is refused or most are sent, and returns how many
// were taken.
func stuff(c *esl.Conn, cmd esl.Command, most int) (sent int, refused error) {
	for sent < most {
		overflow := make(chan error, 1)
		c.Send(cmd, func(_ *esl.Reply, err error) { overflow <- err })
		select {
		case err := <-overflow:
			return sent, err
		default:
			sent++
		}
	}
	return sent, nil
}

var long = esl.API("echo", strings.Repeat("x", 64<<10))

// A sender never waits for a network that takes nothing: what it does not take is
// kept up to a bound, beyond which commands are refused; the connection lives on, and
// all that was kept arrives in order once FreeSWITCH reads.
func TestSendersDoNotWait(t *testing.T) {
	c, there := unread(t, esl.Options{WriteTimeout: time.Hour})
	wait := run(t, c, nil)
	sent, err := stuff(c, long, 10_000)
	if sent < 16 || !errors.Is(err, esl.ErrOverflow) {
		t.Errorf("after %d commands: %v", sent, err)
	}
	p := newPeer(t, there)
	for range sent {
		if got, err := p.read(); got != long.BuildMessage() {
			t.Fatalf("read %d bytes, %v", len(got), err)
		}
	}
	told := make(chan string, 1)
	c.Send(esl.API("last"), func(r *esl.Reply, err error) { told <- r.Text })
	p.expect("api last")
	for range sent {
		p.reply("+OK")
	}
	p.reply("+OK last")
	if got := receive(t, told); got != "+OK last" {
		t.Errorf("the last command is answered %q", got)
	}
	if answered, waiting := c.Answered(); answered != uint64(sent)+1 || waiting != 0 {
		t.Errorf("%d commands are answered, %d wait", answered, waiting)
	}
	c.Close()
	wait()
}

// A connection on which FreeSWITCH takes nothing for the write timeout is broken off,
// and says why.
func TestStalledConnectionEnds(t *testing.T) {
	c, _ := unread(t, esl.Options{WriteTimeout: 10 * time.Millisecond})
	wait := run(t, c, nil)
	stuff(c, long, 10_000)
	if err := wait(); !errors.Is(err, esl.ErrStalled) {
		t.Errorf("ended with %v", err)
	}
}

// Commands without an answer are bounded.
func TestCommandsInFlightAreBounded(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	discarded := make(chan struct{})
	go func() {
		defer close(discarded)
		_, _ = io.Copy(io.Discard, p.nc)
	}()
	if sent, err := stuff(c, esl.API("uptime"), 1_000_000); sent < 10_000 || !errors.Is(err, esl.ErrOverflow) {
		t.Errorf("after %d commands: %v", sent, err)
	}
	c.Close()
	<-discarded
}
