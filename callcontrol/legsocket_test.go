package callcontrol

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/dialog"
	"ccxmld/esl"
	"ccxmld/freeswitch"
	"ccxmld/interpreter"
)

// legSocket is FreeSWITCH's end of the socket of a leg: it keeps what it is told, and
// takes all but what it refuses.
type legSocket struct {
	mu      sync.Mutex
	refuses string // what stands in what it refuses; "" is nothing
	told    []string
}

// withSocket gives a leg a socket.
func withSocket(t *testing.T, l *leg) *legSocket {
	t.Helper()
	s := new(legSocket)
	ours, theirs := net.Pipe()
	conn := esl.NewConn(theirs, esl.Options{})
	l.conn, l.socket = conn, socketStates.At(socketReady)
	go func() { _ = conn.Run(func(*esl.Event) {}) }()
	go s.serve(ours)
	t.Cleanup(func() {
		conn.Close()
		ours.Close()
	})
	return s
}

func (s *legSocket) serve(conn net.Conn) {
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		command := []string{strings.TrimSpace(lines.Text())}
		for lines.Scan() && strings.TrimSpace(lines.Text()) != "" {
			if name, value, _ := strings.Cut(lines.Text(), ":"); strings.HasPrefix(strings.ToLower(name), "execute-app-") {
				command = append(command, strings.TrimSpace(value))
			}
		}
		text := strings.Join(command, " ")
		s.mu.Lock()
		s.told = append(s.told, text)
		answer := "+OK"
		if s.refuses != "" && strings.Contains(text, s.refuses) {
			answer = "-ERR REFUSED"
		}
		s.mu.Unlock()
		if strings.HasPrefix(text, "api ") {
			fmt.Fprintf(conn, "Content-Type: api/response\nContent-Length: %d\n\n%s", len(answer), answer)
		} else {
			fmt.Fprintf(conn, "Content-Type: command/reply\nReply-Text: %s\n\n", answer)
		}
	}
}

// count tells how many commands have a text.
func (s *legSocket) count(text string) (n int) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range s.told {
		if strings.Contains(command, text) {
			n++
		}
	}
	return n
}

// do runs something in the goroutine of the leg's session, and waits for what follows.
func (l *leg) do(f func()) {
	l.route.do(f)
	synctest.Wait()
}

// A call that we placed was answered, though nobody told, where its hangup says so; but
// not one that we gave up, or that did not come to us.
func TestAnswersThatAreNotTold(t *testing.T) {
	for _, state := range legStates.States() {
		placed := state != legAlerting && state != legConnected && state != legGone
		for _, answered := range []bool{false, true} {
			ending, failed := bare(state), bare(state)
			ending.clearing, failed.failure = clearings.At(clearing), reasonUnreachable
			for _, l := range []*leg{bare(state), ending, failed} {
				want := placed && answered && l != ending && l != failed
				if got := l.answerUntold(state, freeswitch.Hangup{Answered: answered}); got != want {
					t.Errorf("%v, answered %t, ending %t, failed %q: %t", state, answered, l.isEnding(), l.failure, got)
				}
			}
		}
	}
}

// What a leg is told to do on its way home it does there, once.
func TestWhatWaitsForTheWayHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSession(t).newLeg("a", legConnected)
		s := withSocket(t, l)
		l.do(func() {
			l.homing = homeStates.At(homeTransferred)
			l.recognize("grammar", nil)
			l.Execute("playback", "/a.wav", nil, nil)
		})
		if n := s.count(""); n != 0 {
			t.Errorf("told %q on the way", s.told)
		}
		l.do(func() {
			l.homing = homeStates.At(notHoming)
			l.runAtHome()
			l.runAtHome()
		})
		if s.count("detect_speech") != 1 || s.count("playback") != 1 || s.count("fire_asr_events true") != 1 || s.count("event plain DETECTED_SPEECH") != 1 {
			t.Errorf("told %q at home", s.told)
		}
		l.do(func() { l.recognize("another", nil) })
		if s.count("detect_speech") != 2 || s.count("fire_asr_events true") != 1 {
			t.Errorf("told %q for another grammar", s.told)
		}
	})
}

