package main

import (
	"strings"
	"testing"
)

// TestConferencesWhileRedisGoes: Redis is killed while a conference runs here. The
// caller who finds that out enters the conference as those do who come later; a
// conference without a name can be made, and a new shared name is refused.
func TestConferencesWhileRedisGoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.redisLine()
	named := h.transitions("named.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'held'"/></transition>
<transition event="conference.created"><log expr="'created ' + event$.isnew"/><join id1="Object.keys(session.connections)[0]" id2="application.room"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`)
	unnamed := h.transitions("unnamed.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room"/></transition>
<transition event="conference.created"><log expr="'made ' + event$.isnew"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`)
	fresh := h.transitions("fresh.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'another'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.conference.create"><log expr="'refused'"/></transition>`)
	first := h.dial(named)
	h.logged("joined")
	server.cut()
	h.seen.forget()
	second := h.dial(named)
	h.logged("joined")
	third := h.dial(unnamed)
	h.logged("made true")
	fourth := h.dial(fresh)
	h.logged("refused")
	first.Hangup()
	second.Hangup()
	third.Hangup()
	fourth.Hangup()
	h.idle()
	server.restore()
	h.until("redis is back", h.daemon.Store.Healthy)
}

// TestReadinessFollowsRedis: /readyz tells that Redis is away with nothing done here that
// needs it, the process stays healthy, and readiness comes back with Redis.
func TestReadinessFollowsRedis(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := h.redisLine()
	ready := func(want int, line string) func() bool {
		return func() bool {
			status, body := h.get("/readyz")
			return status == want && strings.Contains(body, line)
		}
	}
	h.until("ready", ready(200, "redis: ok"))
	server.cut()
	h.until("not ready", ready(503, "redis: does not answer"))
	if status, _ := h.get("/healthz"); status != 200 {
		t.Errorf("/healthz is answered %d", status)
	}
	server.restore()
	h.until("ready again", ready(200, "redis: ok"))
}
