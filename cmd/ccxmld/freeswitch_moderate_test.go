//go:build freeswitch

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/conference"
	"ccxmld/interpreter"
	"ccxmld/sessionstore/redistest"
)

// A session that has no call of its own hears of the members of a conference, of
// its controller and another one, of who talks and has the floor, and changes and
// takes them out.
func TestFreeSWITCHModerate(t *testing.T) {
	redis := redistest.Real(t)
	h := newRealHouse(t, with("REDIS_URL", redis.URL), withToken("moderator.ccxml"))
	h.document("moderator.ccxml", strings.ReplaceAll(moderator, "event$.callerid", "event$.connectionid"))
	other := &realHouse{house: h.another(), link: h.link}
	other.up()
	h.document("incoming.ccxml", strings.NewReplacer("event$.connection.remote.substr(4, 3)", "event$.connectionid",
		"event$.isnew", "leg").Replace(meeting))
	var callers, legs []string
	for _, at := range []*realHouse{other, h} {
		at.seen.forget()
		caller := at.caller()
		callers = append(callers, caller)
		at.must(at.seen.waitFor(at.ctx, " in 1"))
		for _, line := range at.seen.all() {
			if rest, ok := strings.CutSuffix(line, " in 1"); ok {
				legs = append(legs, strings.TrimPrefix(rest, "log "))
			}
		}
	}
	h.seen.forget()
	m := h.moderate()
	m.logged(legs[0] + " came")
	m.logged(legs[1] + " came, members 2")
	room, _ := h.room()
	for i, leg := range slices.Backward(legs) { // the first one has the floor already
		h.seen.forget()
		h.api("uuid_broadcast", callers[i], "tone_stream://%(20000,0,440)", "aleg")
		m.logged(leg + " talks true")
		m.logged(leg + " has the floor")
		h.api("uuid_break", callers[i], "all")
		m.logged(leg + " talks false")
		m.must(h.daemon.Controller.Inject(h.ctx, callcontrol.Injection{Session: m.session, Name: "user.change", Source: "test",
			Parameters: []interpreter.Pair{{Name: "who", Value: leg}, {Name: "mute", Value: "true"}, {Name: "deaf", Value: "true"}, {Name: "volumein", Value: "-2"}}}))
		m.logged("changed " + leg)
		h.until("it is mute and deaf", func() bool { return h.flagsOf(room, leg) == "" || h.flagsOf(room, leg) == "floor" })
		m.tell("change", "who", leg)
		h.until("it speaks and hears", func() bool { return strings.HasPrefix(h.flagsOf(room, leg), "hear|speak") })
	}
	m.tell("lock", "on", "true")
	h.until("it is locked", func() bool { return strings.Contains(h.api("conference", "list"), "flags: locked") })
	for i, leg := range legs {
		m.tell("kick", "who", leg)
		m.logged("kicked " + leg)
		m.logged(fmt.Sprintf("%s went, members %d", leg, 1-i))
	}
	other.logged(legs[0] + " out 1")
	h.logged(legs[1] + " out 1")
	for _, caller := range callers {
		h.api("uuid_kill", caller)
	}
	m.tell("end")
	h.idle()
	other.idle()
	rosterIsEmpty(h.house)
}

// flagsOf gives how a leg is in a room.
func (h *realHouse) flagsOf(room, leg string) string {
	for line := range strings.Lines(h.api("conference", room, "list")) {
		if fields := strings.Split(line, ";"); len(fields) > 5 && fields[2] == leg {
			return fields[5]
		}
	}
	return "not there"
}

// A prompt to a conference, and conferences joined to each other, are no members
// in the eyes of documents.
func TestFreeSWITCHAsides(t *testing.T) {
	h := newRealHouse(t, withToken("asides.ccxml"))
	h.document("asides.ccxml", `<ccxml version="1.0"><var name="a"/><var name="b"/><var name="d"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="a" confname="'asides a'" hints="{events: true}"/></transition>
<transition event="conference.created" cond="!b"><createconference conferenceid="b" confname="'asides b'" hints="{events: true}"/></transition>
<transition event="conference.created"><join id1="a" id2="b" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><dialogstart conferenceid="a" dialogid="d" src="'tone_stream://%(2000,0,440)'" type="'audio/wav'"/></transition>
<transition event="conference.member.*"><log expr="event$.name"/></transition>
<transition event="dialog.exit"><log expr="'played'"/><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	h.startToken("")
	h.logged("joined")
	h.until("the asides are there", func() bool {
		list := h.api("conference", "list")
		return strings.Count(list, "conference-") == 3 // halves of loopback calls
	})
	h.logged("unjoined")
	h.idle()
	if h.seen.has("conference.member") {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}

// Reserved places are kept: the second talker would take a listener's.
func TestFreeSWITCHReservedPlaces(t *testing.T) {
	h := newRealHouse(t)
	h.document("incoming.ccxml", `<ccxml version="1.0"><var name="leg"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'hall'" reservedlisteners="1" hints="{maxmembers: 2}"/></transition>
<transition event="conference.created"><join id1="leg" id2="c"/></transition>
<transition event="conference.joined"><log expr="'in ' + event$.members"/></transition>
<transition event="error.conference.join"><log expr="'refused: ' + event$.reason"/><join id1="leg" id2="c" duplex="'half'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	first := h.caller()
	h.logged("in 1")
	second := h.caller()
	h.logged("refused: the places that are left in the conference are reserved")
	h.logged("in 2")
	room, _ := h.room()
	h.until("the second only hears", func() bool {
		list := h.api("conference", room, "list")
		return strings.Count(list, "hear|speak") == 1 && strings.Count(list, ";hear;") == 1
	})
	h.api("uuid_kill", first)
	h.api("uuid_kill", second)
	h.idle()
}

// Who is registered and not in the room is no member when the link is up again.
func TestFreeSWITCHReconcile(t *testing.T) {
	h, g := gated(t)
	h.document("incoming.ccxml", meeting)
	caller := h.caller()
	h.must(h.seen.waitFor(h.ctx, " in 1"))
	for held, err := range h.daemon.Conferences.List(h.ctx) {
		h.must(err)
		_, err = h.daemon.Conferences.Join(h.ctx, held.ID, conference.Member{Connection: "stray", Node: held.Node, Joined: time.Now().Add(-time.Hour)})
		h.must(err)
	}
	g.cut()
	g.reopen()
	h.must(h.log.waitFor(h.ctx, "connection was registered in a conference and not in its room"))
	h.until("the stray is out", func() bool { _, members := h.room(); return members == 1 })
	h.api("uuid_kill", caller)
	h.idle()
}
