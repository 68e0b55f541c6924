package switchsim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ccxmld/clock"
	"ccxmld/switchsim"
)

// withSockets is a switch, and its controllers.
func (p *place) withSockets(options switchsim.Options) (*switchsim.Switch, *sockets) {
	p.Helper()
	controllers := p.newSockets()
	if options.Sockets == nil {
		options.Sockets = []string{controllers.address()}
	}
	return p.newSwitch(options), controllers
}

func (p *place) dial(sw *switchsim.Switch, call switchsim.Call) *switchsim.Party {
	p.Helper()
	caller, err := sw.Dial(call)
	if err != nil {
		p.Fatal(err)
	}
	return caller
}

func (c *controller) connect() *controller {
	c.Helper()
	c.say("connect")
	c.await("CHANNEL_DATA")
	c.say("linger")
	c.await("+OK will linger")
	c.say("myevents")
	c.await("+OK Events Enabled")
	return c
}

func TestSocketWithoutFullMayDoLittle(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{SocketArgs: "async"})
	caller := p.dial(sw, switchsim.Call{})
	leg := controllers.accept()
	leg.say("connect")
	if got := value(leg.await("CHANNEL_DATA"), "Control"); got != "single-channel" {
		t.Errorf("Control is %q", got)
	}
	for _, command := range []string{"api status", "bgapi status", "event plain ALL", "linger 5", "noevents"} {
		leg.say(command)
		if got := value(leg.await("command/reply"), "Reply-Text"); got != "-ERR command not found" {
			t.Errorf("%s answered %q", command, got)
		}
	}
	leg.say("sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY")
	leg.await("+OK")
	if ending, err := caller.WaitEnded(p.ctx); err != nil || ending.SIPStatus != 486 || ending.By != "local" {
		t.Errorf("ended %+v, %v", ending, err)
	}
	leg.awaitClosed() // it did not linger
}

func TestDialplanGoesOn(t *testing.T) {
	const deadAddress = "127.0.0.1:9"
	t.Run("past an address where nobody listens", func(t *testing.T) {
		p := onVirtualTime(t)
		sw, controllers := p.withSockets(switchsim.Options{})
		p.dial(sw, switchsim.Call{Sockets: []string{deadAddress, deadAddress + "|" + controllers.address()}})
		controllers.accept().connect()
	})
	t.Run("to its end, and hangs up", func(t *testing.T) {
		p := onVirtualTime(t)
		sw, _ := p.withSockets(switchsim.Options{Sockets: []string{deadAddress}})
		if ending, err := p.dial(sw, switchsim.Call{}).WaitEnded(p.ctx); err != nil || ending.Cause != "NORMAL_CLEARING" {
			t.Errorf("ended %+v, %v", ending, err)
		}
	})
	t.Run("when the controller goes", func(t *testing.T) {
		p := onVirtualTime(t)
		sw, controllers := p.withSockets(switchsim.Options{})
		p.dial(sw, switchsim.Call{Sockets: []string{controllers.address(), controllers.address()}})
		leg := controllers.accept().connect()
		leg.execute("answer", "")
		leg.await("CHANNEL_EXECUTE_COMPLETE")
		leg.say("exit")
		leg.awaitClosed()
		second := controllers.accept()
		second.say("connect")
		if got := value(second.await("CHANNEL_DATA"), "Answer-State"); got != "answered" {
			t.Errorf("leg is %s at its second controller", got)
		}
	})
	t.Run("not when the controller goes before it said connect", func(t *testing.T) {
		p := onVirtualTime(t)
		sw, controllers := p.withSockets(switchsim.Options{})
		l := p.link(sw)
		l.say("event plain CHANNEL_PARK")
		l.await("+OK")
		caller := p.dial(sw, switchsim.Call{Sockets: []string{controllers.address(), controllers.address()}})
		controllers.accept().conn.Close()
		l.await("CHANNEL_PARK", caller.UUID())
		caller.Hangup()
		if ending, err := caller.WaitEnded(p.ctx); err != nil || ending.Cause != "ORIGINATOR_CANCEL" {
			t.Errorf("ended %+v, %v", ending, err)
		}
	})
}

