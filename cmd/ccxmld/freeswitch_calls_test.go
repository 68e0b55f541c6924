//go:build freeswitch

package main

import "testing"

// callPhone is a document that calls a phone, which session.values.to names.
func (h *realHouse) callPhone(p *phone, hints, transitions string) {
	h.Helper()
	h.startSession(h.document("out.ccxml", `
<ccxml version="1.0"><var name="a"/><var name="b"/><var name="said" expr="''"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="session.values.to" connectionid="a" timeout="'20s'" hints="`+hints+`"/></transition>
`+transitions+`
<transition event="connection.disconnected"><log expr="'over: ' + event$.reason + ', ' + event$.trigger + ', ' + event$.detail"/><exit/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason + ', ' + event$.info.sipstatus"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`), p.uri())
}

// A call that no audio comes from ends by its media timeout. Its headers go with
// the INVITE.
func TestFreeSWITCHMediaTimeout(t *testing.T) {
	h := newRealHouse(t, throughProfile())
	p := h.phone()
	h.callPhone(p, `{mediatimeout: '2s', headers: {'X-Account': 'no. 42'}}`, "")
	if got := p.rings().get("X-Account"); got != "no. 42" {
		t.Errorf("the INVITE has %q", got)
	}
	p.reply("200 OK", "sendrecv")
	p.wait("BYE")
	h.logged("over: MEDIA_TIMEOUT, local, no audio came from the far end")
	h.idle()
}

// The far end's hold and resume are signals, and the connection stays.
func TestFreeSWITCHHold(t *testing.T) {
	h := newRealHouse(t, throughProfile())
	p := h.phone()
	h.callPhone(p, `{}`, `<transition event="connection.signal" cond="event$.info.type == 'hold'"><log expr="event$.info.type + ' ' + event$.connection.state"/></transition>
<transition event="connection.signal" cond="event$.info.type == 'resume'"><log expr="'resume ' + event$.connection.state"/>
  <disconnect connectionid="a" hints="{headers: {'X-Why': 'no. 1; it is over'}}"/></transition>`)
	p.picksUp()
	h.must(h.seen.wait(h.ctx, "event connection.connected"))
	p.asks("INVITE", "", "sendonly")
	h.logged("hold CONNECTED")
	p.wait("SIP/2.0 200")
	p.asks("INVITE", "", "sendrecv")
	h.logged("resume CONNECTED")
	if got := p.wait("BYE").get("X-Why"); got != "no. 1; it is over" {
		t.Errorf("the BYE has %q", got)
	}
	h.logged("over: NORMAL_CLEARING, local")
	h.idle()
}

// Digits that are only tones are heard where the hint asks for it.
func TestFreeSWITCHInbandDigits(t *testing.T) {
	h := newRealHouse(t)
	h.document("incoming.ccxml", `
<ccxml version="1.0"><eventprocessor>
<transition event="connection.alerting"><accept hints="{inbanddtmf: true}"/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := h.caller()
	h.logged("connected")
	h.api("uuid_broadcast", caller, "tone_stream://%(300,300,770,1336)", "aleg")
	h.logged("dtmf 5")
	h.gone(caller)
	h.idle()
}
