package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// TestConferencesWhileRedisGoes: Redis is killed while a conference runs here. The
// caller who finds that out enters the conference as those do who come later; a
// conference without a name can be made, and a new shared name is refused.
func TestConferencesWhileRedisGoes(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	server := newRedisLine(s)
	named := s.Transitions("named.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'held'"/></transition>
<transition event="conference.created"><log expr="'created ' + event$.isnew"/><join id1="Object.keys(session.connections)[0]" id2="application.room"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`)
	unnamed := s.Transitions("unnamed.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room"/></transition>
<transition event="conference.created"><log expr="'made ' + event$.isnew"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>`)
	fresh := s.Transitions("fresh.ccxml", `
<transition event="connection.alerting"><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="application.room" confname="'another'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.conference.create"><log expr="'refused'"/></transition>`)
	first := s.Dial(named)
	s.WaitLog("joined")
	server.cut()
	s.Trace.Reset()
	second := s.Dial(named)
	s.WaitLog("joined")
	third := s.Dial(unnamed)
	s.WaitLog("made true")
	fourth := s.Dial(fresh)
	s.WaitLog("refused")
	first.Hangup()
	second.Hangup()
	third.Hangup()
	fourth.Hangup()
	s.WaitIdle()
	server.restore()
	s.WaitUntil("redis is back", s.Daemon.Store.Healthy)
}

// TestReadinessFollowsRedis: /readyz tells that Redis is away with nothing done here that
// needs it, the process stays healthy, and readiness comes back with Redis.
func TestReadinessFollowsRedis(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	server := newRedisLine(s)
	ready := func(want int, line string) func() bool {
		return func() bool {
			status, body := s.Get("/readyz")
			return status == want && strings.Contains(body, line)
		}
	}
	s.WaitUntil("ready", ready(200, "redis: ok"))
	server.cut()
	s.WaitUntil("not ready", ready(503, "redis: does not answer"))
	if status, _ := s.Get("/healthz"); status != 200 {
		t.Errorf("/healthz is answered %d", status)
	}
	server.restore()
	s.WaitUntil("ready again", ready(200, "redis: ok"))
}
