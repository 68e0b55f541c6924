package callcontrol_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/sitetest"
	"ccxmld/switchsim"
)

// early is a document that calls 200 for its caller, with attributes for
// createcall, and transitions of its own.
func early(attributes, transitions string) string {
	return `
<ccxml version="1.0" xmlns="http://www.w3.org/2002/09/ccxml"><var name="a"/><var name="b"/><eventprocessor>
<transition event="connection.alerting"><assign name="a" expr="event$.connectionid"/><accept/></transition>
<transition event="connection.connected" cond="event$.connectionid == a"><createcall dest="'tel:200'" connectionid="b" ` + attributes + `/></transition>
` + transitions + `
<transition event="connection.progressing"><log expr="'rings'"/></transition>
<transition event="connection.connected"><log expr="'answered, hears ' + (session.connections[b].input == a)"/></transition>
<transition event="conference.joined"><log expr="'joined ' + session.connections[b].state"/></transition>
<transition event="conference.unjoined"><log expr="'unjoined ' + session.connections[b].state"/></transition>
<transition event="connection.failed"><log expr="'failed: ' + event$.reason + ' ' + event$.info.sipstatus"/>
  <dialogstart connectionid="a" src="'null:?text=Nobody is there.'" type="'audio/wav'"/></transition>
<transition event="connection.disconnected" cond="event$.connectionid == b"><log expr="'b is gone'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.name + ' ' + event$.reason"/></transition>
</eventprocessor></ccxml>`
}

// silent makes a callee that has early media and does no more.
var silentEarly = switchsim.EarlyMedia{After: time.Second, AnswerAfter: -1}

// TestCAL9EarlyMedia: a caller hears the early media of the call that is made for
// him, before and after its answer.
func TestCAL9EarlyMedia(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"by joinid": early(`joinid="a"`, ""),
		"by join":   early("", `<transition event="connection.progressing" cond="event$.info.earlymedia"><join id1="a" id2="b"/></transition>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("200", silentEarly)
			caller := s.Dial(s.Document("early.ccxml", document))
			callee, err := s.Switch.WaitCallee(s.Context(), "200")
			s.Must(err)
			hearsParty(s, caller, "200")
			if name == "by join" {
				s.WaitLog("joined PROGRESSING")
			}
			if s.Trace.Has("answered") {
				t.Error("the call is answered already")
			}
			callee.Answer()
			s.WaitLog("answered, hears true")
			hearsParty(s, caller, "200")
			callee.Hangup()
			s.WaitLog("b is gone")
			caller.Hangup()
			s.WaitIdle()
			if s.Trace.Has("error.") {
				t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
}

// A call that is refused after its early media fails with the reason, and the
// caller is there to be told.
func TestEarlyMediaThenRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		callee     switchsim.Behaviour
		attributes string
		failed     string
	}{
		"busy":    {switchsim.EarlyMedia{After: time.Second, AnswerAfter: 10 * time.Second, Refuses: 486}, `joinid="a"`, "failed: busy 486"},
		"timeout": {silentEarly, `joinid="a" timeout="'10s'"`, "failed: timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.Callee("200", c.callee)
			caller := s.Dial(s.Document("early.ccxml", early(c.attributes, "")))
			hearsParty(s, caller, "200")
			s.WaitLog(c.failed)
			s.Must(caller.WaitHeard(s.Context(), "Nobody is there."))
			caller.Hangup()
			s.WaitIdle()
			if s.Trace.Has("error.") || s.Trace.Has("answered") {
				t.Errorf("seen: %s", strings.Join(s.Trace.Lines(), "\n"))
			}
		})
	}
}

// A bridge of early media can be taken away again; the answer comes all the same.
func TestEarlyMediaUnjoined(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", silentEarly)
	caller := s.Dial(s.Document("early.ccxml", early("", `
<transition event="connection.progressing" cond="event$.info.earlymedia"><join id1="a" id2="b" duplex="'half'"/></transition>
<transition event="conference.joined"><log expr="'joined'"/><unjoin id1="a" id2="b"/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("joined")
	s.WaitLog("unjoined PROGRESSING")
	callee.Answer()
	s.WaitLog("answered, hears false")
	callee.Hangup()
	s.WaitLog("b is gone")
	caller.Hangup()
	s.WaitIdle()
}

// Where the hint says so there is no early media, nor in a join.
func TestEarlyMediaIgnored(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", silentEarly)
	caller := s.Dial(s.Document("early.ccxml", early(`hints="{earlymedia: false}"`, `
<transition event="connection.progressing"><log expr="'rings ' + event$.info.earlymedia"/><join id1="a" id2="b"/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.WaitLog("rings undefined")
	s.Must(s.Trace.WaitText(s.Context(), "has no early media yet; a join needs one that has some, or is connected"))
	callee.Answer()
	s.WaitLog("answered, hears false")
	caller.Hangup()
	s.WaitIdle()
}

// A document that gives up a call with early media cancels it.
func TestEarlyMediaGivenUp(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	s.Switch.Callee("200", silentEarly)
	caller := s.Dial(s.Document("early.ccxml", early(`joinid="a"`, `
<transition event="connection.progressing" cond="event$.info.earlymedia"><disconnect connectionid="b" reason="'enough'"/></transition>`)))
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	ending, err := callee.WaitEnded(s.Context())
	s.Must(err)
	if ending.Cause != "ORIGINATOR_CANCEL" {
		t.Errorf("the call ended with %+v", ending)
	}
	s.WaitLog("failed: enough")
	caller.Hangup()
	s.WaitIdle()
}

// TestDLG16DialogBeforeAccept: with the hint, a dialog plays to a call that is not
// accepted, and goes on when it is.
func TestDLG16DialogBeforeAccept(t *testing.T) {
	t.Parallel()
	told := &orders{}
	s := sitetest.New(t, sitetest.WithSwitch(switchsim.Options{Refuses: told.refused}))
	s.Switch.AddSound("/sounds/long.wav", time.Hour)
	caller := s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'" hints="{earlymedia: true}"/></transition>
<transition event="dialog.started"><log expr="'plays, ' + session.connections[event$.connectionid].state"/></transition>
<transition event="connection.signal"><log expr="'dtmf ' + event$.info.value"/><accept/></transition>
<transition event="connection.connected"><log expr="'connected'"/></transition>
<transition event="dialog.exit"><log expr="'dialog over'"/></transition>
<transition event="connection.disconnected"><exit/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>`))
	s.WaitLog("plays, ALERTING")
	if told.count("pre_answer") != 1 {
		t.Error("the caller's side does not let him hear it")
	}
	s.Must(caller.WaitHeard(s.Context(), "long.wav"))
	caller.Press("1")
	s.WaitLog("dtmf 1")
	s.Must(caller.WaitAnswered(s.Context()))
	s.WaitLog("connected")
	if s.Trace.Has("dialog over") {
		t.Error("the dialog has ended")
	}
	caller.Hangup()
	s.WaitIdle()
}

// A call that is refused or redirected under a dialog ends at once, and so does the
// dialog.
func TestDialogBeforeRefusal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		element string
		status  int
	}{
		"reject":   {`<reject connectionid="event$.connectionid" reason="'busy'"/>`, 486},
		"redirect": {`<redirect connectionid="event$.connectionid" dest="'sip:a@b'"/>`, 302},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.New(t)
			s.Switch.AddSound("/sounds/long.wav", time.Hour)
			caller := s.Dial(s.Transitions("in.ccxml", `
<transition event="connection.alerting"><dialogstart src="'/sounds/long.wav'" type="'audio/wav'" hints="{earlymedia: true}"/></transition>
<transition event="dialog.started">`+c.element+`</transition>
<transition event="dialog.exit"><log expr="'dialog over'"/></transition>
<transition event="connection.failed"><log expr="'gone'"/></transition>
<transition event="connection.redirected"><log expr="'gone'"/></transition>
<transition event="error.*"><log expr="event$.reason"/><exit/></transition>
<transition event="ccxml.kill"><exit/></transition>`))
			ending, err := caller.WaitEnded(s.Context())
			s.Must(err)
			if ending.SIPStatus != c.status {
				t.Errorf("the caller got %+v", ending)
			}
			s.WaitLog("gone")
			s.WaitLog("dialog over")
			s.Stop()
		})
	}
}

