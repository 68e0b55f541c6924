package freeswitch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ccxmld/clock"
	"ccxmld/esl"
)

// eventSocket is the inbound Event Socket of a FreeSWITCH that takes all that it is
// told, and answers as a test wants.
type eventSocket struct {
	mu      sync.Mutex
	down    bool // nobody listens
	conn    net.Conn
	heard   []string          // commands since the link came up, without the login's
	answers map[string]string // to what follows "api " or "bgapi "; else +OK
	jobs    []string          // ids of those that it was given
}

var errRefused = errors.New("connection refused")

func (s *eventSocket) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errRefused
	}
	ours, theirs := net.Pipe()
	s.conn, s.heard = ours, nil
	go s.serve(ours)
	return theirs, nil
}

func (s *eventSocket) serve(conn net.Conn) {
	fmt.Fprint(conn, "Content-Type: auth/request\n\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		command := lines.Text()
		job := ""
		for lines.Scan() && lines.Text() != "" {
			job = strings.TrimPrefix(lines.Text(), "Job-UUID: ")
		}
		s.mu.Lock()
		s.heard = append(s.heard, command)
		if job != "" {
			s.jobs = append(s.jobs, job)
		}
		answer, ok := s.answers[strings.TrimPrefix(command, "api ")]
		s.mu.Unlock()
		if !ok {
			answer = "+OK"
		}
		if strings.HasPrefix(command, "api ") {
			fmt.Fprintf(conn, "Content-Type: api/response\nContent-Length: %d\n\n%s", len(answer), answer)
		} else {
			fmt.Fprintf(conn, "Content-Type: command/reply\nReply-Text: %s\n\n", answer)
		}
	}
}

// tell sends an event.
func (s *eventSocket) tell(event string) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	fmt.Fprintf(conn, "Content-Type: text/event-plain\nContent-Length: %d\n\n%s", len(event), event)
	synctest.Wait()
}

// cut ends the link, and lets it not come again before up is called.
func (s *eventSocket) cut() {
	s.mu.Lock()
	s.down = true
	s.conn.Close()
	s.mu.Unlock()
	synctest.Wait()
}

func (s *eventSocket) up() {
	s.mu.Lock()
	s.down = false
	s.mu.Unlock()
	time.Sleep(20 * time.Second) // of the longest wait between two tries
	synctest.Wait()
}

// commands gives those that begin so.
func (s *eventSocket) commands(beginning string) (list []string) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range s.heard {
		if strings.HasPrefix(command, beginning) {
			list = append(list, command)
		}
	}
	return list
}

// told is an owner that notes what it is told.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (o *told) note(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, fmt.Sprintf(format, args...))
}

func (o *told) NodeUp(n *Node, restarted bool) { o.note("up %s restarted %t", n.Machine(), restarted) }
func (o *told) NodeDown(_ *Node, _ error)      { o.note("down") }
func (o *told) Progressing(_ *Node, channel string, media bool) {
	o.note("%s progresses, media %t", channel, media)
}
func (o *told) ChannelTold(_ *Node, channel string, e *esl.Event) {
	o.note("%s told %s", channel, e.Name())
}
func (o *told) Claimed(session string, epoch int64)      { o.note("%s claimed %d", session, epoch) }
func (o *told) HungUp(_ *Node, channel string, h Hangup) { o.note("%s hung up: %s", channel, h.Cause) }
func (o *told) RoomEvent(_ *Node, e RoomEvent, change Change, there bool) {
	o.note("room %s: %s of %s, change %d, there %t", e.Room, e.Action, e.Channel, change, there)
}
func (o *told) RoomListed(_ *Node, now Roster, entered []RosterMember, left []string) {
	o.note("room %s lists %d, entered %d, left %d", now.Room, len(now.Members), len(entered), len(left))
}

// expect checks what was told since it was asked last.
func (o *told) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.lines, want) {
		t.Errorf("told %q, want %q", o.lines, want)
	}
	o.lines = nil
}

