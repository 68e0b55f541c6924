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

	"ccxmld/clock"
	"ccxmld/memnet"
	"ccxmld/switchsim"
)

// place is where a switch and its controllers meet: a clock, and a network in memory.
type place struct {
	testing.TB
	ctx     context.Context // bounds every wait
	clock   clock.Clock
	network *memnet.Network
}

// onVirtualTime is a place whose test is at work by its clock ([clock.Virtual]).
func onVirtualTime(t testing.TB) *place {
	v := clock.NewVirtual(time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC))
	ctx, cancel := clock.WithTimeout(context.Background(), v, time.Hour)
	t.Cleanup(func() {
		cancel()
		v.Stop()
		v.Leave()
	})
	return &place{t, ctx, v, memnet.New(v)}
}

// newSwitch makes a switch that takes links.
func (p *place) newSwitch(options switchsim.Options) *switchsim.Switch {
	p.Helper()
	options.Clock, options.Listen, options.Dial = p.clock, p.network.Listen, p.network.DialContext
	sw := switchsim.New(options)
	p.Cleanup(sw.Close)
	if err := sw.Listen("127.0.0.1:0"); err != nil {
		p.Fatal(err)
	}
	sw.AddTTS("flite")
	return sw
}

// controller is a bare Event Socket peer: it writes commands and collects what
// comes back.
type controller struct {
	*place
	conn    net.Conn
	mu      sync.Mutex
	blocks  []string
	kept    []string // all that came
	size    int64
	closed  bool
	changed *clock.Waiter
}

func (p *place) newController(conn net.Conn) *controller {
	c := &controller{place: p, conn: conn, changed: clock.NewWaiter(p.clock)}
	var reading sync.WaitGroup
	clock.GoIn(&reading, p.clock, c.read)
	p.Cleanup(func() {
		conn.Close()
		clock.AwaitNow(p.clock, reading.Wait)
	})
	return c
}

// link connects to a switch and authenticates.
func (p *place) link(sw *switchsim.Switch) *controller {
	p.Helper()
	c := p.bareLink(sw)
	c.await("auth/request")
	c.say("auth ClueCon")
	c.await("+OK accepted")
	return c
}

// bareLink connects and says nothing.
func (p *place) bareLink(sw *switchsim.Switch) *controller {
	p.Helper()
	conn, err := p.network.DialContext(p.ctx, "tcp", sw.Addr())
	if err != nil {
		p.Fatal(err)
	}
	return p.newController(conn)
}

// sockets takes the connections of a switch's socket actions.
type sockets struct {
	*place
	listener net.Listener
}

func (p *place) newSockets() *sockets {
	p.Helper()
	listener, err := p.network.Listen("127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { listener.Close() })
	return &sockets{p, listener}
}

func (s *sockets) address() string { return s.listener.Addr().String() }

func (s *sockets) accept() *controller {
	s.Helper()
	stop := context.AfterFunc(s.ctx, func() { s.listener.Close() })
	defer stop()
	conn, err := s.listener.Accept()
	if err != nil {
		s.Fatal(err)
	}
	return s.newController(conn)
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
		c.changed.Wake()
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
	c.Helper()
	if _, err := io.WriteString(c.conn, command+"\n\n"); err != nil {
		c.Fatal(err)
	}
}

// order says something that is answered with +OK.
func (c *controller) order(command string) {
	c.Helper()
	c.say(command)
	c.await("+OK")
}

func (c *controller) execute(app, arg string, more ...string) {
	c.Helper()
	c.say(strings.Join(append([]string{"sendmsg", "call-command: execute", "execute-app-name: " + app, "execute-app-arg: " + arg}, more...), "\n"))
	c.await("+OK")
}

// await waits until a block contains all the texts, removes it with all before
// it, and returns it.
func (c *controller) await(texts ...string) string {
	c.Helper()
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
			c.Fatalf("connection closed before %q; %s", texts, seen)
		}
		if c.ctx.Err() != nil {
			c.Fatalf("no %q came; %s", texts, seen)
		}
		c.changed.WaitContext(c.ctx)
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
	c.Helper()
	for {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return
		}
		if c.ctx.Err() != nil {
			c.Fatal("connection was not closed")
		}
		c.changed.WaitContext(c.ctx)
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
