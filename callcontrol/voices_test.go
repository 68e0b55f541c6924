package callcontrol

import (
	"slices"
	"testing"
	"testing/synctest"

	"ccxmld/interpreter"
)

// newVoice makes a stand-in by which a conference is to hear a connection.
func newVoice(t *testing.T) (l, of *leg, told *legSocket, failed *browser) {
	t.Helper()
	c := newSession(t)
	of, l = c.newLeg("a", legConnected), c.newLeg("v", legConnected)
	failed = new(browser) // is told in place of a document
	o := &order{issuer: c, browser: failed, legs: []*leg{of}}
	o.ID1, o.ID2 = "a", "conference:room"
	l.standIn = &standIn{conference: "conference:room", room: "room", voice: &voice{of: of, order: o, left: true, headcount: 2}}
	return l, of, withSocket(t, l), failed
}

// A stand-in that comes to our socket listens to its connection, unless it is not to any
// more or the connection is gone: then it is hung up.
func TestVoiceThatComes(t *testing.T) {
	for _, test := range []struct {
		name     string
		prepare  func(v *voice)
		listens  bool
		answered bool // the order waits for an answer
	}{
		{"wanted", func(*voice) {}, true, true},
		{"of one that was a member", func(v *voice) { v.quiet = true }, true, false},
		{"taken back", func(v *voice) { v.over = true }, false, false},
		{"of one that is gone", func(v *voice) { v.of.put(legGone) }, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, _, told, _ := newVoice(t)
				l.do(func() {
					test.prepare(l.voice())
					l.control.speaks(l)
				})
				if n := told.count("eavesdrop"); (n == 1) != test.listens || (l.joinPending != nil) != test.answered || l.voice().begun != test.listens {
					t.Errorf("it listens %d times, awaited %t", n, l.joinPending != nil)
				}
				if killed := told.count("uuid_kill v NORMAL_CLEARING") == 1; killed == test.listens {
					t.Errorf("hung up: %t; FreeSWITCH is told %q", killed, told.told)
				}
				l.do(func() { l.joinPending = nil; l.stopTimers() })
			})
		})
	}
}

// The end of a connection ends its stand-in, and a join that was not made yet has failed.
func TestConnectionOfAVoiceEnds(t *testing.T) {
	const reason = "the call has ended"
	for _, test := range []struct {
		name    string
		prepare func(l *leg)
		want    string
	}{
		{"before it has come", func(*leg) {}, reason},
		{"while it begins", func(l *leg) { l.control.speaks(l) }, reason},
		{"of one that was a member, while it begins", func(l *leg) {
			l.voice().quiet = true
			l.control.speaks(l)
		}, ""},
		{"taken back", func(l *leg) { l.voice().over = true }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, _, told, failed := newVoice(t)
				l.do(func() {
					test.prepare(l)
					l.control.voiceGone(l)
				})
				if failed.reason != test.want || l.joinPending != nil || !l.voice().over {
					t.Errorf("failed with %q, want %q; pending %t", failed.reason, test.want, l.joinPending != nil)
				}
				if told.count("uuid_kill v NORMAL_CLEARING") != 1 || told.count("uuid_transfer") != 0 {
					t.Errorf("FreeSWITCH is told %q", told.told)
				}
				l.do(func() { l.stopTimers() })
			})
		})
	}
}

// A connection is heard by a stand-in as long as that is one of its own that has not left.
func TestHeardByVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, of, _, _ := newVoice(t)
		other := l.control.newLeg("b", legConnected)
		var heard []bool
		l.do(func() {
			heard = append(heard, of.isHeardByVoice())
			l.voice().left = false
			heard = append(heard, of.isHeardByVoice(), other.isHeardByVoice(), l.isHeardByVoice())
		})
		if want := []bool{false, true, false, false}; !slices.Equal(heard, want) {
			t.Errorf("heard: %t, want %t", heard, want)
		}
		if l.do(func() { l.voice().left = true }); of.voiceIn("conference:room") != nil {
			t.Error("a conference that the stand-in has left hears by it")
		}
	})
}

// What was written before it went out goes on after a take-over where the session has it.
func TestWhatGoesOn(t *testing.T) {
	c := newSession(t)
	c.newLeg("ringing", legAlerting)
	c.newLeg("talking", legConnected)
	c.starting = map[string]interpreter.DialogRequest{"starting": {}}
	c.prepared = map[string]*preparedDialog{"prepared": {}}
	c.dialogs = map[string]*leg{"playing": c.legs["talking"]}
	call := func(id string) any { return interpreter.CallRequest{ConnectionID: id} }
	accept := func(id string) any { return interpreter.AcceptRequest{ConnectionID: id} }
	start := func(id string) any { return interpreter.DialogRequest{DialogID: id} }
	for _, test := range []struct {
		request any
		want    bool
	}{
		{call("talking"), true}, {call("gone"), false}, {accept("talking"), true}, {accept("ringing"), false}, {accept("gone"), false},
		{start("starting"), true}, {start("prepared"), true}, {start("playing"), true}, {start("gone"), false}, {"another", false},
	} {
		usual := interpreter.Again(77)
		if got := c.goesOn(test.request, usual); (got == interpreter.GoesOn) != test.want || !test.want && got != usual {
			t.Errorf("%+v goes on: %v", test.request, got)
		}
	}
}
