//go:build freeswitch

package callcontrol_test

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
	"ccxmld/sitetest"
)

// A session that has no call of its own hears of the members of a conference, of
// its controller and another one, of who talks and has the floor, and changes and
// takes them out.
func TestFreeSWITCHModerate(t *testing.T) {
	redis := redistest.Real(t)
	s := newRealSite(t, sitetest.With("REDIS_URL", redis.URL), sitetest.WithToken("moderator.ccxml"))
	s.Document("moderator.ccxml", strings.ReplaceAll(moderator, "event$.callerid", "event$.connectionid"))
	other := &realSite{Site: s.AddDaemon(), link: s.link}
	other.WaitLinks()
	s.Document("incoming.ccxml", strings.NewReplacer("event$.connection.remote.substr(4, 3)", "event$.connectionid",
		"event$.isnew", "leg").Replace(meeting))
	var callers, legs []string
	for _, at := range []*realSite{other, s} {
		at.Trace.Reset()
		caller := at.caller()
		callers = append(callers, caller)
		at.Must(at.Trace.WaitText(at.Context(), " in 1"))
		for _, line := range at.Trace.Lines() {
			if rest, ok := strings.CutSuffix(line, " in 1"); ok {
				legs = append(legs, strings.TrimPrefix(rest, "log "))
			}
		}
	}
	s.Trace.Reset()
	m := moderate(s.Site)
	m.WaitLog(legs[0] + " came")
	m.WaitLog(legs[1] + " came, members 2")
	room, _ := roomOf(s.Site)
	for i, leg := range slices.Backward(legs) { // the first one has the floor already
		s.Trace.Reset()
		s.api("uuid_broadcast", callers[i], "tone_stream://%(20000,0,440)", "aleg")
		m.WaitLog(leg + " talks true")
		m.WaitLog(leg + " has the floor")
		s.api("uuid_break", callers[i], "all")
		m.WaitLog(leg + " talks false")
		m.Must(s.Daemon.Controller.Inject(s.Context(), callcontrol.Injection{Session: m.session, Name: "user.change", Source: "test",
			Parameters: []interpreter.Pair{{Name: "who", Value: leg}, {Name: "mute", Value: "true"}, {Name: "deaf", Value: "true"}, {Name: "volumein", Value: "-2"}}}))
		m.WaitLog("changed " + leg)
		s.WaitUntil("it is mute and deaf", func() bool { return s.flagsOf(room, leg) == "" || s.flagsOf(room, leg) == "floor" })
		m.tell("change", "who", leg)
		s.WaitUntil("it speaks and hears", func() bool { return strings.HasPrefix(s.flagsOf(room, leg), "hear|speak") })
	}
	m.tell("lock", "on", "true")
	s.WaitUntil("it is locked", func() bool { return strings.Contains(s.api("conference", "list"), "flags: locked") })
	for i, leg := range legs {
		m.tell("kick", "who", leg)
		m.WaitLog("kicked " + leg)
		m.WaitLog(fmt.Sprintf("%s went, members %d", leg, 1-i))
	}
	other.WaitLog(legs[0] + " out 1")
	s.WaitLog(legs[1] + " out 1")
	for _, caller := range callers {
		s.api("uuid_kill", caller)
	}
	m.tell("end")
	s.WaitIdle()
	other.WaitIdle()
	rosterIsEmpty(s.Site)
}

// flagsOf gives how a leg is in a room.
func (s *realSite) flagsOf(room, leg string) string {
	for line := range strings.Lines(s.api("conference", room, "list")) {
		if fields := strings.Split(line, ";"); len(fields) > 5 && fields[2] == leg {
			return fields[5]
		}
	}
	return "not there"
}

// A prompt to a conference, and conferences joined to each other, are no members
// in the eyes of documents.
func TestFreeSWITCHAsides(t *testing.T) {
	s := newRealSite(t, sitetest.WithToken("asides.ccxml"))
	s.Document("asides.ccxml", `<ccxml version="1.0"><var name="a"/><var name="b"/><var name="d"/><eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="a" confname="'asides a'" hints="{events: true}"/></transition>
<transition event="conference.created" cond="!b"><createconference conferenceid="b" confname="'asides b'" hints="{events: true}"/></transition>
<transition event="conference.created"><join id1="a" id2="b" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><dialogstart conferenceid="a" dialogid="d" src="'tone_stream://%(2000,0,440)'" type="'audio/wav'"/></transition>
<transition event="conference.member.*"><log expr="event$.name"/></transition>
<transition event="dialog.exit"><log expr="'played'"/><unjoin id1="a" id2="b"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined'"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition></eventprocessor></ccxml>`)
	s.StartToken("")
	s.WaitLog("joined")
	s.WaitUntil("the asides are there", func() bool {
		list := s.api("conference", "list")
		return strings.Count(list, "conference-") == 3 // halves of loopback calls
	})
	s.WaitLog("unjoined")
	s.WaitIdle()
	if s.Trace.Has("conference.member") {
		t.Errorf("seen:\n%s", strings.Join(s.Trace.Lines(), "\n"))
	}
}

// Reserved places are kept: the second talker would take a listener's.
func TestFreeSWITCHReservedPlaces(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `<ccxml version="1.0"><var name="leg"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="leg" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="c" confname="'hall'" reservedlisteners="1" hints="{maxmembers: 2}"/></transition>
<transition event="conference.created"><join id1="leg" id2="c"/></transition>
<transition event="conference.joined"><log expr="'in ' + event$.members"/></transition>
<transition event="error.conference.join"><log expr="'refused: ' + event$.reason"/><join id1="leg" id2="c" duplex="'half'"/></transition>
<transition event="connection.disconnected"><exit/></transition></eventprocessor></ccxml>`)
	first := s.caller()
	s.WaitLog("in 1")
	second := s.caller()
	s.WaitLog("refused: the places that are left in the conference are reserved")
	s.WaitLog("in 2")
	room, _ := roomOf(s.Site)
	s.WaitUntil("the second only hears", func() bool {
		list := s.api("conference", room, "list")
		return strings.Count(list, "hear|speak") == 1 && strings.Count(list, ";hear;") == 1
	})
	s.api("uuid_kill", first)
	s.api("uuid_kill", second)
	s.WaitIdle()
}

// Who is registered and not in the room is no member when the link is up again.
func TestFreeSWITCHReconcile(t *testing.T) {
	s, g := gated(t)
	s.Document("incoming.ccxml", meeting)
	caller := s.caller()
	s.Must(s.Trace.WaitText(s.Context(), " in 1"))
	for held, err := range s.Daemon.Conferences.List(s.Context()) {
		s.Must(err)
		_, err = s.Daemon.Conferences.Join(s.Context(), held.ID, conference.Member{Connection: "stray", Node: held.Node, Joined: time.Now().Add(-time.Hour)})
		s.Must(err)
	}
	g.cut()
	g.reopen()
	s.Must(s.DaemonLog.WaitText(s.Context(), "connection was registered in a conference and not in its room"))
	s.WaitUntil("the stray is out", func() bool { _, members := roomOf(s.Site); return members == 1 })
	s.api("uuid_kill", caller)
	s.WaitIdle()
}
