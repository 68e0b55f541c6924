package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ccxmld/callcontrol"
	"ccxmld/conference"
	"ccxmld/interpreter"
	"ccxmld/switchsim"
)

// moderator hears of all members of "the meeting", by their callers' numbers, and
// does with them what it is told to.
const moderator = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="c"/><var name="ids" expr="new Object()"/><var name="numbers" expr="new Object()"/>
<eventprocessor>
<transition event="ccxml.loaded"><createconference conferenceid="c" confname="'the meeting'" hints="{events: true}"/></transition>
<transition event="conference.created"><log expr="'listening ' + session.id"/></transition>
<transition event="conference.member.joined"><script>ids[event$.callerid] = event$.connectionid; numbers[event$.connectionid] = event$.callerid</script>
  <log expr="event$.callerid + ' came, members ' + event$.members"/></transition>
<transition event="conference.member.left"><log expr="numbers[event$.connectionid] + ' went, members ' + event$.members"/></transition>
<transition event="conference.talking"><log expr="numbers[event$.connectionid] + ' talks ' + event$.talking"/></transition>
<transition event="conference.floor"><log expr="numbers[event$.connectionid] + ' has the floor'"/></transition>
<transition event="user.change"><join id1="ids[event$.who]" id2="c" duplex="event$.duplex || 'full'"
  hints="{mute: event$.mute, deaf: event$.deaf, volumein: event$.volumein}"/></transition>