// withNode runs a test in virtual time with a node whose link to a socket is up.
func withNode(t *testing.T, test func(t *testing.T, n *Node, s *eventSocket, o *told, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &eventSocket{answers: map[string]string{"switchname": "m1", "global_getvar core_uuid": "c1"}}
		for _, module := range Modules() {
			s.answers["module_exists "+module.Name] = "true"
		}
		o, log := new(told), new(bytes.Buffer)
		all := NewNodes(NodesOptions{ID: "c", Owner: o, Clock: clock.Real(), Dial: s.dial, Logger: slog.New(slog.NewTextHandler(log, nil))},
			[]NodeOptions{{Name: "one", Address: "there:8021", Password: "p", Weight: 1}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			all.Run(ctx)
		}()
		if err := all.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.expect(t, "up m1 restarted false")
		test(t, all.All()[0], s, o, log)
		cancel()
		<-ended
	})
}

// TestFollow: a link tells of channels that are followed, and of no others, also when it has
// been down; a hangup is the last of it.
func TestFollow(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		asked := func(want ...string) {
			t.Helper()
			synctest.Wait()
			var heard []string
			for _, command := range s.commands("") {
				if strings.Contains(command, "Unique-ID") || strings.Contains(command, "CHANNEL_BRIDGE") {
					heard = append(heard, command)
				}
			}
			if !slices.Equal(heard, want) {
				t.Errorf("FreeSWITCH was told %q, want %q", heard, want)
			}
		}
		const subscribed = "event plain CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PARK " +
			"PLAYBACK_START DTMF CHANNEL_HOLD CHANNEL_UNHOLD CUSTOM conference::maintenance sofia::error sofia::notify_refer"
		n.Follow("leg")
		asked(subscribed, "filter Unique-ID leg")
		s.tell("Event-Name: CHANNEL_BRIDGE\nUnique-ID: leg\n\n")
		s.tell("Event-Name: CHANNEL_BRIDGE\nUnique-ID: other\n\n")
		o.expect(t, "leg told CHANNEL_BRIDGE")
		s.cut()
		o.expect(t, "down")
		s.up()
		o.expect(t, "up m1 restarted false")
		asked(subscribed, "filter Unique-ID leg")
		s.tell("Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: leg\nHangup-Cause: NORMAL_CLEARING\n\n")
		o.expect(t, "leg told CHANNEL_HANGUP_COMPLETE", "leg hung up: NORMAL_CLEARING")
		s.tell("Event-Name: CHANNEL_BRIDGE\nUnique-ID: leg\n\n")
		o.expect(t)
		n.Unfollow("leg") // once more does nothing
		asked(subscribed, "filter Unique-ID leg", "filter delete Unique-ID leg")
	})
}

func TestWhatALinkListensTo(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		want := []string{
			"auth p",
			"event plain BACKGROUND_JOB CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_HANGUP_COMPLETE CUSTOM conference::maintenance ccxmld::claimed",
			"filter variable_ccxmld_link c", "filter ccxmld-from c", "filter Event-Name BACKGROUND_JOB", "api switchname", "api global_getvar core_uuid",
			"api module_exists mod_commands", "api module_exists mod_dptools", "api module_exists mod_sndfile", "api module_exists mod_conference",
		}
		if heard := s.commands(""); !slices.Equal(heard, want) {
			t.Errorf("FreeSWITCH is told %q", heard)
		}
		if n.Name() != "one" || n.Address() != "there:8021" || n.Machine() != "m1" || !n.Up() {
			t.Errorf("node %s at %s is %s, up %t", n.Name(), n.Address(), n.Machine(), n.Up())
		}
	})
}

// A channel that was to be hung up while the link was down is, once that is up again,
// with its own cause and once.
func TestHangupsThatANodeIsOwed(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		n.Kill("now", "USER_BUSY")
		if killed := s.commands("api uuid_kill"); !slices.Equal(killed, []string{"api uuid_kill now USER_BUSY"}) {
			t.Errorf("hung up: %q", killed)
		}
		s.cut()
		o.expect(t, "down")
		n.Kill("later", "ORIGINATOR_CANCEL")
		s.up()
		o.expect(t, "up m1 restarted false")
		if killed := s.commands("api uuid_kill"); !slices.Equal(killed, []string{"api uuid_kill later ORIGINATOR_CANCEL"}) {
			t.Errorf("hung up: %q", killed)
		}
		s.cut()
		s.up()
		if killed := s.commands("api uuid_kill"); len(killed) != 0 {
			t.Errorf("hung up again: %q", killed)
		}
		s.cut()
		for i := range maxOwed + 2 {
			n.Kill(fmt.Sprint(i), "NORMAL_CLEARING")
		}
		if len(n.owed) != maxOwed {
			t.Errorf("the node is owed %d hangups", len(n.owed))
		}
		n.owed = nil
	})
}

