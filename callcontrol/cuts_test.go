package callcontrol_test

import (
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// cutInRoom lets a caller join a conference over a line that is cut, once, where it
// would have to pass a text on, and press a key.
func cutInRoom(t *testing.T, text, transitions string, options ...sitetest.Option) (*sitetest.Site, *switchsim.Party) {
	t.Helper()
	s, legs := newLateSite(t, options...)
	caller, err := s.Switch.Dial(switchsim.Call{Sockets: []string{legs.address()}, Variables: map[string]string{
		"ccxml_uri": s.Document("in.ccxml", `<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml">
<var name="room"/><var name="caller"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><createconference conferenceid="room" confname="'cut'"/></transition>
<transition event="conference.created"><join id1="room" id2="caller"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
`+transitions+`
<transition event="connection.disconnected"><log expr="event$.reason"/><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/></transition></eventprocessor></ccxml>`),
	}})
	s.Must(err)
	s.WaitLog("joined")
	legs.lose(text)
	caller.Press("5")
	return s, caller
}

// ends waits until FreeSWITCH has no call any more, and the daemon neither.
func ends(s *sitetest.Site, caller *switchsim.Party) {
	s.Helper()
	_, err := caller.WaitEnded(s.Context())
	s.Must(err)
	s.WaitIdle()
}

// A leg whose hangup does not get through, since its socket is cut, does not stay
// in its conference: it is hung up over the link.
func TestHangupLost(t *testing.T) {
	t.Parallel()
	s, caller := cutInRoom(t, "uuid_kill", `<transition event="connection.signal"><disconnect connectionid="caller"/></transition>`)
	ends(s, caller)
	s.WaitLog("NORMAL_CLEARING")
}

// Without a link nothing reaches such a call any more, which its document is told.
func TestHangupLostWithoutLink(t *testing.T) {
	t.Parallel()
	s, caller := cutInRoom(t, "uuid_kill", `<transition event="connection.signal"><disconnect connectionid="caller"/></transition>`, sitetest.With("NODES", "[]"))
	s.WaitLog("NETWORK_OUT_OF_ORDER")
	caller.Hangup()
	ends(s, caller)
}

// A leg that is told to leave its conference on a socket that is cut that moment
// leaves it all the same, by the link. It goes on, unless FreeSWITCH notices the end
// of the old socket only when the leg is in the new one, which ends with it.
func TestWayHomeLost(t *testing.T) {
	t.Parallel()
	s, caller := cutInRoom(t, " kick ", `<transition event="connection.signal"><unjoin id1="room" id2="caller"/></transition>
<transition event="conference.unjoined"><log expr="'left'"/><dialogstart src="'null://?text=Again.'" type="'audio/wav'" connectionid="caller"/></transition>
<transition event="dialog.exit"><exit/></transition>`)
	s.WaitLog("left")
	ends(s, caller)
}

// One that does not come either way is hung up in the end.
func TestNeverHome(t *testing.T) {
	t.Parallel()
	s, caller := cutInRoom(t, " kick ", `<transition event="connection.signal"><unjoin id1="room" id2="caller"/></transition>`,
		ignoring("uuid_transfer"))
	s.WaitLog("NETWORK_OUT_OF_ORDER")
	ends(s, caller)
}
