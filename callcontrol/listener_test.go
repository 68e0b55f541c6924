package callcontrol_test

import (
	"testing"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// listenerDigits has the caller listen to 200, which does not hear him. # takes
// him out; other digits are the document's then, and afterwards a dialog's.
const listenerDigits = `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml" xmlns:voxeo="http://community.voxeo.com/xmlns/ccxml">
<var name="a"/><var name="b"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b"/></transition>
<transition event="connection.connected"><join id1="a" id2="b" duplex="'half'" voxeo-termdigits="'#'"/></transition>
<transition event="conference.joined"><log expr="'listens'"/></transition>
<transition event="connection.signal"><log expr="(event$.connectionid == a ? 'a ' : 'b ') + event$.info.value"/></transition>
<transition event="conference.unjoined"><log expr="'out by ' + event$.termdigit"/>
  <dialogstart connectionid="a" src="'tone_stream://%(20000,0,440)?maxdigits=1'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><log expr="'asked'"/></transition>
<transition event="dialog.exit"><log expr="'digits ' + event$.values.digits"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// Who only listens presses digits as anybody else, and ends the join by one of
// those that voxeo-termdigits names.
func TestListenerDigits(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", switchsim.Answers{})
	caller := s.Dial(s.Document("listener.ccxml", listenerDigits))
	s.WaitLog("listens")
	caller.Press("1*")
	s.WaitLog("a 1")
	s.WaitLog("a *")
	s.WaitUntil("the caller hears", func() bool { return len(caller.Hears()) == 1 })
	caller.Press("#")
	s.WaitLog("out by #")
	s.WaitUntil("the caller hears nobody", func() bool { return len(caller.Hears()) == 0 })
	s.WaitLog("asked")
	caller.Press("9")
	s.WaitLog("digits 9")
	caller.Hangup()
	s.WaitIdle()
}
