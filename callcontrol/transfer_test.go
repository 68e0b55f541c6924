package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// transferring is a document that makes the calls which its VoiceXML page asks for,
// as the specification's example does.
const transferring = `
<ccxml version="1.0"><var name="caller"/><var name="callee"/><var name="dialog"/><var name="results"/><eventprocessor>
<transition event="connection.alerting"><assign name="caller" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == caller"><dialogstart src="'page.vxml'" dialogid="dialog"/></transition>
<transition event="dialog.transfer">
  <log expr="[event$.name, event$.type, event$.uri, event$.URI, event$.maxtime, event$.connecttimeout, event$.aai, event$.connectionid == caller].join()"/>
  <createcall dest="event$.uri" connectionid="callee" timeout="event$.connecttimeout"/></transition>
<transition event="connection.connected"><join id1="caller" id2="callee"/></transition>
<transition event="conference.joined"><log expr="'joined'"/></transition>
<transition event="connection.failed"><assign name="results" expr="event$.reason"/>
  <send target="dialog" targettype="'dialog'" name="'dialog.transfer.complete'" namelist="results"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == callee"><assign name="results" expr="'far_end_disconnect'"/>
  REJOIN
  <send target="dialog" targettype="'dialog'" name="'dialog.transfer.complete'" namelist="results"/></transition>
<transition event="dialog.terminatetransfer"><log expr="'give up: ' + event$.reason"/><disconnect connectionid="callee"/></transition>
<transition event="dialog.user.*"><log expr="event$.name + ' ' + event$.values.t"/></transition>
<transition event="dialog.exit"><log expr="'exit ' + event$.values.expr + ' ' + event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`

// A page has its caller transferred and goes on when the other party has hung up,
// whether the document joins the two again or not (DEV-5, DEV-7, DEV-13, DEV-18).
func TestTransfer(t *testing.T) {
	t.Parallel()
	const page = `<vxml version="2.1"><catch event="connection.disconnect"><exit expr="_event"/></catch>
<form><transfer name="t" dest="tel:1407" bridge="true" connecttimeout="20s" maxtime="60s" aai="x">Please hold.</transfer>
<block><send event="transferred" namelist="t"/>Welcome back.<exit expr="t"/></block></form></vxml>`
	for _, c := range []struct {
		name, rejoin string
		end          func(s *sitetest.Site, caller, callee *switchsim.Party)
		exit, heard  string
	}{
		{"the callee hangs up", "", func(_ *sitetest.Site, _, callee *switchsim.Party) { callee.Hangup() }, "far_end_disconnect", "Welcome back."},
		{"and the document joins the dialog", `<join id1="dialog" id2="caller"/>`,
			func(_ *sitetest.Site, _, callee *switchsim.Party) { callee.Hangup() }, "far_end_disconnect", "Welcome back."},
		{"the caller hangs up", "", func(s *sitetest.Site, caller, _ *switchsim.Party) {
			caller.Hangup()
			s.WaitLog("give up: near_end_disconnect")
		}, "connection.disconnect.hangup", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("1407", switchsim.Answers{After: time.Second})
			s.Document("page.vxml", page)
			caller := s.Dial(s.Document("transfer.ccxml", strings.Replace(transferring, "REJOIN", c.rejoin, 1)))
			s.WaitLog("dialog.transfer,bridge,tel:1407,tel:1407,60s,20s,x,true")
			s.WaitLog("joined")
			callee, err := s.Switch.WaitCallee(s.Context(), "1407")
			s.Must(err)
			hearsParty(s, caller, "1407")
			c.end(s, caller, callee)
			s.WaitLog("exit " + c.exit)
			if c.heard != "" {
				s.Must(caller.WaitHeard(s.Context(), c.heard))
				s.WaitLog("dialog.user.transferred far_end_disconnect")
			}
			s.WaitIdle()
		})
	}
}

// Events for dialogs: pages catch them, audio takes none (SND-6, DEV-15).
func TestSendToDialog(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	s.Document("page.vxml", `<vxml version="2.1"><form><field name="f" type="digits">Go
<catch event="user.news"><exit expr="_event + ' ' + _message.text"/></catch></field></form></vxml>`)
	s.Dial(s.Document("send.ccxml", `
<ccxml version="1.0"><var name="audio"/><var name="page"/><var name="c"/><var name="text" expr="'hello'"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogprepare src="'page.vxml'" dialogid="page"/><dialogstart src="'/sounds/long.wav'" type="'audio/wav'" dialogid="audio"/></transition>
<transition event="dialog.started" cond="event$.dialogid == audio"><send target="audio" targettype="'dialog'" name="'user.news'"/></transition>
<transition event="error.send.failed" cond="event$.reason.indexOf('take no events') > 0"><log expr="'no events'"/>
  <send target="page" targettype="'dialog'" name="'user.news'"/></transition>
<transition event="error.send.failed"><log expr="event$.reason"/><dialogstart prepareddialogid="page" connectionid="c"/></transition>
<transition event="dialog.exit" cond="event$.dialogid == audio"><log expr="'audio: ' + event$.reason"/></transition>
<transition event="dialog.started"><send target="page" targettype="'dialog'" name="'user.news'" namelist="text"/></transition>
<transition event="send.successful"><log expr="'sent'"/></transition>
<transition event="dialog.exit"><log expr="event$.values.expr"/><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("no events")
	s.Must(s.Trace.WaitText(s.Context(), "the dialog has not started yet"))
	s.WaitLog("audio: its connection was taken by a join or by another dialog")
	s.WaitLog("sent")
	s.WaitLog("user.news hello")
	s.WaitIdle()
}

// Unjoining a dialog from its connection ends it here (UNJ-3).
func TestUnjoinDialog(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	s.Dial(s.Document("unjoin.ccxml", `
<ccxml version="1.0"><var name="d"/><var name="c"/><eventprocessor>
<transition event="connection.alerting"><assign name="c" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'" dialogid="d"/></transition>
<transition event="dialog.started"><join id1="d" id2="c"/></transition>
<transition event="conference.joined"><log expr="'joined ' + session.connections[c].input"/><unjoin id1="d" id2="'nobody'"/><unjoin id1="c" id2="d"/></transition>
<transition event="error.semantic"><log expr="'nobody'"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + session.connections[c].input"/></transition>
<transition event="dialog.exit"><log expr="event$.reason"/><exit/></transition>
</eventprocessor></ccxml>`))
	s.WaitLog("joined ")
	s.WaitLog("nobody")
	s.WaitLog("unjoined undefined")
	s.WaitLog("its connection was taken")
	s.WaitIdle()
}
