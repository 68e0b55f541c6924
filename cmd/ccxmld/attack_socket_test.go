package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// atATime lets several goroutines attack at a time.
func atATime(n int, f func(a *assault, i int)) func(*assault) {
	return func(a *assault) {
		var running sync.WaitGroup
		for i := range n {
			running.Go(func() { f(a, i) })
		}
		running.Wait()
	}
}

// connect opens a connection that ends with the attack.
func (a *assault) connect(address string) net.Conn {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return nil
	}
	if end, ok := a.ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	return conn
}

// hold keeps connections on which something was begun until the attack is over.
func (a *assault) hold(address string, n int, begin string) {
	var held []net.Conn
	bytes := []byte(begin) // once: copies of it would be what is measured
	for range n {
		if conn := a.connect(address); conn != nil {
			go func() { _, _ = conn.Write(bytes) }()
			held = append(held, conn)
		}
	}
	<-a.ctx.Done()
	for _, conn := range held {
		conn.Close()
	}
}

const channelReply = "Event-Name: CHANNEL_DATA\nUnique-ID: 0123-attack\nvariable_ccxml_uri: file:///nowhere.ccxml\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"

// framings are messages that are none, or lie about themselves.
var framings = []string{
	"\n\n\n\n", "\x00\x00\x00\x00\n\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: -1\n\n", "Content-Length: 99999999999999999999\n\n",
	"Content-Length: 1e9\n\n", "Content-Length: 0x10\n\n", "Content-Length: 10\nContent-Length: 1000000\n\n", ":\n\n", "a:b\n\n", "Content-Type: command/reply\n\n",
	"Content-Type: auth/request\n\n", "Content-Type: text/rude-rejection\n\n", "Content-Type: text/disconnect-notice\nContent-Length: 5\n\nbye.\n",
	channelReply + "Content-Type: text/event-plain\nContent-Length: 10\n\nEvent-Name", channelReply + strings.Repeat("Content-Type: command/reply\nReply-Text: +OK\n\n", 1000),
	strings.Replace(channelReply, "0123-attack", "a%0ab%0a%0aexit", 1), strings.Replace(channelReply, "async", "static", 1), strings.Replace(channelReply, "full", "", 1),
	"Content-Type: " + strings.Repeat("x", 1<<20) + "\n\n", strings.Repeat("x: y\n", 1<<18), channelReply + "Content-Type: text/event-plain\nContent-Length: 100000\n\n" + strings.Repeat("%", 100000),
}

var socketAttacks = []attack{{
	name: "Event Socket: messages that are none",
	run: atATime(4, func(a *assault, i int) {
		for a.ctx.Err() == nil {
			if conn := a.connect(a.esl); conn != nil {
				_, _ = io.WriteString(conn, framings[i%len(framings)])
				conn.Close()
			}
			i++
			a.pause(5 * time.Millisecond)
		}
	}),
}, {
	name: "Event Socket: cut at every byte",
	run: atATime(2, func(a *assault, i int) {
		const whole = channelReply + "Content-Type: command/reply\nReply-Text: +OK\n\nContent-Type: text/event-plain\nContent-Length: 33\n\nEvent-Name: CHANNEL_HANGUP\nA: b\n\n"
		for at := i; a.ctx.Err() == nil; at += 2 {
			if conn := a.connect(a.esl); conn != nil {
				_, _ = io.WriteString(conn, whole[:at%len(whole)])
				conn.Close()
			}
			a.pause(2 * time.Millisecond)
		}
	}),
}, {
	name: "Event Socket: 130 unfinished bodies of 16 MiB",
	run: func(a *assault) {
		a.hold(a.esl, 130, channelReply+"Content-Type: text/event-plain\nContent-Length: 16000000\n\n"+strings.Repeat("x", 15<<20))
	},
	check: func(a *assault) {
		if memory := a.memory(); memory > 1000 {
			a.Errorf("the process took %d MiB", memory)
		}
	},
}, {
	name: "Event Socket: 1,000 connections that say nothing, or half a header",
	run: func(a *assault) {
		go a.hold(a.esl, 500, "")
		a.hold(a.esl, 500, "Content-Type: command/re")
	},
}, {
	name: "Event Socket: events without end on one call",
	run: atATime(2, func(a *assault, _ int) {
		conn := a.connect(a.esl)
		if conn == nil {
			return
		}
		defer conn.Close()
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		channel := strings.Replace(channelReply, "file:///nowhere.ccxml", a.uris[ordinaryName], 1)
		if _, err := io.WriteString(conn, channel); err != nil {
			return
		}
		const event = "Event-Name: CHANNEL_HOLD\nUnique-ID: 0123-attack\n\n"
		flood := strings.Repeat(fmt.Sprintf("Content-Type: text/event-plain\nContent-Length: %d\n\n%s", len(event), event), 1000)
		for a.ctx.Err() == nil {
			if _, err := io.WriteString(conn, flood); err != nil {
				return
			}
		}
	}),
}}
