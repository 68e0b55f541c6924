//go:build freeswitch

package callcontrol_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// callPhone is a document that calls a phone, which session.values.to names.
func (s *realSite) callPhone(p *phone, hints, transitions string) {
	s.Helper()
	s.startSession(s.Document("out.ccxml", `
<ccxml version="1.0"><var name="a"/><var name="b"/><var name="said" expr="''"/><eventprocessor>
<transition event="ccxml.loaded"><createcall dest="session.values.to" connectionid="a" timeout="'20s'" hints="`+hints+`"/></transition>
`+transitions+`
<transition event="connection.disconnected"><log expr="'over: ' + event$.reason + ', ' + event$.trigger + ', ' + event$.detail"/><exit/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason + ', ' + event$.info.sipstatus"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`), p.uri())
}

// told gives what a document logged behind a text.
func (s *realSite) told(text string) string {
	s.Helper()
	s.WaitLog(text)
	for _, line := range s.Trace.Lines() {
		if rest, ok := strings.CutPrefix(line, "log "+text); ok {
			return rest
		}
	}
	return ""
}

// A call that no audio comes from ends by its media timeout. Its headers go with
// the INVITE.
func TestFreeSWITCHMediaTimeout(t *testing.T) {
	s := newRealSite(t, throughProfile())
	p := s.phone()
	s.callPhone(p, `{mediatimeout: '2s', headers: {'X-Account': 'no. 42'}}`, "")
	if got := p.rings().get("X-Account"); got != "no. 42" {
		t.Errorf("the INVITE has %q", got)
	}
	p.reply("200 OK", "sendrecv")
	p.wait("BYE")
	s.WaitLog("over: MEDIA_TIMEOUT, local, no audio came from the far end")
	s.WaitIdle()
}

// The far end's hold and resume are signals, and the connection stays.
func TestFreeSWITCHHold(t *testing.T) {
	s := newRealSite(t, throughProfile())
	p := s.phone()
	s.callPhone(p, `{}`, `<transition event="connection.signal" cond="event$.info.type == 'hold'"><log expr="event$.info.type + ' ' + event$.connection.state"/></transition>
<transition event="connection.signal" cond="event$.info.type == 'resume'"><log expr="'resume ' + event$.connection.state"/>
  <disconnect connectionid="a" hints="{headers: {'X-Why': 'no. 1; it is over'}}"/></transition>`)
	p.picksUp()
	s.Must(s.Trace.Wait(s.Context(), "event connection.connected"))
	p.asks("INVITE", "", "sendonly")
	s.WaitLog("hold CONNECTED")
	p.wait("SIP/2.0 200")
	p.asks("INVITE", "", "sendrecv")
	s.WaitLog("resume CONNECTED")
	if got := p.wait("BYE").get("X-Why"); got != "no. 1; it is over" {
		t.Errorf("the BYE has %q", got)
	}
	s.WaitLog("over: NORMAL_CLEARING, local")
	s.WaitIdle()
}

// Digits that are only tones are heard where the hint asks for it.
func TestFreeSWITCHInbandDigits(t *testing.T) {
	s := newRealSite(t)
	s.Document("incoming.ccxml", `
<ccxml version="1.0"><eventprocessor>
<transition event="connection.alerting"><accept hints="{inbanddtmf: true}"/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="connection.signal"><log expr="event$.info.type + ' ' + event$.info.value"/><exit/></transition>
</eventprocessor></ccxml>`)
	caller := s.caller()
	s.WaitLog("connected")
	s.api("uuid_broadcast", caller, "tone_stream://%(300,300,770,1336)", "aleg")
	s.WaitLog("dtmf 5")
	s.gone(caller)
	s.WaitIdle()
}