<transition event="conference.joined"><log expr="'changed ' + numbers[event$.id1]"/></transition>
<transition event="user.kick"><unjoin id1="c" id2="ids[event$.who]"/></transition>
<transition event="conference.unjoined"><log expr="'kicked ' + numbers[event$.id2]"/></transition>
<transition event="user.lock"><createconference conferenceid="c" confname="'the meeting'" hints="{locked: event$.on}"/></transition>
<transition event="user.deafen"><createconference conferenceid="c" confname="'the meeting'" hints="{events: false}"/></transition>
<transition event="user.end"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ': ' + event$.reason"/></transition>
</eventprocessor></ccxml>`

// moderated is a house in which the moderator listens.
type moderated struct {
	*house
	session string
}

func (h *house) moderate() *moderated {
	h.Helper()
	h.startToken("")
	h.logged("listening ")
	m := &moderated{house: h}
	for _, line := range h.seen.all() {
		if rest, ok := strings.CutPrefix(line, "log listening "); ok {
			m.session = rest
		}
	}
	return m
}

// tell sends the moderator a command with name and value in turns.
func (m *moderated) tell(command string, parameters ...string) {
	m.Helper()
	injection := callcontrol.Injection{Session: m.session, Name: "user." + command, Source: "test"}
	for i := 0; i+1 < len(parameters); i += 2 {
		injection.Parameters = append(injection.Parameters, interpreter.Pair{Name: parameters[i], Value: parameters[i+1]})
	}
	m.must(m.daemon.Controller.Inject(m.ctx, injection))
}

// member gives how a number is in a room.
func (h *house) member(room, number string) (found switchsim.Member) {
	for _, m := range h.sw.Conference(room) {
		if m.Number == number {
			found = m
		}
	}
	return found
}

// A session hears of all members, also those of other controllers, and changes and
// takes them out, whoever has them.
func TestModerateMembersOfAnotherController(t *testing.T) {
	t.Parallel()
	one := newHouse(t, withToken("moderator.ccxml"))
	one.document("moderator.ccxml", moderator)
	other := one.another()
	document := one.document("meeting.ccxml", meeting)
	first := other.call("101", document)
	other.logged("101 in 1")
	m := one.moderate()
	m.logged("101 came, members 1") // who is there already
	m.logged("101 has the floor")
	second := one.call("102", document) // of another session here
	m.logged("102 came, members 2")
	room, _ := one.room()

	m.seen.forget()
	second.Talk(true)
	m.logged("102 talks true")
	m.logged("102 has the floor")
	second.Talk(false)
	m.logged("102 talks false")

	for _, number := range []string{"101", "102"} {
		m.seen.forget()
		m.tell("change", "who", number, "mute", "true", "deaf", "true", "volumein", "-2")
		m.logged("changed " + number)
		m.until("it is mute and deaf", func() bool { in := one.member(room, number); return !in.Speaks && !in.Hears })
		m.seen.forget()
		m.tell("change", "who", number, "duplex", "half") // hears only
		m.logged("changed " + number)
		m.until("it hears only", func() bool { in := one.member(room, number); return !in.Speaks && in.Hears })
		m.seen.forget()
		m.tell("change", "who", number)
		m.logged("changed " + number)
		m.until("it speaks and hears", func() bool { in := one.member(room, number); return in.Speaks && in.Hears })
	}
	m.tell("change", "who", "101", "volumein", "9")
	m.logged("error.conference.join: the hint volumein is")

	m.tell("lock", "on", "true")
	m.until("the room is locked", func() bool { return one.sw.Locked(room) })
	third := other.call("103", document)
	other.logged("103 error.conference.join: the conference is locked")
	m.tell("lock", "on", "false")
	m.until("the room is open", func() bool { return !one.sw.Locked(room) })
	third.Press("2")
	m.logged("103 came, members 3")

	m.tell("kick", "who", "101")
	m.logged("kicked 101")
	m.logged("101 went, members 2")
	other.logged("101 out 1") // its own session hears of it
	m.seen.forget()
	m.tell("change", "who", "101")
	m.logged("error.semantic: ")
	m.tell("kick", "who", "102")
	one.logged("102 out 1")
	m.logged("102 went, members 1")

	m.seen.forget()
	third.Hangup()
	m.logged("103 went, members 0")
	first.Hangup()
	second.Hangup()
	m.tell("end")
	one.idle()
	other.idle()
	rosterIsEmpty(one)
}

// What happened while the link was down is told when it is up again.
func TestRosterAfterTheLinkWasDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("moderator.ccxml"))
	h.document("moderator.ccxml", moderator)
	document := h.document("meeting.ccxml", meeting)
	m := h.moderate()
	first := h.call("101", document)
	m.logged("101 came, members 1")
	address := h.sw.Addr()
	h.sw.CloseLinks()
	second := h.call("102", document)
	h.logged("102 in 1")
	first.Hangup()
	h.logged("101 out 1")
	h.must(h.sw.Listen(address))
	m.logged("101 went")
	m.logged("102 came")
	if m.seen.count("log 101 came") != 1 || m.seen.count("log 102 came") != 1 {
		t.Errorf("seen:\n%s", strings.Join(m.seen.all(), "\n"))
	}
	second.Hangup()
	m.logged("102 went, members 0")
	m.tell("end")
	h.idle()
}

// Where FreeSWITCH does not bring the result of a job, it is asked again, and the
// operator is told in the end.
func TestRosterIsLost(t *testing.T) {
	t.Parallel()
	for lost, want := range map[int32]string{2: "log 101 came, members 1", 3: ""} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, withToken("moderator.ccxml"), losingRosters(lost))
			h.document("moderator.ccxml", moderator)
			h.call("101", h.document("meeting.ccxml", meeting))
			h.logged("101 in 1")
			m := h.moderate()
			if want != "" {
				m.must(m.seen.wait(h.ctx, want))
			} else {
				h.must(h.log.waitFor(h.ctx, "members of a conference are not told of"))
			}
		})
	}
}

// A session that does not want to hear any more does not, while another does.
func TestHearNoMoreOfMembers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withToken("moderator.ccxml"))
	h.document("moderator.ccxml", moderator)
	document := h.document("meeting.ccxml", meeting)
	m := h.moderate()
	first := h.call("101", document)
	m.logged("101 came, members 1")
	h.seen.forget()
	other := h.moderate()
	other.logged("101 came, members 1")
	m.tell("deafen")
	m.until("it is done", func() bool { return h.seen.count("log listening "+m.session) > 0 })
	h.seen.forget()
	first.Talk(true)
	h.logged("101 talks true")
	first.Hangup()
	h.logged("101 went, members 0")
	if n := h.seen.count("log 101 talks true"); n != 1 {
		t.Errorf("%d sessions heard of it", n)
	}
	m.tell("end")
	other.tell("end")
	h.idle()
}

// A talker is kept out when the places that are left are reserved for listeners,
// and a listener may not begin to talk (CNF-4).
func TestReservedPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.transitions("hall.ccxml", `
		<transition event="connection.alerting"><assign name="application.leg" expr="event$.connectionid"/>
			<assign name="application.who" expr="event$.connection.remote.substr(4, 3)"/><accept/></transition>
		<transition event="connection.connected"><createconference conferenceid="application.c" confname="'hall'"
			reservedtalkers="1" reservedlisteners="2" hints="{maxmembers: 4}"/></transition>
		<transition event="conference.created"><join id1="application.leg" id2="application.c" duplex="application.who &lt; '200' ? 'full' : 'half'"/></transition>
		<transition event="conference.joined"><log expr="application.who + ' in ' + event$.members"/></transition>
		<transition event="connection.signal"><join id1="application.leg" id2="application.c"/></transition>
		<transition event="error.conference.*"><log expr="application.who + ' ' + event$.reason"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	talker := h.call("101", document)
	h.logged("101 in 1")
	listener := h.call("201", document)
	h.logged("201 in 2")
	second := h.call("102", document)
	h.logged("102 in 3")
	third := h.call("103", document)
	h.logged("103 the places that are left in the conference are reserved")
	listener.Press("1")
	h.logged("201 the places that are left in the conference are reserved")
	second.Hangup()
	room, _ := h.room()
	h.until("102 is out", func() bool { _, members := h.room(); return members == 2 })
	listener.Press("1")
	h.until("201 talks", func() bool { return h.member(room, "201").Speaks })
	for _, party := range []*switchsim.Party{talker, listener, third} {
		party.Hangup()
	}
	h.idle()
	rosterIsEmpty(h)
}