// What FreeSWITCH says of a hangup that it does not make is no hangup that it is owed.
func TestHangupsThatFreeSWITCHRefuses(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, log *bytes.Buffer) {
		s.answers["uuid_kill gone NORMAL_CLEARING"] = "-ERR No such channel!"
		n.Kill("gone", "NORMAL_CLEARING")
		n.Kill("a\nb", "NORMAL_CLEARING") // which no channel is called
		synctest.Wait()
		s.cut()
		s.up()
		if killed := s.commands("api uuid_kill"); len(killed) != 0 {
			t.Errorf("hung up: %q", killed)
		}
		if !strings.Contains(log.String(), "leg not hung up") {
			t.Errorf("not logged: %s", log)
		}
	})
}

func TestANodeIsStartedAnew(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, log *bytes.Buffer) {
		s.cut()
		s.answers["global_getvar core_uuid"], s.answers["switchname"] = "c2", "m2"
		s.answers["module_exists mod_conference"], s.answers["module_exists mod_sofia"] = "false", "false"
		s.up()
		o.expect(t, "down", "up m2 restarted true")
		for _, words := range []string{"FreeSWITCH has been started anew", "module=mod_conference"} {
			if strings.Count(log.String(), words) != 1 {
				t.Errorf("the log does not have %q once: %s", words, log)
			}
		}
		if strings.Contains(log.String(), "mod_sofia") {
			t.Error("a module is missed that is not needed")
		}
		s.cut()
		s.up()
		o.expect(t, "down", "up m2 restarted false")
	})
}

// FreeSWITCH that does not say who it is counts as up, on a machine without a name.
func TestANodeWithoutAName(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		s.cut()
		s.answers["switchname"] = "-ERR no"
		s.up()
		o.expect(t, "down", "up  restarted false")
		if n.all.On("") != nil {
			t.Error("it is taken for the machine without a name")
		}
	})
}

func TestWhatALinkTells(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
		room := func(action, name string) string {
			return "Event-Name: CUSTOM\nEvent-Subclass: conference%3A%3Amaintenance\nAction: " + action + "\nConference-Name: " + name +
				"\nConference-Unique-ID: u\nMember-ID: 1\nUnique-ID: leg\nCaller-Caller-ID-Number: 5\n\n"
		}
		s.tell("Event-Name: CHANNEL_PROGRESS\nUnique-ID: leg\n\n")
		s.tell("Event-Name: CHANNEL_PROGRESS_MEDIA\nUnique-ID: leg\n\n")
		s.tell("Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: leg\nHangup-Cause: USER_BUSY\n\n")
		s.tell("Event-Name: CODEC\nUnique-ID: leg\n\n")
		s.tell(room(AddMember, "unknown"))
		o.expect(t, "leg progresses, media false", "leg progresses, media true", "leg hung up: USER_BUSY")

		n.all.Observe("r")
		synctest.Wait()
		if got := s.commands("filter Conf"); !slices.Equal(got, []string{"filter Conference-Name r"}) {
			t.Errorf("told %q", got)
		}
		if got := s.commands("bgapi"); !slices.Equal(got, []string{"bgapi conference r xml_list"}) {
			t.Errorf("asked %q", got)
		}
		s.tell(job(s.jobs[0], "-ERR Conference r not found\n"))
		s.tell(room(AddMember, "r"))
		s.tell(room(StartTalking, "r"))
		s.tell(room(DelMember, "r"))
		o.expect(t, "room r lists 0, entered 0, left 0",
			fmt.Sprintf("room r: add-member of leg, change %d, there true", Entered),
			fmt.Sprintf("room r: start-talking of leg, change %d, there true", Unchanged),
			fmt.Sprintf("room r: del-member of leg, change %d, there false", Left))
		n.all.Unobserve("r")
		if got := s.commands("filter delete"); !slices.Equal(got, []string{"filter delete Conference-Name r"}) {
			t.Errorf("told %q", got)
		}
	})
}

// A roster that nobody understands is logged, and changes nothing.
func TestRostersThatAreNone(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, log *bytes.Buffer) {
		n.all.Observe("r")
		synctest.Wait()
		s.tell(job(s.jobs[0], "what?"))
		o.expect(t)
		if !strings.Contains(log.String(), "roster of a conference not understood") {
			t.Errorf("not logged: %s", log)
		}
	})
}

