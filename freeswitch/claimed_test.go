package freeswitch

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
)

// TestClaimed: a link tells of claims, and what one says of a claim is for the controller
// that had the session.
func TestClaimed(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		n.TellClaimed("c2", "session", 3)
		synctest.Wait()
		if got := s.commands("sendevent"); !slices.Equal(got, []string{"sendevent CUSTOM"}) {
			t.Errorf("%q", got)
		}
		if got := s.commands("filter ccxmld-from"); !slices.Equal(got, []string{"filter ccxmld-from c"}) {
			t.Errorf("%q", got)
		}
		s.tell("Event-Name: CUSTOM\nEvent-Subclass: ccxmld%3A%3Aclaimed\nccxmld-from: c\nccxmld-session: one\nccxmld-epoch: 4\n\n")
		s.tell("Event-Name: CUSTOM\nEvent-Subclass: ccxmld%3A%3Aclaimed\nccxmld-from: c\nccxmld-session: one\nccxmld-epoch: x\n\n")
		s.tell("Event-Name: CUSTOM\nEvent-Subclass: another\nccxmld-from: c\nccxmld-session: one\nccxmld-epoch: 5\n\n")
		synctest.Wait()
		o.expect(t, "one claimed 4")
	})
}