// An answer that comes as the early media does is not missed, nor one that crosses
// the end of the call.
func TestEarlyMediaRaces(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("out.ccxml"))
	s.Document("out.ccxml", giveUp)
	for i := range 20 {
		s.Switch.Callee("200", switchsim.EarlyMedia{AnswerAfter: time.Duration(i) * 10 * time.Millisecond})
		session := s.StartToken("")
		callee, err := s.Switch.WaitCallee(s.Context(), "200")
		s.Must(err)
		if i%2 == 0 {
			s.WaitLog("answered")
		}
		s.Get("/ccxml/basichttp?sessionid=" + session + "&name=give.up")
		gaveUp(s, callee)
	}
	s.WaitIdle()
}

// An answer that FreeSWITCH has told to nobody, since it came between the early media and
// our subscription, is asked for.
func TestAnswerBeforeTheSubscription(t *testing.T) {
	t.Parallel()
	s, lines := newLateSite(t, sitetest.WithToken("out.ccxml"))
	came, release := lines.holdText(subscription)
	t.Cleanup(release)
	s.Switch.Callee("200", silentEarly)
	s.Transitions("out.ccxml", `<transition event="ccxml.loaded"><createcall dest="'tel:200'"/></transition>
<transition event="connection.connected"><log expr="'answered'"/></transition><transition event="connection.disconnected"><exit/></transition>`)
	s.StartToken("")
	callee, err := s.Switch.WaitCallee(s.Context(), "200")
	s.Must(err)
	s.Must(came.Wait(s.Context()))
	callee.Answer()
	s.Must(callee.WaitAnswered(s.Context()))
	release()
	s.WaitLog("answered")
	callee.Hangup()
	s.WaitIdle()
}
