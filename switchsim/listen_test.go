package switchsim_test

import (
	"testing"
	"time"

	"ccxmld/switchsim"
)

// called originates a call to a number, under an id, that is parked.
func (s *stage) called(uuid, number string) *switchsim.Party {
	s.Helper()
	s.sw.Callee(number, switchsim.Answers{})
	s.hidden.say("bgapi originate {origination_uuid=" + uuid + ",ignore_early_media=true}sofia/internal/" + number + "@127.0.0.1:5060 &park")
	s.hidden.await("+OK Job-UUID")
	s.clock.Advance(100 * time.Millisecond)
	return s.callee(number)
}

// TestListeningAsRecorded: a leg listens to another one, its digits are told by a
// binding, what is executed meanwhile waits or is thrown away, until the other one
// hangs up. It listens in vain to that, and then to a third leg until it is taken to
// its socket again.
func TestListeningAsRecorded(t *testing.T) {
	s := newStage(t)
	s.hidden = s.link(s.sw)
	spoke := s.called("80bec2fc-6fb3-4126-aee6-b5fa5d52b71e", "spoke")
	s.called("05d2c8bb-d0c7-4b7f-8ee7-0c194d9fb704", "stays")
	outgoingLeg(s, "d03596b5-18f0-49a2-8259-9e2e36928db8")
	s.replay("listen.txt", []deed{
		press(1.58, "1"), press(2.08, "*"),
		{at(4.03), func(*stage) { spoke.Hangup() }},
		press(5.5, "2"),
		{at(6.545), (*stage).attach},
		press(7.22, "3"),
		run(7.48, "clear_digit_action", "all"),
		hangsUp(7.78),
	}, nil)
}
