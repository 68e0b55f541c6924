//go:build freeswitch

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

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

// told gives what a document logged behind a text.
func (h *realHouse) told(text string) string {
	h.Helper()
	h.logged(text)
	for _, line := range h.seen.all() {
		if rest, ok := strings.CutPrefix(line, "log "+text); ok {
			return rest
		}
	}
	return ""
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

// Early media is heard by the caller of a call that is not answered, and the answer
// does not take it away.
func TestFreeSWITCHEarlyMedia(t *testing.T) {
	h := newRealHouse(t, with("DIAL_ROUTES", "[{match: 'tel:200', dial: 'loopback/m:^:pre_answer^park/default/inline'}]"))
	h.document("incoming.ccxml", early(`joinid="a"`, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><log expr="'early ' + b"/></transition>`))
	caller := h.caller()
	h.logged("early ")
	b := &realBoard{realHouse: h}
	callee := b.farEnd(h.told("early "))
	h.api("uuid_broadcast", callee, "tone_stream://%(120000,0,700)", "aleg")
	h.api("uuid_setvar", caller, "RECORD_READ_ONLY", "true")
	hears := func(file string) {
		h.api("uuid_record", caller, "start", filepath.Join(h.dir, file), "3")
		h.until("the caller hears the tone", func() bool {
			samples := wave(filepath.Join(h.dir, file))
			return len(samples) > 16000 && loudness(samples[len(samples)-4000:], 700) > 300
		})
	}
	hears("early.wav")
	if h.seen.has("answered") {
		t.Error("it was answered")
	}
	h.api("uuid_answer", callee)
	h.logged("answered, hears true")
	hears("answered.wav")
	h.api("uuid_kill", callee)
	h.logged("b is gone")
	h.api("uuid_kill", caller)
	h.idle()
}

// A phone that is refused after early media: the caller is free, and the call failed.
func TestFreeSWITCHEarlyMediaThenBusy(t *testing.T) {
	for name, attributes := range map[string]string{"bridged": `joinid="a"`, "alone": ""} {
		t.Run(name, func(t *testing.T) {
			h := newRealHouse(t, throughProfile())
			p := h.phone()
			h.document("incoming.ccxml", strings.ReplaceAll(early(attributes, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><log expr="'early ' + b"/></transition>
<transition event="dialog.exit"><log expr="'told'"/></transition>`), "'tel:200'", "'"+p.uri()+"'"))
			caller := h.caller()
			p.rings()
			h.logged("rings")
			p.reply("183 Session Progress", "sendrecv")
			h.logged("early ")
			if name == "bridged" {
				called := h.told("early ")
				h.until("they are bridged", func() bool { return len(h.api("uuid_getvar", called, "bridge_to")) == len(called) })
			}
			p.reply("486 Busy Here", "")
			h.logged("failed: busy 486")
			h.logged("told")
			h.api("uuid_kill", caller)
			h.idle()
		})
	}
}