// Early media is heard by the caller of a call that is not answered, and the answer
// does not take it away.
func TestFreeSWITCHEarlyMedia(t *testing.T) {
	s := newRealSite(t, sitetest.With("DIAL_ROUTES", "[{match: 'tel:200', dial: 'loopback/m:^:pre_answer^park/default/inline'}]"))
	s.Document("incoming.ccxml", early(`joinid="a"`, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><log expr="'early ' + b"/></transition>`))
	caller := s.caller()
	s.WaitLog("early ")
	b := &realBoard{realSite: s}
	callee := b.farEnd(s.told("early "))
	s.api("uuid_broadcast", callee, "tone_stream://%(120000,0,700)", "aleg")
	s.api("uuid_setvar", caller, "RECORD_READ_ONLY", "true")
	hears := func(file string) {
		s.api("uuid_record", caller, "start", filepath.Join(s.Dir, file), "3")
		s.WaitUntil("the caller hears the tone", func() bool {
			samples := wave(filepath.Join(s.Dir, file))
			return len(samples) > 16000 && loudness(samples[len(samples)-4000:], 700) > 300
		})
	}
	hears("early.wav")
	if s.Trace.Has("answered") {
		t.Error("it was answered")
	}
	s.api("uuid_answer", callee)
	s.WaitLog("answered, hears true")
	hears("answered.wav")
	s.api("uuid_kill", callee)
	s.WaitLog("b is gone")
	s.api("uuid_kill", caller)
	s.WaitIdle()
}

// A phone that is refused after early media: the caller is free, and the call failed.
func TestFreeSWITCHEarlyMediaThenBusy(t *testing.T) {
	for name, attributes := range map[string]string{"bridged": `joinid="a"`, "alone": ""} {
		t.Run(name, func(t *testing.T) {
			s := newRealSite(t, throughProfile())
			p := s.phone()
			s.Document("incoming.ccxml", strings.ReplaceAll(early(attributes, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><log expr="'early ' + b"/></transition>
<transition event="dialog.exit"><log expr="'told'"/></transition>`), "'tel:200'", "'"+p.uri()+"'"))
			caller := s.caller()
			p.rings()
			s.WaitLog("rings")
			p.reply("183 Session Progress", "sendrecv")
			s.WaitLog("early ")
			if name == "bridged" {
				called := s.told("early ")
				s.WaitUntil("they are bridged", func() bool { return len(s.api("uuid_getvar", called, "bridge_to")) == len(called) })
			}
			p.reply("486 Busy Here", "")
			s.WaitLog("failed: busy 486")
			s.WaitLog("told")
			s.api("uuid_kill", caller)
			s.WaitIdle()
		})
	}
}

// A phone that is sent elsewhere by REFER: what it tells of that decides.
func TestFreeSWITCHRedirectAfterAnswer(t *testing.T) {
	const sipfrag = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag;version=2.0\r\n"
	for name, c := range map[string]struct {
		answer, notify, want string
	}{
		"it hangs up":       {"202 Accepted", "", "redirected: NORMAL_CLEARING"},
		"it gets through":   {"202 Accepted", "SIP/2.0 200 OK\r\n", "redirected: BLIND_TRANSFER"},
		"it is refused":     {"603 Decline", "", "stays: the far end refused the transfer (SIP status 603)"},
		"nobody is reached": {"202 Accepted", "SIP/2.0 486 Busy Here\r\n", "stays: the far end did not reach the new destination (486 Busy Here); FreeSWITCH ends the call with that"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRealSite(t, throughProfile())
			p := s.phone()
			s.callPhone(p, `{}`, `
<transition event="connection.connected"><dialogstart src="'tone_stream://%(20000,0,440)'" type="'audio/wav'"/></transition>
<transition event="dialog.started"><redirect connectionid="a" dest="'sip:support@example.org'"/></transition>
<transition event="connection.redirected"><log expr="'redirected: ' + event$.info.cause"/><exit/></transition>
<transition event="connection.redirect.failed"><log expr="'stays: ' + event$.reason"/><if cond="/refused/.test(event$.reason)"><disconnect connectionid="a"/></if></transition>`)
			p.refers(c.answer)
			p.picksUp()
			if to := p.wait("REFER").get("Refer-To"); !strings.Contains(to, "sip:support@example.org") {
				t.Errorf("the REFER is to %q", to)
			}
			switch {
			case c.notify != "":
				p.tells("NOTIFY", sipfrag, c.notify)
				p.wait("BYE")
			case c.answer == "202 Accepted":
				p.asks("BYE", "", "")
			}
			s.WaitLog(c.want)
			s.WaitIdle()
		})
	}
}