// Who is registered in a conference and not in its room is no member any more when
// a link comes up again.
func TestReconcileAfterTheLinkWasDown(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{"jobs are answered": nil, "first job lost": {losingRosters(1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reconcile(newHouse(t, options...))
		})
	}
}

// losingRosters loses the results of the first jobs that ask who is in a room.
func losingRosters(first int32) option {
	var asked atomic.Int32
	return func(p *plan) {
		p.sw.Job = func(_, argument string) switchsim.JobFate {
			if strings.Contains(argument, "xml_list") && asked.Add(1) <= first {
				return switchsim.JobUntold
			}
			return switchsim.JobDone
		}
	}
}

func reconcile(h *house) {
	h.Helper()
	caller := h.call("101", h.document("meeting.ccxml", meeting))
	h.logged("101 in 1")
	for held, err := range h.daemon.Conferences.List(h.ctx) {
		h.must(err)
		_, err = h.daemon.Conferences.Join(h.ctx, held.ID, conference.Member{Connection: "stray", Node: held.Node, Joined: h.clock.Now().Add(-time.Hour)})
		h.must(err)
	}
	if _, members := h.room(); members != 2 {
		h.Fatalf("%d members", members)
	}
	address := h.sw.Addr()
	h.sw.CloseLinks()
	h.must(h.sw.Listen(address))
	h.must(h.log.waitFor(h.ctx, "connection was registered in a conference and not in its room"))
	h.until("the stray is out", func() bool { _, members := h.room(); return members == 1 })
	caller.Hangup()
	h.idle()
	rosterIsEmpty(h)
}

// A join that asks for events hears of its own member alone, and one that entered
// muted can be heard by another join.
func TestEventsOfOneMember(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document := h.transitions("events.ccxml", `
		<transition event="connection.alerting"><accept/></transition>
		<transition event="connection.connected"><assign name="application.leg" expr="event$.connectionid"/>
			<createconference conferenceid="application.c" confname="'events'" hints="{joinmuted: true}"/></transition>
		<transition event="conference.created"><join id1="application.leg" id2="application.c" hints="{events: true}"/></transition>
		<transition event="conference.joined"><log expr="'in'"/></transition>
		<transition event="conference.talking"><log expr="event$.connectionid + ' talks ' + event$.talking"/></transition>
		<transition event="conference.floor"><log expr="event$.connectionid + ' has the floor'"/></transition>
		<transition event="connection.signal"><join id1="event$.connectionid" id2="application.c" hints="{events: true}"/></transition>
		<transition event="connection.disconnected"><exit/></transition>`)
	first := h.call("101", document)
	h.logged("in")
	h.logged(first.UUID() + " has the floor")
	second := h.call("102", document)
	h.until("both are in", func() bool { return h.seen.count("log in") == 2 })
	second.Talk(true) // which nobody hears
	second.Talk(false)
	second.Press("1") // is heard from now on
	h.until("it is joined again", func() bool { return h.seen.count("log in") == 3 })
	second.Talk(true)
	h.logged(second.UUID() + " talks true")
	h.logged(second.UUID() + " has the floor")
	first.Hangup()
	second.Hangup()
	h.idle()
	if h.seen.count("log "+second.UUID()+" talks true") != 1 || h.seen.count("log "+first.UUID()+" talks") != 0 {
		t.Errorf("seen:\n%s", strings.Join(h.seen.all(), "\n"))
	}
}
