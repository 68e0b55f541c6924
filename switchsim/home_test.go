package switchsim_test

import (
	"testing"
	"time"
)

// TestWaysHomeAsRecorded: a leg keeps its first socket, and comes home to park out of
// a bridge with both, as the survivor of one, and after an operator has transferred or
// parked it out of one.
func TestWaysHomeAsRecorded(t *testing.T) {
	const partner, third = "313207f3-05db-436f-b188-611ca9c59ee6", "cdb897b3-66b3-4da1-bc60-e6e856a6d478"
	s := newStage(t)
	s.hidden = s.link(s.sw)
	b := s.called(partner, "partner")
	s.called(third, "third")
	for _, uuid := range []string{partner, third} {
		s.hidden.say("api uuid_setvar_multi " + uuid + " park_after_bridge=true;hangup_after_bridge=false")
		s.hidden.await("+OK")
	}
	const leg = "b0bf04c2-6074-41e9-934e-3c9e369a61aa"
	outgoingLeg(s, leg)
	operator := func(command string) func(*stage) {
		return func(s *stage) {
			s.hidden.say("api " + command)
			s.hidden.await("+OK")
		}
	}
	s.replay("home.txt", []deed{
		{at(2.482), func(*stage) { b.Hangup() }},
		{at(4.538), operator("uuid_transfer " + leg + " park: inline")},
		{at(6.515), operator("uuid_park " + leg)},
		hangsUp(8.071),
	}, leave{{kind: "value", header: "variable_sip_user_agent"}})
}

// outgoingLegSeen makes a call go out to a number under the recorded id, whose socket
// was not recorded; the subject is a link.
func outgoingLegSeen(s *stage, uuid string) {
	s.Helper()
	outgoingLeg(s, uuid)
	s.leg, s.subject = s.subject, nil
	s.greet()
	s.clock.Advance(300 * time.Millisecond)
	linked(s)
	s.began = s.clock.Now()
}

// TestUnattendedLegAsRecorded: a leg at home whose socket closes tries the next actions.
// Where nobody listens, it sleeps, and is fetched. What plays when the socket closes that
// it was fetched by plays to its end; then it tries twice, and is hung up.
func TestUnattendedLegAsRecorded(t *testing.T) {
	const leg = "6b138906-b74b-45e2-ae8b-96477d422691"
	cut := func(s *stage) { s.sw.CutSockets(leg) }
	s := newStage(t)
	outgoingLegSeen(s, leg)
	s.replay("home-unattended.txt", []deed{
		{at(0.680), cut},
		{at(1.219), func(s *stage) {
			s.leg = s.second.accept()
			s.greet()
		}},
		run(1.606, "playback", "tone_stream://%(800,0,440)"),
		{at(1.918), cut},
	}, leave{{kind: "value", header: "variable_sip_user_agent"}})
}

// TestUnattendedBridgeAsRecorded: the end of a bridged leg's socket changes nothing. The
// survivor is parked for as long as park_timeout says.
func TestUnattendedBridgeAsRecorded(t *testing.T) {
	const partner = "efc445b2-7e3a-4d54-9fc1-90c687989c18"
	s := newStage(t)
	s.hidden = s.link(s.sw)
	b := s.called(partner, "partner")
	const leg = "2ebc7398-2763-4db3-8116-7d9d1321429e"
	outgoingLegSeen(s, leg)
	for _, uuid := range []string{partner, leg} {
		s.hidden.say("api uuid_setvar_multi " + uuid + " park_after_bridge=true;hangup_after_bridge=false")
		s.hidden.await("+OK")
	}
	s.replay("home-bridged.txt", []deed{
		{at(0.910), func(s *stage) { s.sw.CutSockets(leg) }},
		{at(1.421), func(*stage) { b.Hangup() }},
	}, leave{{kind: "value", header: "variable_sip_user_agent"}})
}
