//go:build unix

package daemon_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// rawController is the baseline without any library: the call hard-coded on the
// socket, as one writes it who knows the Event Socket. subscribe is the command
// that says which events it wants.
type rawController struct {
	listener  net.Listener
	subscribe string
	live      func() // told of each answered call
	calls     sync.WaitGroup
}

// The two subscriptions: what examples use, and what the application needs.
const (
	myEvents   = "myevents"
	needEvents = "event plain CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE"
)

func startRaw(b testing.TB, subscribe string, live func()) *rawController {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	c := &rawController{listener: listener, subscribe: subscribe, live: live}
	c.calls.Go(func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			c.calls.Go(func() {
				if err := c.serve(socket); err != nil && err != io.EOF {
					b.Errorf("raw: %v", err)
				}
			})
		}
	})
	return c
}

func (c *rawController) address() string  { return c.listener.Addr().String() }
func (c *rawController) document() string { return "" }
func (c *rawController) settle()          {}
func (c *rawController) flush()           {}

// stop returns when the last call has ended.
func (c *rawController) stop() {
	c.listener.Close()
	c.calls.Wait()
}

// serve runs the call until the switch closes its socket.
func (c *rawController) serve(socket net.Conn) error {
	defer socket.Close()
	s := &rawSocket{socket: socket, reader: bufio.NewReader(socket)}
	s.headers = textproto.NewReader(s.reader)
	s.command("connect")
	channel, err := s.read()
	if err != nil {
		return err
	}
	s.command("linger 5")
	if c.subscribe != myEvents {
		s.command("filter Unique-ID " + channel["Unique-ID"])
	}
	s.command(c.subscribe)
	s.execute("answer", "")
	for {
		event, err := s.read()
		if err != nil {
			return err
		}
		switch event["Event-Name"] {
		case "CHANNEL_ANSWER":
			if c.live != nil { // it waits in the park
				c.live()
				continue
			}
			s.execute("playback", benchPrompt)
		case "CHANNEL_EXECUTE_COMPLETE":
			if event["Application"] == "playback" {
				s.command("sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING")
			}
		}
	}
}

// rawSocket is one Event Socket connection.
type rawSocket struct {
	socket  net.Conn
	reader  *bufio.Reader
	headers *textproto.Reader
}

func (s *rawSocket) command(text string) { _, _ = io.WriteString(s.socket, text+"\n\n") }

func (s *rawSocket) execute(app, argument string) {
	s.command(fmt.Sprintf("sendmsg\ncall-command: execute\nexecute-app-name: %s\nexecute-app-arg: %s", app, argument))
}

// read reads a message and gives its headers: those of the event, if it is one.
func (s *rawSocket) read() (map[string]string, error) {
	head, err := s.headers.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	length := head.Get("Content-Length")
	if length == "" {
		if head.Get("Event-Name") != "" { // the answer to connect
			return map[string]string{"Unique-ID": head.Get("Unique-ID")}, nil
		}
		return nil, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, err
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(s.reader, body); err != nil {
		return nil, err
	}
	if head.Get("Content-Type") != "text/event-plain" {
		return nil, nil
	}
	return parseRaw(string(body))
}

// parseRaw makes a map of an event.
func parseRaw(text string) (map[string]string, error) {
	event := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			break
		}
		decoded, err := url.PathUnescape(value)
		if err != nil {
			return nil, err
		}
		event[name] = decoded
	}
	return event, nil
}
