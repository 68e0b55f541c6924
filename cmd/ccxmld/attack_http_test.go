package main

import (
	"net/url"
	"strings"
	"time"

	"ccxmld/sessionstore/redistest"
)

// hostileNames are names of parameters and events that would mean something to the
// engine, the log or FreeSWITCH.
var hostileNames = []string{
	"a.constructor.prototype.vip", "__proto__.vip", "a.__proto__.vip", "constructor", "toString", "event$", "session.id", "ccxml.kill.unconditional",
	"a\nlevel=ERROR", "a\r\nX-Header: 1", "${system(id)}", "a..b", ".a", strings.Repeat("a.", 500) + "b", strings.Repeat("x", 100_000), "\x00", "\u2028", "💥",
}

var httpAttacks = []attack{{
	name: "HTTP: 2,000 connections, kept alive, unfinished, or with a body that does not come",
	run: func(a *assault) {
		go a.hold(a.http, 700, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		go a.hold(a.http, 700, "GET /healthz HTTP/1.1\r\nX-A: ")
		a.hold(a.http, 600, "POST /CCXML10.start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\ntokenid=")
	},
}, {
	name: "HTTP: hostile names and values of events",
	prepare: func(a *assault) map[string]string {
		a.transitions("victim.ccxml", `<transition event="check"><log expr="'polluted: ' + ({}).vip"/></transition><transition event="*"><log expr="event$.name + ' ' + event$"/></transition>`)
		return nil
	},
	run: atATime(4, func(a *assault, i int) {
		id := a.start("victim.ccxml")
		for a.ctx.Err() == nil {
			i++
			name, value := url.QueryEscape(hostileNames[i%len(hostileNames)]), url.QueryEscape(hostileNames[i/7%len(hostileNames)])
			a.request("POST", "/ccxml/basichttp", "sessionid="+id+"&name=x&"+name+"="+value)
			a.request("POST", "/ccxml/basichttp", "sessionid="+id+"&name="+name+"&a="+value)
			a.request("POST", "/ccxml/basichttp", "sessionid="+value+"&name=x")
			a.request("POST", "/CCXML10.start", "tokenid="+value)
		}
	}),
	check: func(a *assault) {
		id := a.start("victim.ccxml")
		a.request("POST", "/ccxml/basichttp", "sessionid="+id+"&name=check")
		redistest.Eventually(a, "the session has looked", func() bool { return strings.Contains(a.log(), "polluted: ") })
		if strings.Contains(a.log(), "polluted: true") || strings.Contains(a.log(), "\nlevel=ERROR") {
			a.Error("the name of a parameter reached further than its event")
		}
	},
}, {
	name: "HTTP: requests that are none, of any method and path",
	run: atATime(4, func(a *assault, i int) {
		requests := []string{
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n", strings.Repeat("x", 1<<16), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
			"POST /CCXML10.start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /" + strings.Repeat("../", 1000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n" + "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
			"GET /healthz HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 10_000) + "\r\n",
		}
		for a.ctx.Err() == nil {
			i++
			if conn := a.connect(a.http); conn != nil {
				_, _ = conn.Write([]byte(requests[i%len(requests)]))
				conn.Close()
			}
			a.pause(5 * time.Millisecond)
		}
	}),
}}