// A leg that is gone, or has no socket, is told nothing more.
func TestWhatALegWithoutASocketDoes(t *testing.T) {
	for _, gone := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newSession(t).newLeg("a", legConnected)
			s := withSocket(t, l)
			var told []string
			l.do(func() {
				if gone {
					l.put(legGone)
				} else {
					l.conn, l.socket = nil, socketStates.At(noSocket)
				}
				l.recognize("grammar", nil)
				l.background("/a.wav", true, func(err error) { told = append(told, fmt.Sprint("background: ", err)) })
				l.exists("/a.wav", func(there bool) { told = append(told, fmt.Sprint("exists: ", there)) })
				l.Execute("playback", "/a.wav", nil, func(c dialog.Completion) { told = append(told, fmt.Sprint("gone: ", c.Gone)) })
			})
			if want := []string{"background: " + errNoSocket.Error(), "exists: true", "gone: true"}; !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
			if l.recognizes || s.count("") != 0 {
				t.Errorf("FreeSWITCH is told %q", s.told)
			}
		})
	}
}

// What FreeSWITCH says to a file in the background, and of a path, whoever asks hears.
func TestAnswersOfALegsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSession(t).newLeg("a", legConnected)
		s := withSocket(t, l)
		var told []string
		background := func(on bool) {
			l.do(func() {
				l.background("/a.wav", on, func(err error) { told = append(told, fmt.Sprintf("%t %v", on, err)) })
			})
		}
		background(true)
		background(false)
		s.refuses = "uuid_displace"
		background(true)
		s.refuses = "file_exists"
		l.do(func() { l.exists("/a.wav", func(there bool) { told = append(told, fmt.Sprint("there ", there)) }) })
		want := []string{"true <nil>", "false <nil>", "true esl: FreeSWITCH answered -ERR REFUSED", "there true"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if s.count("uuid_displace a start") != 2 || s.count("uuid_displace a stop") != 1 {
			t.Errorf("FreeSWITCH is told %q", s.told)
		}
	})
}

// Tones that are heard when the leg's audio is not its own any more end the analysis.
func TestTonesOfALegThatIsJoined(t *testing.T) {
	for _, isJoined := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newSession(t).newLeg("a", legConnected)
			s := withSocket(t, l)
			a := &analysis{request: interpreter.Analysis{Runtime: time.Minute, MaxTime: time.Second, MaxSilence: time.Second, Report: []string{"beep", "sit"}}, beeps: usualBeeps}
			l.do(func() {
				l.analysis = a
				a.begin(l)
				if isJoined {
					l.place.kind, l.joinState = inBridge, joinStates.At(joined)
				}
				l.heardTones("nothing of ours")
				l.heardTones("tones low1=100")
			})
			if a.over != isJoined || len(a.tones) > 0 == isJoined || s.count("stop_tone_detect") > 0 != isJoined {
				t.Errorf("joined %t: over %t, heard %v, told %q", isJoined, a.over, a.tones, s.told)
			}
			l.do(a.end)
		})
	}
}

// TestWhatEndsAnAnalysis: most results do, but not a machine's voice, which its beep
// follows, nor those that the document does not want to stop at; after its time any.
func TestWhatEndsAnAnalysis(t *testing.T) {
	for _, test := range []struct {
		stop    []string
		late    bool
		results []string
		over    bool
		keeps   int
	}{
		{results: []string{"human"}, over: true, keeps: 1},
		{results: []string{"machine"}, keeps: 1},
		{results: []string{"machine", "machine"}, keeps: 1},
		{results: []string{"machine", "beep", "human"}, over: true, keeps: 2},
		{results: []string{"machine"}, late: true, over: true, keeps: 1},
		{results: []string{"human"}, stop: []string{"machine"}, keeps: 1},
		{results: []string{"human", "machine", "beep"}, stop: []string{"machine"}, over: true, keeps: 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newSession(t).newLeg("a", legConnected)
			a := &analysis{leg: l, request: interpreter.Analysis{Stop: test.stop}, late: test.late}
			l.do(func() {
				l.analysis = a
				for _, kind := range test.results {
					a.result(kind)
				}
			})
			if a.over != test.over || (l.analysis == nil) != test.over || len(a.results) != test.keeps {
				t.Errorf("%+v: over %t, results %q", test, a.over, a.results)
			}
		})
	}
}