func TestUnknownApplicationHangsUp(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{})
	caller := p.dial(sw, switchsim.Call{})
	controllers.accept().connect().execute("no_such_app", "")
	if ending, err := caller.WaitEnded(p.ctx); err != nil || ending.Cause != "DESTINATION_OUT_OF_ORDER" {
		t.Errorf("ended %+v, %v", ending, err)
	}
	var ended *switchsim.EndedError
	if err := caller.WaitAnswered(p.ctx); !errors.As(err, &ended) {
		t.Errorf("waiting for an answer gave %v", err)
	}
}

func TestCommandsNestOrWait(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{})
	sw.AddSound("a", time.Second)
	sw.AddSound("b", 2*time.Second)
	p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	for _, test := range []struct{ lock, want string }{{"false", "b a"}, {"true", "a b"}} {
		leg.execute("playback", "a", "event-lock: "+test.lock)
		leg.execute("playback", "b", "event-lock: "+test.lock)
		var order []string
		for range 2 {
			order = append(order, value(leg.await("CHANNEL_EXECUTE_COMPLETE"), "Application-Data"))
		}
		if got := strings.Join(order, " "); got != test.want {
			t.Errorf("with event-lock %s they ended in the order %q, want %q", test.lock, got, test.want)
		}
	}
}

func TestPlaybackAnswers(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{})
	sw.AddSound("there.wav", time.Second)
	caller := p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	for data, want := range map[string]string{
		"there.wav":                          "FILE PLAYED",
		"gone.wav":                           "FILE NOT FOUND",
		"say:flite:kal:Hello, all: of you":   "FILE PLAYED",
		"say:none:kal:Hello":                 "PLAYBACK ERROR",
		"tone_stream://%(100,0,440);loops=3": "FILE PLAYED",
		"tone_stream://%(1000":               "FILE PLAYED",
		"silence_stream://100":               "FILE PLAYED",
		"file_string://there.wav!there.wav":  "FILE PLAYED",
		"{timeout=500}there.wav":             "FILE PLAYED",
	} {
		leg.execute("playback", data)
		if got := value(leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: playback"), "Application-Response"); got != want {
			t.Errorf("playback of %s answered %q, want %q", data, got, want)
		}
	}
	if err := caller.WaitHeard(p.ctx, "Hello, all: of you"); err != nil {
		t.Error(err)
	}
}

func TestRecordingCanBePlayed(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{})
	caller := p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	leg.execute("set", "playback_terminators=#")
	leg.execute("record", "/tmp/message.wav 30")
	leg.await("CHANNEL_EXECUTE", "Application: record")
	caller.Press("WW#")
	done := leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: record")
	if got := value(done, "variable_playback_terminator_used"); got != "#" {
		t.Errorf("ended by %q", got)
	}
	leg.execute("playback", "/tmp/message.wav")
	if got := value(leg.await("CHANNEL_EXECUTE_COMPLETE", "Application: playback"), "Application-Response"); got != "FILE PLAYED" {
		t.Errorf("playback answered %q", got)
	}
}

