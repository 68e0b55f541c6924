package proxytest_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"ccxmld/proxytest"
)

// echo is a server that says what it hears.
func echo(t *testing.T) string {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return server.Addr().String()
}

// TestProxy: what is said comes through, late, after it was held, or never.
func TestProxy(t *testing.T) {
	t.Parallel()
	p := proxytest.New(t, echo(t))
	for name, connect := range map[string]func() (net.Conn, error){
		"listener": func() (net.Conn, error) { return net.Dial("tcp", p.Addr()) },
		"dial":     func() (net.Conn, error) { return p.Dial(t.Context()) },
	} {
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		say := func(text string) {
			if _, err := conn.Write([]byte(text)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		hear := func(text string) {
			t.Helper()
			heard := make([]byte, len(text))
			if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != text {
				t.Fatalf("%s: %q, %v; expected %q", name, heard, err, text)
			}
		}
		say("one")
		hear("one")
		p.Delay(50 * time.Millisecond)
		begun := time.Now()
		say("two")
		hear("two")
		if took := time.Since(begun); took < 100*time.Millisecond {
			t.Errorf("%s: there and back took %v", name, took)
		}
		p.Delay(0)
		p.Hold(true)
		said := make(chan struct{})
		go func() { // of a pipe, it ends when it is heard
			say("three")
			close(said)
		}()
		held, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if other, err := p.Dial(held); err == nil {
			t.Errorf("%s: a connection comes to be through a network that holds", name)
			_ = other.Close()
		}
		cancel()
		p.Hold(false)
		<-said
		hear("three")
		p.Cut(true)
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: %d bytes of a connection that was cut", name, n)
		}
		if _, err := p.Dial(t.Context()); err == nil {
			t.Errorf("%s: a connection comes to be through a network that is cut", name)
		}
		p.Cut(false)
		_ = conn.Close()
	}
}
