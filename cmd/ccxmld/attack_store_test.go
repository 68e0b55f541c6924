package main

import (
	"fmt"
	"time"

	"ccxmld/sessionstore/redistest"
)

// storeAttacks are Redis stopped, started and filled with garbage.
var storeAttacks = []attack{{
	name: "Redis: stopped, started, and filled with garbage",
	prepare: func(a *assault) map[string]string {
		server := redistest.Real(a)
		a.data["redis"] = server
		return map[string]string{"REDIS_URL": server.URL}
	},
	run: func(a *assault) {
		server := a.data["redis"].(*redistest.Server)
		for round := 0; a.ctx.Err() == nil; round++ {
			keys, err := server.Client().Keys(a.ctx, "*").Result()
			if err == nil {
				for _, key := range keys {
					server.Client().Del(a.ctx, key)
					server.Client().Set(a.ctx, key, fmt.Sprintf("garbage %d \x00\xff", round), 0)
				}
			}
			a.pause(100 * time.Millisecond)
			if round%5 == 4 {
				server.Stop(a)
				server.Start(a)
			}
		}
	},
}}

// logAttacks are about who reads the log, and what is written into it.
var logAttacks = []attack{{
	name:    "logs: a reader that stands still",
	prepare: chatterDocuments,
	run:     startAll,
	after:   func(*process) {},
}, {
	name:    "logs: a reader that is slow",
	prepare: chatterDocuments,
	run:     startAll,
	after:   readSlowly,
}, {
	name:    "logs: a reader that goes away",
	prepare: chatterDocuments,
	run:     startAll,
	after:   func(p *process) { p.output.Close() },
}, {
	name:    "logs: documents that write what they can",
	prepare: chatterDocuments,
	run:     startAll,
}}

func chatterDocuments(a *assault) map[string]string {
	a.document("chatter.ccxml", chatter)
	return map[string]string{"LIMITS_SESSIONS": "500", "LIMITS_PERCENT_FOR_CALLS": "90"} // 50 documents write
}
