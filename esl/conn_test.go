package esl_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ccxmld/esl"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none should ever need it.
const patience = 10 * time.Second

// A peer is the FreeSWITCH end of a connection.
type peer struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

// connect makes a Conn over loopback TCP and the peer at its other end.
func connect(t testing.TB, o esl.Options) (*esl.Conn, *peer) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return esl.NewConn(dialed, o), newPeer(t, accepted)
}

func newPeer(t testing.TB, nc net.Conn) *peer {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &peer{t: t, nc: nc, r: newReader(nc)}
}

// read returns the next command: its lines, and its body after an empty one.
func (p *peer) read() (string, error) {
	var head strings.Builder
	length := 0
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if head.Len() > 0 {
				break
			}
			continue
		}
		fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
		head.WriteString(line + "\n")
	}
	text := strings.TrimSuffix(head.String(), "\n")
	if length == 0 {
		return text, nil
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.r, body); err != nil {
		return "", err
	}
	return text + "\n\n" + string(body), nil
}

// expect fails unless the next command is this.
func (p *peer) expect(want string) {
	p.t.Helper()
	got, err := p.read()
	if err != nil {
		p.t.Fatalf("waiting for %q: %v", want, err)
	}
	if got != want {
		p.t.Fatalf("read command %q, want %q", got, want)
	}
}

func (p *peer) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.nc, text); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

func (p *peer) reply(text string) {
	p.t.Helper()
	p.write("Content-Type: command/reply\nReply-Text: " + text + "\n\n")
}

func eventText(inner string) string {
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(inner), inner)
}

// run starts the reader and returns a function that waits for its end.
func run(t testing.TB, c *esl.Conn, onEvent func(*esl.Event)) (wait func() error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(onEvent) }()
	t.Cleanup(func() {
		c.Close()
		<-c.Done()
	})
	return func() error {
		t.Helper()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Fatal("connection does not end")
			return nil
		}
	}
}

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

type outcome struct {
	text string
	err  error
}

func TestRepliesGoToTheirCommandsInOrder(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	const n = 500
	outcomes := make(chan error, n)
	for i := range n {
		go func() {
			r, err := c.Do(t.Context(), esl.API("echo", fmt.Sprint(i)))
			if want := fmt.Sprint(i); err == nil && r.Text != want {
				err = fmt.Errorf("command %s got reply %s", want, r.Text)
			}
			outcomes <- err
		}()
	}
	for range n {
		text, err := p.read()
		if err != nil {
			t.Fatal(err)
		}
		arg := strings.TrimPrefix(text, "api echo ")
		p.write(eventText("Event-Name: HEARTBEAT\n\n"))
		p.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s\n", len(arg)+1, arg))
	}
	for range n {
		if err := receive(t, outcomes); err != nil {
			t.Error(err)
		}
	}
}

func TestAbandonedCommandKeepsStep(t *testing.T) {
	c, p := connect(t, esl.Options{})
	run(t, c, nil)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, esl.API("slow"))
		first <- err
	}()
	p.expect("api slow")
	cancel()
	if err := receive(t, first); !errors.Is(err, context.Canceled) {
		t.Fatalf("abandoned command returned %v", err)
	}
	second := make(chan outcome, 1)
	c.Send(esl.API("quick"), func(r *esl.Reply, err error) { second <- outcome{r.Text, err} })
	p.expect("api quick")
	p.reply("+OK late")
	p.reply("+OK own")
	if got := receive(t, second); got.text != "+OK own" || got.err != nil {
		t.Errorf("second command got %+v", got)
	}
	if _, err := c.Do(ctx, esl.API("never")); !errors.Is(err, context.Canceled) {
		t.Errorf("Do on an ended context: %v", err)
	}
}

