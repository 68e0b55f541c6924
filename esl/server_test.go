package esl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"
)

// serve runs a server on loopback and returns its address and what ends it. The
// test fails if it does not end without an error.
func serve(t *testing.T, s *esl.Server) (address string, cancel, drain func(), ended <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	finished := make(chan struct{})
	go func() {
		done <- s.Serve(ctx, ln)
		close(finished)
	}()
	t.Cleanup(func() {
		stop()
		receive(t, finished)
	})
	return ln.Addr().String(), stop, func() { ln.Close() }, done
}

// leg is FreeSWITCH's socket action.
func leg(t testing.TB, address string) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

func channel(control, mode string) string {
	return fmt.Sprintf("Event-Name: CHANNEL_DATA\nUnique-ID: leg-1\nCaller-Caller-ID-Name: Ada%%20L\n"+
		"Content-Type: command/reply\nReply-Text: %%2BOK%%0A\nSocket-Mode: %s\nControl: %s\n\n", mode, control)
}

// expectHeaders fails unless the next command has these lines, in any order.
func (p *peer) expectLines(want ...string) {
	p.t.Helper()
	got, err := p.read()
	if err != nil {
		p.t.Fatalf("waiting for %q: %v", want, err)
	}
	for _, line := range want {
		if !strings.Contains("\n"+got+"\n", "\n"+line+"\n") {
			p.t.Fatalf("read %q, which lacks %q", got, line)
		}
	}
}

func (p *peer) expectClosed() {
	p.t.Helper()
	if text, err := p.read(); !errors.Is(err, io.EOF) {
		p.t.Fatalf("read %q, %v, want the end", text, err)
	}
}