func job(id, result string) string {
	return fmt.Sprintf("Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: %d\n\n%s", id, len(result), result)
}

// A question whose answer does not come is asked three times, each for its own time, and
// answered once.
func TestQuestionsAreAskedAgain(t *testing.T) {
	for answered := range jobAsked + 1 { // the one that FreeSWITCH answers
		t.Run(fmt.Sprint(answered), func(t *testing.T) {
			withNode(t, func(t *testing.T, n *Node, s *eventSocket, o *told, _ *bytes.Buffer) {
				n.Ask(Room("r").List(), func(result string, err error) { o.note("%s %v", result, err) })
				asked := func(times int) {
					t.Helper()
					if asked := s.commands("bgapi"); len(asked) != times {
						t.Fatalf("asked %q, want %d times", asked, times)
					}
				}
				for i := range jobAsked {
					asked(i + 1)
					if i == answered {
						s.tell(job(s.jobs[i], "yes"))
						break
					}
					time.Sleep(jobTimeout - time.Millisecond)
					asked(i + 1)
					o.expect(t)
					time.Sleep(time.Millisecond)
				}
				want := "yes <nil>"
				if answered == jobAsked {
					want = " " + ErrJobLost.Error()
				}
				for _, id := range s.jobs {
					s.tell(job(id, "late"))
				}
				time.Sleep(time.Minute)
				o.expect(t, want)
				asked(min(answered+1, jobAsked))
			})
		})
	}
}

func TestQuestionsOfChannels(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, _ *told, _ *bytes.Buffer) {
		for command, answer := range map[string]string{
			"uuid_exists a": "true", "uuid_exists b": "false", "uuid_exists c": "-ERR",
			"uuid_dump a": "Channel-Call-State: EARLY\n", "uuid_dump b": "-ERR No such channel!",
		} {
			s.answers[command] = answer
		}
		var got []string
		for _, id := range []string{"a", "b", "c"} {
			n.Exists(id, func(there bool) { got = append(got, fmt.Sprintf("%s %t", id, there)) })
		}
		for _, id := range []string{"a", "b"} {
			n.Look(id, func(state ChannelState, there bool) { got = append(got, fmt.Sprintf("%s %d %t", id, state, there)) })
		}
		synctest.Wait()
		s.cut()
		n.Exists("a", func(bool) { got = append(got, "exists, without a link") })
		n.Look("a", func(ChannelState, bool) { got = append(got, "looked, without a link") })
		synctest.Wait()
		want := []string{"a true", "b false", fmt.Sprintf("a %d true", Early), fmt.Sprintf("b %d false", Down)}
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestCallsAreJobs(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, _ *told, _ *bytes.Buffer) {
		var got string
		n.Originate(esl.Originate{UUID: "leg", Dial: "null/x", Apps: []esl.App{{Name: "park"}}}, func(result string, err error) {
			got = fmt.Sprintf("%q %v", result, err)
		})
		if calls := s.commands("bgapi originate "); len(calls) != 1 || !strings.Contains(calls[0], "origination_uuid=leg") {
			t.Errorf("placed %q", calls)
		}
		s.tell(job(s.jobs[0], "-ERR USER_BUSY\n"))
		if got != `"-ERR USER_BUSY" <nil>` {
			t.Errorf("told %q", got)
		}
	})
}

// Sockets that end together are told of together, unless their FreeSWITCH is away.
func TestSocketsThatEndAreTold(t *testing.T) {
	withNode(t, func(t *testing.T, n *Node, s *eventSocket, _ *told, log *bytes.Buffer) {
		said := func(want ...string) {
			t.Helper()
			time.Sleep(cutsToldAfter)
			synctest.Wait()
			var got []string
			for line := range strings.Lines(log.String()) {
				if _, count, ok := strings.Cut(line, "legs="); ok {
					got = append(got, strings.TrimSpace(count))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("said %q, want %q", got, want)
			}
			log.Reset()
		}
		for range 3 {
			n.SocketEnded(errRefused)
		}
		said(`3 error="connection refused"`)
		n.SocketEnded(errRefused)
		said(`1 error="connection refused"`)
		n.SocketEnded(errRefused)
		s.cut()
		said()
		s.up()
		log.Reset()
		n.SocketEnded(errRefused)
		said(`1 error="connection refused"`)
	})
}