func TestFiltersLetInAndKeepOut(t *testing.T) {
	p := onVirtualTime(t)
	sw, _ := p.withSockets(switchsim.Options{})
	l := p.link(sw)
	send := func(subject string) {
		l.say("sendevent CUSTOM\nEvent-Subclass: a::b\nSubject: " + subject + "\nKind: test")
		l.await("+OK")
	}
	for _, command := range []string{"event plain CUSTOM a::b", "filter Subject one", "filter Subject /^t.o$/", "filter Kind -none"} {
		l.say(command)
		l.await("+OK")
	}
	for _, subject := range []string{"one", "three", "two", "four", "one"} {
		send(subject)
	}
	l.say("filter delete Subject one")
	l.await("+OK filter deleted. [Subject][one]")
	send("one")
	send("two")
	l.say("filter Kind -test")
	l.await("+OK")
	send("two")
	l.say("api echo done")
	l.await("done")
	var got []string
	for _, block := range l.all() {
		if value(block, "Event-Subclass") != "" {
			got = append(got, value(block, "subject"))
		}
	}
	if want := "one two one two"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOriginateOutcomes(t *testing.T) {
	p := onVirtualTime(t)
	sw, _ := p.withSockets(switchsim.Options{Gateways: []string{"pstn"}})
	for number, does := range map[string]switchsim.Behaviour{
		"1": switchsim.Answers{}, "2": switchsim.Busy{After: time.Second}, "3": switchsim.NoAnswer{}, "4": switchsim.Rejects{},
		"5": switchsim.Unavailable{}, "6": switchsim.Forbidden{}, "7": switchsim.Unreachable{}, "8": switchsim.Refuses{Status: 484},
		"9": switchsim.EarlyMedia{AnswerAfter: -1},
	} {
		sw.Callee(number, does)
	}
	l := p.link(sw)
	for dial, want := range map[string]string{
		"{originate_timeout=5}sofia/gateway/pstn/1":                         "+OK ",
		"{originate_timeout=5}sofia/gateway/pstn/2":                         "-ERR USER_BUSY",
		"{originate_timeout=5}sofia/gateway/pstn/3":                         "-ERR NO_ANSWER",
		"sofia/gateway/pstn/4":                                              "-ERR CALL_REJECTED",
		"sofia/gateway/pstn/5":                                              "-ERR NO_USER_RESPONSE",
		"sofia/gateway/pstn/6":                                              "-ERR CALL_REJECTED",
		"sofia/gateway/pstn/7":                                              "-ERR NORMAL_TEMPORARY_FAILURE",
		"sofia/gateway/pstn/8":                                              "-ERR INVALID_NUMBER_FORMAT",
		"{ignore_early_media=true,originate_timeout=3}sofia/gateway/pstn/9": "-ERR NO_ANSWER",
		"{^^:ignore_early_media=false:x='a b'}sofia/gateway/pstn/9":         "+OK ",
		"sofia/gateway/pstn/none":                                           "-ERR NO_ROUTE_DESTINATION",
		"sofia/gateway/other/1":                                             "-ERR INVALID_GATEWAY",
		"nothing/1":                                                         "-ERR CHAN_NOT_IMPLEMENTED",
		"error/USER_BUSY":                                                   "-ERR USER_BUSY",
	} {
		l.say("api originate " + dial + " &park()")
		if got := l.await("api/response"); !strings.Contains(got, "\n\n"+want) {
			t.Errorf("%s answered %q, want %q", dial, got, want)
		}
	}
}

func TestInlineDialplanSplitsAsToldTo(t *testing.T) {
	p := onVirtualTime(t)
	sw, controllers := p.withSockets(switchsim.Options{})
	sw.Callee("*", switchsim.Answers{})
	l := p.link(sw)
	l.say("bgapi originate {origination_uuid=x}loopback/1 'm:^:set:a=1,2^socket:" + controllers.address() + " async full' inline")
	leg := controllers.accept()
	leg.say("connect")
	if got := value(leg.await("CHANNEL_DATA"), "variable_a"); got != "1,2" {
		t.Errorf("a is %q", got)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	p := onVirtualTime(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	controllers := p.newSockets()
	sw := p.newSwitch(switchsim.Options{Sockets: []string{controllers.address()}, Tick: 20 * time.Millisecond})
	l := p.link(sw)
	caller := p.dial(sw, switchsim.Call{})
	leg := controllers.accept().connect()
	leg.execute("playback", "silence_stream://-1")
	waited := clock.NewPromise[error](p.clock)
	clock.Go(p.clock, func() {
		_, err := caller.WaitEnded(p.ctx)
		waited.Keep(err)
	})
	sw.Close()
	if err := waited.Wait(); err == nil {
		t.Error("waiting at a closed switch succeeded")
	}
	if _, err := sw.Dial(switchsim.Call{}); err == nil {
		t.Error("dialling a closed switch succeeded")
	}
	l.awaitClosed()
	leg.awaitClosed()
	l.conn.Close()
	leg.conn.Close()
}
