package switchsim_test

import (
	"runtime"
	"time"

	"ccxmld/switchsim"
)

// play is how a recorded conversation came about: what was there before it and
// what happened beside it.
type play struct {
	setup func(s *stage)
	deeds []deed
	leave leave
}

// always is left out of every comparison.
var always = leave{}

// callerDials makes an incoming call whose socket is the subject.
func callerDials(uuid, to string) func(s *stage) {
	return func(s *stage) {
		s.dial(uuid, switchsim.Call{To: to})
		s.subject = s.first.accept()
	}
}

// dial makes a call come in under the recorded id.
func (s *stage) dial(uuid string, call switchsim.Call) {
	s.Helper()
	call.From, call.Name = "4075550100", "Ada"
	s.sw.NextUUIDs(uuid)
	caller, err := s.sw.Dial(call)
	if err != nil {
		s.Fatal(err)
	}
	s.caller = caller
}

// linked makes the subject a link; the recording authenticates itself.
func linked(s *stage) {
	s.subject = s.bareLink(s.sw)
	s.subject.await("auth/request")
}

func at(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

func press(seconds float64, digit string) deed {
	return deed{at(seconds), func(s *stage) { s.caller.Press(digit) }}
}

var plays = map[string]play{
	"leg-life": {
		setup: callerDials("53a251d9-ac38-4b50-904e-20e84eecd1c2", "8001"),
		deeds: []deed{press(3.9, "1"), press(4.44, "2"), press(4.96, "#"), press(6.4, "5"), press(7.02, "#"),
			press(8.61, "9"), press(9.13, "8"), press(9.65, "7"), press(10.17, "#")},
	},
	"leg-rejected-by-respond": {setup: callerDials("ccb5b94e-ae00-4b1a-9da7-1dfd2dd1cd6b", "8002")},
	"leg-rejected-by-hangup":  {setup: callerDials("751bc478-8802-4408-b5ed-9354d689e7b5", "8003")},
	"leg-redirected": {
		setup: callerDials("6647946e-57a6-4d71-8858-1862e47324fd", "8004"),
		leave: leave{{kind: "missing", name: "CHANNEL_PARK", why: "the leg is parked while myevents is on its way: a race"}},
	},
	"leg-caller-cancels": {
		setup: callerDials("b61722ff-3d36-4a70-84f1-b5ec5b22f8c9", "8005"),
		deeds: []deed{{at(1.04), func(s *stage) { s.caller.Hangup() }}},
	},
	"controller-dies": {setup: callerDials("4595da99-8260-4f5c-8de7-99b3dfc498f9", "8006")},
	"originate-outcomes": {setup: linked, deeds: []deed{
		{at(10.92), func(s *stage) { s.callee("digits-12").Press("1") }},
		{at(11.42), func(s *stage) { s.caller.Press("2") }},
	}},
	"originate-early-media": {setup: linked, deeds: []deed{{at(8.345), (*stage).attach}}},
	"dialogs-on-a-leg": {setup: linked, deeds: append(callFromWithin("de3a6908-0822-41ad-bbdc-cc8a4b3b8235", "601f768c-3f66-4dd0-b3dd-9cd07bac7fee", "091d5c87-6255-45ee-a783-95b151581796"),
		run(1.630, "playback", "tone_stream://%(200,0,400)", "event-lock: true"),
		run(1.631, "playback", "tone_stream://%(200,0,500)", "event-lock: true"),
		run(1.632, "playback", "tone_stream://%(200,0,600)", "event-lock: true"),
		run(3.629, "playback", "tone_stream://%(300,0,400)"),
		run(3.630, "playback", "tone_stream://%(300,0,500)"),
		run(5.635, "playback", "tone_stream://%(200,0,440)", "loops: 3"),
		deed{at(8.635), func(s *stage) {
			s.leg.say("sendmsg\ncall-command: execute\nexecute-app-name: speak\ncontent-type: text/plain\ncontent-length: 27\n\nflite|kal|Body of a message")
			s.leg.await("+OK")
		}},
		run(11.65, "speak", "noengine|kal|Hello"),
		run(12.66, "set", "playback_terminators=#"),
		run(12.67, "record", "/var/lib/ccxmld/rec2.wav 10 200 3"),
		press(14.91, "#"),
		run(18.172, "send_dtmf", "1w2"),
		run(19.2, "endless_playback", "tone_stream://%(200,200,440)"),
		hangsUp(21.21),
	)},
	"bridge-unbridge": {setup: linked, deeds: append(callFromWithin("c25fb72b-5fc5-4d29-ab55-cc07b07216f9", "1444b10c-506b-4b5f-ba2c-1f473a4b413d", "53f6960d-43a9-437d-8a8e-44372ef0f75f"),
		deed{at(2.9), func(s *stage) {
			caller := s.caller
			s.callee("digits-4").Press("4")
			s.caller = caller
		}},
		run(12.345, "playback", "tone_stream://%(300,0,440)"),
		hangsUp(13.36),
	)},
	"conference-join-unjoin": {setup: linked, deeds: append(callFromWithin("0fbd602c-d03e-4d84-87f9-165e4ca1bf2e", "2799213f-3d8f-4aad-a419-907ce2d0594a", "72c3bde0-9582-45bc-8093-346cc675b387"),
		run(1.625, "conference", "room2@default+flags{mute}"),
		run(14.167, "playback", "tone_stream://%(300,0,440)"),
		run(14.995, "conference", "room2@default"),
		run(16.492, "conference", "room2@default"),
		run(16.493, "playback", "tone_stream://%(300,0,440)"),
		hangsUp(20.44),
	), leave: leave{
		{kind: "order", name: "floor-change", line: 1858, why: "recorded half a second after it was fired: the link's thread was busy starting the job"},
		{kind: "order", name: "play-file-member-done", why: "recorded four seconds after the file had ended"},
	}},
	"conference-seen-from-link": {
		setup: func(s *stage) { s.sw.SkipMemberIDs(2); s.hidden = s.link(s.sw); linked(s) },
		deeds: []deed{
			{at(0.03), func(s *stage) { s.dial(firstMember, switchsim.Call{To: "8010"}); s.attach() }},
			run(0.04, "answer", ""), run(0.09, "conference", "room1@default"),
			{at(2.6), func(s *stage) { s.dial(secondMember, switchsim.Call{To: "8010"}); s.attach() }},
			run(2.61, "answer", ""), run(2.68, "conference", "room1@default"),
			hangsUp(13.97),
			{at(20.52), func(s *stage) { s.hidden.order("api uuid_kill " + firstMember + " SYSTEM_SHUTDOWN") }},
		},
		leave: leave{{kind: "value", header: "body", line: 508, why: "FreeSWITCH prints a number that it has not set"}},
	},
	"conference-first-member": {
		setup: func(s *stage) {
			s.sw.SkipMemberIDs(2)
			s.hidden = s.link(s.sw)
			callerDials(firstMember, "8010")(s)
		},
		deeds: []deed{
			{at(2.6), func(s *stage) { s.dial(secondMember, switchsim.Call{To: "8010"}); s.attach() }},
			run(2.61, "answer", ""), run(2.68, "conference", "room1@default"),
			hangsUp(13.97),
			{at(20.51), func(s *stage) { s.hidden.order("api uuid_kill " + firstMember + " SYSTEM_SHUTDOWN") }},
		},
	},
	"conference-second-member": {
		setup: func(s *stage) {
			s.sw.SkipMemberIDs(2)
			s.dial(firstMember, switchsim.Call{To: "8010"})
			s.attach()
			s.leg.execute("answer", "")
			s.clock.Advance(time.Second)
			s.leg.execute("conference", "room1@default")
			s.clock.Advance(time.Second)
			callerDials(secondMember, "8010")(s)
		},
		deeds: []deed{hangsUp(11.34)},
	},
	"failover-seen-from-link": {
		setup: func(s *stage) {
			s.clock.Advance(16 * time.Millisecond) // a tick falls between the subscription and the filter
			s.hidden = s.link(s.sw)
			linked(s)
		},
		deeds: []deed{
			{at(0.0215), func(s *stage) {
				s.sw.NextUUIDs("10c6969c-a93a-4737-90bd-0b154f57a82c")
				s.hidden.say("bgapi originate {ignore_early_media=true,origination_caller_id_number=4075550100,origination_caller_id_name=Ada}sofia/internal/8700@127.0.0.1:5060 &park()\nJob-UUID: f")
				s.hidden.await("+OK Job-UUID")
			}},
			{at(0.0265), (*stage).dialWithFallback},
			run(0.03, "answer", ""),
			run(0.085, "playback", "tone_stream://%(3000,0,440)"),
			{at(1.08), func(s *stage) { s.leg.conn.Close(); s.leg = s.second.accept(); s.greet() }},
			run(1.4, "playback", "tone_stream://%(300,0,440)"),
			{at(1.74), (*stage).attach},
			run(1.745, "playback", "tone_stream://%(300,0,440)"),
			{at(2.06), func(s *stage) { s.leg.order("sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING") }},
		},
	},
	"failover-second-controller": {
		setup: func(s *stage) {
			s.hidden = s.link(s.sw)
			s.dialWithFallback()
			s.leg.execute("answer", "")
			s.clock.Advance(100 * time.Millisecond)
			s.leg.execute("playback", "tone_stream://%(3000,0,440)")
			s.clock.Advance(time.Second)
			s.leg.conn.Close()
			s.subject = s.second.accept()
		},
		deeds: []deed{
			{at(0.625), func(s *stage) {
				s.hidden.say("api uuid_transfer 410746c3-7a6a-4769-ada7-a302a01dbbad 'set:ccxml_moved=yes,socket:" + s.first.address() + " async full' inline")
				s.hidden.await("+OK")
			}},
			{at(0.65), (*stage).attach},
			run(0.655, "playback", "tone_stream://%(300,0,440)"),
			{at(0.97), func(s *stage) { s.leg.order("sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING") }},
		},
	},
	"originate-to-socket-seen-from-link": {
		setup: func(s *stage) { linked(s) },
		deeds: []deed{{at(0.07), (*stage).attach}, {at(1.05), func(s *stage) { s.leg.order("sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING") }}},
	},
	"originate-to-socket-leg": {setup: func(s *stage) {
		s.hidden = s.link(s.sw)
		s.hidden.say("bgapi originate {origination_uuid=bf628d36-e30b-42c5-b85f-66343c3ca5ee,ignore_early_media=true,originate_timeout=8}sofia/internal/answer@127.0.0.1:5060 '&socket(" + s.first.address() + " async full)'")
		s.hidden.await("+OK Job-UUID")
		s.clock.Advance(100 * time.Millisecond)
		s.subject = s.first.accept()
	}},
}

// callee takes the party that was called and makes it the one who acts.
func (s *stage) callee(number string) *switchsim.Party {
	s.Helper()
	party, err := s.sw.WaitCallee(s.ctx, number)
	if err != nil {
		s.Fatal(err)
	}
	s.caller, s.outgoing = party, party
	return party
}

const (
	firstMember  = "34397ce7-7fc1-463e-92fc-3f72af5d3dad"
	secondMember = "d6bcbaf6-b0c5-4a35-b771-22d75d53a97e"
)

// callFromWithin is how the link recordings begin: the switch calls itself, so
// that there is an outgoing leg and an incoming one, which is answered.
func callFromWithin(outgoing, incoming, job string) []deed {
	return []deed{
		{at(0.0215), func(s *stage) {
			s.hidden = s.link(s.sw)
			s.sw.NextUUIDs(outgoing)
			s.hidden.say("bgapi originate {ignore_early_media=true,origination_caller_id_number=4075550100,origination_caller_id_name=Ada}sofia/internal/8020@127.0.0.1:5060 &park()\nJob-UUID: " + job)
			s.hidden.await("+OK Job-UUID")
		}},
		{at(0.0415), func(s *stage) {
			s.callee("8020")
			s.dial(incoming, switchsim.Call{To: "8020"})
			s.attach()
			s.leg.execute("answer", "")
		}},
		{at(0.0625), func(s *stage) {
			party := s.caller
			s.outgoing.Answer()
			s.caller = party
		}},
	}
}

// dialWithFallback makes a call come in that has a second socket to go to.
func (s *stage) dialWithFallback() {
	s.dial("410746c3-7a6a-4769-ada7-a302a01dbbad", switchsim.Call{To: "8700", Dialplan: []switchsim.Action{
		{Application: "set", Data: "socket_resume=true"},
		{Application: "socket", Data: s.first.address() + " async full"},
		{Application: "socket", Data: s.second.address() + " async full"},
	}})
	s.attach()
}

func run(seconds float64, app, arg string, more ...string) deed {
	return deed{at(seconds), func(s *stage) { s.leg.execute(app, arg, more...) }}
}

func hangsUp(seconds float64) deed {
	return deed{at(seconds), func(s *stage) { s.caller.Hangup() }}
}

// attach takes a leg's socket that was not recorded.
func (s *stage) attach() {
	for s.settle(); !s.sw.Waiting() && s.now() < time.Minute; s.settle() {
		if s.sw.Connecting() {
			runtime.Gosched()
			continue
		}
		s.clock.Advance(step)
	}
	s.leg = s.first.accept()
	s.greet()
}

func (s *stage) greet() {
	s.leg.say("connect")
	s.leg.await("CHANNEL_DATA")
	s.leg.say("linger 5")
	s.leg.await("+OK")
}