// A phone that sends REFER, alone or in a bridge, takes no other leg away; the
// document hears whereto, and makes the transfer itself.
func TestFreeSWITCHFarEndTransfers(t *testing.T) {
	s := newRealSite(t, throughProfile())
	p, third := s.phone(), s.phone()
	s.callPhone(p, `{}`, `
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:1'" connectionid="b"/></transition>
<transition event="connection.connected" cond="event$.connectionid == b"><join id1="a" id2="b"/></transition>
<transition event="conference.joined" cond="said == ''"><assign name="said" expr="'talking'"/><log expr="said + ' ' + a"/></transition>
<transition event="conference.joined"><log expr="'transferred ' + b"/><disconnect connectionid="a"/></transition>
<transition event="connection.signal" cond="event$.info.type == 'transfer'"><log expr="'transfer to ' + event$.info.value + ' ' + (session.connections[b].input == a)"/>
  <if cond="/phone/.test(event$.info.value)"><createcall dest="event$.info.value" connectionid="said"/></if></transition>
<transition event="connection.connected"><join id1="b" id2="said"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == a"><log expr="'a is gone'"/></transition>`)
	p.picksUp()
	a := s.told("talking ")
	s.WaitUntil("FreeSWITCH knows no partner", func() bool { return s.api("uuid_getvar", a, "signal_bond") == "_undef_" })
	p.asks("REFER", "Refer-To: <sip:1234@example.org>\r\nReferred-By: <"+p.uri()+">\r\n", "")
	s.WaitLog("transfer to sip:1234@example.org true")
	p.wait("NOTIFY")
	p.asks("REFER", "Refer-To: \"A third\" <"+third.uri()+">\r\nReferred-By: <"+p.uri()+">\r\n", "")
	s.WaitLog("transfer to " + third.uri() + " true")
	third.picksUp()
	b := s.told("transferred ")
	p.wait("BYE")
	s.WaitLog("a is gone")
	s.WaitUntil("they are bridged", func() bool { return len(s.api("uuid_getvar", b, "bridge_to")) == len(b) })
	third.asks("BYE", "", "")
	s.WaitLog("over: NORMAL_CLEARING, remote")
	s.WaitIdle()
}

// An attended transfer, by which a phone with two calls wants FreeSWITCH to join
// their other ends, is refused; both calls go on.
func TestFreeSWITCHFarEndTransfersAttended(t *testing.T) {
	s := newRealSite(t, throughProfile())
	p, q := s.phone(), s.phone()
	const bridged = `
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:1'" connectionid="b"/></transition>
<transition event="connection.connected" cond="event$.connectionid == b"><join id1="a" id2="b"/></transition>
<transition event="conference.joined"><log expr="'talking'"/></transition>
<transition event="connection.signal"><log expr="'signal ' + event$.info.type"/></transition>`
	for _, one := range []*phone{p, q} {
		s.callPhone(one, `{}`, bridged)
		one.picksUp()
		s.WaitLog("talking")
		s.Trace.Reset()
	}
	from, _, _ := strings.Cut(q.invite.get("From"), ";tag=")
	_, fromTag, _ := strings.Cut(q.invite.get("From"), ";tag=")
	t.Logf("the other call is from %s", from)
	p.asks("REFER", "Refer-To: <sip:other@127.0.0.1?Replaces="+q.invite.get("Call-ID")+"%3Bto-tag%3Dphone%3Bfrom-tag%3D"+fromTag+">\r\nReferred-By: <"+p.uri()+">\r\n", "")
	if refused := p.wait("NOTIFY").body; !strings.HasPrefix(refused, "SIP/2.0 403") {
		t.Errorf("the phone is told %q", refused)
	}
	for _, one := range []*phone{p, q} {
		s.Trace.Reset()
		one.asks("BYE", "", "")
		s.WaitLog("over: NORMAL_CLEARING, remote")
	}
	s.WaitIdle()
}

// A dialog plays to a call before it is accepted, goes on when it is, and gives way
// when it is refused.
func TestFreeSWITCHDialogBeforeAccept(t *testing.T) {
	for name, element := range map[string]string{"accept": `<accept connectionid="c"/>`, "reject": `<reject connectionid="c"/>`} {
		t.Run(name, func(t *testing.T) {
			s := newRealSite(t)
			s.Document("incoming.ccxml", `
<ccxml version="1.0"><var name="c"/><var name="d"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/>
  <dialogstart dialogid="d" src="'tone_stream://%(30000,0,440)'" type="'audio/wav'" hints="{earlymedia: true}"/></transition>
<transition event="dialog.started"><log expr="'plays'"/><send name="'user.go'" target="session.id" delay="'300ms'"/></transition>
<transition event="user.go">`+element+`</transition>
<transition event="connection.connected"><log expr="'connected'"/><dialogterminate dialogid="d"/></transition>
<transition event="dialog.exit"><log expr="'exit ' + (session.connections[c] ? session.connections[c].state : 'gone')"/>
  <if cond="session.connections[c] &amp;&amp; session.connections[c].state == 'CONNECTED'"><exit/></if></transition>
<transition event="connection.failed"><log expr="'refused'"/><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`)
			caller := s.caller()
			s.WaitLog("plays")
			if name == "accept" {
				s.WaitLog("connected")
				s.WaitLog("exit CONNECTED")
			} else {
				s.WaitLog("refused")
			}
			s.gone(caller)
			s.WaitIdle()
		})
	}
}
