package switchsim_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// controller is a bare Event Socket peer: it writes commands and collects what
// comes back.
type controller struct {
	t       testing.TB
	conn    net.Conn
	mu      sync.Mutex
	blocks  []string
	kept    []string // all that came
	size    int64
	closed  bool
	changed chan struct{}
}

func newController(t testing.TB, conn net.Conn) *controller {
	c := &controller{t: t, conn: conn, changed: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return c
}

// link connects to a switch and authenticates.
func link(t testing.TB, address string) *controller {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := newController(t, conn)
	c.await("auth/request")
	c.say("auth ClueCon")
	c.await("+OK accepted")
	return c
}

// bareLink connects and says nothing.
func bareLink(t testing.TB, address string) *controller {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newController(t, conn)
}

// sockets takes the connections of a switch's socket actions.
type sockets struct {
	t        testing.TB
	listener net.Listener
}

func newSockets(t testing.TB) *sockets {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &sockets{t, listener}
}

func (s *sockets) address() string { return s.listener.Addr().String() }

func (s *sockets) accept() *controller {
	s.t.Helper()
	s.listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := s.listener.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	return newController(s.t, conn)
}

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (c *controller) read() {
	reader := bufio.NewReader(c.conn)
	for {
		block, err := readBlock(reader)
		c.mu.Lock()
		if err != nil {
			c.closed = true
		} else {
			c.blocks = append(c.blocks, block)
			c.kept = append(c.kept, block)
			c.size += int64(len(block))
		}
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func readBlock(reader *bufio.Reader) (string, error) {
	var block strings.Builder
	length := 0
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return "", err
		}
		block.WriteString(line)
		if text, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(text))
		}
		if line == "\n" {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(reader, body)
	block.Write(body)
	return block.String(), err
}

func (c *controller) say(command string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, command+"\n\n"); err != nil {
		c.t.Fatal(err)
	}
}

// order says something that is answered with +OK.
func (c *controller) order(command string) {
	c.t.Helper()
	c.say(command)
	c.await("+OK")
}

func (c *controller) execute(app, arg string, more ...string) {
	c.t.Helper()
	c.say(strings.Join(append([]string{"sendmsg", "call-command: execute", "execute-app-name: " + app, "execute-app-arg: " + arg}, more...), "\n"))
	c.await("+OK")
}

// await waits until a block contains all the texts, removes it with all before
// it, and returns it.
func (c *controller) await(texts ...string) string {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		for i, block := range c.blocks {
			if containsAll(block, texts) {
				c.blocks = c.blocks[i+1:]
				c.mu.Unlock()
				return block
			}
		}
		closed := c.closed
		seen := fmt.Sprint(len(c.blocks), " blocks: ", summary(c.blocks))
		c.mu.Unlock()
		if closed {
			c.t.Fatalf("connection closed before %q; %s", texts, seen)
		}
		select {
		case <-c.changed:
		case <-deadline:
			c.t.Fatalf("no %q came; %s", texts, seen)
		}
	}
}

func containsAll(block string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(block, text) {
			return false
		}
	}
	return true
}

func summary(blocks []string) string {
	var names []string
	for _, block := range blocks {
		name := value(block, "Event-Name")
		if name == "" {
			name, _, _ = strings.Cut(block, "\n")
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// value returns a header's value, decoded.
func value(block, name string) string {
	for line := range strings.SplitSeq(block, "\n") {
		if text, ok := strings.CutPrefix(line, name+": "); ok {
			plain, err := url.PathUnescape(text)
			if err != nil {
				return text
			}
			return plain
		}
	}
	return ""
}

// awaitClosed waits for the end of the connection.
func (c *controller) awaitClosed() {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return
		}
		select {
		case <-c.changed:
		case <-deadline:
			c.t.Fatal("connection was not closed")
		}
	}
}

func (c *controller) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

func (c *controller) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept)
}

func (c *controller) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept
}

// replies counts the answers to commands.
func (c *controller) replies() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, block := range c.kept {
		head, _, _ := strings.Cut(block, "\n\n")
		if strings.Contains(head, "command/reply") || strings.Contains(head, "api/response") {
			n++
		}
	}
	return n
}