func TestServerHandsOverLegs(t *testing.T) {
	events := make(chan string, 10)
	s := &esl.Server{Handler: func(call *esl.Call) {
		events <- call.Channel.Get("Caller-Caller-ID-Name")
		call.Conn.SetHandler(func(e *esl.Event) { events <- e.Name() })
		call.Conn.SetEndHandler(func(err error) { events <- err.Error() })
		call.Conn.Send(esl.Linger(5), nil)
	}}
	address, _, _, _ := serve(t, s)
	p := leg(t, address)
	p.expect("connect")
	// The event comes with the reply: it must not be missed.
	p.write(channel("full", "async") + eventText("Event-Name: CHANNEL_EXECUTE\n\n"))
	p.expect("linger 5")
	p.reply("+OK will linger")
	p.write(eventText("Event-Name: CHANNEL_HANGUP_COMPLETE\n\n"))
	p.nc.Close()
	for _, want := range []string{"Ada L", "CHANNEL_EXECUTE", "CHANNEL_HANGUP_COMPLETE", "EOF"} {
		if got := receive(t, events); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestServerRefusesLegsItWouldNotControl(t *testing.T) {
	for _, test := range []struct{ control, mode string }{{"single-channel", "async"}, {"full", "static"}, {"", ""}} {
		t.Run(test.control+" "+test.mode, func(t *testing.T) {
			var log syncBuffer
			s := &esl.Server{
				Handler: func(*esl.Call) { t.Error("leg was handed over") },
				Logger:  slog.New(slog.NewTextHandler(&log, nil)),
			}
			address, _, _, _ := serve(t, s)
			p := leg(t, address)
			p.expect("connect")
			p.write(channel(test.control, test.mode))
			p.expectLines("Call-Command: hangup", "Hangup-Cause: SWITCH_CONGESTION")
			p.reply("+OK")
			p.write("Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 0\n\n")
			p.expectClosed()
			if !strings.Contains(log.String(), "socket HOST:PORT async full") || !strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("logged %s", log.String())
			}
		})
	}
}

func TestServerRefusesTooMany(t *testing.T) {
	taken := make(chan *esl.Conn, 2)
	s := &esl.Server{
		Handler:        func(call *esl.Call) { taken <- call.Conn },
		MaxConnections: 1,
		RefuseCause:    "USER_BUSY",
	}
	address, _, _, _ := serve(t, s)
	first, second := leg(t, address), leg(t, address)
	first.expect("connect")
	second.expect("connect")
	first.write(channel("full", "async"))
	c := receive(t, taken)
	second.write(channel("full", "async"))
	second.expectLines("Hangup-Cause: USER_BUSY")
	second.nc.Close()
	first.nc.Close()
	receive(t, c.Done())
	// The place is free again, sooner or later: the leg may find it taken.
	for {
		p := leg(t, address)
		p.expect("connect")
		p.write(channel("full", "async") + "Content-Type: text/disconnect-notice\n\n")
		if _, err := p.read(); errors.Is(err, io.EOF) {
			break
		}
	}
	receive(t, taken)
}

func TestServerGivesUpOnASilentConnect(t *testing.T) {
	s := &esl.Server{
		Handler:        func(*esl.Call) { t.Error("leg was handed over") },
		ConnectTimeout: time.Millisecond,
	}
	address, _, _, _ := serve(t, s)
	p := leg(t, address)
	p.expect("connect")
	p.expectClosed()
}

func TestServerAdmitsOnlyThoseAllowed(t *testing.T) {
	s := &esl.Server{Handler: func(*esl.Call) {}, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	address, _, _, _ := serve(t, s)
	leg(t, address).expectClosed()

	s = &esl.Server{Handler: func(*esl.Call) {}, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	address, _, _, _ = serve(t, s)
	leg(t, address).expect("connect")
}

// When the server ends, legs are given back by closing, except those whose
// connect was not answered: they get the answer's time, then exit.
func TestServerEnds(t *testing.T) {
	taken := make(chan *esl.Call, 1)
	s := &esl.Server{Handler: func(call *esl.Call) { taken <- call }}
	address, cancel, _, ended := serve(t, s)
	live, fresh := leg(t, address), leg(t, address)
	live.expect("connect")
	fresh.expect("connect")
	live.write(channel("full", "async"))
	call := receive(t, taken)
	cancel()
	live.expectClosed()
	if err := call.Conn.Err(); err != esl.ErrClosed {
		t.Errorf("leg ended with %v", err)
	}
	fresh.write(channel("full", "async"))
	fresh.expect("exit")
	fresh.reply("+OK bye")
	fresh.nc.Close()
	if err := receive(t, ended); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServerDrains(t *testing.T) {
	taken := make(chan *esl.Call, 1)
	s := &esl.Server{Handler: func(call *esl.Call) { taken <- call }}
	address, _, drain, ended := serve(t, s)
	p := leg(t, address)
	p.expect("connect")
	p.write(channel("full", "async"))
	call := receive(t, taken)
	drain()
	// The leg goes on.
	replies := make(chan string, 1)
	call.Conn.Send(esl.API("status"), func(r *esl.Reply, err error) { replies <- r.Text })
	p.expect("api status")
	select {
	case <-ended:
		t.Error("Serve returned while a leg was live")
	default:
	}
	p.reply("+OK up")
	if got := receive(t, replies); got != "+OK up" {
		t.Errorf("answer %s", got)
	}
	p.nc.Close()
	if err := receive(t, ended); err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

func TestPanicInOneLegLeavesTheOthers(t *testing.T) {
	var log syncBuffer
	s := &esl.Server{Handler: func(call *esl.Call) { panic("no such document") }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	address, _, drain, ended := serve(t, s)
	for range 2 {
		p := leg(t, address)
		p.expect("connect")
		p.write(channel("full", "async"))
		p.expectClosed()
	}
	drain()
	if err := receive(t, ended); err != nil { // the log is written after the end of the connection
		t.Error(err)
	}
	if strings.Count(log.String(), "no such document") != 2 {
		t.Errorf("logged %s", log.String())
	}
}

// TestOrdinaryEndsAreNoWarnings: a connection that ends before connect was answered,
// since the caller gave up or the server shuts down, is no warning; one that breaks
// the protocol is.
func TestOrdinaryEndsAreNoWarnings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(p *peer)
		want string
	}{
		"the caller gave up": {func(p *peer) { p.nc.Close() }, "level=DEBUG"},
		"the caller gave up, with a notice": {func(p *peer) {
			p.write("Content-Type: text/disconnect-notice\nContent-Length: 0\n\n")
		}, "level=DEBUG"},
		"no Event Socket": {func(p *peer) { p.write("GET / HTTP/1.1\r\n\r\n") }, "level=WARN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder // which the server writes until it has ended
			address, _, drain, ended := serve(t, &esl.Server{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			p := leg(t, address)
			p.expectLines("connect")
			c.end(p)
			drain()
			if err := receive(t, ended); err != nil {
				t.Error(err)
			}
			if text := log.String(); !strings.Contains(text, c.want+" msg=\"event socket connection ended before connect") {
				t.Errorf("want %s in %s", c.want, text)
			}
		})
	}
}
