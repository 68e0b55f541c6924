//go:build freeswitch

package callcontrol_test

import (
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// What a caller says breaks a prompt off and is a choice, and later the value of a
// field; then a key is pressed in place of words. The engine is that of FreeSWITCH's
// own tests, which understands "agent" whatever is said.
func TestFreeSWITCHRecognition(t *testing.T) {
	s := newRealSite(t, sitetest.With("DIALOG_ASR", "test"), withPage("page.vxml"))
	if !strings.Contains(s.api("show", "interfaces"), "asr,test,") {
		t.Skip("this FreeSWITCH has no engine that tests can go by; build and load mod_test, which comes with its source")
	}
	s.Document("page.vxml", `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<menu><prompt><audio src="tone_stream://%(60000,0,440)"/></prompt><choice next="#agent">Agent</choice><choice next="#other">It's ${other}</choice></menu>
<form id="agent">
<field name="name"><grammar version="1.0" root="r"><rule id="r">agent</rule></grammar><prompt><audio src="tone_stream://%(60000,0,660)"/></prompt>
<filled><log>name <value expr="name + ' ' + name$.inputmode + ' ' + name$.confidence"/></log></filled></field>
<field name="sure" type="boolean"><prompt><audio src="tone_stream://%(60000,0,880)"/></prompt>
<filled><log>sure <value expr="sure + ' ' + sure$.inputmode"/></log></filled></field>
<field name="silent" type="boolean"><property name="timeout" value="300ms"/><noinput><log>nothing said</log><exit/></noinput></field></form>
<form id="other"><block><log>the other</log></block></form></vxml>`)
	caller := s.caller()
	heard := s.overhear(caller)
	says := func() { s.api("uuid_broadcast", caller, "tone_stream://%(400,0,300)", "aleg") }
	heard(440)
	says()
	heard(660)
	says()
	s.Must(s.DaemonLog.WaitText(s.Context(), "name agent voice 0.873"))
	heard(880)
	s.api("uuid_send_dtmf", caller, "2")
	s.Must(s.DaemonLog.WaitText(s.Context(), "sure false dtmf"))
	s.Must(s.DaemonLog.WaitText(s.Context(), "nothing said"))
	s.gone(caller)
	s.WaitIdle()
}