func TestSendAllIsOneWrite(t *testing.T) {
	here, there := net.Pipe()
	c := esl.NewConn(here, esl.Options{})
	run(t, c, nil)
	got := make(chan string, 3)
	go c.SendAll(func(i int, r *esl.Reply, err error) {
		got <- fmt.Sprint(i, " ", r.Text, " ", err)
	}, esl.Linger(5), esl.Subscribe("CHANNEL_ANSWER", "conference::maintenance"), esl.Filter("Unique-ID", "u"))
	// A pipe hands over at most one write for each read.
	buf := make([]byte, 4096)
	n, err := there.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	want := "linger 5\r\n\r\nevent plain CHANNEL_ANSWER CUSTOM conference::maintenance\r\n\r\nfilter Unique-ID u\r\n\r\n"
	if string(buf[:n]) != want {
		t.Errorf("wrote %q, want %q", buf[:n], want)
	}
	p := newPeer(t, there)
	for i := range 3 {
		p.reply(fmt.Sprint("+OK ", i))
		if got, want := receive(t, got), fmt.Sprintf("%d +OK %d <nil>", i, i); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLingerIsNotTheEnd(t *testing.T) {
	c, p := connect(t, esl.Options{})
	lingering := make(chan string, 1)
	c.SetLingerHandler(func(e *esl.Event) { lingering <- e.Get("Linger-Time") })
	events := make(chan string, 1)
	wait := run(t, c, func(e *esl.Event) { events <- e.Name() })
	p.write("Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 5\nContent-Length: 0\n\n")
	p.write(eventText("Event-Name: CHANNEL_HANGUP_COMPLETE\n\n"))
	if got := receive(t, lingering); got != "5" {
		t.Errorf("linger time %q", got)
	}
	if got := receive(t, events); got != "CHANNEL_HANGUP_COMPLETE" {
		t.Errorf("event after the linger notice: %q", got)
	}
	p.write("Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 9\n\ngoodbye.\n")
	if err := wait(); err != esl.ErrDisconnected {
		t.Errorf("ended with %v", err)
	}
}

func TestEnds(t *testing.T) {
	event := eventText("Event-Name: DTMF\n\n")
	tests := []struct {
		name  string
		sent  string
		close bool
		want  func(error) bool
	}{
		{"closed between messages", event, true, func(err error) bool { return err == io.EOF }},
		{"closed within a header", event + "Content-Type: text/ev", true, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"closed within a body", "Content-Length: 10\n\nEvent", true, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"notice without disposition", "Content-Type: text/disconnect-notice\nContent-Length: 0\n\n", false, func(err error) bool { return err == esl.ErrDisconnected }},
		{"access list", "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n", false, func(err error) bool { return err == esl.ErrRejected }},
		{"body too long", "Content-Length: 2049\n\n", false, isLimit},
		{"body negative", "Content-Length: -1\n\n", false, isLimit},
		{"body overflowing", "Content-Length: 99999999999999999999\n\n", false, isLimit},
		{"body without a number", "Content-Length: many\n\n", false, isProtocol},
		{"header too long", "A: " + strings.Repeat("x", 2048), false, isLimit},
		{"header too long, whole", "A: " + strings.Repeat("x", 2048) + "\n\n", false, isLimit},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", false, isProtocol},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, p := connect(t, esl.Options{Limits: esl.Limits{Header: 1024, Body: 2048}})
			unanswered := make(chan error, 1)
			c.Send(esl.API("status"), func(r *esl.Reply, err error) { unanswered <- err })
			ended := make(chan error, 1)
			c.SetEndHandler(func(err error) {
				if len(unanswered) == 0 {
					t.Error("the end was told before the command got its error")
				}
				ended <- err
			})
			wait := run(t, c, nil)
			p.expect("api status")
			p.write(test.sent)
			if test.close {
				p.nc.Close()
			}
			err := wait()
			if !test.want(err) {
				t.Errorf("ended with %v", err)
			}
			if got := receive(t, unanswered); got != err {
				t.Errorf("command in flight got %v", got)
			}
			if got := receive(t, ended); got != err || c.Err() != err {
				t.Errorf("told %v, Err %v, want %v", got, c.Err(), err)
			}
			receive(t, c.Done())
			if _, got := c.Do(t.Context(), esl.API("status")); got != err {
				t.Errorf("command after the end got %v", got)
			}
		})
	}
}

func isLimit(err error) bool {
	var limit *esl.LimitError
	return errors.As(err, &limit)
}

func isProtocol(err error) bool {
	var protocol *esl.ProtocolError
	return errors.As(err, &protocol)
}

func TestCloseIsIdempotentAndWorksWithoutRun(t *testing.T) {
	c, _ := connect(t, esl.Options{})
	unanswered := make(chan error, 1)
	c.Send(esl.API("status"), func(r *esl.Reply, err error) {
		// A callback may send; it is told at once that this is in vain.
		c.Send(esl.API("again"), func(r *esl.Reply, err error) { unanswered <- err })
	})
	c.Close()
	c.Close()
	receive(t, c.Done())
	if err := receive(t, unanswered); err != esl.ErrClosed {
		t.Errorf("command got %v", err)
	}
	if err := c.Run(nil); err != esl.ErrClosed {
		t.Errorf("Run returned %v", err)
	}
}

func TestNoEventAfterCloseByHandler(t *testing.T) {
	c, p := connect(t, esl.Options{})
	seen := 0
	wait := run(t, c, func(e *esl.Event) {
		seen++
		c.Close()
	})
	p.write(strings.Repeat(eventText("Event-Name: DTMF\n\n"), 3))
	if err := wait(); err != esl.ErrClosed || seen != 1 {
		t.Errorf("%d events, ended with %v", seen, err)
	}
}

