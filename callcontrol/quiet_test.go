package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// Calls at which nothing is wrong warn of nothing: who reads the log finds what is.
func TestOrdinaryCallsWarnOfNothing(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.EarlyMedia{After: time.Second, AnswerAfter: time.Second})
	s.Switch.Callee("201", switchsim.Busy{})
	s.Switch.AddSound("/sounds/a.wav", time.Second)
	s.Document("child.ccxml", `<ccxml version="1.0"><eventprocessor><transition event="ccxml.loaded"><exit/></transition></eventprocessor></ccxml>`)
	caller := s.Dial(s.Transitions("a.ccxml", withCallee+`
<transition event="connection.connected" cond="event$.connectionid == d"><createcall dest="'tel:201'" connectionid="e"/></transition>
<transition event="connection.failed"><join id1="c" id2="d"/></transition>
<transition event="conference.joined" cond="event$.id2 == d"><unjoin id1="c" id2="d"/></transition>
<transition event="conference.unjoined" cond="event$.id2 == d"><createconference conferenceid="room" confname="'room'" hints="{music: '/sounds/a.wav'}"/></transition>
<transition event="conference.created" cond="event$.isnew"><join id1="c" id2="room" entertone="true"/></transition>
<transition event="conference.joined" cond="event$.id1 == c"><join id1="d" id2="room"/></transition>
<transition event="conference.joined"><createconference conferenceid="room" confname="'room'" hints="{locked: true}"/></transition>
<transition event="conference.created"><dialogstart conferenceid="room" src="'/sounds/a.wav'" type="'audio/wav'"/></transition>
<transition event="dialog.exit" cond="again == undefined"><assign name="again" expr="true"/><unjoin id1="d" id2="room"/></transition>
<transition event="conference.unjoined" cond="event$.id1 == d"><dialogstart connectionid="d" src="'null:?text=Hello.'" type="'audio/wav'"/></transition>
<transition event="dialog.exit"><createccxml next="'child.ccxml'"/></transition>
<transition event="ccxml.exit"><disconnect connectionid="d"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == d"><destroyconference conferenceid="room"/></transition>
<transition event="conference.destroyed"><log expr="'done'"/></transition>
<transition event="connection.disconnected"><exit/></transition>`, "c d e room again"))
	s.WaitLog("done")
	caller.Hangup()
	s.WaitSwitchIdle()
	s.Stop()
	for _, line := range s.DaemonLog.Lines() {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			t.Error(line)
		}
	}
}