// A dialog whose leg does not come back to it in time is told that it has no media.
func TestDialogThatWaitsForItsLeg(t *testing.T) {
	for _, comes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newSession(t)
			l := c.newLeg("a", legConnected)
			s := withSocket(t, l)
			d := &legDialog{leg: l, id: "d", detached: true, dialog: new(browser)}
			var told []string
			l.do(func() {
				c.dialogs = map[string]*leg{"d": l}
				l.dialogs = []*legDialog{d}
				l.place, l.joinState = place{kind: inBridge, partner: "b", order: &order{issuer: c}}, joinStates.At(joined)
				d.Execute("playback", "/a.wav", nil, func(c dialog.Completion) { told = append(told, c.Response) })
			})
			said := func() (list []string) {
				l.do(func() { list = slices.Clone(told) })
				return list
			}
			time.Sleep(homeTimeout - time.Millisecond)
			if told := said(); len(told) != 0 || s.count("playback") != 0 {
				t.Errorf("told %q before the time", told)
			}
			if comes {
				l.do(func() {
					l.place, l.joinState = place{}, joinStates.At(notJoined)
					l.runAtHome()
				})
			}
			time.Sleep(time.Second)
			if told := said(); comes && (len(told) != 0 || s.count("playback") != 1) ||
				!comes && (len(told) != 1 || !strings.HasPrefix(told[0], "the dialog has no media") || s.count("playback") != 0) {
				t.Errorf("comes %t: told %q, FreeSWITCH %q", comes, told, s.told)
			}
			l.do(func() { c.dialogs, l.dialogs = nil, nil })
		})
	}
}

// A leg that was fetched and comes to our socket with another mark is on its way still,
// and one that comes with the mark, or was not fetched, is sent to its park.
func TestLegThatComesFetched(t *testing.T) {
	for _, test := range []struct {
		fetching bool
		home     string
		sent     int
	}{{true, "ours", 1}, {true, "another", 0}, {false, "another", 1}} {
		synctest.Test(t, func(t *testing.T) {
			c := newSession(t)
			l := c.newLeg("a", legConnected)
			s := withSocket(t, l)
			l.do(func() {
				l.homing, l.home = homeStates.At(homeTransferred), "ours"
				if test.fetching {
					l.homing = homeStates.At(homeFetched)
				}
				c.attached(l, true, test.home)
			})
			if n := s.count("uuid_transfer"); n != test.sent {
				t.Errorf("%+v: transferred %d times", test, n)
			}
			l.do(func() { l.homing = homeStates.At(notHoming) })
		})
	}
}

// A call that comes to our socket answered needs no other node, and is hung up where it
// was given up meanwhile.
func TestPlacedLegThatComes(t *testing.T) {
	for _, test := range []struct {
		ending, answered bool
		state            legState
		kill             string
	}{
		{false, true, legConnected, ""},
		{true, true, legDialing, "api uuid_kill a ORIGINATOR_CANCEL"},
		{true, false, legDialing, "api uuid_kill a ORIGINATOR_CANCEL"},
		{false, false, legEarly, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newSession(t)
			l := c.newLeg("a", legDialing)
			s := withSocket(t, l)
			l.do(func() {
				l.node = c.controller.nodes.All()[0]
				l.calling = new(calling)
				if test.ending {
					l.clearing = clearings.At(clearing)
				}
				l.attempt = l.calling
				c.attached(l, test.answered, "")
			})
			if l.calling != nil || !l.state.Is(test.state) {
				t.Errorf("%+v: placed still %t, %v", test, l.calling != nil, l.state.State())
			}
			if test.kill != "" && s.count(test.kill) != 1 || test.kill == "" && s.count("uuid_kill") != 0 {
				t.Errorf("%+v: told %q", test, s.told)
			}
			l.do(func() { l.stopTimers() })
		})
	}
}

