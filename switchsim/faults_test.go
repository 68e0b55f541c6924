package switchsim_test

import (
	"strings"
	"testing"

	"ccxmld/switchsim"
)

// A socket that falls silent answers nothing more and tells of nothing, while the
// links go on; the switch does not notice that it is closed, and the leg stays.
func TestSilentSocket(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{Silence: func(_, command string) bool { return command == "api echo now" }})
	caller := p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	l := p.link(sw)
	leg.say("api echo now")
	leg.say("api echo after")
	caller.Press("5")
	l.order("bgapi echo told") // the digit has been told by now
	for _, block := range leg.all() {
		if strings.Contains(block, "now") || strings.Contains(block, "after") || value(block, "Event-Name") == "DTMF" {
			t.Errorf("the silent socket says %q", block)
		}
	}
	leg.conn.Close()
	l.say("api uuid_exists " + caller.UUID())
	l.await("\n\ntrue")
	if n := sw.SilenceLinks(); n != 1 {
		t.Errorf("%d links fell silent", n)
	}
	l.say("bgapi echo unheard")
	caller.Hangup()
	other := p.dial(sw, switchsim.Call{})
	again := controllers.accept().connect()
	if n := sw.SilenceSockets(other.UUID()); n != 1 {
		t.Errorf("%d sockets fell silent", n)
	}
	other.Hangup()
	if _, err := other.WaitEnded(p.ctx); err != nil {
		t.Error(err)
	}
	for _, block := range append(again.all(), l.all()...) {
		if strings.Contains(block, "unheard") || value(block, "Event-Name") == "CHANNEL_HANGUP" {
			t.Errorf("what is silent says %q", block)
		}
	}
}

// What becomes of jobs is the test's choice: done, done and told late, done late.
func TestJobFates(t *testing.T) {
	p := onVirtualTime(t)
	fates := map[string]switchsim.JobFate{"kept": switchsim.JobKept, "untold": switchsim.JobUntold}
	sw := p.newSwitch(switchsim.Options{
		Job: func(_, argument string) switchsim.JobFate {
			return fates[argument[strings.LastIndexByte(argument, ' ')+1:]]
		},
	})
	sw.Callee("1", switchsim.Answers{})
	l := p.link(sw)
	l.say("event plain BACKGROUND_JOB")
	l.await("+OK event listener enabled plain")
	job := func(id, command string) {
		l.say("bgapi " + command + "\nJob-UUID: " + id)
		l.await("+OK Job-UUID: " + id)
	}
	job("j1", "originate sofia/gateway/pstn/1 park inline untold")
	callee, err := sw.WaitCallee(p.ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	if err := callee.WaitAnswered(p.ctx); err != nil {
		t.Fatal(err)
	}
	job("j2", "echo kept")
	job("j3", "echo done")
	l.await("Event-Name: BACKGROUND_JOB", "Job-UUID: j3")
	for _, block := range l.all() {
		if id := value(block, "Job-UUID"); value(block, "Event-Name") == "BACKGROUND_JOB" && id != "j3" {
			t.Errorf("job %s was told of", id)
		}
	}
	if n := sw.ReleaseJobs(); n != 2 {
		t.Errorf("%d jobs were kept", n)
	}
	l.await("Event-Name: BACKGROUND_JOB", "Job-UUID: j1", "+OK")
	l.await("Event-Name: BACKGROUND_JOB", "Job-UUID: j2", "kept")
}

// What the switch refuses, it answers so: an API command, a job, a call, an application.
func TestRefusals(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{Refuses: func(name, argument string) string {
		if strings.HasSuffix(argument, "not") {
			return name + " REFUSED"
		}
		return ""
	}})
	p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	leg.say("api echo not")
	leg.await("\n\n-ERR echo REFUSED")
	leg.say("sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: not")
	leg.await("Reply-Text: -ERR playback REFUSED")
	l := p.link(sw)
	l.say("event plain BACKGROUND_JOB")
	l.await("+OK event listener enabled plain")
	for _, job := range []string{"echo not", "originate sofia/gateway/pstn/1 park inline not"} {
		l.say("bgapi " + job)
		name, _, _ := strings.Cut(job, " ")
		l.await("Event-Name: BACKGROUND_JOB", "-ERR "+name+" REFUSED")
	}
	leg.say("api echo done")
	leg.await("\n\ndone")
}

// A room that waits for its moderator lets nobody be heard before he is there.
func TestRoomWaitsForModerator(t *testing.T) {
	p := onVirtualTime(t)
	sw := p.newSwitch(switchsim.Options{})
	l := p.link(sw)
	l.say("event plain CUSTOM conference::maintenance")
	l.await("+OK event listener enabled plain")
	enter := func(number, flags string) *switchsim.Party {
		sw.Callee(number, switchsim.Answers{})
		l.say("bgapi originate sofia/gateway/pstn/" + number + " 'conference:wait@ccxmld" + flags + "' inline")
		party, err := sw.WaitCallee(p.ctx, number)
		if err != nil {
			t.Fatal(err)
		}
		l.await("Action: add-member", "Unique-ID: "+party.UUID())
		return party
	}
	first := enter("1", "+flags{wait-mod}")
	second := enter("2", "+flags{wait-mod}")
	if heard := append(first.Hears(), second.Hears()...); len(heard) > 0 {
		t.Errorf("before the moderator is there, %v are heard", heard)
	}
	enter("3", "+flags{moderator}")
	enter("4", "+flags{wait-mod}")
	if got := strings.Join(first.Hears(), " "); got != "2 3 4" {
		t.Errorf("the first hears %q", got)
	}
}
