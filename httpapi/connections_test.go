package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/conf"
	"ccxmld/httpapi"
	"ccxmld/remote/remotetest"
)

// wire is a listener in memory, which clients connect to.
type wire struct{ *remotetest.Listener }

// client is a client's end of a connection.
type client struct {
	net.Conn
	answers *bufio.Reader
}

func (l *wire) dial(host byte) *client {
	return l.dialFrom(fmt.Sprintf("192.0.2.%d:4711", host))
}

func (l *wire) dialFrom(address string) *client {
	ours := l.Dial(address)
	synctest.Wait()
	return &client{ours, bufio.NewReader(ours)}
}

// send sends a part of a request. On a connection that is closed it does nothing.
func (c *client) send(text string) {
	_, _ = io.WriteString(c, text)
	synctest.Wait()
}

// ask makes a request and gives its status, 0 on a connection that is closed.
func (c *client) ask(path string) int {
	c.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	synctest.Wait()
	return response.StatusCode
}

// open tells whether the server has left the connection open.
func (c *client) open() bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.answers.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	network, ok := err.(net.Error)
	return err == nil || ok && network.Timeout()
}

// overWire serves on a wire while f runs.
func overWire(t *testing.T, o httpapi.Options, f func(*wire)) {
	synctest.Test(t, func(t *testing.T) {
		o.Tokens = map[string]conf.Token{token: {URI: "http://d/o"}}
		if o.Starter == nil {
			o.Starter = &starter{}
		}
		if o.Sessions == nil {
			o.Sessions = &running{}
		}
		o.Allow = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		server := httpapi.New(o)
		l := &wire{remotetest.Listen(80)}
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		f(l)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Shutdown(ctx, ctx) // cuts off what f has left
		<-served
		time.Sleep(time.Second) // net/http waits for what is still sent on connections that it closes
	})
}

const startPath = "/CCXML10.start?tokenid=" + token

// Kept-alive connections shut nobody out: the one that has been idle longest makes
// room, of the same address where that has as many as it may.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	overWire(t, httpapi.Options{Connections: 4, ConnectionsPerAddress: 3}, func(l *wire) {
		var first []*client
		for range 3 {
			c := l.dial(1)
			if status := c.ask("/healthz"); status != 200 {
				t.Fatalf("answered %d", status)
			}
			first = append(first, c)
			time.Sleep(time.Second)
		}
		if c := l.dial(1); c.ask("/stats_10") != 200 {
			t.Error("a fourth connection of the address was not served")
		}
		if first[0].open() || !first[1].open() || !first[2].open() {
			t.Error("another one than that which was idle longest was closed")
		}
		for host := byte(2); host < 8; host++ {
			if c := l.dial(host); c.ask("/stats_10") != 200 {
				t.Error("another address was shut out")
			}
		}
	})
}

// A machine does not get more connections by the addresses that it has any number of.
func TestOneMachineIsOneAddress(t *testing.T) {
	for _, address := range []string{"[2001:db8:0:1::%x]:4711", "127.0.0.%d:4711"} {
		overWire(t, httpapi.Options{ConnectionsPerAddress: 2}, func(l *wire) {
			var all []*client
			for i := range 10 {
				c := l.dialFrom(fmt.Sprintf(address, i+1))
				if status := c.ask("/healthz"); status != 200 {
					t.Errorf("%s: answered %d", address, status)
				}
				all = append(all, c)
			}
			open := 0
			for _, c := range all {
				if c.open() {
					open++
				}
			}
			if open != 2 {
				t.Errorf("%s: %d connections are open", address, open)
			}
			if l.dialFrom("[2001:db8:0:2::1]:4711").ask("/healthz") != 200 || !all[9].open() {
				t.Errorf("%s: another network is counted with it", address)
			}
		})
	}
}

// Connections that have not said what they want, or say it a byte at a time, shut
// nobody out either.
func TestUnfinishedRequestsMakeRoom(t *testing.T) {
	overWire(t, httpapi.Options{Connections: 100, ConnectionsPerAddress: 50}, func(l *wire) {
		for i := range 300 {
			l.dial(byte(i % 10)).send("GET / HTTP/1.1\r\nX-A:")
		}
		for _, path := range []string{"/healthz", "/readyz", startPath} {
			if status := l.dial(200).ask(path); status != 200 {
				t.Errorf("%s is answered %d", path, status)
			}
		}
	})
}

// Where all connections are busy, health checks and token starts are answered, and
// other requests told to come again; one address has not more than its share.
func TestBusyConnectionsLeaveRoom(t *testing.T) {
	goOn := make(chan struct{})
	defer close(goOn)
	busy := &starter{answer: func(n int, ctx context.Context) error {
		if n <= 4 {
			<-ctx.Done()
		}
		return nil
	}}
	overWire(t, httpapi.Options{Connections: 4, ConnectionsPerAddress: 2, Starter: busy}, func(l *wire) {
		for i := range 4 {
			l.dial(byte(i / 2)).send("GET " + startPath + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		}
		if c := l.dial(0); c.open() {
			t.Error("an address has more connections than it may")
		}
		for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, startPath: 200, "/stats_10": 503, "/sessions_10": 503} {
			if got := l.dial(100).ask(path); got != status {
				t.Errorf("%s is answered %d, want %d", path, got, status)
			}
		}
		post := l.dial(101)
		post.send("POST /CCXML10.start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\ntok")
		time.Sleep(3 * time.Second)
		if post.answers.Buffered() == 0 {
			if _, err := post.answers.Peek(12); err != nil {
				t.Errorf("a body that does not come holds a place that is kept for others: %v", err)
			}
		}
	})
}

// A header and a body must come in time, or their connection ends.
func TestRequestsMustComeInTime(t *testing.T) {
	for name, c := range map[string]struct {
		begin string
		after time.Duration
	}{
		"header": {"GET /healthz HTTP/1.1\r\n", 6 * time.Second},
		"body":   {"POST /CCXML10.start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n", 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			overWire(t, httpapi.Options{}, func(l *wire) {
				conn := l.dial(1)
				go func() { _, _ = io.Copy(io.Discard, conn.answers) }()
				conn.send(c.begin)
				began := time.Now()
				for time.Since(began) < 10*c.after { // a byte a second
					if _, err := io.WriteString(conn, "x"); err != nil {
						break
					}
					time.Sleep(time.Second)
				}
				if took := time.Since(began); took > c.after {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// A document may take its time, on a request that came in time.
func TestAnswersMayTakeTheirTime(t *testing.T) {
	slow := &starter{answer: func(_ int, ctx context.Context) error {
		select {
		case <-time.After(18 * time.Second):
			return nil
		case <-ctx.Done():
			return fmt.Errorf("given up: %w", ctx.Err())
		}
	}}
	overWire(t, httpapi.Options{Starter: slow}, func(l *wire) {
		if status := l.dial(1).ask(startPath); status != 200 {
			t.Errorf("answered %d", status)
		}
	})
}

// TestShutdownDoesNotWaitForTheSilent: connections that have asked for nothing do not hold
// up the end, for which net/http would wait five seconds.
func TestShutdownDoesNotWaitForTheSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := httpapi.New(httpapi.Options{Starter: &starter{}})
		l := &wire{remotetest.Listen(80)}
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		silent := l.dial(1)
		begun := time.Now()
		if err := server.Shutdown(t.Context(), t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the end took %s", took)
		}
		if silent.open() {
			t.Error("the connection is still open")
		}
		<-served
	})
}
