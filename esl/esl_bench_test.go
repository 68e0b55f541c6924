package esl_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"

	"ccxmld/esl"
	"ccxmld/esl/recording"

	"github.com/percipia/eslgo"
	"github.com/percipia/eslgo/command"
)

// BenchmarkReadEvents reads the events of a recorded leg over loopback TCP, each
// looked at as call control does: its name and a few headers. One operation is
// one event.
func BenchmarkReadEvents(b *testing.B) {
	events, size := recordedEvents(b)
	b.Run("esl", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		c := esl.NewConn(dialSwitch(b, false, func(nc net.Conn) { sendEvents(nc, events, b.N) }), esl.Options{})
		seen, length := 0, 0
		b.ResetTimer()
		c.Run(func(e *esl.Event) {
			length += len(e.Name()) + len(e.Get("Unique-ID")) + len(e.Get("Application-UUID")) + len(e.Get("Application-Response"))
			if seen++; seen == b.N {
				c.Close()
			}
		})
		if seen != b.N {
			b.Fatalf("%d events, want %d: %v", seen, b.N, c.Err())
		}
	})
	b.Run("eslgo", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		begin, seen := make(chan struct{}), make(chan int, 1024)
		c := dialEslgo(b, func(nc net.Conn) {
			<-begin
			sendEvents(nc, events, b.N)
		})
		c.RegisterEventListener(eslgo.EventListenAll, func(e *eslgo.Event) {
			seen <- len(e.GetName()) + len(e.GetHeader("Unique-ID")) + len(e.GetHeader("Application-UUID")) + len(e.GetHeader("Application-Response"))
		})
		b.ResetTimer()
		close(begin)
		for range b.N {
			<-seen
		}
	})
}

// BenchmarkCommandRoundTrip sends a command and waits for its reply, over
// loopback TCP.
func BenchmarkCommandRoundTrip(b *testing.B) {
	execute := func() command.Command { return esl.Execute("playback", "/var/lib/sounds/welcome.wav", "id") }
	b.Run("esl", func(b *testing.B) {
		b.ReportAllocs()
		c := esl.NewConn(dialSwitch(b, false, answerCommands), esl.Options{})
		ended := make(chan error, 1)
		go func() { ended <- c.Run(nil) }()
		b.ResetTimer()
		for range b.N {
			if _, err := c.Do(b.Context(), execute()); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		c.Close()
		<-ended
	})
	b.Run("eslgo", func(b *testing.B) {
		b.ReportAllocs()
		c := dialEslgo(b, answerCommands)
		b.ResetTimer()
		for range b.N {
			if _, err := c.SendCommand(b.Context(), execute()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkIdleConnections reports what the process holds for a connection that
// has carried an event and waits for the next, its loopback socket's other end
// included. One operation is one connection.
func BenchmarkIdleConnections(b *testing.B) {
	events, _ := recordedEvents(b)
	sendOne := func(nc net.Conn) { sendEvents(nc, events, 1) }
	seen := make(chan struct{}, 1)
	b.Run("esl", func(b *testing.B) {
		before := memoryInUse()
		for range b.N {
			c := esl.NewConn(dialSwitch(b, false, sendOne), esl.Options{})
			ended := make(chan error, 1)
			go func() { ended <- c.Run(func(*esl.Event) { seen <- struct{}{} }) }()
			b.Cleanup(func() {
				c.Close()
				<-ended
			})
			<-seen
		}
		b.ReportMetric(float64(memoryInUse()-before)/float64(b.N), "B/conn")
	})
	b.Run("eslgo", func(b *testing.B) {
		before := memoryInUse()
		for range b.N {
			begin := make(chan struct{})
			c := dialEslgo(b, func(nc net.Conn) {
				<-begin
				sendOne(nc)
			})
			c.RegisterEventListener(eslgo.EventListenAll, func(*eslgo.Event) { seen <- struct{}{} })
			close(begin)
			<-seen
		}
		b.ReportMetric(float64(memoryInUse()-before)/float64(b.N), "B/conn")
	})
}

func memoryInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// recordedEvents are the events of a leg's life as they were on the wire, and
// their mean size in bytes.
func recordedEvents(b *testing.B) (events [][]byte, size int64) {
	b.Helper()
	blocks, err := recording.Load("testdata/traces/leg-life.txt")
	if err != nil {
		b.Fatal(err)
	}
	for _, block := range blocks {
		wire := block.Wire()
		if block.Direction != recording.Received || !bytes.Contains(wire, []byte("\nContent-Type: text/event-plain\n")) {
			continue
		}
		// Where a path was shortened in the recording, the empty line at the
		// event's end is gone, and eslgo would not take it.
		if bytes.HasSuffix(wire, []byte("\n\n")) {
			events = append(events, wire)
			size += int64(len(wire))
		}
	}
	return events, size / int64(len(events))
}

func sendEvents(nc net.Conn, events [][]byte, n int) {
	out := bufio.NewWriterSize(nc, 64<<10)
	for i := range n {
		out.Write(events[i%len(events)])
	}
	out.Flush()
}

// answerCommands answers each command, known by its empty line.
func answerCommands(nc net.Conn) {
	in := bufio.NewReader(nc)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) <= 2 {
			io.WriteString(nc, "Content-Type: command/reply\nReply-Text: +OK\n\n")
		}
	}
}

// dialSwitch connects to a stand-in for FreeSWITCH, which logs the caller in if
// asked to and then does what serve does, until the benchmark ends.
func dialSwitch(b *testing.B, login bool, serve func(net.Conn)) net.Conn {
	b.Helper()
	nc, err := net.Dial("tcp", listenSwitch(b, login, serve))
	if err != nil {
		b.Fatal(err)
	}
	return nc
}

func listenSwitch(b *testing.B, login bool, serve func(net.Conn)) (address string) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	over, ended := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() {
		close(over)
		<-ended
	})
	go func() {
		defer close(ended)
		nc, err := ln.Accept()
		ln.Close()
		if err != nil {
			return
		}
		defer nc.Close()
		if login {
			io.WriteString(nc, "Content-Type: auth/request\n\n")
			nc.Read(make([]byte, 100))
			io.WriteString(nc, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
		}
		serve(nc)
		<-over
	}()
	return ln.Addr().String()
}

func dialEslgo(b *testing.B, serve func(net.Conn)) *eslgo.Conn {
	b.Helper()
	options := eslgo.DefaultInboundOptions
	options.Password, options.Logger = "ClueCon", eslgo.NilLogger{}
	c, err := options.Dial(listenSwitch(b, true, serve))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}
