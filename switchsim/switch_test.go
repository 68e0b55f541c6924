package switchsim_test

import (
	"strings"
	"testing"
	"time"

	"ccxmld/switchsim"
)

func TestIncomingCallHearsPromptAndIsHungUp(t *testing.T) {
	p := onVirtualTime(t)
	controllers := p.newSockets()
	sw := p.newSwitch(switchsim.Options{Sockets: []string{controllers.address()}, Variables: map[string]string{"ccxml_uri": "http://x/y"}})
	sw.AddSound("/sounds/welcome.wav", 2*time.Second)
	caller, err := sw.Dial(switchsim.Call{From: "4075550100", Name: "Ada", To: "8001"})
	if err != nil {
		t.Fatal(err)
	}
	leg := controllers.accept()
	leg.say("connect")
	data := leg.await("CHANNEL_DATA")
	if got := value(data, "Control") + value(data, "Socket-Mode") + value(data, "variable_ccxml_uri"); got != "fullasynchttp://x/y" {
		t.Errorf("connect answered %q", got)
	}
	leg.say("myevents")
	leg.await("+OK Events Enabled")
	leg.say("linger 5")
	leg.await("+OK will linger 5 seconds")
	leg.execute("answer", "")
	leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: answer")
	if err := caller.WaitAnswered(p.ctx); err != nil {
		t.Error(err)
	}
	leg.execute("playback", "/sounds/welcome.wav", "event-lock: true")
	leg.execute("speak", "flite|kal|Good, bye.", "event-lock: true")
	if got := value(leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: playback"), "Application-Response"); got != "FILE PLAYED" {
		t.Errorf("playback answered %q", got)
	}
	leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: speak")
	caller.Press("12#")
	for _, digit := range []string{"1", "2", "#"} {
		if got := value(leg.await("DTMF"), "DTMF-Digit"); got != digit {
			t.Errorf("digit %q, want %q", got, digit)
		}
	}
	leg.say("sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING")
	leg.await("CHANNEL_HANGUP_COMPLETE", "variable_sip_hangup_disposition: send_bye")
	leg.await("Content-Disposition: linger")
	leg.await("Content-Disposition: disconnect")
	leg.awaitClosed()
	ending, err := caller.WaitEnded(p.ctx)
	if err != nil || ending != (switchsim.Ending{Cause: "NORMAL_CLEARING", SIPStatus: 200, By: "local"}) {
		t.Errorf("ended %+v, %v", ending, err)
	}
	var heard []string
	for _, s := range caller.Heard() {
		heard = append(heard, s.Kind+" "+s.What)
		if !s.Complete {
			t.Errorf("%s was not played to its end", s.What)
		}
	}
	if got := strings.Join(heard, "; "); got != "file /sounds/welcome.wav; speech Good, bye." {
		t.Errorf("heard %q", got)
	}
}

func TestOriginateBridgeConference(t *testing.T) {
	p := onVirtualTime(t)
	controllers := p.newSockets()
	sw := p.newSwitch(switchsim.Options{Sockets: []string{controllers.address()}})
	sw.Callee("4072223333", switchsim.Answers{After: time.Second})
	l := p.link(sw)
	l.say("event plain BACKGROUND_JOB CHANNEL_ANSWER CHANNEL_PROGRESS CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE CUSTOM conference::maintenance")
	l.await("+OK event listener enabled plain")
	l.say("bgapi originate {origination_uuid=b-leg,park_after_bridge=true}sofia/gateway/pstn/4072223333 &park()\nJob-UUID: job-1")
	l.await("CHANNEL_PROGRESS", "Unique-ID: b-leg")
	l.await("CHANNEL_ANSWER", "Unique-ID: b-leg")
	l.await("BACKGROUND_JOB", "+OK b-leg")
	callee, err := sw.WaitCallee(p.ctx, "4072223333")
	if err != nil {
		t.Fatal(err)
	}
	caller, err := sw.Dial(switchsim.Call{})
	if err != nil {
		t.Fatal(err)
	}
	leg := controllers.accept()
	leg.say("connect")
	leg.await("CHANNEL_DATA")
	leg.execute("answer", "")
	l.await("CHANNEL_ANSWER", "Unique-ID: "+caller.UUID())
	l.say("api uuid_bridge " + caller.UUID() + " b-leg")
	l.await("+OK b-leg")
	l.await("CHANNEL_BRIDGE", "Unique-ID: "+caller.UUID())
	if err := callee.WaitHeard(p.ctx, "4075550100"); err != nil {
		t.Error(err)
	}
	l.say("api uuid_transfer " + caller.UUID() + " -both 'conference:room@default' inline")
	l.await("+OK")
	l.await("Action: conference-create")
	l.await("Action: add-member", "Conference-Size: 1")
	l.await("Action: add-member", "Conference-Size: 2")
	if got := sw.Conference("room"); len(got) != 2 {
		t.Errorf("conference has %v", got)
	}
	callee.Hangup()
	l.await("Action: del-member", "Conference-Size: 1")
	l.await("CHANNEL_HANGUP_COMPLETE", "recv_bye", "Unique-ID: b-leg")
	caller.Hangup()
	l.await("Action: conference-destroy")
}