func TestHandlerReplacedBetweenEvents(t *testing.T) {
	c, p := connect(t, esl.Options{})
	var seen []string
	c.SetHandler(func(e *esl.Event) {
		seen = append(seen, "first "+e.Name())
		c.SetHandler(func(e *esl.Event) { seen = append(seen, "second "+e.Name()) })
	})
	wait := run(t, c, nil)
	p.write(eventText("Event-Name: A\n\n") + eventText("Event-Name: B\n\n"))
	p.nc.Close()
	wait()
	if got := strings.Join(seen, ", "); got != "first A, second B" {
		t.Errorf("seen %s", got)
	}
}

func TestPanicEndsTheConnectionOnly(t *testing.T) {
	for _, where := range []string{"event", "reply", "end"} {
		t.Run(where, func(t *testing.T) {
			c, p := connect(t, esl.Options{})
			c.Send(esl.API("status"), func(*esl.Reply, error) {
				if where == "reply" {
					panic("in reply")
				}
			})
			c.SetEndHandler(func(error) {
				if where == "end" {
					panic("at the end")
				}
			})
			wait := run(t, c, func(*esl.Event) { panic("in event") })
			p.expect("api status")
			switch where {
			case "event":
				p.write(eventText("Event-Name: DTMF\n\n"))
			case "reply":
				p.reply("+OK")
			case "end":
				p.nc.Close()
			}
			err := wait()
			var panicked *esl.PanicError
			if errors.As(err, &panicked) != (where != "end") {
				t.Errorf("ended with %v", err)
			}
			receive(t, c.Done())
		})
	}
}

// What FreeSWITCH sent before it closed is still delivered when a command runs
// into the closed connection.
func TestLastEventsSurviveAFailingWrite(t *testing.T) {
	here, there := net.Pipe()
	c := esl.NewConn(readOnly{here}, esl.Options{})
	events := make(chan string, 1)
	refused := make(chan error, 1)
	wait := run(t, c, func(e *esl.Event) {
		if e.Name() == "CHANNEL_HANGUP" {
			c.Send(esl.API("uuid_exists", "u"), func(r *esl.Reply, err error) { refused <- err })
			return
		}
		events <- e.Name()
	})
	p := newPeer(t, there)
	p.write(eventText("Event-Name: CHANNEL_HANGUP\n\n"))
	p.write(eventText("Event-Name: CHANNEL_HANGUP_COMPLETE\n\n"))
	there.Close()
	if got := receive(t, events); got != "CHANNEL_HANGUP_COMPLETE" {
		t.Errorf("event %s", got)
	}
	if err := wait(); err != io.EOF {
		t.Errorf("ended with %v", err)
	}
	if err := receive(t, refused); err != io.EOF {
		t.Errorf("command got %v", err)
	}
}

// readOnly is a connection whose other side reads no more.
type readOnly struct{ net.Conn }

func (readOnly) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWriteTimeoutEndsTheConnection(t *testing.T) {
	here, there := net.Pipe() // nobody reads
	defer there.Close()
	c := esl.NewConn(here, esl.Options{WriteTimeout: time.Millisecond})
	wait := run(t, c, nil)
	failed := make(chan error, 1)
	c.Send(esl.API("status"), func(r *esl.Reply, err error) { failed <- err })
	err := wait()
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("ended with %v", err)
	}
	if got := receive(t, failed); got != err {
		t.Errorf("command got %v", got)
	}
}

func TestReplyErr(t *testing.T) {
	tests := []struct{ reply, text, reason string }{
		{"Content-Type: command/reply\nReply-Text: +OK\n\n", "+OK", ""},
		{"Content-Type: command/reply\nReply-Text: -ERR invalid session id [100%41]\n\n", "-ERR invalid session id [100%41]", "invalid session id [100%41]"},
		{"Content-Type: api/response\nContent-Length: 23\n\n-ERR No such channel!\n\n", "-ERR No such channel!", "No such channel!"},
		{"Content-Type: api/response\r\nContent-Length: 12\r\n\r\n-USAGE: <x>\n", "-USAGE: <x>", "<x>"},
		{"Event-Name: CHANNEL_DATA\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n\n", "+OK", ""},
	}
	for _, test := range tests {
		c, p := connect(t, esl.Options{})
		run(t, c, nil)
		replies := make(chan *esl.Reply, 1)
		c.Send(esl.API("x"), func(r *esl.Reply, err error) { replies <- r })
		p.write(test.reply)
		r := receive(t, replies)
		if r.Text != test.text {
			t.Errorf("text %q, want %q", r.Text, test.text)
		}
		var refused *esl.CommandError
		switch {
		case !errors.As(r.Err(), &refused):
			if test.reason != "" {
				t.Errorf("%q is no error", r.Text)
			}
		case refused.Reason() != test.reason || refused.Text != test.text:
			t.Errorf("error %q, reason %q, want %q", refused.Text, refused.Reason(), test.reason)
		}
	}
}

func newReader(nc net.Conn) *bufio.Reader { return bufio.NewReader(nc) }
