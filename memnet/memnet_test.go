package memnet_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ccxmld/clock"
	"ccxmld/memnet"
)

// virtually runs f in a goroutine at work.
func virtually(t *testing.T, f func(*clock.Virtual, *memnet.Network)) {
	t.Helper()
	v := clock.NewVirtual(time.Unix(0, 0))
	var running sync.WaitGroup
	clock.GoIn(&running, v, func() { f(v, memnet.New(v)) })
	clock.Await(v, running.Wait)
	v.Stop()
	v.Leave()
}

// TestConnections: what is said arrives whole and in order, before time passes, and
// the end behind it.
func TestConnections(t *testing.T) {
	virtually(t, func(v *clock.Virtual, n *memnet.Network) {
		l, err := n.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen(l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listening twice: %v", err)
		}
		clock.Go(v, func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				clock.Go(v, func() {
					defer c.Close()
					for lines := bufio.NewScanner(c); lines.Scan(); {
						clock.Sleep(t.Context(), v, time.Second)
						fmt.Fprintf(c, "%s at %d\n", lines.Text(), v.Now().Unix())
					}
				})
			}
		})
		c, err := n.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(c)
		for i := range 3 {
			fmt.Fprintf(c, "line %d\n", i)
			if got, err := answers.ReadString('\n'); err != nil || got != fmt.Sprintf("line %d at %d\n", i, i+1) {
				t.Errorf("%q, %v", got, err)
			}
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || !err.(net.Error).Timeout() || v.Now().Unix() != 8 {
			t.Errorf("a read past its deadline: %v at %d", err, v.Now().Unix())
		}
		_ = c.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read of a closed connection: %v", err)
		}
		_ = l.Close()
		if _, err := n.DialContext(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling a closed listener: %v", err)
		}
	})
}

// TestEndIsReadLast: what was written before a close is read before its end.
func TestEndIsReadLast(t *testing.T) {
	a, b := memnet.Pipe(nil)
	fmt.Fprint(a, "farewell")
	_ = a.Close()
	if got, err := io.ReadAll(b); string(got) != "farewell" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_ = b.Close()
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("a closed connection took a write")
	}
}

// TestCut: what a host that is cut off has opened ends, at both ends, and it opens nothing
// more. Other hosts go on.
func TestCut(t *testing.T) {
	virtually(t, func(v *clock.Virtual, n *memnet.Network) {
		host := n.Host()
		there, err := n.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		here, err := host.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		host.Handle("host:80", http.NotFoundHandler())
		out, err := host.DialContext(t.Context(), "tcp", there.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in, err := n.DialContext(t.Context(), "tcp", here.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, _ := there.Accept()
		host.Cut()
		for _, c := range []net.Conn{in, accepted} {
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("the other end reads %v", err)
			}
		}
		if _, err := out.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("its own end reads %v", err)
		}
		if _, err := n.DialContext(t.Context(), "tcp", here.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("its listener: %v", err)
		}
		if _, err := host.DialContext(t.Context(), "tcp", there.Addr().String()); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("it dials: %v", err)
		}
		if _, err := host.Listen("127.0.0.1:0"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("it listens: %v", err)
		}
		client := &http.Client{Transport: &memnet.Transport{Network: n}}
		if _, err := client.Get("http://host/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("its HTTP: %v", err)
		}
		if _, err := n.DialContext(t.Context(), "tcp", there.Addr().String()); err != nil {
			t.Errorf("another host: %v", err)
		}
	})
}

// TestTransport asks handlers, with the body and by the deadline.
func TestTransport(t *testing.T) {
	virtually(t, func(v *clock.Virtual, n *memnet.Network) {
		n.Handle("host:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			clock.Sleep(r.Context(), v, 2*time.Second)
			fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Host, r.URL.Path, body)
		}))
		client := &http.Client{Transport: &memnet.Transport{Network: n}}
		r, err := client.Post("http://host/path", "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(r.Body); string(got) != "POST host /path body" || v.Now().Unix() != 2 {
			t.Errorf("%s at %d", got, v.Now().Unix())
		}
		if _, err := client.Get("http://nowhere/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("an address without a handler: %v", err)
		}
		ctx, cancel := clock.WithTimeout(t.Context(), v, time.Second)
		defer cancel()
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://host/late", nil)
		if _, err := client.Do(request); err == nil || v.Now().Unix() != 3 {
			t.Errorf("a request past its deadline: %v at %d", err, v.Now().Unix())
		}
	})
}