// Who cannot hear the other one is told why, once, and FreeSWITCH is not asked.
func TestListeningInVain(t *testing.T) {
	for want, prepare := range map[string]func(l, source *leg){
		"connection a is alerting; a join needs one that is connected": func(l, _ *leg) { l.put(legAlerting) },
		"connection b is alerting; a join needs one that is connected": func(_, source *leg) { source.put(legAlerting) },
		"one connection is on FreeSWITCH m2 and the other on m1; join both with a conference instead": func(l, source *leg) {
			l.machine, source.machine = "m1", "m2"
		},
		"": func(l, source *leg) { source.put(legEarly) },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newSession(t)
			l, source := c.newLeg("a", legConnected), c.newLeg("b", legConnected)
			s := withSocket(t, l)
			b := &browser{} // is told in place of a document
			o := &order{issuer: c, browser: b}
			l.do(func() {
				prepare(l, source)
				c.startListening(l, source, o)
			})
			if b.reason != want || (l.joinPending == o) != (want == "") || s.count("eavesdrop") > 0 != (want == "") {
				t.Errorf("failed with %q, want %q; FreeSWITCH is told %q", b.reason, want, s.told)
			}
			l.do(func() { l.joinPending = nil; l.stopTimers() })
		})
	}
}

// What is the last that a session asks of the directory comes after all that it has
// asked, and at once where nothing is asked.
func TestLastOfTheOrderedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSession(t).controller
		var w workQueue
		var mu sync.Mutex
		var done []string
		note := func(name string) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, name)
		}
		w.last(c, func() { note("at once") })
		if !slices.Equal(done, []string{"at once"}) {
			t.Errorf("done %q", done)
		}
		goOn := make(chan struct{})
		w.add(c, func(context.Context) { <-goOn; note("first") })
		w.add(c, func(context.Context) { note("second") })
		w.last(c, func() { note("last") })
		synctest.Wait()
		if len(done) != 1 {
			t.Errorf("done before its turn: %q", done)
		}
		close(goOn)
		synctest.Wait()
		if want := []string{"at once", "first", "second", "last"}; !slices.Equal(done, want) {
			t.Errorf("done %q, want %q", done, want)
		}
	})
}

// A connection that is on its way to another one whose session has ended comes back from
// the room of the two.
func TestMeetingWithALegWhoseSessionHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, other := newSession(t), newSession(t)
		l, late := c.newLeg("a", legConnected), other.newLeg("b", legConnected)
		s := withSocket(t, l)
		other.session.End("of the test")
		<-other.session.Done()
		o := &order{issuer: c, legs: []*leg{l, late}}
		o.ID1, o.ID2 = "a", "b"
		l.do(func() { c.joinPair(l, late, o) })
		if s.count("conference") != 1 || s.count("uuid_transfer") != 1 || l.joinPending != nil {
			t.Errorf("FreeSWITCH is told %q", s.told)
		}
		l.do(func() { l.stopTimers() })
	})
}

// A leg that nobody takes after its giver has ended is hung up.
func TestLegThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		giver, taker := newSession(t), newSession(t)
		l := giver.newLeg("a", legConnected)
		s := withSocket(t, l)
		for _, c := range []*control{giver, taker} {
			c.session.End("of the test")
			<-c.session.Done()
		}
		l.handover, l.owner = new(handover), ownerStates.At(legBeingMoved)
		giver.handOver(taker, l)
		if s.count("api uuid_kill a NORMAL_CLEARING") != 1 || !l.isGone() {
			t.Errorf("the leg is %v, and FreeSWITCH is told %q", l.state, s.told)
		}
	})
}

// A dialog of a VoiceXML server that is ended before it has begun has begun and ended for
// the document, once.
func TestBrowserThatIsTerminatedEarly(t *testing.T) {
	var told []string
	note := func(text string) { told = append(told, text) }
	b := &browser{events: dialog.Events{
		Started: func() { note("started") }, NotStarted: note, Exited: func(r dialog.Result) { note("exited " + r.Reason) },
	}}
	b.Terminate(false)
	b.Terminate(true)
	b.giveUp("late")
	b.ended(freeswitch.Hangup{Cause: "USER_BUSY"})
	if want := []string{"started", "exited "}; !slices.Equal(told, want) || b.Digit("1") {
		t.Errorf("told %q, want %q", told, want)
	}
}
